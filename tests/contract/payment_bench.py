"""The bench on which every PaymentMethod is tried: the adapter over real HTTP against its stand-in.

A new adapter brings a Bench of its own and a line in payment_table.py, and gets every case of the
payment methods' tests that applies to it by what it declares (`PaymentCapabilities`) and by the
ways in which its stand-in can misbehave (`Bench.misbehaviour`).

Misbehaviours that the shared cases ask for, of stand-ins that can show them: answer_lost,
answer_slow (of calls that act), never_arrives, http_500, http_429, garbage, other_shape (of every
call), acting_500 (nothing is done), done_500 (it is done), other_types, forgets_keys, over_refund,
refund_pending, refund_fails (for five minutes; then), list_lags, short_pages.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.domain.money import Money
from bot.domain.orders import PaymentState, RefundState
from bot.domain.sales import Method, Payment, Refund
from bot.ports import (
    Bill,
    Call,
    Charge,
    Found,
    PaymentMethod,
    PaymentRefused,
    PaymentUnavailable,
    Shown,
    Standing,
)

PAYER = 1001
"""Who pays, where the provider tells: 林小雨."""


class Bench:
    """An adapter, its provider's stand-in, and what the cases ask of the two.

    The part below "the provider's side" looks into the stand-in, or does what people do there.
    """

    name: ClassVar[str]
    """The stand-in's, before the names of its faults."""
    kind: ClassVar[Method]
    amount: ClassVar[Money]
    """What is usually paid: at least ten of the smallest unit, and even."""
    amounts: ClassVar[Sequence[Money]] = ()
    """One for each kind of currency it can charge: of none, two and three decimals."""
    too_small: ClassVar[Money | None] = None
    """An amount that the provider refuses."""
    foreign: ClassVar[Money | None] = None
    """Money that it does not charge in."""
    asks: ClassVar[bool] = True
    """Showing something to pay is a call to the provider; else it is a link that we sign."""
    by_reference: ClassVar[bool] = False
    """It finds an attempt by our reference alone, when the answer with its own name was lost."""
    sees_unpaid: ClassVar[bool] = True
    """It tells an attempt that nobody paid (OPEN) from one that was never asked for (UNKNOWN)."""
    disputes: ClassVar[bool] = False
    """It tells when the payer asks their bank for the money: `dispute` can be called."""
    page_ends: ClassVar[timedelta | None] = None
    """After which a page that nobody paid can't be paid any more; None: it stands for ever."""
    retries: ClassVar[bool] = False
    """After a decline the same page can be paid with something else: it stays OPEN."""
    misbehaviour: ClassVar[Mapping[str, str]] = {}
    """The shared names of faults (see above), and the stand-in's own."""

    paying: PaymentMethod
    faults: FaultBoard
    calls: CallLog
    clock: WorldClock
    state: Any
    base_url: str

    # -- ours

    def payment(self, ref: str = "pay0001", **changes: Any) -> Payment:
        """An attempt as the store has it before any call; `changes` are fields of it."""
        usual = Payment(
            id=ref,
            order_id="order001",
            chat_id=PAYER,
            method=self.kind,
            state=PaymentState.CREATED,
            amount=self.amount,
            created_at=self.clock.now(),
        )
        return replace(usual, **changes)

    def bill(self, **changes: Any) -> Bill:
        """What is written on the provider's sheet."""
        usual = Bill("Speedtalk 30 days", "SIM ···· 0142, to 20 December", "30 days", "zh-hans")
        return replace(usual, **changes)

    def shown(self, payment: Payment, shown: Shown) -> Payment:
        """The attempt as the store has it once its page or message stands."""
        return replace(
            payment,
            state=PaymentState.PENDING,
            provider_ref=shown.provider_ref,
            url=shown.url,
            ends_at=shown.ends_at,
        )

    def captured(self, payment: Payment, charge: Charge) -> Payment:
        """The attempt as the store has it once its money was taken."""
        return replace(
            payment,
            state=PaymentState.CAPTURED,
            charge_id=charge.id,
            captured=charge.amount,
            captured_at=charge.at,
            payer_id=charge.payer_id,
        )

    def refund(self, payment: Payment, minor: int | None = None, ref: str = "back0001") -> Refund:
        """Send back that much (all of it, without) of a captured attempt."""
        paid = payment.captured or payment.amount
        amount = paid if minor is None else Money(minor, paid.currency)
        return Refund(ref, payment.id, RefundState.DUE, amount, "topup_failed", self.clock.now())

    async def asked(self, ref: str = "pay0001", **changes: Any) -> tuple[Payment, Shown]:
        """An attempt whose page or message stands; `changes` are fields of the payment."""
        payment = self.payment(ref, **changes)
        shown = await self.paying.request(payment, self.bill())
        return self.shown(payment, shown), shown

    async def paid(self, ref: str = "pay0001", **changes: Any) -> tuple[Payment, Charge]:
        """An attempt that was paid, and its charge as `charge_of` tells it."""
        payment, shown = await self.asked(ref, **changes)
        await self.pay(payment, shown)
        charge = await self.charge_of(payment)
        return self.captured(payment, charge), charge

    async def charge_of(self, payment: Payment) -> Charge:
        """The one charge of a paid attempt. Benches whose method does not find read their
        stand-in."""
        return one_charge(await self.paying.lookup(payment))

    def strike(self, fault: str, *, times: int | None = None) -> None:
        """Let it misbehave: a shared name, or one of the stand-in's own."""
        own = self.misbehaviour.get(fault, fault)
        self.faults.set(f"{self.name}.{own}", on=times is None, times=times)

    def calm(self) -> None:
        self.faults.clear()

    def called_for(self, path: str) -> int:
        """How often the stand-in was asked for that, as its call log names it."""
        return sum(call.method == path for call in self.calls.after())

    def another(
        self, *, address: str | None = None, wrong_keys: bool = False, seconds: float = 10.0
    ) -> PaymentMethod:
        """The same adapter, told another address, keys that the provider does not know, or
        `seconds` to wait for an answer. The bench closes it."""
        raise NotImplementedError

    # -- the provider's side

    async def pay(self, payment: Payment, shown: Shown) -> None:
        """The customer pays what is shown, by what they have before them."""
        raise NotImplementedError

    async def decline(self, payment: Payment, shown: Shown) -> None:
        """The customer tries, and their bank says no."""
        raise NotImplementedError

    def attempts(self, ref: str) -> int:
        """How many attempts (pages, messages) of our reference could be paid now."""
        raise NotImplementedError

    def taken(self, ref: str) -> list[Money]:
        """What the provider has really taken for our reference."""
        raise NotImplementedError

    def returned(self, ref: str) -> int:
        """What it really sent back of that, in minor units."""
        raise NotImplementedError

    async def return_outside(self, charge: Charge, minor: int) -> None:
        """Somebody sends money back on the provider's own pages."""
        raise NotImplementedError

    def dispute(self, charge: Charge) -> None:
        """The payer asks their bank for the money."""
        raise NotImplementedError

    def secrets(self) -> list[str]:
        """What must stand in no log."""
        raise NotImplementedError

    # -- its calls to us; only where `capabilities.webhooks`

    def told(self, payment: Payment) -> Call:
        """The call that tells of the (latest) payment of this attempt."""
        raise NotImplementedError

    def forged(self, payment: Payment) -> Call:
        """The same, of somebody who does not know our key."""
        raise NotImplementedError

    def stale(self, payment: Payment) -> Call | None:
        """The same, rightly signed an hour ago; None where the provider signs no time."""
        return None

    def unrelated(self) -> Call:
        """A call of the provider's that concerns no payment of ours."""
        raise NotImplementedError

    # -- only where `capabilities.saves`

    async def keep(self) -> str:
        """Pay once with something that may be kept; its token. Good for off-session charges."""
        payment = self.payment("keep0001")
        shown = await self.paying.request(payment, self.bill(keep=True))
        await self.pay(payment, shown)
        kept = one_charge(await self.paying.lookup(self.shown(payment, shown))).kept
        assert kept is not None
        return kept.token


EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def one_charge(found: Found) -> Charge:
    """The charge of an attempt that is paid."""
    assert found.standing is Standing.PAID, found
    assert len(found.charges) == 1
    return found.charges[0]


async def unavailable(asking: Awaitable[object]) -> None:
    """It says that it got no clear answer."""
    with pytest.raises(PaymentUnavailable):
        await asking


async def refused(asking: Awaitable[object]) -> str:
    """The reason with which the provider, or the adapter for it, says no."""
    with pytest.raises(PaymentRefused) as caught:
        await asking
    return caught.value.reason
