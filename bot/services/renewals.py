"""Renewals that pay by themselves (F19): the day's work.

`domain.renewals.due` says what an agreement asks for; here it is done, each step a transaction of
its own, so that a crash only delays it. The charge is in `autopay`, agreeing in `agreeing`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.quotes import QuoteRefused, list_price
from bot.domain.renewals import (
    BEGIN_WITHIN,
    LIVE,
    LOOK,
    NOTICE,
    STARS_LATE,
    Act,
    Agreement,
    AgreementState,
    Run,
    RunState,
    Step,
    due,
    most,
    period_of,
)
from bot.domain.sales import Method
from bot.domain.zones import QuietHours, zone
from bot.ports import (
    Carrier,
    Clock,
    PaymentMethod,
    PaymentRefused,
    PaymentUnavailable,
    Store,
    Subscribing,
    Tx,
)
from bot.services import agreements, notices
from bot.services.autopay import LATER, SOON, Autopay, give_up, take_note
from bot.services.checkout import Checkout
from bot.services.ids import new_id
from bot.services.planning import replan, told_otherwise
from bot.services.selling import Selling, holds
from bot.services.till import Till
from bot.services.work import Worker

log = structlog.get_logger()

A, R = AgreementState, RunState
_BATCH = 50
_STEPS = 4
"""Of one agreement in one go: told, charged, settled, and what comes next."""
_CLAIM = timedelta(minutes=15)


class Renewals:
    """The worker."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        methods: Mapping[Method, PaymentMethod],
        selling: Selling,
        checkout: Checkout,
        till: Till,
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self._methods = methods
        self._selling = selling
        stars = methods.get(Method.STARS)
        self._subscriptions = stars if isinstance(stars, Subscribing) else None
        self._autopay = Autopay(store, clock, carriers, methods, checkout, till)
        self.worker = Worker("renewals", self._tick)
        self.rings: list[Worker] = []

    # ---- the day's work ------------------------------------------------------------------

    async def next_due(self) -> datetime | None:
        """When the next agreement is looked at."""
        async with self._store.read() as tx:
            return await tx.renewals.next_due()

    async def _tick(self) -> None:
        while not self.worker.stopping:
            now = self._clock.now()
            async with self._store.read() as tx:
                found = await tx.renewals.due(now, _BATCH)
            if not found:
                break
            for agreement in found:
                async with self._store.write() as tx:
                    if not await tx.renewals.claim(agreement, now + _CLAIM):
                        continue  # another process got there first
                try:
                    await self._look(agreement.id)
                except Exception:
                    # One that breaks must not hold up the others; it is looked at again.
                    log.exception("renewal_crashed", agreement=agreement.id)
        for worker in self.rings:
            worker.ring()

    async def _look(self, agreement_id: str) -> None:
        """Do what it asks for, one step after another, and say when to look again."""
        at: datetime | None = self._clock.now() + SOON
        agreement = before = None
        for _ in range(_STEPS):
            async with self._store.read() as tx:
                agreement = await tx.renewals.get(agreement_id)
            if agreement is None:
                return
            before = before or agreement.state
            pause = await self._step(agreement)
            if isinstance(pause, Step):
                at = pause.at
                break
            if pause is not None:
                at = self._clock.now() + pause
                break
        async with self._store.write() as tx:
            after = await tx.renewals.get(agreement_id)
            if after == agreement:
                await tx.renewals.set(agreement_id, next_at=at)
            # Else somebody has moved it meanwhile, and said when to look again.
            if after is not None and after.state is A.ACTIVE:
                await replan(tx, after.sim_id, self._clock.now())
            elif after is not None and after.state is not before:
                await told_otherwise(tx, after.sim_id, self._clock.now())

    async def _step(self, agreement: Agreement) -> Step | timedelta | None:
        """One step. A Step to wait for, a span after which to look again, or None: at once."""
        if agreement.unsubscribe:
            return await self._unsubscribe(agreement)
        if agreement.method is Method.STARS and agreement.state in LIVE:
            return await self._subscribed(agreement)
        now = self._clock.now()
        async with self._store.write() as tx:
            if agreement.state is A.WAITING:
                if now >= agreement.accepted_at + BEGIN_WITHIN:
                    await tx.renewals.move(agreement, A.ENDED, "not_begun", now)
                    return Step(Act.WAIT)
                return Step(Act.WAIT, agreement.accepted_at + BEGIN_WITHIN)
            run = await agreements.run_of(tx, agreement)
            if run is not None and await take_note(tx, agreement.id, run, now):
                return None
            if await _advance(tx, agreement, run):
                return None
            line = await agreements.line_of(tx, agreement, self._carriers, run)
            step = due(agreement, run, line, now)
            match step.act:
                case Act.WAIT:
                    return Step(Act.WAIT, min(step.at, now + LOOK) if step.at else None)
                case Act.END:
                    await agreements.end(tx, agreement, A.ENDED, step.reason or "sim_gone", now)
                    return None
                case Act.SKIP:
                    quiet = line.busy or step.reason == "renewed"
                    await self._skip(tx, agreement, run, step.reason or "", quiet=quiet)
                    return None
                case Act.GIVE_UP if run is not None:
                    await give_up(tx, agreement, run, run.reason or "declined", now)
                    return None
                case Act.NOTICE:
                    return await self._notice(tx, agreement, run)
        return await self._money(agreement, run, step)

    async def _money(
        self, agreement: Agreement, run: Run | None, step: Step
    ) -> Step | timedelta | None:
        if run is None or run.agreement_id != agreement.id:
            return LATER  # its own agreement settles it
        if step.act is Act.SETTLE:
            return await self._autopay.settle(agreement, run)
        async with self._store.read() as tx:
            sim = await tx.sims.get(agreement.sim_id)
        return await self._autopay.charge(agreement, run, sim) if sim is not None else LATER

    async def _skip(
        self, tx: Tx, agreement: Agreement, run: Run | None, reason: str, *, quiet: bool
    ) -> None:
        now = self._clock.now()
        if run is None or run.agreement_id != agreement.id:
            sim = await tx.sims.get(agreement.sim_id)
            period = period_of(agreement, sim.expiry if sim is not None else None)
            if run is None and period is not None:
                run = Run(new_id(), agreement.id, agreement.sim_id, period, R.SKIPPED,
                          agreement.price, agreement.price, now, reason=reason)  # fmt: skip
                await tx.renewals.add_run(run)
            elif run is not None:
                await tx.renewals.set_run(run.id, agreement_id=agreement.id)
        else:
            await tx.renewals.move_run(run, R.SKIPPED, reason, now)
        if agreement.state is A.FAILING and reason == "renewed":
            await tx.renewals.move(agreement, A.ACTIVE, reason, now)
        if run is not None and not quiet:
            await agreements.tell(tx, agreement, "skipped", run.id, run)

    # ---- telling -------------------------------------------------------------------------

    async def _notice(self, tx: Tx, agreement: Agreement, run: Run | None) -> timedelta | None:
        """Say what will be charged, or pause where it is not what was agreed."""
        now = self._clock.now()
        plan = await tx.catalogue.get(agreement.plan_code)
        sim, chat = await tx.sims.get(agreement.sim_id), await tx.chats.get(agreement.chat_id)
        total = await agreements.total(tx, self._selling, agreement.method, agreement.price, now)
        reason, asked = await self._differs(tx, agreement, plan)
        price = agreement.price
        counts = agreements.counted(total, price) if total is not None else price
        if reason is None and await agreements.over_cap(tx, agreement, counts, now):
            reason = "cap"
        if reason is not None:
            await agreements.end(tx, agreement, A.PAUSED, reason, now, asked=asked)
            return None
        period = period_of(agreement, sim.expiry if sim is not None else None)
        if total is None or period is None or chat is None:
            return LATER
        kept = chat.preferences
        quiet = QuietHours(kept.quiet_start, kept.quiet_end, zone(kept.zone))
        told_at = quiet.next_allowed(now)
        bound = most(total.amount, agreement.price)
        if run is None:
            run = Run(new_id(), agreement.id, agreement.sim_id, period, R.NOTICED,
                      counts, bound, told_at)  # fmt: skip
            await tx.renewals.add_run(run)
        else:
            await tx.renewals.move_run(
                run, R.NOTICED, "taken_up", now, agreement_id=agreement.id, noticed_at=told_at,
                tries=0, first_at=None, order_id=None, payment_id=None,
                price=counts, most=bound,
            )  # fmt: skip
        key = f"{run.id}:{agreement.id}"
        await tx.outbox.add(
            notices.renewal(agreement.id, agreement.chat_id, "notice", key, run.id, told_at)
        )
        return None

    async def _differs(
        self, tx: Tx, agreement: Agreement, plan: Plan | None
    ) -> tuple[str | None, Money | None]:
        """Why it can't go on as agreed, and the new price that would have to be."""
        if plan is None or not plan.active:
            return "plan_inactive", None
        try:
            price = list_price(plan, agreement.amount)
        except QuoteRefused:
            return "plan_inactive", None
        if price != agreement.price:
            return "price_moved", price
        if agreement.method is Method.CARD:
            saved = await tx.saved.get(agreement.saved_id or "")
            if saved is None or saved.removed_at is not None:
                return "saved_gone", None
        return (None if agreement.method in self._selling.terms else "method_off"), None

    # ---- subscriptions -------------------------------------------------------------------

    async def _subscribed(self, agreement: Agreement) -> Step | None:
        """Telegram charges: we tell in time, and see what has become of it."""
        now = self._clock.now()
        until = agreement.until or now
        async with self._store.write() as tx:
            if not await holds(tx, agreement.sim_id, agreement.chat_id):
                await agreements.end(tx, agreement, A.ENDED, "sim_gone", now)
                return None
            plan = await tx.catalogue.get(agreement.plan_code)
            reason, asked = await self._differs(tx, agreement, plan)
            if reason in ("plan_inactive", "price_moved"):
                # The price of a subscription can't be changed: a new one has to be agreed to.
                await agreements.end(tx, agreement, A.ENDED, reason, now, asked=asked)
                return None
            if now > until + STARS_LATE:
                await agreements.end(tx, agreement, A.ENDED, "not_charged", now)
                return None
            if now >= until - NOTICE:
                key = f"{until:%Y-%m-%dT%H:%M}"
                await agreements.tell(tx, agreement, "notice", key)
            ahead = [at for at in (until - NOTICE, until + STARS_LATE + SOON) if at > now]
            return Step(Act.WAIT, min([*ahead, now + LOOK]))

    async def _unsubscribe(self, agreement: Agreement) -> timedelta | None:
        """Tell Telegram that it is over, until it has heard."""
        if self._subscriptions is None or agreement.subscription is None:
            log.error("subscription_not_stopped", agreement=agreement.id)
            return LATER
        try:
            await self._subscriptions.subscription(
                agreement.chat_id, agreement.subscription, cancelled=True
            )
        except PaymentUnavailable as error:
            log.warning("subscription_not_stopped", agreement=agreement.id, reason=str(error))
            return SOON
        except PaymentRefused as why:
            log.info("subscription_over", agreement=agreement.id, reason=why.reason)
        async with self._store.write() as tx:
            await tx.renewals.set(agreement.id, unsubscribe=False)
        return None


async def _advance(tx: Tx, agreement: Agreement, run: Run | None) -> bool:
    """A fixed cycle goes on to its next day, once this one's renewal has ended."""
    if agreement.every is None or agreement.due_at is None or run is None:
        return False
    ended = run.state in (R.PAID, R.SKIPPED, R.FAILED) and run.agreement_id == agreement.id
    if not ended or run.period != agreement.due_at or agreement.state not in LIVE:
        return False
    due_at = agreement.due_at + timedelta(days=agreement.every)
    await tx.renewals.set(agreement.id, due_at=due_at)
    return True
