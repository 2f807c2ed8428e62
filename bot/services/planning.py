"""What a SIM's present state asks for: its next reminder, its next reading, a watch over its
activation. Recomputed in the transaction that changes what they depend on.
"""

from dataclasses import replace
from datetime import datetime

from bot.domain.chats import Chat, Preferences
from bot.domain.cycles import cycle_of, cycles
from bot.domain.digests import Line, announced
from bot.domain.orders import RUNNING_ORDERS
from bot.domain.reminders import Planned, carried, passed, preferences_of, timeline
from bot.domain.renewals import AgreementState
from bot.domain.sims import Reading, Sim, SimState, Tracking
from bot.domain.stages import StageKind
from bot.domain.watching import TELL_AFTER, next_read
from bot.ports import OPEN_WAITS, Activation, Tx, Wait
from bot.services import notices
from bot.services.ids import new_id

_IN_USE = (SimState.ACTIVE, SimState.LOW, SimState.USED_UP)
_QUIET = (Wait.LATER, Wait.HELPED)
"""Nothing more is asked of anybody; its owner still hears when it is active."""
_ENDED = (SimState.EXPIRED, SimState.SUSPENDED, SimState.LOST)


async def preferences_for(tx: Tx, sim: Sim, chat: Chat | None) -> Preferences:
    """How to remind of a SIM: as its owner wants, and less while it renews by itself."""
    preferences = chat.preferences if chat else Preferences()
    return preferences_of(sim, preferences, renews=await _renews(tx, sim))


async def _renews(tx: Tx, sim: Sim) -> bool:
    """Whether an agreement is going to renew it before it expires: that has notices of its own."""
    agreement = await tx.renewals.of_sim(sim.id)
    if agreement is None or agreement.state is not AgreementState.ACTIVE:
        return False
    charged_at = agreement.due_at or agreement.until
    return charged_at is None or sim.expiry is None or charged_at <= sim.expiry


async def line_of(tx: Tx, sim: Sim, chat: Chat | None) -> Line:
    """All that decides what is told of a SIM, and when."""
    return Line(sim, await preferences_for(tx, sim, chat), await settled(tx, sim))


async def _owner(tx: Tx, sim: Sim) -> Chat | None:
    return await tx.chats.get(sim.owner_id) if sim.owner_id is not None else None


async def _running(tx: Tx, sim: Sim) -> bool:
    return bool(await tx.orders.of_sim(sim.id, tuple(RUNNING_ORDERS)))


async def plan_for(tx: Tx, sim: Sim, now: datetime) -> Planned | None:
    """What will be sent next for a SIM, and when (UTC), beside its owner's other SIMs."""
    chat = await _owner(tx, sim)
    if chat is not None and chat.blocked_at is not None:
        return None
    line = await line_of(tx, sim, chat)
    planned = line.next(now)
    if planned is None:
        return None
    if planned.at <= now:
        return replace(planned, held=await _running(tx, sim))
    if chat is None or not line.preferences.digest:
        return planned
    others = [
        await line_of(tx, other, chat)
        for other in await tx.sims.owned(chat.id)
        if other.id != sim.id
        and other.next_reminder_at is not None
        and other.next_reminder_at < planned.at
        and not await _running(tx, other)
    ]
    return announced(line, others, now)


async def settled(tx: Tx, sim: Sim) -> frozenset[str]:
    """The ledger's codes of the SIM's present cycles."""
    return await tx.reminders.sent(sim.id, *cycles(sim))


async def settle(tx: Tx, sim: Sim, code: str, now: datetime, *, sent: bool) -> bool:
    """Write a code into the ledger of its cycle; False when it is there."""
    present = cycle_of(sim, code)
    if present is None:
        return False
    return await tx.reminders.add(sim.id, present, code, sent=sent, at=now)


async def replan(tx: Tx, sim_id: str, now: datetime) -> None:
    """Store when the SIM is to be looked at next, and begin or end the watch over it."""
    sim = await tx.sims.get(sim_id)
    if sim is None:
        return
    chat = await _owner(tx, sim)
    planned = None
    if chat is None or chat.blocked_at is None:
        planned = (await line_of(tx, sim, chat)).next(now)
    await tx.sims.set_next_reminder(sim_id, planned.at if planned else None)
    if sim.tracking is Tracking.MANAGED:
        since = await _watched_since(tx, sim, now)
        running = await _running(tx, sim)
        at = next_read(sim, now, running=running, waiting_since=since)
        await tx.sims.plan_read(sim_id, at)


async def take_reading(tx: Tx, sim_id: str, reading: Reading, now: datetime) -> None:
    """Keep a reading. Where it moves the dates, what was told of the old ones stays told, as far
    as the new ones say the same; the caller replans."""
    old = await tx.sims.get(sim_id)
    if old is None:
        return
    told = await settled(tx, old)
    await tx.sims.add_reading(sim_id, reading)
    new = await tx.sims.get(sim_id)
    if new is None:
        return
    preferences = await preferences_for(tx, new, await _owner(tx, new))
    for code in sorted(carried(old, new, told, preferences, now)):
        await settle(tx, new, code, now, sent=False)


async def told_otherwise(tx: Tx, sim_id: str, now: datetime) -> None:
    """A SIM no longer renews by itself, which its owner has just been told: no day before its
    expiry that has passed meanwhile follows on the heels of that."""
    sim = await tx.sims.get(sim_id)
    if sim is None:
        return
    line = await line_of(tx, sim, await _owner(tx, sim))
    for planned in timeline(sim, line.preferences):
        if planned.stage.kind is StageKind.EXPIRY and planned.at <= now:
            await settle(tx, sim, planned.stage.code, now, sent=False)
    await replan(tx, sim_id, now)


async def _watched_since(tx: Tx, sim: Sim, now: datetime) -> datetime | None:
    """Since when its activation is being waited for (UTC); None when it is not."""
    watches = await tx.activations.of_sim(sim.id)
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


async def replan_chat(tx: Tx, chat_id: int, now: datetime) -> None:
    """The same for all SIMs of a chat, after its preferences changed."""
    for sim in await tx.sims.owned(chat_id):
        await replan(tx, sim.id, now)


async def settle_passed(tx: Tx, sim_id: str, now: datetime) -> None:
    """The owner has just seen the SIM's dates: no reminder of what has passed follows."""
    sim = await tx.sims.get(sim_id)
    if sim is None:
        return
    preferences = await preferences_for(tx, sim, await _owner(tx, sim))
    for code in sorted(passed(sim, preferences, now)):
        await settle(tx, sim, code, now, sent=False)
    await replan(tx, sim_id, now)
