"""Reconciliation: provider lists × attempts × top-ups × ledger (payments.md, rule 22).

Money that a provider holds for us and nobody told us of is taken over; what went back without us
is recorded; every other gap becomes a row that an operator settles.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.domain.books import (
    TAKEN,
    Difference,
    Gap,
    Report,
    Taken,
    count_deposit,
    count_order,
)
from bot.domain.money import Money
from bot.domain.orders import OrderState, RefundState
from bot.domain.sales import IN_STORE, Method, Order, Payment
from bot.ports import (
    Charge,
    Clock,
    PaymentMethod,
    PaymentUnavailable,
    Store,
    Tx,
)
from bot.services import purses
from bot.services.ids import new_id
from bot.services.selling import Selling, tell_operators
from bot.services.till import Till
from bot.services.work import Worker

log = structlog.get_logger()

LOOK_BACK = timedelta(days=3)
"""How far an hourly run looks: longer than any provider's list lags behind."""
_YOUNG = timedelta(hours=3)
"""A charge younger than this may not be on its provider's list yet."""
_STUCK = timedelta(hours=24)
_ENDS = frozenset({OrderState.FULFILLED, OrderState.REFUNDED, OrderState.NEEDS_OPERATOR})
"""Where an order needs nobody's attention, or has a person's already."""


class Reconciliation:
    """The hourly job, and the command."""

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
        self.worker = Worker("reconciliation", self._hourly)
        self.rings: list[Worker] = []
        self.last: Report | None = None
        """What the last run found, since the start."""

    async def _hourly(self) -> None:
        report = await self.run(self._clock.now() - LOOK_BACK)
        log.info(
            "reconciled",
            adds_up=report.adds_up,
            captured_late=report.captured_late,
            gaps=len(report.found),
            away=[method.value for method in report.away],
        )

    async def run(self, since: datetime) -> Report:
        """Compare everything since then (UTC); act on what can be acted on, report the rest."""
        report = Report(self._clock.now(), since)
        lists: dict[Method, Sequence[Charge]] = {}
        for name, method in self._methods.items():
            if not method.capabilities.finds:
                continue
            try:
                lists[name] = await method.list_since(since)
            except PaymentUnavailable as error:
                log.warning("provider_not_listed", method=name, reason=str(error))
                report.away.append(name)
        for name, charges in lists.items():
            for charge in charges:
                await self._provider_says(report, name, charge)
        await self._we_say(report, lists)
        await self._wallets(report)
        async with self._store.read() as tx:
            report.found = await tx.differences.open()
        self.last = report
        for worker in self.rings:
            worker.ring()
        return report

    # ---- their books ---------------------------------------------------------------------

    async def _provider_says(self, report: Report, method: Method, charge: Charge) -> None:
        """One charge of a provider's list: ours and known, ours and new, or somebody else's."""
        async with self._store.read() as tx:
            known = await tx.payments.by_charge(charge.id)
            payment = known or (
                await tx.payments.get(charge.reference) if charge.reference else None
            )
        if payment is None:
            await self._unknown(report, method, charge)
            return
        if payment.method is not method:
            return  # methods of one provider share its list: it is counted with its own
        line = report.line(method, charge.amount.currency)
        line.listed = (line.listed or 0) + charge.amount.minor
        line.listed_back = (line.listed_back or 0) + charge.returned
        await self._till.capture(payment.id, charge)
        if known is None:
            log.warning("captured_late", payment=payment.id)
            report.captured_late += 1

    async def _unknown(self, report: Report, method: Method, charge: Charge) -> None:
        if not charge.reference or charge.returned >= charge.amount.minor:
            report.foreign += 1
            return
        subject = f"charge:{charge.id}"
        await self._gap(Gap.NO_ORDER, subject, method, charge.amount)

    # ---- our books -----------------------------------------------------------------------

    async def _we_say(self, report: Report, lists: Mapping[Method, Sequence[Charge]]) -> None:
        listed = {charge.id: charge for charges in lists.values() for charge in charges}
        async with self._store.read() as tx:
            orders = await tx.orders.paid_since(report.since)
            taken = await tx.payments.captured_since(report.since)
        known = {order.id for order in orders}
        for payment in taken:
            if payment.order_id is not None and payment.order_id not in known:
                async with self._store.read() as tx:
                    late = await tx.orders.get(payment.order_id)
                if late is not None:
                    known.add(late.id)
                    orders.append(late)
            elif payment.deposit_id is not None and payment.state in TAKEN:
                async with self._store.read() as tx:
                    made = Taken(payment, await _returned(tx, payment))
                count_deposit(report, made)
                await self._compare(made, listed, lists)
        for order in orders:
            await self._order(report, order, listed, lists)

    async def _order(
        self,
        report: Report,
        order: Order,
        listed: Mapping[str, Charge],
        lists: Mapping[Method, Sequence[Charge]],
    ) -> None:
        async with self._store.read() as tx:
            attempts = [
                Taken(payment, await _returned(tx, payment))
                for payment in await tx.payments.of_order(order.id)
                if payment.state in TAKEN
            ]
        if not count_order(report, order, attempts) and order.charge is not None:
            await self._gap(Gap.UNPAID, f"order:{order.id}", order.method, order.charge)
        for taken in attempts:
            await self._compare(taken, listed, lists)
        since = order.paid_at or order.created_at
        if order.state not in _ENDS and attempts and self._clock.now() - since > _STUCK:
            amount = attempts[0].payment.captured or order.price
            await self._gap(Gap.STUCK, f"order:{order.id}", attempts[0].payment.method, amount)

    async def _compare(
        self,
        taken: Taken,
        listed: Mapping[str, Charge],
        lists: Mapping[Method, Sequence[Charge]],
    ) -> None:
        """What we hold as captured and returned, against the provider's list."""
        payment, returned = taken.payment, taken.returned
        if payment.method in IN_STORE or payment.method not in lists or payment.captured is None:
            return
        at = payment.captured_at or payment.created_at
        if self._clock.now() - at < _YOUNG:
            return
        charge = listed.get(payment.charge_id or "")
        if charge is None:
            try:
                charge = await self._asked(payment)
            except PaymentUnavailable as error:
                log.warning("charge_not_asked", payment=payment.id, reason=str(error))
                return
        if charge is None:
            await self._gap(
                Gap.MISSING_THERE, f"payment:{payment.id}", payment.method, payment.captured
            )
        elif charge.returned < returned:
            missing = Money(returned - charge.returned, payment.captured.currency)
            await self._gap(
                Gap.REFUND_MISSING_THERE, f"payment:{payment.id}", payment.method, missing
            )

    async def _asked(self, payment: Payment) -> Charge | None:
        """A charge that is not on the list: we may have heard of it long after it was taken, so
        that the list begins later. Raises PaymentUnavailable."""
        found = await self._methods[payment.method].lookup(payment)
        return next((one for one in found.charges if one.id == payment.charge_id), None)

    async def _wallets(self, report: Report) -> None:
        """The books of the wallets, which no provider sees."""
        async with self._store.read() as tx:
            report.purses = await tx.ledger.totals()
            found = [fault async for fault in purses.faults(tx, report.since)]
        for fault in found:
            await self._gap(Gap.LEDGER, fault.subject, None, fault.amount)

    async def _gap(
        self, gap: Gap, subject: str, method: Method | None, amount: Money | None
    ) -> None:
        """Found once, told once, in the queue until somebody has settled it."""
        made = Difference(new_id(), gap, subject, method, amount, self._clock.now())
        async with self._store.write() as tx:
            if await tx.differences.add(made):
                log.warning("books_differ", gap=gap, subject=subject)
                await tell_operators(
                    tx, self._selling, f"difference:{made.id}", f"gap_{gap}", amount=amount
                )


async def _returned(tx: Tx, payment: Payment) -> int:
    """What surely went back of a payment, in minor units."""
    rows = await tx.refunds.of_payment(payment.id)
    done = sum(row.amount.minor for row in rows if row.state is RefundState.DONE)
    # Refunds of earlier releases have no rows: their payment has ended whole.
    return done if rows else payment.going_back
