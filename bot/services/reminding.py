"""Reminders: each minute, the SIMs whose time has come and no others.

The ledger row and the message are committed together. A reading is refreshed first, so that a
renewal the supplier knows of silences the reminder; a running order silences it too.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from bot.domain.chats import Chat, Preferences
from bot.domain.cycles import cycle_of
from bot.domain.digests import Line, joins
from bot.domain.reminders import Due, preferences_of, timeline
from bot.domain.sims import OwnReminders, Reading, Sim, Tracking
from bot.domain.stages import StageKind
from bot.ports import Carrier, Clock, Notice, Priority, Store, SupplierUnavailable, Tx
from bot.services import notices
from bot.services.planning import (
    LOOK_AGAIN,
    lines_of,
    owners,
    plan_lines,
    replan,
    settle,
    settle_all,
    settled,
    silences,
    take_readings,
)
from bot.services.work import Worker

log = structlog.get_logger()

_BATCH = 100
"""SIMs of one transaction: few enough that the inbox hardly waits for it."""
_AFTER_FAILURE = timedelta(hours=1)
_FRESH = timedelta(minutes=30)
"""A reading younger than this is not asked for again before a reminder."""
_DAY = timedelta(hours=26)
"""No local day is longer than that: who is due later could not join today."""

_Readings = dict[str, Reading | None]
"""What was read just now, by the id of the SIM; None where nothing was."""


@dataclass(slots=True)
class _Round:
    """One chat's SIMs in one tick: what is to be told of them, of which nothing is due, and what
    the ledger has taken as told."""

    chat: Chat
    due: list[tuple[Line, Due]] = field(default_factory=list)
    waiting: list[Line] = field(default_factory=list)
    told: list[tuple[Line, Due]] = field(default_factory=list)

    def look_at(self, line: Line, now: datetime) -> None:
        """Whether something is due of a SIM."""
        hit = line.due(now)
        if hit is None:
            self.waiting.append(line)
        else:
            self.due.append((line, hit))

    def join(self, now: datetime) -> None:
        """What a digest takes along."""
        if any(line.preferences.digest for line, _ in self.told):
            found = [(line, joins(line, now)) for line in self.waiting]
            self.due = [(line, hit) for line, hit in found if hit is not None]

    def lines(self) -> list[Line]:
        """As the ledger has them now."""
        after = {
            line.sim.id: replace(line, settled=line.settled | {*hit.sent, *hit.skipped})
            for line, hit in self.told
        }
        return [*after.values(), *(line for line in self.waiting if line.sim.id not in after)]


class Reminding:
    """The reminder tick and the buttons under its messages."""

    def __init__(self, store: Store, clock: Clock, carriers: Mapping[str, Carrier]) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self.worker = Worker("reminders", self._tick)
        self.rings: list[Worker] = []

    async def next_due(self) -> datetime | None:
        """The smallest moment at which a SIM is to be looked at."""
        async with self._store.read() as tx:
            return await tx.sims.next_due()

    async def _tick(self) -> None:
        now = self._clock.now()
        while not self.worker.stopping:
            async with self._store.read() as tx:
                due = await tx.sims.due(now, _BATCH)
                if not due:
                    return
                sims = await _with_mates(tx, due, now)
            fresh = await asyncio.gather(*(self._reread(sim, now) for sim in sims))
            by_chat: dict[int, _Readings] = defaultdict(dict)
            for sim, reading in zip(sims, fresh, strict=True):
                if sim.owner_id is not None:
                    by_chat[sim.owner_id][sim.id] = reading
            await self._remind_chats(by_chat, now)
            for worker in self.rings:
                worker.ring()
            if len(due) < _BATCH:
                return

    async def _remind_chats(self, by_chat: Mapping[int, _Readings], now: datetime) -> None:
        """One transaction for all; each its own when one breaks it, so that no other waits."""
        try:
            async with self._store.write() as tx:
                await self._remind(tx, by_chat, now)
        except Exception:
            log.exception("reminders_failed", chats=list(by_chat))
            if len(by_chat) > 1:
                for chat_id, readings in by_chat.items():
                    await self._remind_chats({chat_id: readings}, now)
                return
            async with self._store.write() as tx:
                ids = [sim_id for readings in by_chat.values() for sim_id in readings]
                await tx.sims.set_next_reminders(dict.fromkeys(ids, now + _AFTER_FAILURE))

    async def _reread(self, sim: Sim, now: datetime) -> Reading | None:
        carrier = self._carriers.get(sim.supplier)
        if sim.tracking is not Tracking.MANAGED or carrier is None:
            return None
        if not carrier.capabilities.reads:
            return None
        if sim.reading is not None and now - sim.reading.taken_at < _FRESH:
            return None
        try:
            return await carrier.snapshot(sim)
        except SupplierUnavailable as error:
            # Better a reminder from the last reading, which names its age, than none.
            log.warning("reread_failed", sim=sim.id, reason=error.reason)
        except Exception:
            log.exception("reread_crashed", sim=sim.id)
        return None

    async def _remind(self, tx: Tx, by_chat: Mapping[int, _Readings], now: datetime) -> None:
        """What is due of these chats' SIMs, and what joins it."""
        asked = {sim_id: chat_id for chat_id, ids in by_chat.items() for sim_id in ids}
        fresh = {id_: one for ids in by_chat.values() for id_, one in ids.items() if one}
        await take_readings(tx, fresh, now)
        sims = [sim for sim in await tx.sims.many(asked) if sim.owner_id == asked[sim.id]]
        chats = await owners(tx, sims)
        silent = await silences(tx, sims, now)
        later = {sim_id: min(at, now + LOOK_AGAIN) for sim_id, at in silent.items()}
        await tx.sims.set_next_reminders(dict(later))
        rounds = {chat.id: _Round(chat) for chat in chats.values()}
        heard = [sim for sim in sims if sim.id not in silent and asked[sim.id] in rounds]
        for line in (await lines_of(tx, heard, chats)).values():
            rounds[asked[line.sim.id]].look_at(line, now)
        await _tell(tx, rounds.values(), now)
        for round_ in rounds.values():
            round_.join(now)
        await _tell(tx, rounds.values(), now)
        lines = [line for round_ in rounds.values() for line in round_.lines()]
        await plan_lines(tx, lines, chats, now)
        for round_ in rounds.values():
            for notice in _messages(round_.chat, round_.told, now):
                await tx.outbox.add(notice)

    # ---- buttons -------------------------------------------------------------------------

    async def snooze(self, sim: Sim, until: datetime) -> None:
        """Nothing about this SIM before `until` (UTC)."""
        await self._change(sim, snoozed_until=until)

    async def stop(self, sim: Sim) -> None:
        """No more reminders for this SIM."""
        await self._change(sim, reminders_stopped=True)

    async def restart(self, sim: Sim) -> None:
        """Remind again."""
        await self._change(sim, reminders_stopped=False, snoozed_until=None)

    async def set_own(self, sim: Sim, own: OwnReminders | None) -> None:
        """What is otherwise for this SIM; None is as for all. A day that has passed meanwhile is
        settled: nobody who asks for 14 days means "now"."""
        now = self._clock.now()
        async with self._store.write() as tx:
            current = await tx.sims.get(sim.id)
            if current is None or current.owner_id != sim.owner_id:
                return
            told = await settled(tx, current)
            chat = await tx.chats.get(current.owner_id) if current.owner_id is not None else None
            known = chat.preferences if chat else Preferences()
            before = {each.stage for each in timeline(current, preferences_of(current, known))}
            changed = replace(current, own=own)
            for each in timeline(changed, preferences_of(changed, known)):
                new = each.stage not in before and each.stage.code not in told
                if new and each.at <= now:
                    await settle(tx, current, each.stage.code, now, sent=False)
            await tx.sims.update(sim.id, current.version, own=own)
            await replan(tx, sim.id, now)

    async def _change(self, sim: Sim, **changes: object) -> None:
        now = self._clock.now()
        async with self._store.write() as tx:
            current = await tx.sims.get(sim.id)
            if current is not None and current.owner_id == sim.owner_id:
                await tx.sims.update(sim.id, current.version, **changes)
                await replan(tx, sim.id, now)


async def _with_mates(tx: Tx, due: Sequence[Sim], now: datetime) -> list[Sim]:
    """The SIMs that are due, and those of the same people that may join them today."""
    chats = {sim.owner_id for sim in due if sim.owner_id is not None}
    found = {sim.id: sim for sim in due}
    return list(({sim.id: sim for sim in await tx.sims.soon(chats, now + _DAY)} | found).values())


async def _tell(tx: Tx, rounds: Collection[_Round], now: datetime) -> None:
    """Write into the ledger what is due. What it has already, somebody else told first."""
    hits = [pair for round_ in rounds for pair in round_.due]
    codes = [(line.sim, code, False) for line, hit in hits for code in hit.skipped]
    codes += [(line.sim, code, True) for line, hit in hits for code in hit.sent]
    new = await settle_all(tx, codes, now)
    for round_ in rounds:
        for line, hit in round_.due:
            if any((line.sim.id, code) in new for code in hit.sent):
                round_.told.append((line, hit))
        round_.due = []


def _messages(chat: Chat, found: Sequence[tuple[Line, Due]], now: datetime) -> list[Notice]:
    """One digest, or each its own; of a SIM that goes alone its own beside it."""
    together = [(line.sim, hit) for line, hit in found if line.preferences.digest]
    if len(together) < 2:
        return [_reminder(chat, line.sim, hit) for line, hit in found]
    apart = [(line.sim, hit) for line, hit in found if not line.preferences.digest]
    return [_digest(chat, together, now), *(_reminder(chat, sim, hit) for sim, hit in apart)]


def _expires(sim: Sim, hit: Due) -> datetime | None:
    """When the words would no longer be true: such a message is dropped, not sent late."""
    match hit.stage.kind:
        case StageKind.EXPIRY:
            return sim.expiry
        case StageKind.KEEP:
            return sim.keep_deadline
        case StageKind.GRACE_STARTED | StageKind.GRACE:
            return sim.grace_end
    return None


def _reminder(chat: Chat, sim: Sim, hit: Due) -> Notice:
    present = cycle_of(sim, hit.stage.code)
    return Notice(
        kind=notices.REMINDER,
        chat_id=chat.id,
        dedupe_key=f"reminder:{sim.id}:{present}:{'+'.join(hit.sent)}",
        priority=Priority.REMINDER,
        data={
            "sim_id": sim.id,
            "cycle": present,
            "stage": hit.stage.code,
            "also": hit.also.code if hit.also else None,
        },
        expires_at=_expires(sim, hit),
    )


def _digest(chat: Chat, found: list[tuple[Sim, Due]], now: datetime) -> Notice:
    ranked = sorted(found, key=lambda pair: pair[1].stage.urgency, reverse=True)
    return Notice(
        kind=notices.DIGEST,
        chat_id=chat.id,
        dedupe_key=f"digest:{chat.id}:{now:%Y-%m-%dT%H:%M}:{ranked[0][0].id}",
        priority=Priority.REMINDER,
        data={
            "items": [
                {
                    "sim_id": sim.id,
                    "cycle": cycle_of(sim, hit.stage.code),
                    "stage": hit.stage.code,
                    "also": hit.also.code if hit.also else None,
                }
                for sim, hit in ranked
            ]
        },
    )
