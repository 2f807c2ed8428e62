"""The next reminder of a SIM, recomputed in the transaction that changes what it depends on."""

from datetime import datetime

from bot.domain.chats import Preferences
from bot.domain.reminders import Planned, cycle_of, cycles, next_reminder, passed
from bot.domain.sims import Sim
from bot.ports import Tx


async def plan_for(tx: Tx, sim: Sim, now: datetime) -> Planned | None:
    """What will be sent next for a SIM, and when (UTC)."""
    chat = await tx.chats.get(sim.owner_id) if sim.owner_id is not None else None
    preferences = chat.preferences if chat else Preferences()
    if chat is not None and chat.blocked_at is not None:
        return None
    return next_reminder(sim, preferences, await settled(tx, sim), now)


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
    """Store when the SIM is to be looked at next."""
    sim = await tx.sims.get(sim_id)
    if sim is not None:
        planned = await plan_for(tx, sim, now)
        await tx.sims.set_next_reminder(sim_id, planned.at if planned else None)


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
