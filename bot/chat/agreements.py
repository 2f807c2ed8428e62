"""Agreements to renew, with what messages about them tell."""

from collections.abc import Mapping
from datetime import datetime

from bot.chat.context import Context
from bot.chat.views.renewals import Deal
from bot.domain.renewals import Agreement
from bot.domain.sims import Sim
from bot.ports import Carrier, Tx
from bot.services import agreements


async def deal_in(
    tx: Tx, agreement: Agreement, sim: Sim, carriers: Mapping[str, Carrier], now: datetime
) -> Deal:
    """All that is said of an agreement."""
    return Deal(
        agreement=agreement,
        sim=sim,
        plan=await tx.catalogue.get(agreement.plan_code),
        saved=await tx.saved.get(agreement.saved_id) if agreement.saved_id else None,
        at=await agreements.outlook(tx, agreement, carriers, now),
    )


async def deal_of(context: Context, agreement: Agreement, sim: Sim) -> Deal:
    """The same, for an answer."""
    async with context.shop.store.read() as tx:
        return await deal_in(tx, agreement, sim, context.shop.agreeing.carriers, context.now)
