"""Agreeing to renewals that pay by themselves (F19): the customer's side.

What is accepted is stored with its terms before anything is charged under it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.quotes import QuoteRefused, list_price
from bot.domain.renewals import (
    BEGIN_WITHIN,
    MOST_STARS,
    SHORTEST,
    STARS_PERIOD,
    TERMS,
    Agreement,
    AgreementState,
    RunState,
    most,
)
from bot.domain.sales import Method, Saved
from bot.ports import Carrier, Clock, PaymentMethod, Store, Subscribing
from bot.services import agreements
from bot.services.ids import new_id
from bot.services.selling import Refused, Selling, holds
from bot.services.work import Worker

log = structlog.get_logger()

A, R = AgreementState, RunState


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a customer chooses for one SIM."""

    sim_id: str
    plan_code: str
    method: Method
    cap: Money
    amount: Money | None = None
    saved_id: str | None = None
    """None with a card: the one that they pay the next renewal with."""
    every: int | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """What a plan can be renewed with by itself."""

    price: Money
    wallet: bool = False
    saved: tuple[Saved, ...] = ()
    new_card: bool = False
    stars: Money | None = None
    """What a month costs as a subscription."""


def renewable(plan: Plan) -> bool:
    """Whether a plan may renew by itself: one that lasts long enough to be told in time."""
    return plan.active and (plan.open_amount is not None or plan.days >= SHORTEST)


class Agreeing:
    """What customers agree to, look at, and stop."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        methods: Mapping[Method, PaymentMethod],
        selling: Selling,
    ) -> None:
        self._store = store
        self._clock = clock
        self.carriers = carriers
        self._methods = methods
        self._selling = selling
        self.rings: list[Worker] = []

    # ---- agreeing ------------------------------------------------------------------------

    async def ways(self, chat_id: int, plan: Plan, amount: Money | None) -> Ways:
        """What it can be paid with. Raises Refused as `list_price`."""
        price = _price(plan, amount)
        card = self._methods.get(Method.CARD)
        saves = card is not None and card.capabilities.saves and Method.CARD in self._selling.terms
        async with self._store.read() as tx:
            kept = tuple(s for s in await tx.saved.of_chat(chat_id) if s.method is Method.CARD)
            stars = await agreements.total(
                tx, self._selling, Method.STARS, price, self._clock.now()
            )
        subscribes = isinstance(self._methods.get(Method.STARS), Subscribing)
        monthly = plan.days == STARS_PERIOD.days
        affordable = stars is not None and stars.amount.minor <= MOST_STARS
        return Ways(
            price,
            wallet=Method.WALLET in self._selling.terms,
            saved=kept if saves else (),
            new_card=saves,
            stars=stars.amount if stars and subscribes and monthly and affordable else None,
        )

    async def accept(self, chat_id: int, wanted: Wanted) -> Agreement:
        """The customer has read the terms and says yes; another agreement of the SIM ends.

        One whose card or subscription is still to come waits for its first payment: see
        `begins_with`. Raises Refused: not_yours_sim, plan_inactive, method_off, cap_low.
        """
        now = self._clock.now()
        async with self._store.read() as tx:
            plan = await tx.catalogue.get(wanted.plan_code)
        if plan is None or not renewable(plan):
            raise Refused("plan_inactive")
        ways = await self.ways(chat_id, plan, wanted.amount)
        if not _possible(ways, wanted):
            raise Refused("method_off")
        if wanted.cap.currency != ways.price.currency or wanted.cap < ways.price:
            raise Refused("cap_low")
        at_once = wanted.method is Method.WALLET or wanted.saved_id is not None
        agreement = Agreement(
            id=new_id(),
            version=1,
            state=A.ACTIVE if at_once else A.WAITING,
            sim_id=wanted.sim_id,
            chat_id=chat_id,
            plan_code=plan.code,
            method=wanted.method,
            price=ways.price,
            cap=wanted.cap,
            terms=TERMS,
            accepted_at=now,
            amount=wanted.amount,
            every=wanted.every,
            due_at=now + timedelta(days=wanted.every) if wanted.every else None,
            saved_id=wanted.saved_id,
            next_at=now if at_once else now + BEGIN_WITHIN,
        )
        async with self._store.write() as tx:
            if not await holds(tx, wanted.sim_id, chat_id):
                raise Refused("not_yours_sim")
            old = await tx.renewals.of_sim(wanted.sim_id)
            if old is not None:
                await agreements.end(tx, old, A.CANCELLED, "replaced", now, told=False)
            await tx.renewals.add(agreement)
        log.info("renewal_agreed", agreement=agreement.id, method=agreement.method.value)
        self._ring()
        return agreement

    async def begins_with(self, agreement_id: str, order_id: str) -> None:
        """The order whose payment begins it, told before anything is shown to be paid."""
        async with self._store.write() as tx:
            await tx.renewals.set(agreement_id, order_id=order_id)

    async def of_sim(self, sim_id: str, chat_id: int) -> Agreement | None:
        """The SIM's agreement that has not ended."""
        async with self._store.read() as tx:
            found = await tx.renewals.of_sim(sim_id)
        return found if found is not None and found.chat_id == chat_id else None

    async def cancel(self, agreement_id: str, chat_id: int) -> Agreement:
        """Stop at once, whatever is under way. Raises Refused "unknown"."""
        now = self._clock.now()
        async with self._store.write() as tx:
            found = await tx.renewals.get(agreement_id)
            if found is None or found.chat_id != chat_id:
                raise Refused("unknown")
            if found.state not in (A.CANCELLED, A.ENDED):
                await agreements.end(
                    tx, found, A.CANCELLED, "customer", now, told=False, actor=str(chat_id)
                )
        self._ring()
        return found

    async def confirm(self, agreement_id: str, chat_id: int, version: int) -> Agreement:
        """Go on at the new price that was shown. Raises Refused: unknown, cap_low."""
        now = self._clock.now()
        async with self._store.write() as tx:
            found = await tx.renewals.get(agreement_id)
            if found is None or found.chat_id != chat_id or found.version != version:
                raise Refused("unknown")
            if found.state is not A.PAUSED or found.asked is None:
                raise Refused("unknown")
            if found.cap < found.asked:
                raise Refused("cap_low")
            price = found.asked
            await tx.renewals.move(
                found, A.ACTIVE, "confirmed", now, price=price, asked=None, next_at=now,
                actor=str(chat_id),
            )  # fmt: skip
            run = await tx.renewals.open_run(found.sim_id)
            total = await agreements.total(tx, self._selling, found.method, price, now)
            if run is not None and run.state is R.NOTICED and total is not None:
                # They have just read it: the time between notice and charge begins anew.
                counts = agreements.counted(total, price)
                bound = most(total.amount, price)
                await tx.renewals.set_run(run.id, noticed_at=now, price=counts, most=bound)
            confirmed = await tx.renewals.get(agreement_id)
        assert confirmed is not None  # noqa: S101  read a moment ago
        self._ring()
        return confirmed

    def late(self, plan: Plan) -> bool:
        """Whether it can still be delivered to a line that has expired."""
        carrier = self.carriers.get(plan.supplier)
        return carrier is None or carrier.capabilities.after_expiry

    async def outlook(self, agreement: Agreement) -> datetime | None:
        """When it is charged next; None while nobody knows."""
        async with self._store.read() as tx:
            return await agreements.outlook(tx, agreement, self.carriers, self._clock.now())

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


def _price(plan: Plan, amount: Money | None) -> Money:
    try:
        return list_price(plan, amount)
    except QuoteRefused as why:
        raise Refused(why.reason) from None


def _possible(ways: Ways, wanted: Wanted) -> bool:
    match wanted.method:
        case Method.WALLET:
            return ways.wallet
        case Method.CARD if wanted.saved_id is not None:
            return wanted.saved_id in {saved.id for saved in ways.saved}
        case Method.CARD:
            return ways.new_card
        case Method.STARS:
            return ways.stars is not None and wanted.every is None
    return False
