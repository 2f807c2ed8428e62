"""One case of the carriers' fault harness: an order from its quote to its end, and the verdict."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.orders import OrderState, PaymentState, TopUpState
from bot.domain.sales import Method, Order, Payment
from bot.services.selling import Refused
from bot.services.waiting import Action, Kind, QueueItem
from tests.faults.supplier_books import Standing
from tests.faults.supplier_script import SPAN, Script
from tests.faults.supplier_town import House
from tests.harness import Report
from tests.unit.services.house import OPERATOR
from tests.unit.services.sale_house import BILL, charged
from tests.unit.store.samples import ALICE

ROUNDS = 40
"""Decisions that an operator makes on one order at most."""

_FINAL = (OrderState.FULFILLED, OrderState.REFUNDED)
_HELD = (OrderState.NEEDS_OPERATOR, OrderState.REFUND_DUE, OrderState.REFUNDING)


@dataclass
class Case:
    """One order, from its quote to its end."""

    place: House
    number: int
    rng: random.Random
    script: Script
    report: Report
    logs: list[str] = field(default_factory=list)
    paid_at: datetime | None = None
    order_id: str | None = None
    switched: set[int] = field(default_factory=set)
    seen_at: datetime | None = None
    asked: int = 0
    updates: int = 0
    helpless: bool = False
    """A decision failed: no other will do better."""

    @property
    def now(self) -> datetime:
        return self.place.clock.now()

    def count(self, what: str, by: int = 1) -> None:
        self.report.count(f"{self.script.supplier}: {what}", by)

    def broken(self, text: str) -> None:
        """A promise was broken."""
        self.count("violations")
        self.report.violation(f"case {self.number} ({self.script.supplier}): {text}")

    async def run(self) -> None:
        """Live through it and judge it."""
        place = self.place
        place.lives, place.deaths = list(self.script.lives), 0
        place.process.life.over = True  # the next thing asked of it begins the first life
        before = dict(place.provider.charges)
        place.provider.away = place.provider.mute = 0
        if await self._buy():
            place.provider.away = self.script.refund_away
            place.provider.mute = self.script.refund_mute
            await self._live()
            await self._judge(held_is_fine=True)
            self.count(f"after 96 h: {(await self._order()).state}")
            await self._settle()
            await self._judge(held_is_fine=False)
            self._money(set(place.provider.charges) - set(before), await self._order())
        for defect in self.logs:
            self.broken(f"a step failed: {defect}")
        self.count("deaths", max(0, place.deaths - 1))
        self._struck()

    def _struck(self) -> None:
        for name, times in self.place.board.struck.items():
            if times:
                self.report.count(name.replace(".", ": struck ", 1), times)
        self.place.board.struck.clear()
        self.place.board.clear()

    # ---- buying ------------------------------------------------------------------------------

    async def _buy(self) -> bool:
        """From the quote to the payment; False when nothing came of it."""
        self._switch(-1.0)
        line, plan = self.place.books.new_line(self.script.supplier, self.rng, self.now)
        async with self.place.database.write() as tx:
            await tx.sims.add(line)
        quoted = self._update()
        for left in (1, 0):
            try:
                quote = await self.place.alive(
                    lambda p: p.checkout.quote(ALICE, line, plan, None, quoted)
                )
                break
            except Refused as refused:
                self.count(f"not offered: {refused.reason}")
                if not left:
                    return False
                await self._advance(timedelta(minutes=3))
        order = await self.place.alive(lambda p: p.checkout.place(quote.id, ALICE, 77))
        self.order_id = order.id
        payment = await self.place.alive(
            lambda p: p.paying.pay(order.id, ALICE, Method.STARS, BILL)
        )
        if self.script.pays == "late":
            await self._advance(timedelta(minutes=self.rng.randint(16, 60)))
            await self.place.alive(lambda p: p.paying.expire_due())
        await self._pays(payment)
        return True

    async def _pays(self, payment: Payment) -> None:
        self.paid_at = self.now
        self._switch(0.0)
        for nth in range(2 if self.script.pays == "twice" else 1):
            charge = f"charge-{self.number}-{nth}"
            self.place.provider.takes(charge, payment.id, payment.amount)
            self.count("charges")
            await self._captured(payment, charge)
        self.count("orders")

    async def _captured(self, payment: Payment, charge: str) -> None:
        await self.place.alive(
            lambda p: p.till.capture(payment.id, charged(payment.id, charge, payment.amount))
        )

    def _update(self) -> int:
        self.updates += 1
        return self.number * 1000 + self.updates

    # ---- living ------------------------------------------------------------------------------

    async def _live(self) -> None:
        """Until nothing more can happen, or 96 hours are over."""
        assert self.paid_at is not None
        end = self.paid_at + SPAN
        while True:
            self._switch((self.now - self.paid_at).total_seconds())
            await self._work()
            if self.script.looks_after is not None:
                await self._look(timedelta(seconds=self.script.looks_after))
            after = await self._next()
            if after is None or after > end:
                return
            await self._advance(after - self.now)

    async def _work(self) -> None:
        cut, self.script.cut = self.script.cut, None
        twins, self.script.twins = self.script.twins, None
        if cut is not None:
            await self.place.cut_off(cut)
        if twins is not None:
            await self.place.overlap(twins)
        await self.place.alive(lambda p: p.work())

    async def _next(self) -> datetime | None:
        """When something may happen; None when nothing will."""
        moments = []
        due, surplus, order = await self._facts()
        if due is not None:
            moments.append(max(due, self.now))
        if surplus or order.state in (OrderState.REFUND_DUE, OrderState.REFUNDING):
            moments.append(self.now + timedelta(minutes=5))
        if order.state is OrderState.NEEDS_OPERATOR and self.script.looks_after is not None:
            wait = timedelta(seconds=self.script.looks_after)
            moments.append(max(self.now, (self.seen_at or self.now) + wait))
        if not moments:
            return None
        assert self.paid_at is not None
        begun = self.paid_at
        for n, trouble in enumerate(self.script.troubles):
            for moment in (trouble.after, max(0.0, trouble.after) + trouble.lasts):
                at = begun + timedelta(seconds=moment)
                if at > self.now and (n not in self.switched or moment > trouble.after):
                    moments.append(at)
        return min(moments)

    async def _advance(self, span: timedelta) -> None:
        await self.place.calls_ended()
        self.place.clock.move_to(self.now + max(span, timedelta()))

    def _switch(self, after: float) -> None:
        """Switch the faults of this moment on, and those that are over off."""
        board = self.place.board
        for n, trouble in enumerate(self.script.troubles):
            name = f"{self.script.supplier}.{trouble.name}"
            if n not in self.switched and trouble.after <= after:
                self.switched.add(n)
                if trouble.times is None:
                    board.set(name, on=True)
                else:
                    board.set(name, times=trouble.times)
            elif n in self.switched and max(0.0, trouble.after) + trouble.lasts <= after:
                board.set(name, on=False)

    # ---- the operator ------------------------------------------------------------------------

    async def _look(self, patience: timedelta) -> None:
        """Decide what has waited long enough, by the supplier's own books."""
        if (await self._order()).state in _FINAL:
            return
        item = await self._waiting()
        if item is None or self.helpless:
            self.seen_at = None
            return
        if self.seen_at is None:
            self.seen_at = self.now
        if self.now - self.seen_at < patience:
            return
        self.seen_at = None
        await self.place.calls_ended()
        action = self._decision(item)
        if action is None:
            return
        self.count(f"decided {action}")
        update = self._update()
        try:
            await self.place.alive(lambda p: p.desk.act(item.subject, action, OPERATOR, update))
        except Refused:
            self.count("decided too late")
        except Exception as error:
            self.helpless = True
            self.broken(f"{action} of {item.reason} failed: {error!r}")
        await self._work()

    async def _waiting(self) -> QueueItem | None:
        return await self.place.alive(lambda p: p.desk.item(f"order:{self.order_id}"))

    async def _queued(self) -> bool:
        """Whether an operator who looks at the queue sees it."""
        queue = await self.place.process.desk.queue()
        return f"order:{self.order_id}" in [item.subject for item in queue]

    def _decision(self, item: QueueItem) -> Action | None:
        """What an honest person does; None: wait."""
        if item.kind is Kind.REFUND:
            return Action.REFUND
        standings = self._standings()
        if Standing.DELIVERED in standings:
            wished = [Action.DELIVERED, Action.LOOK_UP_AGAIN]
        elif Standing.UNDER_WAY in standings:
            wished = [Action.LOOK_UP_AGAIN]
        else:
            wished = [Action.REFUND, Action.SUBMIT_AGAIN, Action.LOOK_UP_AGAIN]
        if self.asked >= 2 and len(wished) > 1:
            wished.remove(Action.LOOK_UP_AGAIN)
        possible = [action for action in wished if action in item.actions]
        action = self.rng.choice(possible) if possible else None
        self.asked += action is Action.LOOK_UP_AGAIN
        if action is None and Standing.UNDER_WAY not in standings:
            self.broken(f"nothing to decide by: {item.reason}, {item.actions}, {standings}")
        return action

    def _standings(self) -> list[Standing]:
        assert self.order_id is not None
        books = self.place.books.of_order(self.script.supplier, self.order_id, self.now)
        return [entry.standing for entry in books]

    async def _settle(self) -> None:
        """The faults are over, and an operator settles what still waits."""
        self.place.board.clear()
        self.place.provider.away = self.place.provider.mute = 0
        self.script.troubles = []
        if (await self._order()).state not in _FINAL:
            self.count("to a person at the end")
        for _ in range(ROUNDS):
            await self._work()
            await self._look(timedelta())
            after = await self._next_quickly()
            if after is None:
                return
            await self._advance(after - self.now)

    async def _next_quickly(self) -> datetime | None:
        due, surplus, order = await self._facts()
        if due is not None:
            return max(due, self.now)
        done = order.state in _FINAL and not surplus
        return None if done else self.now + timedelta(minutes=15)

    async def _facts(self) -> tuple[datetime | None, bool, Order]:
        """When a step is due, whether a charge is too much, and the order."""
        assert self.order_id is not None
        async with self.place.database.read() as tx:
            due = await tx.topups.next_due()
            twice = self.script.pays == "twice"
            surplus = bool(await tx.payments.surplus()) if twice else False
            order = await tx.orders.get(self.order_id)
        assert order is not None
        return due, surplus, order

    # ---- judging -----------------------------------------------------------------------------

    async def _order(self) -> Order:
        assert self.order_id is not None
        async with self.place.database.read() as tx:
            order = await tx.orders.get(self.order_id)
        assert order is not None
        return order

    async def _judge(self, *, held_is_fine: bool) -> None:
        await self.place.calls_ended()
        order = await self._order()
        async with self.place.database.read() as tx:
            topups = await tx.topups.of_order(order.id)
            payments = await tx.payments.of_order(order.id)
        standings = self._standings()
        delivered = standings.count(Standing.DELIVERED)
        steps = ", ".join(f"{one.state}/{one.reason}" for one in topups)
        facts = f"{order.state}/{order.reason}; {steps}; books: {[str(s) for s in standings]}"
        if delivered > 1:
            self.broken(f"double top-up: {facts}")
        if order.state not in _FINAL and not (
            held_is_fine and order.state in _HELD and await self._queued()
        ):
            self.broken(f"a paid order is lost: {facts}")
        if order.state is OrderState.REFUNDED and delivered:
            self.broken(f"refund of a delivered top-up: {facts}")
        if order.state is OrderState.FULFILLED and not delivered:
            self.broken(f"kept for nothing: {facts}")
        open_ends = (
            TopUpState.SAVED, TopUpState.SUBMITTING, TopUpState.PROCESSING, TopUpState.UNKNOWN,
            TopUpState.RECONCILING, TopUpState.SUCCEEDED,
        )  # fmt: skip
        if order.state in _FINAL and any(one.state in open_ends for one in topups):
            self.broken(f"an order has ended, its top-up has not: {facts}")
        kept = [one for one in payments if one.state is PaymentState.CAPTURED]
        ours = {str(one.charge_id) for one in kept}
        theirs = {
            charge
            for charge in self.place.provider.charges
            if charge.startswith(f"charge-{self.number}-")
            and charge not in self.place.provider.returned
        }
        if ours != theirs and not (held_is_fine and order.state in _HELD):
            self.broken(f"charges kept: {sorted(ours)}, at the provider: {sorted(theirs)}; {facts}")

    def _money(self, charges: set[str], order: Order) -> None:
        """captured = fulfilled + refunded + held, in Stars."""
        provider = self.place.provider
        if provider.strange:
            self.broken(f"asked to return what was never taken: {provider.strange}")
            provider.strange.clear()
        captured = sum(provider.charges[one].amount.minor for one in charges)
        returned = sum(minor for one, minor in provider.refunded.values() if one in charges)
        price = order.charge.minor if order.charge else 0
        fulfilled = price if order.state is OrderState.FULFILLED else 0
        held = captured - returned if order.state not in _FINAL else 0
        self.count(f"ended {order.state}")
        for what, stars in (
            ("captured", captured), ("fulfilled", fulfilled), ("refunded", returned),
            ("held", held),
        ):  # fmt: skip
            self.report.count(f"stars {what}", stars)
        if captured != fulfilled + returned + held:
            self.broken(f"{captured} Stars taken, {fulfilled} earned, {returned} returned")
