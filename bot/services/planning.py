"""What a SIM's present state asks for: its next reminder, its next reading, a watch over its
activation. Recomputed in the transaction that changes what they depend on.

What decides is read for many SIMs at once: a morning's reminders are thousands, and one question
costs as much for a hundred as for one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.chats import Chat, Preferences
from bot.domain.cycles import anew, cycle_of, cycles
from bot.domain.digests import Line, announced
from bot.domain.orders import RUNNING_ORDERS, OrderState
from bot.domain.reminders import Planned, carried, passed, preferences_of, timeline
from bot.domain.renewals import Agreement, AgreementState
from bot.domain.sims import Reading, Sim, SimState, Tracking
from bot.domain.stages import StageKind
from bot.domain.watching import TELL_AFTER, next_read
from bot.ports import OPEN_WAITS, Activation, Told, Tx, Wait
from bot.services import notices
from bot.services.ids import new_id

LOOK_AGAIN = timedelta(minutes=10)
"""How long an order whose end nobody knows puts a reminder off before it is looked at again."""
_AT_CHECKOUT = timedelta(hours=1)
"""For so long after an order was made its customer may be about to pay it."""
_IN_USE = (SimState.ACTIVE, SimState.LOW, SimState.USED_UP)
_QUIET = (Wait.LATER, Wait.HELPED)
"""Nothing more is asked of anybody; its owner still hears when it is active."""
_ENDED = (SimState.EXPIRED, SimState.SUSPENDED, SimState.LOST)

Chats = Mapping[int, Chat]
"""The owners of some SIMs, by their ids."""


# ---- what decides ------------------------------------------------------------------------


async def owners(tx: Tx, sims: Collection[Sim]) -> Chats:
    """The chats of those that own one of the SIMs."""
    return await tx.chats.many({sim.owner_id for sim in sims if sim.owner_id is not None})


async def lines_of(tx: Tx, sims: Collection[Sim], chats: Chats) -> dict[str, Line]:
    """All that decides what is told of the SIMs, and when, by their ids."""
    told = await tx.reminders.settled({sim.id: cycles(sim) for sim in sims})
    wishes = await _wishes(tx, sims, chats)
    return {sim.id: Line(sim, wishes[sim.id], told.get(sim.id, frozenset())) for sim in sims}


async def _wishes(tx: Tx, sims: Collection[Sim], chats: Chats) -> dict[str, Preferences]:
    """How to remind of each: as its owner wants, and less while it renews by itself."""
    agreements = {one.sim_id: one for one in await tx.renewals.of_sims([sim.id for sim in sims])}
    found = {}
    for sim in sims:
        chat = chats.get(sim.owner_id) if sim.owner_id is not None else None
        preferences = chat.preferences if chat else Preferences()
        renews = _renews(sim, agreements.get(sim.id))
        found[sim.id] = preferences_of(sim, preferences, renews=renews)
    return found


def _renews(sim: Sim, agreement: Agreement | None) -> bool:
    """Whether an agreement is going to renew it before it expires: that has notices of its own."""
    if agreement is None or agreement.state is not AgreementState.ACTIVE:
        return False
    charged_at = agreement.due_at or agreement.until
    return charged_at is None or sim.expiry is None or charged_at <= sim.expiry


async def _line(tx: Tx, sim: Sim) -> Line:
    return (await lines_of(tx, [sim], await owners(tx, [sim])))[sim.id]


async def silences(tx: Tx, sims: Collection[Sim], now: datetime) -> dict[str, datetime]:
    """Of which SIMs nothing is told, because an order of theirs runs or is being paid, and when
    (UTC) to look again: who has paid, or is about to, is not told to."""
    states = (*RUNNING_ORDERS, OrderState.AWAITING_PAYMENT)
    found: dict[str, datetime] = {}
    for order in await tx.orders.of_sims([sim.id for sim in sims], states):
        until = now + LOOK_AGAIN
        if order.state is OrderState.AWAITING_PAYMENT and not await _shown_to_be_paid(tx, order.id):
            until = min(order.expires_at, order.created_at + _AT_CHECKOUT)
        if until > now:
            found[order.sim_id] = max(until, found.get(order.sim_id, until))
    return found


async def _shown_to_be_paid(tx: Tx, order_id: str) -> bool:
    """Whether somebody of the shop looks at a proof that it was paid."""
    for payment in await tx.payments.of_order(order_id):
        if await tx.proofs.waiting_of(payment.id) is not None:
            return True
    return False


async def plan_for(tx: Tx, sim: Sim, now: datetime) -> Planned | None:
    """What will be sent next for a SIM, and when (UTC), beside its owner's other SIMs."""
    chats = await owners(tx, [sim])
    chat = chats.get(sim.owner_id) if sim.owner_id is not None else None
    if chat is not None and chat.blocked_at is not None:
        return None
    line = (await lines_of(tx, [sim], chats))[sim.id]
    planned = line.next(now)
    if planned is None:
        return None
    silent = await silences(tx, [sim], now)
    if planned.at <= now or planned.at < silent.get(sim.id, now):
        return replace(planned, held=sim.id in silent)
    if chat is None or not line.preferences.digest:
        return planned
    others = [other for other in await tx.sims.soon([chat.id], planned.at) if other.id != sim.id]
    silent = await silences(tx, others, now)
    beside = await lines_of(tx, [other for other in others if other.id not in silent], chats)
    return announced(line, beside.values(), now)


async def settled(tx: Tx, sim: Sim) -> frozenset[str]:
    """The ledger's codes of the SIM's present cycles."""
    return await tx.reminders.sent(sim.id, *cycles(sim))


async def settle(tx: Tx, sim: Sim, code: str, now: datetime, *, sent: bool) -> bool:
    """Write a code into the ledger of its cycle; False when it is there."""
    return bool(await settle_all(tx, [(sim, code, sent)], now))


async def settle_all(
    tx: Tx, codes: Collection[tuple[Sim, str, bool]], now: datetime
) -> frozenset[tuple[str, str]]:
    """The same for many, each with whether it was sent; ids and codes of those that are new."""
    rows = {
        Told(sim.id, present, code, sent)
        for sim, code, sent in codes
        if (present := cycle_of(sim, code)) is not None
    }
    return await tx.reminders.add_all(rows, now)


# ---- what follows ------------------------------------------------------------------------


async def replan(tx: Tx, sim_id: str, now: datetime) -> None:
    """Store when the SIM is to be looked at next, and begin or end the watch over it."""
    await _replan(tx, await tx.sims.many([sim_id]), now)


async def replan_chat(tx: Tx, chat_id: int, now: datetime) -> None:
    """The same for all SIMs of a chat, after its preferences changed."""
    await _replan(tx, await tx.sims.owned(chat_id), now)


async def _replan(tx: Tx, sims: Collection[Sim], now: datetime) -> None:
    chats = await owners(tx, sims)
    await plan_lines(tx, (await lines_of(tx, sims, chats)).values(), chats, now)


async def plan_lines(tx: Tx, lines: Collection[Line], chats: Chats, now: datetime) -> None:
    """The same for lines whose ledger, dates and wishes are as they were just read."""
    moments: dict[str, datetime | None] = {}
    for line in lines:
        chat = chats.get(line.sim.owner_id) if line.sim.owner_id is not None else None
        reached = chat is None or chat.blocked_at is None
        planned = line.next(now) if reached else None
        moments[line.sim.id] = planned.at if planned else None
    await tx.sims.set_next_reminders(moments)
    await _plan_reads(tx, [one.sim for one in lines if one.sim.tracking is Tracking.MANAGED], now)


async def _plan_reads(tx: Tx, sims: Sequence[Sim], now: datetime) -> None:
    if not sims:
        return
    ids = [sim.id for sim in sims]
    watches = await tx.activations.of_sims(ids)
    running = {one.sim_id for one in await tx.orders.of_sims(ids, tuple(RUNNING_ORDERS))}
    moments = {}
    for sim in sims:
        mine = [watch for watch in watches if watch.sim_id == sim.id]
        since = await _watched_since(tx, sim, mine, now)
        moments[sim.id] = next_read(sim, now, running=sim.id in running, waiting_since=since)
    await tx.sims.plan_reads(moments)


async def take_reading(tx: Tx, sim_id: str, reading: Reading, now: datetime) -> None:
    """Keep a reading; the caller replans."""
    await take_readings(tx, {sim_id: reading}, now)


async def take_readings(tx: Tx, readings: Mapping[str, Reading], now: datetime) -> None:
    """Keep what was read of SIMs. Where it moves the dates, what was told of the old ones stays
    told, as far as the new ones say the same; the caller replans."""
    if not readings:
        return
    old = {sim.id: sim for sim in await tx.sims.many(readings)}
    for sim_id in old:
        await tx.sims.add_reading(sim_id, readings[sim_id])
    moved = [sim for sim in await tx.sims.many(old) if anew(old[sim.id], sim)]
    if not moved:
        return
    told = await tx.reminders.settled({sim.id: cycles(old[sim.id]) for sim in moved})
    wishes = await _wishes(tx, moved, await owners(tx, moved))
    codes: list[tuple[Sim, str, bool]] = []
    for sim in moved:
        known = told.get(sim.id, frozenset())
        kept = carried(old[sim.id], sim, known, wishes[sim.id], now)
        codes += [(sim, code, False) for code in kept]
    await settle_all(tx, codes, now)


async def told_otherwise(tx: Tx, sim_id: str, now: datetime) -> None:
    """A SIM no longer renews by itself, which its owner has just been told: no day before its
    expiry that has passed meanwhile follows on the heels of that."""
    sim = await tx.sims.get(sim_id)
    if sim is None:
        return
    line = await _line(tx, sim)
    days = [one for one in timeline(sim, line.preferences) if one.stage.kind is StageKind.EXPIRY]
    await settle_all(tx, [(sim, one.stage.code, False) for one in days if one.at <= now], now)
    await replan(tx, sim_id, now)


async def settle_passed(tx: Tx, sim_id: str, now: datetime) -> None:
    """The owner has just seen the SIM's dates: no reminder of what has passed follows."""
    sim = await tx.sims.get(sim_id)
    if sim is None:
        return
    wishes = (await _wishes(tx, [sim], await owners(tx, [sim])))[sim.id]
    await settle_all(tx, [(sim, code, False) for code in passed(sim, wishes, now)], now)
    await replan(tx, sim_id, now)


# ---- activation --------------------------------------------------------------------------


async def _watched_since(
    tx: Tx, sim: Sim, watches: Sequence[Activation], now: datetime
) -> datetime | None:
    """Since when its activation is being waited for (UTC); None when it is not. `watches` are all
    over it, the newest first."""
    watch = watches[0] if watches and watches[0].state in (*OPEN_WAITS, *_QUIET) else None
    if watch is not None and watch.chat_id != sim.owner_id:
        await _end(tx, watch, Wait.OVER)
        watch = None
    read = sim.reading.state if sim.reading else SimState.UNKNOWN
    if watch is None:
        known = any(one.chat_id == sim.owner_id for one in watches)
        if read is not SimState.PENDING_ACTIVATION or known:
            return None
        return now if await watch_activation(tx, sim, now) else None
    if read in _ENDED:
        await _end(tx, watch, Wait.OVER)
    elif read in _IN_USE and await _end(tx, watch, Wait.ACTIVE):
        await tx.outbox.add(notices.activation(watch.id, watch.chat_id, Wait.ACTIVE))
    return watch.since if watch.state in OPEN_WAITS and read not in (*_ENDED, *_IN_USE) else None


async def _end(tx: Tx, watch: Activation, state: Wait) -> bool:
    return await tx.activations.move(watch.id, watch.state, state, next_at=None)


async def watch_activation(tx: Tx, sim: Sim, now: datetime) -> bool:
    """Wait, from now on, for an owned SIM's activation; False when somebody watches already."""
    if sim.owner_id is None or sim.removed_at is not None:
        return False
    watch = Activation(new_id(), sim.id, sim.owner_id, Wait.WATCHED, now, now + TELL_AFTER)
    return await tx.activations.add(watch)
