"""From a SIM to an order that waits for money: offers, quotes, orders.

How it is paid is in `paying`, what the money does in `till`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import structlog

from bot.domain.money import Money
from bot.domain.orders import OPEN_ORDERS, RUNNING_ORDERS, OrderState
from bot.domain.plans import Offer, Plan
from bot.domain.quotes import Quote, QuoteRefused, Reduction, list_price, make_quote
from bot.domain.sales import Order
from bot.domain.sims import Sim, Tracking
from bot.ports import (
    Carrier,
    Clock,
    Store,
    SupplierPlan,
    SupplierQuote,
    SupplierUnavailable,
)
from bot.services import promos
from bot.services.buying import dearer
from bot.services.ids import new_id
from bot.services.notices import payment_waits
from bot.services.promos import Asked, Wish
from bot.services.selling import (
    Refused,
    Selling,
    close_order,
    holds,
    offered,
    tell_operators,
)
from bot.services.wallets import Wallets
from bot.services.work import Worker

log = structlog.get_logger()


_PATIENCE = 8.0
"""Seconds a customer waits for a supplier's word before being told to try again."""


class Checkout:
    """One path from SIM to paid order."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        selling: Selling,
        wallets: Wallets,
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self.selling = selling
        self._wallets = wallets
        self.rings: list[Worker] = []
        """Workers to wake when money has arrived or an order has changed."""

    # ---- choosing ------------------------------------------------------------------------

    async def offers(self, sim: Sim) -> list[Offer]:
        """Plans for a SIM from every supplier that can top it up, unavailable ones with the
        reason."""
        async with self._store.read() as tx:
            plans = await tx.catalogue.all(carrier=sim.carrier)
        found = [plan for plan in plans if self._fits(plan, sim)]
        suppliers = sorted({plan.supplier for plan in found})
        sold = await asyncio.gather(*(self._sold(name, sim) for name in suppliers))
        listed = dict(zip(suppliers, sold, strict=True))
        return [self._offer(plan, sim, listed[plan.supplier]) for plan in found]

    def suits(self, plan: Plan, sim: Sim) -> bool:
        """Whether the SIM takes the plan, as far as can be told without asking its supplier."""
        sold = plan.active and plan.carrier == sim.carrier
        return sold and self._fits(plan, sim) and self._closed(sim, plan.supplier) is None

    def _fits(self, plan: Plan, sim: Sim) -> bool:
        """A profile is topped up by its own supplier; a number by any that sends airtime."""
        if plan.region is not None and sim.country is not None and plan.region != sim.country:
            return False
        return self._serves(plan.supplier, sim)

    def _serves(self, supplier: str, sim: Sim) -> bool:
        if supplier == sim.supplier:
            return True
        carrier = self._carriers.get(supplier)
        return carrier is not None and carrier.capabilities.numbers and sim.msisdn is not None

    def _offer(self, plan: Plan, sim: Sim, sold: dict[str, SupplierPlan] | None) -> Offer:
        reason = self._closed(sim, plan.supplier)
        if reason is not None or sold is None:
            return Offer(plan, unavailable=reason)
        listed = sold.get(plan.supplier_code)
        if listed is None:
            return Offer(plan, unavailable="not_sold_now")
        if dearer(SupplierQuote(cost=listed.cost), plan.max_cost):
            reason = "price_moved"
        elif self._wallets.short(plan.supplier, listed.cost):
            reason = "no_money"
        return Offer(plan, unavailable=reason, cost=listed.cost)

    def _closed(self, sim: Sim, supplier: str) -> str | None:
        carrier = self._carriers.get(supplier)
        if carrier is None or not self._serves(supplier, sim):
            return "supplier_off"
        now = self._clock.now()
        if not carrier.capabilities.after_expiry and sim.expiry is not None and sim.expiry <= now:
            return "expired"
        if sim.tracking is Tracking.MANAGED and sim.reading and sim.reading.topups_left == 0:
            return "no_topups_left"
        return None

    async def _sold(self, supplier: str, sim: Sim) -> dict[str, SupplierPlan] | None:
        """What a supplier sells for this SIM now; None when it can't be told."""
        carrier = self._carriers.get(supplier)
        if carrier is None or carrier.capabilities.by_hand:
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                return {plan.code: plan for plan in await carrier.plans(sim)}
        except (SupplierUnavailable, TimeoutError) as error:
            # The catalogue still stands: the price is asked for again before anything is sold.
            log.warning("supplier_plans_unavailable", supplier=supplier, reason=str(error))
            return None

    def extends(self, plan: Plan) -> bool | None:
        """Whether data left over stays until the new date, as Capabilities says it."""
        carrier = self._carriers.get(plan.supplier)
        return carrier.capabilities.extends if carrier is not None else None

    async def quote(
        self,
        chat_id: int,
        sim: Sim,
        plan: Plan,
        amount: Money | None,
        update_id: int | None,
        wish: Wish = Wish(),  # noqa: B008  frozen
    ) -> Quote:
        """Freeze a price, after asking the supplier for its own. Raises Refused with the reason,
        for a code as `promos.reduction` does."""
        reason = self._closed(sim, plan.supplier) or await self._refused(sim, plan, amount)
        if reason is not None:
            raise Refused(reason)
        try:
            price = list_price(plan, amount)
        except QuoteRefused as error:
            raise Refused(error.reason) from None
        now = self._clock.now()
        reduction = await self._reduction(chat_id, sim, plan, price, wish)
        async with self._store.write() as tx:
            quote = make_quote(
                id=new_id(),
                chat_id=chat_id,
                sim=sim,
                plan=plan,
                price=price,
                reduction=reduction,
                offered=await offered(tx, self.selling, now),
                now=now,
            )
            return await tx.quotes.add(quote, update_id)

    async def again(self, quote: Quote, sim: Sim, update_id: int, wish: Wish) -> Quote:
        """The same plan at a fresh price, with another wish; whoever came from a group's post
        still does. Raises Refused as `quote` does, and plan_inactive."""
        async with self._store.read() as tx:
            plan = await tx.catalogue.get(quote.plan.code)
        if plan is None:
            raise Refused("plan_inactive")
        amount = quote.price if plan.open_amount is not None else None
        wish = replace(wish, post=quote.post_id)
        return await self.quote(quote.chat_id, sim, plan, amount, update_id, wish)

    async def _reduction(
        self, chat_id: int, sim: Sim, plan: Plan, price: Money, wish: Wish
    ) -> Reduction:
        """A bigger plan is promised only when its supplier delivers it to this SIM now."""
        terms = self.selling.points
        asked = Asked(chat_id, sim.id, plan, price, wish, self._clock.now())
        async with self._store.read() as tx:
            found = await promos.reduction(tx, terms, asked)
        if found.plan is None or await self._refused(sim, found.plan, None) is None:
            return found
        async with self._store.read() as tx:
            return await promos.reduction(tx, terms, asked, bigger_plans=False)

    async def _refused(self, sim: Sim, plan: Plan, amount: Money | None) -> str | None:
        """Why the supplier would not sell it at this moment; an operator hears of a price moved."""
        carrier = self._carriers[plan.supplier]
        if carrier.capabilities.by_hand:
            return None
        wanted = plan.delivers if plan.open_amount is None else amount
        span = plan.open_amount
        if span is not None and (amount is None or not span.accepts(amount)):
            return None  # make_quote says what is wrong with it
        try:
            async with asyncio.timeout(_PATIENCE):
                price = await carrier.quote(sim, plan.supplier_code, wanted)
        except (SupplierUnavailable, TimeoutError) as error:
            log.warning("supplier_quote_unavailable", supplier=plan.supplier, reason=str(error))
            return "supplier_away"
        if price.refused is None and not dearer(price, plan.max_cost):
            return "no_money" if await self._wallets.refuses(plan.supplier, price.cost) else None
        if price.refused is None:
            log.warning("plan_below_cost", plan=plan.code)
            day = f"{self._clock.now():%Y-%m-%d}"
            async with self._store.write() as tx:
                await tell_operators(tx, self.selling, f"plan:{plan.code}", "price_moved", day)
        return price.refused or "price_moved"

    # ---- ordering ------------------------------------------------------------------------

    async def place(self, quote_id: str, chat_id: int, message_id: int | None) -> Order:
        """Make the quote an order that waits for money; a second call finds the first's order.

        Another unpaid order of the same SIM is cancelled; while a paid one runs, Refused
        ("running") names it. Raises Refused "quote_expired" when the price no longer stands,
        "promo_gone" or "points_gone" when what it counts on is used up.
        """
        now = self._clock.now()
        async with self._store.write() as tx:
            quote = await tx.quotes.get(quote_id)
            if quote is None or quote.chat_id != chat_id:
                raise Refused("unknown")
            existing = await tx.orders.by_quote(quote_id)
            if existing is not None:
                return existing
            if not quote.stands(now):
                raise Refused("quote_expired")
            if not await holds(tx, quote.sim_id, chat_id):
                raise Refused("not_yours_sim")
            running = await tx.orders.of_sim(quote.sim_id, tuple(RUNNING_ORDERS))
            if running:
                raise Refused("running", running[0])
            for other in await tx.orders.of_sim(quote.sim_id, tuple(OPEN_ORDERS)):
                await close_order(tx, other, OrderState.CANCELLED, "replaced", now)
            order = await tx.orders.add(
                Order(
                    id=new_id(),
                    version=1,
                    state=OrderState.QUOTED,
                    quote_id=quote.id,
                    chat_id=chat_id,
                    sim_id=quote.sim_id,
                    plan=quote.plan,
                    price=quote.price,
                    due=quote.due,
                    old_expiry=quote.old_expiry,
                    new_expiry=quote.new_expiry,
                    expires_at=quote.expires_at,
                    created_at=now,
                    message_id=message_id,
                    post_id=quote.post_id,
                )
            )
            await promos.reserve(tx, quote, order, now)
            await tx.orders.move(
                order.id,
                OrderState.QUOTED,
                OrderState.AWAITING_PAYMENT,
                "confirmed",
                now,
            )
            chat = await tx.chats.get(chat_id)
            if message_id is not None and chat is not None:  # they pay in the chat
                for news in payment_waits(order, order.expires_at, chat.preferences, now):
                    await tx.outbox.add(news)
            return replace(order, state=OrderState.AWAITING_PAYMENT)

    # ---- finding -------------------------------------------------------------------------

    async def open_order(self, chat_id: int) -> Order | None:
        """The chat's newest order that still waits for money (F15)."""
        async with self._store.read() as tx:
            for order in await tx.orders.of_chat(chat_id, 5):
                if order.state is OrderState.AWAITING_PAYMENT:
                    return order if self._clock.now() < order.expires_at else None
        return None

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()
