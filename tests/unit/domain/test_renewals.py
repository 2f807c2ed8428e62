"""When a renewal that pays by itself is told, charged, tried again and given up."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.money import Money
from bot.domain.renewals import (
    AGREEMENT,
    CAP_SPAN,
    LEAST_NOTICE,
    LIVE,
    NOTICE,
    OPEN_RUNS,
    RUN,
    Act,
    Agreement,
    AgreementState,
    Line,
    Run,
    RunState,
    Step,
    due,
    most,
    retry_at,
    within,
)
from bot.domain.sales import Method
from tests.unit.store.samples import ALICE, NOW, days

A, R = AgreementState, RunState
PRICE, CAP = Money(1290, "USD"), Money(2580, "USD")
EXPIRY = days(10)


def agreed(**changes: Any) -> Agreement:
    return replace(
        Agreement("a1", 1, A.ACTIVE, "m1", ALICE, "plan", Method.CARD, PRICE, CAP, "1", NOW),
        **changes,
    )


def a_run(**changes: Any) -> Run:
    return replace(
        Run("r1", "a1", "m1", EXPIRY, R.NOTICED, PRICE, PRICE, NOW),
        **changes,
    )


def line(**changes: Any) -> Line:
    return replace(Line(held=True, expiry=EXPIRY), **changes)


@pytest.mark.parametrize(
    ("late", "told", "charged"), [(True, days(6), days(9)), (False, days(4), days(7))]
)
def test_it_is_told_three_days_before_the_charge(
    late: bool, told: datetime, charged: datetime
) -> None:
    has = line(late=late)
    assert due(agreed(), None, has, NOW) == Step(Act.WAIT, told)
    assert due(agreed(), None, has, told).act is Act.NOTICE
    noticed = a_run(noticed_at=told)
    assert due(agreed(), noticed, has, told) == Step(Act.WAIT, charged)
    assert due(agreed(), noticed, has, charged).act is Act.CHARGE


def test_after_downtime_the_notice_still_comes_a_day_before_the_charge() -> None:
    late = days(8.5)
    assert due(agreed(), None, line(), late).act is Act.NOTICE
    noticed = a_run(noticed_at=late)
    assert due(agreed(), noticed, line(), days(9.1)) == Step(Act.WAIT, late + LEAST_NOTICE)
    assert due(agreed(), noticed, line(), late + LEAST_NOTICE).act is Act.CHARGE


def test_too_late_to_be_told_is_renewed_by_hand() -> None:
    assert due(agreed(), None, line(), days(9.5)) == Step(Act.SKIP, reason="too_late")
    told = a_run(noticed_at=days(6))
    assert due(agreed(), told, line(), days(10.1)) == Step(Act.SKIP, reason="too_late")


def test_both_retries_of_a_line_that_ends_at_expiry_come_before_it() -> None:
    has, declined = line(late=False), a_run(state=R.DECLINED, tries=1, first_at=days(7))
    assert due(agreed(), declined, has, days(7)) == Step(Act.WAIT, days(8))
    declined = replace(declined, tries=2)
    assert due(agreed(), declined, has, days(9)).act is Act.CHARGE
    assert due(agreed(), replace(declined, tries=3), has, days(9)).act is Act.GIVE_UP
    assert due(agreed(), replace(declined, first_at=days(8.5)), has, days(8.6)).act is Act.GIVE_UP


def test_a_line_that_can_be_renewed_late_is_tried_for_48_hours() -> None:
    declined = a_run(state=R.DECLINED, tries=2, first_at=days(9))
    assert retry_at(declined) == days(11)
    assert due(agreed(state=A.FAILING), declined, line(), days(11)).act is Act.CHARGE
    assert due(agreed(state=A.FAILING), declined, line(), days(12.5)).act is Act.GIVE_UP


def test_what_the_customer_renewed_by_hand_is_skipped() -> None:
    moved = line(expiry=days(40))
    for state in (R.NOTICED, R.DECLINED):
        run = a_run(state=state, first_at=days(9), tries=1)
        assert due(agreed(), run, moved, days(9)) == Step(Act.SKIP, reason="renewed")


def test_an_order_of_the_customers_own_comes_first() -> None:
    run = a_run(noticed_at=days(6))
    assert due(agreed(), run, line(busy=True), days(9)).act is Act.WAIT
    assert due(agreed(), run, line(), days(9.1)).act is Act.CHARGE


def test_a_paid_period_told_anew_by_the_supplier_is_not_charged_again() -> None:
    again = EXPIRY + timedelta(seconds=7)
    assert due(agreed(), None, line(expiry=again, paid=EXPIRY), days(9)).act is Act.WAIT


@pytest.mark.parametrize("state", sorted(set(A) - LIVE))
def test_only_a_live_agreement_acts(state: AgreementState) -> None:
    for run in (None, a_run()):
        assert due(agreed(state=state), run, line(), days(9)) == Step(Act.WAIT)


def test_a_charge_under_way_is_settled_whatever_has_happened_since() -> None:
    for state in A:
        charging = a_run(state=R.CHARGING)
        assert due(agreed(state=state), charging, line(held=False), days(20)).act is Act.SETTLE


def test_a_sim_that_is_gone_ends_it() -> None:
    assert due(agreed(), a_run(), line(held=False), days(9)) == Step(Act.END, reason="sim_gone")


def test_a_fixed_cycle_is_charged_on_its_day() -> None:
    monthly = agreed(every=30, due_at=days(30))
    has = line(expiry=None)
    assert due(monthly, None, has, NOW) == Step(Act.WAIT, days(27))
    run = a_run(period=days(30), noticed_at=days(27))
    assert due(monthly, run, has, days(29)) == Step(Act.WAIT, days(30))
    assert due(monthly, run, has, days(30)).act is Act.CHARGE
    assert due(agreed(), None, has, days(29)).act is Act.WAIT  # nobody knows when it expires


def test_a_period_given_up_is_taken_up_by_another_agreement_only() -> None:
    for state in (R.SKIPPED, R.FAILED):
        run = a_run(state=state)
        assert due(agreed(), run, line(), days(8)).act is Act.WAIT
        assert due(agreed(id="a2"), run, line(), days(8)).act is Act.NOTICE
    assert due(agreed(id="a2"), a_run(state=R.PAID), line(), days(8)).act is Act.WAIT


def test_another_currency_may_come_to_five_percent_more_and_no_more() -> None:
    assert most(PRICE, PRICE) == PRICE
    assert most(Money(1000, "XTR"), PRICE) == Money(1050, "XTR")
    assert most(Money(19, "XTR"), PRICE) == Money(19, "XTR")  # rounded down


def test_paid_and_cancelled_are_for_good() -> None:
    assert not RUN[R.PAID]
    assert not AGREEMENT[A.CANCELLED]


# ---- whatever happens, in whatever order ---------------------------------------------------


@dataclass
class Bank:
    """Everything that was charged, and a world in which the agreement lives."""

    now: datetime = NOW
    expiry: datetime = EXPIRY
    late: bool = True
    busy: bool = False
    slow: bool = False
    """The supplier does not show yet what was delivered."""
    agreement: Agreement = field(default_factory=agreed)
    runs: dict[datetime, Run] = field(default_factory=dict)
    charges: list[tuple[datetime, Run]] = field(default_factory=list)
    paid: list[datetime] = field(default_factory=list)
    answer: str = "paid"
    cancelled_at: datetime | None = None

    def look(self) -> None:
        """What the services do, without a store: one step after another."""
        for _ in range(6):
            opened = [run for run in self.runs.values() if run.state in OPEN_RUNS]
            run = opened[0] if opened else self.runs.get(self.expiry)
            has = Line(True, self.expiry, self.late, self.busy, max(self.paid, default=None))
            step = due(self.agreement, run, has, self.now)
            if step.act is Act.WAIT or not self._do(step, run):
                return

    def _do(self, step: Step, run: Run | None) -> bool:
        match step.act:
            case Act.NOTICE:
                if not self._within():
                    return self._move(A.PAUSED)
                self._put(a_run(period=self.expiry, noticed_at=self.now))
            case Act.SKIP:
                self._put(replace(run or a_run(period=self.expiry), state=R.SKIPPED))
            case Act.GIVE_UP if run is not None:
                self._put(replace(run, state=R.FAILED))
                return self._move(A.PAUSED)
            case Act.CHARGE if run is not None:
                if not self._within():
                    return self._move(A.PAUSED)
                first = run.first_at or self.now
                self._put(replace(run, state=R.CHARGING, tries=run.tries + 1, first_at=first))
            case Act.SETTLE if run is not None:
                return self._settle(run)
        return True

    def _settle(self, run: Run) -> bool:
        if self.answer == "lost":
            return False
        if self.answer == "declined":
            self._put(replace(run, state=R.DECLINED if self.agreement.state in LIVE else R.SKIPPED))
            return self._move(A.FAILING) if self.agreement.state is A.ACTIVE else True
        if self.agreement.state is A.CANCELLED:
            self._put(replace(run, state=R.SKIPPED))
            return True
        self.charges.append((self.now, run))
        self.paid.append(run.period)
        self._put(replace(run, state=R.PAID))
        if not self.slow:
            self.expiry = max(self.expiry, self.now) + timedelta(days=30)
        return self._move(A.ACTIVE) if self.agreement.state is A.FAILING else True

    def _within(self) -> bool:
        since = self.now - CAP_SPAN
        spent = sum(r.price.minor for _, r in self.charges if r.first_at and r.first_at >= since)
        return within(CAP, Money(spent, "USD"), PRICE)

    def _put(self, run: Run) -> None:
        old = self.runs.get(run.period)
        assert old is None or old.state is run.state or run.state in RUN[old.state]
        self.runs[run.period] = run

    def _move(self, state: AgreementState) -> bool:
        assert state in AGREEMENT[self.agreement.state]
        self.agreement = replace(self.agreement, state=state)
        return True

    def act(self, what: str, hours: float) -> None:
        """One thing that happens."""
        match what:
            case "time":
                self.now += timedelta(hours=hours)
            case "jitter":
                self.expiry += timedelta(minutes=hours)
            case "by_hand":
                self.expiry += timedelta(days=30)
            case "busy":
                self.busy = not self.busy
            case "slow":
                self.slow = not self.slow
            case "resume" if self.agreement.state is A.PAUSED:
                self._move(A.ACTIVE)
            case "cancel" if self.agreement.state is not A.CANCELLED:
                self._move(A.CANCELLED)
                self.cancelled_at = self.now
            case "paid" | "declined" | "lost":
                self.answer = what
        self.look()


_ACTS = st.tuples(
    st.sampled_from(
        ["time"] * 8
        + ["jitter", "by_hand", "busy", "slow", "resume", "cancel", "paid", "declined", "lost"]
    ),
    st.floats(0, 100),
)


@settings(max_examples=400, deadline=None)
@given(st.booleans(), st.lists(_ACTS, max_size=60))
def test_never_twice_never_untold_never_above_the_cap_never_after_the_end(
    late: bool, acts: list[tuple[str, float]]
) -> None:
    bank = Bank(late=late)
    bank.look()
    for what, hours in acts:
        bank.act(what, hours)
    periods = sorted(run.period for _, run in bank.charges)
    assert len(periods) == len(set(periods))
    for one, another in pairwise(periods):
        assert another - one >= timedelta(days=3)
    for at, run in bank.charges:
        assert run.first_at is not None
        assert run.first_at - run.noticed_at >= LEAST_NOTICE
        assert run.tries <= 3
        assert bank.cancelled_at is None or at <= bank.cancelled_at
        span = [r for other, r in bank.charges if at - CAP_SPAN <= other <= at]
        assert sum(r.price.minor for r in span) <= CAP.minor


def test_the_customer_hears_three_days_ahead_when_nothing_goes_wrong() -> None:
    bank = Bank()
    for _ in range(24 * 40):
        bank.act("time", 1)
    [(at, run), *_] = bank.charges
    assert run.first_at == at
    assert at - run.noticed_at >= NOTICE
