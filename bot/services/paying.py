"""From an order that waits for money to the provider and back: attempts, look-ups, endings.

Our reference is committed before any provider is called. What a provider shows, closes or has
taken is asked of it and handed to the till; nothing a webhook says is believed.

Rules of payments.md: 2 one open attempt, saved before the call · 3 a lost answer is looked up
under the same reference · 4 another method first closes the one before · 10 expiry asks the
provider first · 11 money after the end is still taken over.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.domain.orders import OPEN_ORDERS, OrderState, PaymentState
from bot.domain.sales import IN_STORE, Method, Order, Payment
from bot.ports import (
    Bill,
    Clock,
    Found,
    PaymentMethod,
    PaymentUnavailable,
    Shown,
    Standing,
    Store,
    Way,
)
from bot.services import notices
from bot.services.selling import Refused, Selling, close_order, open_attempt, payable
from bot.services.till import Till
from bot.services.work import Worker

log = structlog.get_logger()

PATIENCE = 10.0
"""Seconds a customer waits for a provider's word before being told to try again."""
_LOOKS = tuple(
    timedelta(minutes=n) for n in (1, 1, 2, 3, 5, 5, 10, 15, 30, 60, 180, 360, 720, 1440)
)
"""Between look-ups of one attempt, open or ended: webhooks come sooner, and may never come."""
_GIVE_UP = timedelta(minutes=10)
"""For how long an order outlives its price because its provider can't be asked."""
_BATCH = 50
_OPEN = (PaymentState.CREATED, PaymentState.PENDING)
_ENDED = {"expired": PaymentState.EXPIRED, "cancelled": PaymentState.CANCELLED}


class Paying:
    """Attempts at the providers. `methods` are those that a provider stands behind."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        methods: Mapping[Method, PaymentMethod],
        selling: Selling,
        till: Till,
    ) -> None:
        self._store = store
        self._clock = clock
        self._methods = methods
        self._selling = selling
        self._till = till
        self.worker = Worker("payments", self._look_at_due)
        self.rings: list[Worker] = []

    def page(self, method: Method) -> bool:
        """Whether it is paid on a page of the provider's, behind a link."""
        found = self._methods.get(method)
        return found is not None and found.capabilities.way is Way.PAGE

    # ---- paying --------------------------------------------------------------------------

    async def pay(self, order_id: str, chat_id: int, method: Method, bill: Bill) -> Payment:
        """Open (or reopen) an attempt and show what to pay; another method's is closed first.

        Raises Refused (as `payable`; method_off, already_paid, provider_away), PaymentUnavailable
        and PaymentRefused: then nothing is shown and the attempt waits to be tried again.
        """
        provider = self._methods.get(method)
        if provider is None or method not in self._selling.terms:
            raise Refused("method_off")
        await self.close_others(order_id, chat_id, method)
        now = self._clock.now()
        async with self._store.write() as tx:
            order = await payable(tx, order_id, chat_id, now)
            quote = await tx.quotes.get(order.quote_id)
            total = quote.total(method) if quote is not None else None
            if total is None:
                raise Refused("method_off", order)
            if quote is None or not quote.stands(now):
                raise Refused("quote_expired", order)  # it waits for a transfer at its old price
            payment = await open_attempt(tx, order, method, total.amount, now)
        return await self.show(payment, bill)

    async def show(self, payment: Payment, bill: Bill) -> Payment:
        """Let the provider show a committed attempt. Raises PaymentUnavailable, PaymentRefused.

        A crash before the last step leaves an attempt that may be shown already: the next tap
        shows it again under the same reference, and a second charge of it goes back by itself.
        """
        provider = self._methods[payment.method]
        over = payment.ends_at is not None and payment.ends_at <= self._clock.now()
        if payment.state is PaymentState.PENDING and payment.url is not None and not over:
            return payment  # its page still stands
        shown = await provider.request(payment, bill)
        changes = self._as_shown(payment, shown)
        async with self._store.write() as tx:
            if not await tx.payments.move(
                payment.id, PaymentState.CREATED, PaymentState.PENDING, "shown",
                self._clock.now(), **changes,
            ):  # fmt: skip
                await tx.payments.set(payment.id, **changes)
            found = await tx.payments.get(payment.id)
        assert found is not None  # noqa: S101  it was committed before
        self.worker.ring()
        return found

    def _as_shown(self, payment: Payment, shown: Shown) -> dict[str, object]:
        changes: dict[str, object] = {
            "provider_ref": shown.provider_ref or payment.provider_ref,
            "url": shown.url,
            "ends_at": shown.ends_at,
        }
        if self._watched(payment.method):
            changes |= {"look_at": self._clock.now() + _LOOKS[0], "looks": 0}
        return changes

    def _watched(self, method: Method) -> bool:
        """Telegram's updates are never lost; of a page elsewhere only the provider tells."""
        provider = self._methods.get(method)
        return provider is not None and provider.capabilities.finds and self.page(method)

    # ---- ending --------------------------------------------------------------------------

    async def close_others(self, order_id: str, chat_id: int, method: Method) -> None:
        """Close the order's open attempts of other methods at their providers.

        Raises Refused: already_paid when one of them was paid, provider_away when one can't be
        asked: two open attempts would be two charges.
        """
        async with self._store.read() as tx:
            paid_for = await tx.payments.of_order(order_id) or await tx.payments.of_deposit(
                order_id
            )
        attempts = [a for a in paid_for if a.chat_id == chat_id]
        for attempt in attempts:
            if attempt.state not in _OPEN or attempt.method in {method, *IN_STORE}:
                continue
            try:
                found = await self._closed(replace(attempt, state=PaymentState.CANCELLED))
            except PaymentUnavailable as error:
                raise Refused("provider_away") from error
            if found.standing is Standing.PAID:
                async with self._store.read() as tx:
                    raise Refused("already_paid", await tx.orders.get(order_id))

    async def cancel(self, order_id: str, chat_id: int) -> Order:
        """The customer gives up an unpaid order; their provider is told first.

        Raises Refused when it is paid already, also a moment ago.
        """
        async with self._store.read() as tx:
            order = await tx.orders.get(order_id)
        if order is None or order.chat_id != chat_id:
            raise Refused("unknown")
        if order.state in OPEN_ORDERS:
            await self._close_all(order, given_up=True)
        now = self._clock.now()
        async with self._store.write() as tx:
            order = await tx.orders.get(order_id)
            assert order is not None  # noqa: S101  orders are not deleted
            if order.state in OPEN_ORDERS:
                await close_order(tx, order, OrderState.CANCELLED, "customer", now)
                order = await tx.orders.get(order_id)
            elif order.state not in (OrderState.CANCELLED, OrderState.EXPIRED):
                raise Refused("already_paid", order)
        assert order is not None  # noqa: S101  orders are not deleted
        return order

    async def expire_due(self) -> None:
        """Close orders whose price no longer stands, unless the provider says they are paid;
        money that comes later is still honoured."""
        now = self._clock.now()
        async with self._store.read() as tx:
            over = await tx.orders.expiring(now, 100)
        for order in over:
            closed = await self._close_all(order, given_up=False)
            if not closed and now - order.expires_at < _GIVE_UP:
                continue  # asked again with the next tick
            async with self._store.write() as tx:
                current = await tx.orders.get(order.id)
                if current is None or current.state not in OPEN_ORDERS:
                    continue
                await close_order(tx, current, OrderState.EXPIRED, "quote_expired", now)
                await tx.outbox.add(
                    notices.order_moved(order.id, order.chat_id, OrderState.EXPIRED)
                )
        if over:
            self._ring()

    async def next_expiry(self) -> datetime | None:
        """When the next order may expire."""
        async with self._store.read() as tx:
            return await tx.orders.next_expiring()

    async def _close_all(self, order: Order, *, given_up: bool) -> bool:
        async with self._store.read() as tx:
            attempts = await tx.payments.of_order(order.id)
        return await self.close(attempts, given_up=given_up)

    async def close(self, attempts: Sequence[Payment], *, given_up: bool) -> bool:
        """Close those that are open at their providers. False when one can't be asked.

        An attempt that its payer has given up is shown as such to a provider that takes approved
        money only when it is asked: then it takes none.
        """
        closed = True
        for attempt in attempts:
            if attempt.state not in _OPEN or attempt.method in IN_STORE:
                continue
            if given_up:
                attempt = replace(attempt, state=PaymentState.CANCELLED)
            try:
                await self._closed(attempt)
            except PaymentUnavailable as error:
                log.warning("attempt_not_closed", payment=attempt.id, reason=str(error))
                closed = False
        return closed

    async def _closed(self, attempt: Payment) -> Found:
        """The provider's word on an attempt that is to end; what it has taken is taken over.

        Raises PaymentUnavailable.
        """
        provider = self._methods.get(attempt.method)
        if provider is None:
            return Found(Standing.ENDED)  # switched off since: nothing can be asked
        able = provider.capabilities
        if not (able.cancels or able.finds) or not self.page(attempt.method):
            return Found(Standing.ENDED)  # its pre-checkout question is refused from now on
        ask = provider.cancel if able.cancels else provider.lookup
        async with _within(PATIENCE):
            found = await ask(attempt)
        if found.standing is Standing.PAID:
            await self._take_over(attempt, found)
        return found

    # ---- looking -------------------------------------------------------------------------

    async def check(self, order_id: str, chat_id: int) -> None:
        """The customer says that they have paid: ask now. Raises PaymentUnavailable."""
        async with self._store.read() as tx:
            attempts = await tx.payments.of_order(order_id)
            attempts = attempts or await tx.payments.of_deposit(order_id)
        for attempt in attempts:
            if attempt.chat_id == chat_id and attempt.look_at is not None:
                await self._look(attempt)

    async def next_look(self) -> datetime | None:
        """When the next attempt is looked at."""
        async with self._store.read() as tx:
            return await tx.payments.next_look()

    async def _look_at_due(self) -> None:
        while not self.worker.stopping:
            async with self._store.read() as tx:
                due = await tx.payments.to_look_at(self._clock.now(), _BATCH)
            if not due:
                return
            for attempt in due:
                try:
                    await self._look(attempt)
                except PaymentUnavailable as error:
                    log.warning("lookup_failed", payment=attempt.id, reason=str(error))
                except Exception:
                    # A defect at one provider must not hold up what others have taken.
                    log.exception("lookup_crashed", payment=attempt.id)

    async def _look(self, attempt: Payment) -> None:
        """Ask once; the next time is committed first, so that a crash only delays it."""
        later = attempt.looks < len(_LOOKS)
        at = self._clock.now() + _LOOKS[min(attempt.looks, len(_LOOKS) - 1)]
        async with self._store.write() as tx:
            await tx.payments.set(
                attempt.id, look_at=at if later else None, looks=attempt.looks + 1
            )
        provider = self._methods.get(attempt.method)
        if provider is None or not provider.capabilities.finds:
            return
        async with _within(PATIENCE):
            found = await provider.lookup(attempt)
        if found.standing is Standing.PAID:
            await self._take_over(attempt, found)
        elif found.standing is Standing.ENDED:
            await self._ended(attempt, found)

    async def _take_over(self, attempt: Payment, found: Found) -> None:
        for charge in found.charges:
            await self._till.capture(attempt.id, charge)
        async with self._store.write() as tx:
            await tx.payments.set(attempt.id, look_at=None)

    async def _ended(self, attempt: Payment, found: Found) -> None:
        """Declined or expired there: the order still waits, and can be paid in another way."""
        new = _ENDED.get(found.reason or "", PaymentState.FAILED)
        async with self._store.write() as tx:
            current = await tx.payments.get(attempt.id)
            if current is None or current.state not in _OPEN:
                return
            reason = found.reason or "declined"
            await tx.payments.move(attempt.id, current.state, new, reason, self._clock.now())
            if attempt.order_id is not None:
                await tx.outbox.add(
                    notices.order_moved(
                        attempt.order_id, attempt.chat_id, OrderState.AWAITING_PAYMENT, attempt.id
                    )
                )
            elif attempt.deposit_id is not None:
                news = notices.deposit_moved(attempt.deposit_id, attempt.chat_id, attempt.id)
                await tx.outbox.add(news)
        self._ring()

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    """A time limit whose end means that the provider gave no answer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise PaymentUnavailable("timeout") from None
