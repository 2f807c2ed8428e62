"""Whose a SIM is: proof by claim code, taking over, and the record nobody else may see."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.codes import same
from bot.domain.sims import Sim
from bot.ports import AuditRow, Tx
from bot.services.planning import replan, settle_passed

log = structlog.get_logger()

WRONG_CODES = 5
LOCKED_FOR = timedelta(hours=1)
"""After WRONG_CODES wrong claim codes in a row a chat may not guess for so long (F3)."""

_LOOK_BACK = 200

UNTOUCHED: Mapping[str, object] = {
    "nickname": None,
    "device": None,
    "imei": None,
    "snoozed_until": None,
    "reminders_stopped": False,
    "own": None,
}
"""What belongs to an owner, not to the SIM, as it is before there is one."""


class SimRefused(Exception):
    """A step with a SIM can't be taken; `reason` is a code the views know.

    not_yours, code_wrong, locked (`until` then says how long, UTC), nickname_long, device_long,
    supplier_tells, rule_missing, running; of hand-overs also own_code, have_already, handover_over.
    """

    def __init__(self, reason: str, until: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.until = until


async def owned_by(tx: Tx, sim_id: str, chat_id: int) -> Sim | None:
    """The SIM if this chat owns it and did not remove it."""
    sim = await tx.sims.get(sim_id)
    if sim is None or sim.owner_id != chat_id or sim.removed_at is not None:
        return None
    return sim


async def change(tx: Tx, sim: Sim, **changes: object) -> Sim:
    """Change a SIM that is still its owner's. Raises SimRefused "not_yours"."""
    current = await owned_by(tx, sim.id, sim.owner_id) if sim.owner_id is not None else None
    if current is None:
        raise SimRefused("not_yours")
    await tx.sims.update(sim.id, current.version, **changes)
    changed = await tx.sims.get(sim.id)
    assert changed is not None  # noqa: S101  updated a moment ago
    return changed


def same_line(sim: Sim, iccid: str | None, msisdn: str | None, activation_code: str | None) -> bool:
    """Whether one identifier is the SIM's; an ICCID also without its check digit."""
    if iccid is not None and sim.iccid is not None:
        short, long = sorted((iccid, sim.iccid), key=len)
        if short == long or (len(long) == len(short) + 1 and long.startswith(short)):
            return True
    if msisdn is not None and sim.msisdn == msisdn:
        return True
    return activation_code is not None and sim.activation_code == activation_code


async def take_over(tx: Tx, sim: Sim, chat_id: int, now: datetime) -> Sim:
    """Give a free managed SIM to the chat that proved it. Raises SimRefused "not_yours".

    The chat's own self-tracked record of the same line makes room and leaves its name behind.
    """
    if sim.owner_id is not None or sim.removed_at is not None:
        raise SimRefused("not_yours")
    personal = dict(UNTOUCHED)
    for known in await tx.sims.owned(chat_id):
        if same_line(known, sim.iccid, sim.msisdn, sim.activation_code):
            personal["nickname"] = known.nickname
            await change(tx, known, removed_at=now)
            await replan(tx, known.id, now)
    if not await tx.sims.update(sim.id, sim.version, owner_id=chat_id, **personal):
        raise SimRefused("not_yours")
    await settle_passed(tx, sim.id, now)
    taken = await tx.sims.get(sim.id)
    assert taken is not None  # noqa: S101  updated a moment ago
    return taken


async def take_with_code(
    tx: Tx, chat_id: int, sim_id: str | None, code_hash: str, now: datetime
) -> Sim | SimRefused:
    """Take over the SIM (or, with None, the SIM of the code) if the code opens it.

    A refusal is returned, not raised: the wrong try has to be counted, so the transaction is to
    be committed. The chat's own SIM is simply returned: a replay, or the code typed again.
    """
    if sim_id is None:
        sim_id = await tx.claims.sim_of_code(code_hash, now)
        sim_id = sim_id or await _claimed_before(tx, chat_id, code_hash)
    if sim_id is not None and (mine := await owned_by(tx, sim_id, chat_id)) is not None:
        return mine
    count, until = await tx.chats.wrong_claims(chat_id)
    if until is not None and now < until:
        return SimRefused("locked", until)
    sim = await tx.sims.get(sim_id) if sim_id is not None else None
    if sim is None or not await _opens(tx, sim, code_hash, now):
        return await wrong_code(tx, chat_id, count, now)
    await tx.claims.use_code(code_hash, chat_id, now)
    taken = await take_over(tx, sim, chat_id, now)
    await tx.chats.set_wrong_claims(chat_id, 0, None)
    row = AuditRow(now, f"chat:{chat_id}", "sim_claimed", f"sim:{sim.id}", {"code": code_hash})
    await tx.audit.add(row)
    return taken


async def _opens(tx: Tx, sim: Sim, code_hash: str, now: datetime) -> bool:
    """Whether the code opens a SIM that is free; every code is compared, found or not."""
    hits = [same(code_hash, known) for known in await tx.claims.codes(sim.id, now)]
    return any(hits) and sim.owner_id is None and sim.removed_at is None


async def wrong_code(tx: Tx, chat_id: int, count: int, now: datetime) -> SimRefused:
    """Count a wrong code after `count` before it; the transaction is to be committed."""
    if count + 1 < WRONG_CODES:
        await tx.chats.set_wrong_claims(chat_id, count + 1, None)
        return SimRefused("code_wrong")
    until = now + LOCKED_FOR
    await tx.chats.set_wrong_claims(chat_id, 0, until)
    log.warning("claims_locked", chat=chat_id)
    return SimRefused("locked", until)


async def _claimed_before(tx: Tx, chat_id: int, code_hash: str) -> str | None:
    """The SIM this chat got with this code a moment ago: the update is being replayed."""
    for row in await tx.audit.latest(_LOOK_BACK):
        mine = row.actor == f"chat:{chat_id}" and row.action == "sim_claimed"
        if mine and same(str(row.details.get("code")), code_hash):
            return row.subject.removeprefix("sim:")
    return None
