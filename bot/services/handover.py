"""Handing a SIM to another person: a code, somebody who sends it, the owner's own "yes" (F3).

What moves is the line, not its story: the new owner gets a record of their own with the line's
numbers and dates, the old owner's keeps its readings, orders and reminders, and is removed.
"""

import hmac
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.codes import digest, make_code, normalise
from bot.domain.handover import Handover, HandoverState
from bot.domain.orders import RUNNING_ORDERS
from bot.domain.rules import Activity
from bot.domain.sims import Sim, Tracking
from bot.ports import ActivityRow, AuditRow, Clock, Store, Tx
from bot.services import notices
from bot.services.ids import new_id
from bot.services.ownership import UNTOUCHED, SimRefused, change, owned_by, same_line, wrong_code
from bot.services.planning import replan, settle_passed
from bot.services.work import Worker

LASTS = timedelta(hours=24)
"""For how long a code can be sent, and from then on for how long its owner can confirm."""
MARK = "XUKH"
"""What a hand-over code begins with."""
_RANDOM = 12  # characters left to chance, after the mark

_OFFERED, _ASKED, _DONE, _REFUSED, _WITHDRAWN = HandoverState


def is_handover_code(text: str) -> bool:
    """Whether what was typed is meant for here, and not for the claim codes of the shop's SIMs."""
    return normalise(text).startswith(MARK)


class Handovers:
    """Offers of SIMs, and what becomes of them."""

    def __init__(self, store: Store, clock: Clock, pepper: str) -> None:
        self._store = store
        self._clock = clock
        self._pepper = pepper.encode()
        self.rings: list[Worker] = []
        """Workers to wake when there is something to be told."""

    # ---- the owner -----------------------------------------------------------------------

    async def waiting(self, sim: Sim) -> Handover | None:
        """The hand-over of this SIM that its owner has to decide."""
        async with self._store.read() as tx:
            one = await tx.handovers.open_of(sim.id)
        return one if one is not None and one.waits_at(self._clock.now()) else None

    async def offer(self, sim: Sim, update_id: int) -> tuple[str, Handover]:
        """A new code, and its offer; offers before it are withdrawn. The same update gets the
        same code again. Raises SimRefused: not_yours, running.
        """
        code = self._code(sim.id, update_id)
        code_hash, now = digest(code, self._pepper), self._clock.now()
        async with self._store.write() as tx:
            known = await tx.handovers.of_code(code_hash)
            if known is not None:
                return code, known
            current = await _free(tx, sim.id, sim.owner_id)
            await _withdraw(tx, sim.id)
            offered = Handover(
                new_id(), sim.id, current.owner_id or 0, code_hash, _OFFERED, now, now + LASTS
            )
            await tx.handovers.add(offered)
            await _note(tx, offered.from_chat, "sim_offered", offered, now)
        return code, offered

    async def withdraw(self, sim: Sim) -> None:
        """The codes that are out open nothing any more. Raises SimRefused not_yours."""
        async with self._store.write() as tx:
            if sim.owner_id is None or await owned_by(tx, sim.id, sim.owner_id) is None:
                raise SimRefused("not_yours")
            await _withdraw(tx, sim.id)

    async def confirm(self, chat_id: int, handover_id: str) -> Handover:
        """The owner's "yes": the SIM moves. Said again it is the one done before.

        Raises SimRefused: handover_over, not_yours, running, have_already (the new owner has it).
        """
        now = self._clock.now()
        async with self._store.write() as tx:
            one = await _of(tx, chat_id, handover_id)
            if one.state is _DONE:
                return one
            if not one.waits_at(now) or one.to_chat is None:
                raise SimRefused("handover_over")
            sim = await _free(tx, one.sim_id, chat_id)
            new = await _move(tx, sim, one.to_chat, now)
            if not await tx.handovers.move(one.id, _ASKED, _DONE, new_sim_id=new.id):
                raise SimRefused("handover_over")
            await _note(tx, chat_id, "sim_handed_over", one, now)
            await tx.outbox.add(notices.handover_moved(one.to_chat, one.id, _DONE))
        self._ring()
        return replace(one, state=_DONE, new_sim_id=new.id)

    async def refuse(self, chat_id: int, handover_id: str) -> Handover:
        """The owner's "no"; the code is used up. Raises SimRefused handover_over."""
        now = self._clock.now()
        async with self._store.write() as tx:
            one = await _of(tx, chat_id, handover_id)
            if one.state is _REFUSED:
                return one
            if one.to_chat is None or not await tx.handovers.move(one.id, _ASKED, _REFUSED):
                raise SimRefused("handover_over")
            await _note(tx, chat_id, "sim_kept", one, now)
            await tx.outbox.add(notices.handover_moved(one.to_chat, one.id, _REFUSED))
        self._ring()
        return replace(one, state=_REFUSED)

    # ---- the new owner -------------------------------------------------------------------

    async def take(self, chat_id: int, code: str) -> Handover:
        """Ask for the SIM of a code; its owner decides. Sent again it is what was asked before.

        Raises SimRefused: code_wrong (used and lapsed ones too), locked, own_code, have_already.
        """
        code_hash = digest(code, self._pepper)
        async with self._store.write() as tx:
            asked = await self._ask(tx, chat_id, code_hash)
        if isinstance(asked, SimRefused):
            raise asked
        self._ring()
        return asked

    async def _ask(self, tx: Tx, chat_id: int, code_hash: str) -> Handover | SimRefused:
        """A refusal is returned: the wrong try has to be counted, so it is to be committed."""
        now = self._clock.now()
        count, until = await tx.chats.wrong_claims(chat_id)
        one = await tx.handovers.of_code(code_hash)
        if one is not None and one.to_chat == chat_id and (one.state is _DONE or one.waits_at(now)):
            return one
        if until is not None and now < until:
            return SimRefused("locked", until)
        if one is None or not one.offered_at(now):
            return await wrong_code(tx, chat_id, count, now)
        if one.from_chat == chat_id:
            return SimRefused("own_code")
        sim = await owned_by(tx, one.sim_id, one.from_chat)
        if sim is None:
            return await wrong_code(tx, chat_id, count, now)
        if await _managed_twin(tx, sim, chat_id) is not None:
            return SimRefused("have_already")
        asked = replace(one, state=_ASKED, to_chat=chat_id, expires_at=now + LASTS)
        await tx.handovers.move(
            one.id, _OFFERED, _ASKED, to_chat=chat_id, expires_at=asked.expires_at
        )
        await tx.chats.set_wrong_claims(chat_id, 0, None)
        await _note(tx, chat_id, "sim_wanted", one, now)
        await tx.outbox.add(notices.handover_moved(one.from_chat, one.id, _ASKED))
        return asked

    def _code(self, sim_id: str, update_id: int) -> str:
        """The code of one tap: a replay of it has to find the same one, and only its hash is
        stored."""
        seed = f"handover:{sim_id}:{update_id}".encode()
        return make_code(hmac.digest(self._pepper, seed, "sha256")[:_RANDOM], MARK)

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


async def _of(tx: Tx, chat_id: int, handover_id: str) -> Handover:
    """The hand-over, if it is this owner's to decide."""
    one = await tx.handovers.get(handover_id)
    if one is None or one.from_chat != chat_id:
        raise SimRefused("handover_over")
    return one


async def _free(tx: Tx, sim_id: str, chat_id: int | None) -> Sim:
    """The SIM if it is this chat's and nothing runs on it. Raises SimRefused."""
    sim = await owned_by(tx, sim_id, chat_id) if chat_id is not None else None
    if sim is None:
        raise SimRefused("not_yours")
    if await tx.orders.of_sim(sim_id, tuple(RUNNING_ORDERS)):
        raise SimRefused("running")
    return sim


async def _withdraw(tx: Tx, sim_id: str) -> None:
    one = await tx.handovers.open_of(sim_id)
    if one is not None:
        await tx.handovers.move(one.id, one.state, _WITHDRAWN)


async def _managed_twin(tx: Tx, sim: Sim, chat_id: int) -> Sim | None:
    """The same line as the shop gave it to this chat, which no record of somebody's replaces."""
    for known in await tx.sims.owned(chat_id):
        if known.tracking is Tracking.MANAGED and _same(known, sim):
            return known
    return None


def _same(known: Sim, sim: Sim) -> bool:
    return same_line(known, sim.iccid, sim.msisdn, sim.activation_code)


async def _move(tx: Tx, sim: Sim, chat_id: int, now: datetime) -> Sim:
    """The line as a record of the new owner's. Raises SimRefused: not_yours, have_already."""
    if await _managed_twin(tx, sim, chat_id) is not None:
        raise SimRefused("have_already")
    personal = dict(UNTOUCHED)
    for known in await tx.sims.owned(chat_id):
        if _same(known, sim):  # their own note of the same line makes room and leaves its name
            personal["nickname"] = known.nickname
            await change(tx, known, removed_at=now)
            await replan(tx, known.id, now)
    if not await tx.sims.update(sim.id, sim.version, removed_at=now):
        raise SimRefused("not_yours")
    await replan(tx, sim.id, now)
    new = replace(
        sim,
        id=new_id(),
        version=1,
        owner_id=chat_id,
        last_plan=None,
        next_reminder_at=None,
        created_at=now,
        **personal,  # type: ignore[arg-type]
    )
    if not await tx.sims.add(new):
        raise SimRefused("have_already")
    latest: dict[Activity, ActivityRow] = {}
    for row in await tx.activities.of(sim.id):
        latest.setdefault(row.kind, row)
    for row in latest.values():  # the deadline is counted from them; the rest is nobody's business
        await tx.activities.add(replace(row, sim_id=new.id))
    await settle_passed(tx, new.id, now)
    return new


async def _note(tx: Tx, chat_id: int, action: str, one: Handover, now: datetime) -> None:
    details = {"handover": one.id}
    await tx.audit.add(AuditRow(now, f"chat:{chat_id}", action, f"sim:{one.sim_id}", details))
