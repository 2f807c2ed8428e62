"""The charge of a renewal that pays by itself: from its order to what the provider says.

Payments.md, rules 19 and 20: an order, an attempt and the run are committed before anybody is
called; an answer that is lost is asked for under the same id; what was declined is tried again
on other days, with a fresh price, after the provider has said that nothing was taken before.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.domain.orders import OPEN_ORDERS, RUNNING_ORDERS, OrderState, PaymentState
from bot.domain.quotes import Quote, Total
from bot.domain.renewals import LIVE, Act, Agreement, AgreementState, Run, RunState, due
from bot.domain.sales import Method, Order, Payment
from bot.domain.sims import Sim
from bot.ports import (
    Bill,
    Carrier,
    Clock,
    Found,
    PaymentMethod,
    PaymentRefused,
    PaymentUnavailable,
    Standing,
    Store,
    Tx,
)
from bot.services import agreements
from bot.services.checkout import Checkout
from bot.services.selling import Refused, close_order, open_attempt
from bot.services.till import Till

log = structlog.get_logger()

A, R = AgreementState, RunState
LATER = timedelta(hours=1)
"""How long a supplier or a rate that is away puts a charge off."""
SOON = timedelta(minutes=5)
"""When a provider that gave no answer is asked again."""
_PATIENCE = 30.0
"""Seconds for a provider's word; nobody waits for it in the chat."""
_OPEN = (PaymentState.CREATED, PaymentState.PENDING)
_UNPAID = (OrderState.CANCELLED, OrderState.EXPIRED)
_PAID = RUNNING_ORDERS | {OrderState.FULFILLED}
_GONE = frozenset({"plan_inactive", "amount_needed", "amount_out_of_range", "unknown"})
"""Refusals that only another choice of the customer's mends."""


class Autopay:
    """Charges runs. Every step says after how long to look again; None: at once."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        methods: Mapping[Method, PaymentMethod],
        checkout: Checkout,
        till: Till,
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self._methods = methods
        self._checkout = checkout
        self._till = till

    async def charge(self, agreement: Agreement, run: Run, sim: Sim) -> timedelta | None:
        """Order at today's price, if it is the accepted one, and charge it."""
        if run.order_id is not None and not await self._nothing_taken(run):
            return SOON
        async with self._store.read() as tx:
            plan = await tx.catalogue.get(agreement.plan_code)
        if plan is None:
            return await self._pause(agreement, "plan_inactive")
        try:
            quote = await self._checkout.quote(agreement.chat_id, sim, plan, agreement.amount, None)
            if quote.price != agreement.price:
                return await self._pause(agreement, "price_moved", quote)
            total = quote.total(agreement.method)
            if total is None:
                return LATER  # its rate is stale, or it is switched off
            if total.amount.currency != run.most.currency or run.most < total.amount:
                return await self._pause(agreement, "price_moved", quote)
            order = await self._checkout.place(quote.id, agreement.chat_id, None)
        except Refused as why:
            if why.reason in _GONE:
                return await self._pause(agreement, "plan_inactive")
            log.warning("renewal_put_off", agreement=agreement.id, reason=why.reason)
            return LATER
        committed = await self._commit(agreement, run, order, total)
        return await self._collect(agreement, committed, order) if committed else None

    async def _pause(
        self, agreement: Agreement, reason: str, quote: Quote | None = None
    ) -> timedelta | None:
        now = self._clock.now()
        asked = quote.price if quote is not None else None
        async with self._store.write() as tx:
            await agreements.end(tx, agreement, A.PAUSED, reason, now, asked=asked)
        return None

    async def _commit(
        self, agreement: Agreement, run: Run, order: Order, total: Total
    ) -> Run | None:
        """The run, its order and its attempt, before any call; None when it may not be charged
        any more."""
        now = self._clock.now()
        async with self._store.write() as tx:
            current = await tx.renewals.get(agreement.id)
            found = await tx.renewals.run(run.id)
            if current is None or current.state not in LIVE or found != run:
                await close_order(tx, order, OrderState.CANCELLED, "stopped", now)
                return None
            if await agreements.over_cap(tx, current, run.price, now):
                await close_order(tx, order, OrderState.CANCELLED, "stopped", now)
                await agreements.end(tx, current, A.PAUSED, "cap", now)
                return None
            payment = None
            if agreement.method is not Method.WALLET:
                payment = await open_attempt(tx, order, agreement.method, total.amount, now)
                await tx.payments.set(payment.id, saved_id=current.saved_id)
            changes = {
                "tries": run.tries + 1,
                "first_at": run.first_at or now,
                "order_id": order.id,
                "payment_id": payment.id if payment is not None else None,
            }
            await tx.renewals.move_run(run, R.CHARGING, "charging", now, **changes)
            return await tx.renewals.run(run.id)

    # ---- collecting ----------------------------------------------------------------------

    async def _collect(self, agreement: Agreement, run: Run, order: Order) -> timedelta | None:
        """Take the money, once for the committed attempt, however often this is called."""
        if agreement.method is Method.WALLET:
            try:
                await self._till.spend(order.id, agreement.chat_id)
            except Refused as why:
                return await self._declined(agreement, run, why.reason)
            return await self._taken(agreement, run)
        async with self._store.read() as tx:
            payment = await tx.payments.get(run.payment_id or "")
            saved = await tx.saved.get(agreement.saved_id or "")
            chat = await tx.chats.get(agreement.chat_id)
        provider = self._methods.get(agreement.method)
        if payment is None or saved is None or saved.removed_at or provider is None:
            return await self._declined(agreement, run, "saved_gone")
        bill = _bill(order, chat.language if chat is not None else "en")
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await provider.charge_saved(payment, saved.token, bill)
        except PaymentRefused as why:
            return await self._declined(agreement, run, why.reason)
        except (PaymentUnavailable, TimeoutError) as error:
            log.warning("renewal_not_answered", payment=payment.id, reason=str(error))
            return SOON
        return await self._heard(agreement, run, payment, found)

    async def _heard(
        self, agreement: Agreement, run: Run, payment: Payment, found: Found
    ) -> timedelta | None:
        if found.standing is Standing.PAID:
            for charge in found.charges:
                await self._till.capture(payment.id, charge)
            return await self._taken(agreement, run)
        if found.standing is Standing.OPEN:
            if found.url is None:
                return SOON  # it is being processed
            return await self._declined(agreement, run, "needs_confirmation", found.url)
        return await self._declined(agreement, run, found.reason or "declined")

    async def _taken(self, agreement: Agreement, run: Run) -> timedelta | None:
        """Money has arrived: the run ends with its order paid, or with the money going back."""
        now = self._clock.now()
        async with self._store.write() as tx:
            await take_note(tx, agreement.id, run, now)
        return None

    # ---- settling ------------------------------------------------------------------------

    async def settle(self, agreement: Agreement, run: Run) -> timedelta | None:
        """A charge was begun and its end is not known: go on with it, or ask what became of it."""
        async with self._store.read() as tx:
            order = await tx.orders.get(run.order_id or "")
            attempts = await tx.payments.of_order(run.order_id or "")
        if order is None or any(one.captured is not None for one in attempts):
            return await self._taken(agreement, run)
        standing = order.state is OrderState.AWAITING_PAYMENT
        if standing and self._clock.now() < order.expires_at and agreement.state in LIVE:
            return await self._collect(agreement, run, order)
        known = await self._nothing_taken(run)
        async with self._store.read() as tx:
            attempts = await tx.payments.of_order(run.order_id or "")
        if any(one.captured is not None for one in attempts):
            return await self._taken(agreement, run)
        return await self._declined(agreement, run, "no_answer") if known else SOON

    async def _nothing_taken(self, run: Run) -> bool:
        """Ask the provider about the run's attempt, and close it. What was taken is taken over.

        False when that can't be told now.
        """
        async with self._store.read() as tx:
            payment = await tx.payments.get(run.payment_id or "")
        if payment is None or payment.captured is not None:
            return True  # a wallet's spending leaves no doubt
        provider = self._methods.get(payment.method)
        if provider is None:
            return False
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await provider.lookup(payment)
                if found.standing is Standing.OPEN and provider.capabilities.cancels:
                    found = await provider.cancel(payment)
        except (PaymentUnavailable, TimeoutError):
            return False
        for charge in found.charges:
            await self._till.capture(payment.id, charge)
        return found.standing in (Standing.ENDED, Standing.UNKNOWN)

    # ---- declining -----------------------------------------------------------------------

    async def _declined(
        self, agreement: Agreement, run: Run, reason: str, url: str | None = None
    ) -> timedelta | None:
        """Nothing was taken: told with a way to pay now, and tried again another day. With a
        `url` the order stays open, for its customer can still confirm the charge there."""
        now = self._clock.now()
        async with self._store.write() as tx:
            current = await tx.renewals.get(agreement.id)
            found = await tx.renewals.run(run.id)
            order = await tx.orders.get(run.order_id or "")
            if current is None or found is None or found.state is not R.CHARGING:
                return None
            await _end_attempt(tx, found, order, reason, url, now)
            if current.state not in LIVE:
                await tx.renewals.move_run(found, R.SKIPPED, reason, now)
                return None
            await tx.renewals.move_run(found, R.DECLINED, reason, now)
            if current.state is A.ACTIVE:
                await tx.renewals.move(current, A.FAILING, reason, now)
            declined = replace(found, state=R.DECLINED, reason=reason)
            failing = replace(current, state=A.FAILING)
            line = await agreements.line_of(tx, current, self._carriers, declined)
            if due(failing, declined, line, now).act is Act.GIVE_UP:
                await give_up(tx, failing, declined, reason, now)
            else:
                key = f"{found.id}:{found.tries}"
                await agreements.tell(tx, current, "declined", key, declined)
        return None


async def give_up(tx: Tx, agreement: Agreement, run: Run, reason: str, now: datetime) -> None:
    """It was tried often enough: the customer renews by hand, and says how to go on."""
    if await tx.renewals.move_run(run, R.FAILED, reason, now):
        current = await tx.renewals.get(agreement.id)
        if current is not None and current.state in LIVE:
            await agreements.end(tx, current, A.PAUSED, "declined", now, told=False)
        await agreements.tell(tx, agreement, "failed", run.id, run)


async def take_note(tx: Tx, agreement_id: str, run: Run, now: datetime) -> bool:
    """Whether the run's order was paid; then the run is. Money that goes back ends it as well."""
    current = await tx.renewals.run(run.id)
    if current is None or current.order_id is None or current.state is R.PAID:
        return False
    order = await tx.orders.get(current.order_id)
    if order is None or order.state in OPEN_ORDERS or order.state in _UNPAID:
        return False
    if order.state not in _PAID or order.paid_at is None:
        # It goes back, or it is another amount, with which a person does something.
        if current.state in (R.CHARGING, R.DECLINED):
            await tx.renewals.move_run(current, R.SKIPPED, "held", now)
        return False
    if current.state is R.NOTICED or not await tx.renewals.move_run(current, R.PAID, "paid", now):
        return False
    agreement = await tx.renewals.get(agreement_id)
    if agreement is not None and agreement.state is A.FAILING:
        await tx.renewals.move(agreement, A.ACTIVE, "paid", now)
    return True


async def _end_attempt(
    tx: Tx, run: Run, order: Order | None, reason: str, url: str | None, now: datetime
) -> None:
    payment = await tx.payments.get(run.payment_id or "")
    if payment is not None and payment.state in _OPEN:
        if url is None:
            await tx.payments.move(payment.id, payment.state, PaymentState.FAILED, reason, now)
        else:
            changes = {"url": url, "look_at": now + timedelta(minutes=1), "looks": 0}
            await tx.payments.set(payment.id, **changes)
            if payment.state is PaymentState.CREATED:
                await tx.payments.move(
                    payment.id, PaymentState.CREATED, PaymentState.PENDING, reason, now
                )
    if url is None and order is not None and order.state is OrderState.AWAITING_PAYMENT:
        await close_order(tx, order, OrderState.CANCELLED, "declined", now)


def _bill(order: Order, language: str) -> Bill:
    """What the card's statement and the provider's list say: the plan and the order's number."""
    name = order.plan.name.get(language) or order.plan.name.get("en") or order.plan.code
    return Bill(name[:32], f"{name} · {order.number}"[:255], name[:32], language)
