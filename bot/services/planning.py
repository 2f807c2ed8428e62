"""What a SIM's present state asks for: its next reminder, its next reading, a watch over its
activation. Recomputed in the transaction that changes what they depend on.
"""

from dataclasses import replace
from datetime import datetime

from bot.domain.chats import Preferences
from bot.domain.orders import RUNNING_ORDERS
from bot.domain.reminders import Planned, cycle_of, cycles, next_reminder, passed
from bot.domain.sims import Sim, SimState, Tracking
from bot.domain.watching import TELL_AFTER, next_read
from bot.ports import OPEN_WAITS, Activation, Tx, Wait
from bot.services import notices
from bot.services.ids import new_id

_IN_USE = (SimState.ACTIVE, SimState.LOW, SimState.USED_UP)
_QUIET = (Wait.LATER, Wait.HELPED)
"""Nothing more is asked of anybody; its owner still hears when it is active."""
_ENDED = (SimState.EXPIRED, SimState.SUSPENDED, SimState.LOST)


async def plan_for(tx: Tx, sim: Sim, now: datetime) -> Planned | None:
    """What will be sent next for a SIM, and when (UTC)."""
    chat = await tx.chats.get(sim.owner_id) if sim.owner_id is not None else None
    preferences = chat.preferences if chat else Preferences()
    if chat is not None and chat.blocked_at is not None:
        return None
    planned = next_reminder(sim, preferences, await settled(tx, sim), now)
    if planned is None or planned.at > now:
        return planned
    running = await tx.orders.of_sim(sim.id, tuple(RUNNING_ORDERS))
    return replace(planned, held=bool(running))


async def settled(tx: Tx, sim: Sim) -> frozenset[str]:
    """The ledger's codes of the SIM's present cycles."""
    found = [await tx.reminders.sent(sim.id, present) for present in cycles(sim)]
    return frozenset().union(*found)


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
    planned = await plan_for(tx, sim, now)
    await tx.sims.set_next_reminder(sim_id, planned.at if planned else None)
    if sim.tracking is Tracking.MANAGED:
        since = await _watched_since(tx, sim, now)
        running = bool(await tx.orders.of_sim(sim_id, tuple(RUNNING_ORDERS)))
        at = next_read(sim, now, running=running, waiting_since=since)
        await tx.sims.plan_read(sim_id, at)


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
    chat = await tx.chats.get(sim.owner_id) if sim.owner_id is not None else None
    preferences = chat.preferences if chat else Preferences()
    for code in sorted(passed(sim, preferences, now)):
        await settle(tx, sim, code, now, sent=False)
    await replan(tx, sim_id, now)
