"""A payment provider with its own books, which live on when the bot's process dies."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.money import STARS, Money
from bot.domain.sales import Method, Payment, Refund
from bot.ports import (
    Bill,
    Call,
    Charge,
    Clock,
    Found,
    PaymentCapabilities,
    PaymentEvent,
    PaymentUnavailable,
    Return,
    Returns,
    Shown,
    Standing,
    Way,
)

INVOICE = PaymentCapabilities(
    way=Way.INVOICE, currencies=frozenset({STARS}), returns=Returns.WHOLE, finds=False,
    cancels=False,
)  # fmt: skip
"""As Stars are."""
PAGE = PaymentCapabilities(
    way=Way.PAGE, currencies=None, returns=Returns.PART, finds=True, cancels=True, saves=True,
    webhooks=True,
)  # fmt: skip
"""As a page that can do everything."""


@dataclass
class Cashier:
    """Takes and returns money, each once by its id, and can misbehave."""

    clock: Clock | None = None
    method: Method = Method.STARS
    provider: str = "telegram"
    capabilities: PaymentCapabilities = INVOICE
    down: bool = False
    away: int = 0
    """So many of the next calls find nobody."""
    mute: int = 0
    """So many of the next refunds are made, but their answer is lost."""
    fails_with: BaseException | None = None
    """Raised by a refund that was made."""
    shown: list[str] = field(default_factory=list)
    """Attempts that were shown, as often as they were."""
    closed: set[str] = field(default_factory=set)
    """Attempts that can't be paid any more."""
    charges: dict[str, Charge] = field(default_factory=dict)
    """Everything taken, by its id."""
    refunded: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Charge and amount of every return, by our reference for it."""
    strange: list[str] = field(default_factory=list)
    """Charges that it never took, but was told to return."""

    @property
    def returned(self) -> list[str]:
        """Charges of which something went back, in that order."""
        return list(dict.fromkeys(charge for charge, _ in self.refunded.values()))

    def takes(self, charge_id: str, reference: str, amount: Money) -> Charge:
        """Somebody pays."""
        at = self.clock.now() if self.clock is not None else datetime.fromtimestamp(0).astimezone()
        made = Charge(charge_id, reference, amount, at)
        return self.charges.setdefault(charge_id, made)

    def _answers(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise PaymentUnavailable("away")
        if self.down:
            raise PaymentUnavailable("down")

    async def request(self, payment: Payment, bill: Bill) -> Shown:
        self._answers()
        self.shown.append(payment.id)
        if self.capabilities.way is Way.INVOICE:
            return Shown()
        return Shown(url=f"https://pay.example/{payment.id}", provider_ref=f"ref-{payment.id}")

    async def lookup(self, payment: Payment) -> Found:
        self._answers()
        taken = tuple(c for c in self.charges.values() if c.reference == payment.id)
        if taken:
            return Found(Standing.PAID, tuple(self._now(charge) for charge in taken))
        if payment.id in self.closed:
            return Found(Standing.ENDED, reason="cancelled")
        return Found(Standing.OPEN if payment.id in self.shown else Standing.UNKNOWN)

    def _now(self, charge: Charge) -> Charge:
        back = sum(minor for one, minor in self.refunded.values() if one == charge.id)
        return replace(charge, returned=charge.returned + back)

    async def cancel(self, payment: Payment) -> Found:
        found = await self.lookup(payment)
        if found.standing is Standing.PAID:
            return found
        self.closed.add(payment.id)
        return Found(Standing.ENDED, reason="cancelled")

    async def refund(self, payment: Payment, refund: Refund) -> Return:
        self._answers()
        assert payment.charge_id is not None
        if self.charges and payment.charge_id not in self.charges:
            self.strange.append(payment.charge_id)
        else:
            self.refunded.setdefault(refund.id, (payment.charge_id, refund.amount.minor))
        if self.mute > 0:
            self.mute -= 1
            raise PaymentUnavailable("no answer")
        if self.fails_with is not None:
            raise self.fails_with
        return Return.DONE

    async def charge_saved(self, payment: Payment, token: str, bill: Bill) -> Found:
        self._answers()
        charge = self.takes(f"saved-{payment.id}", payment.id, payment.amount)
        return Found(Standing.PAID, (charge,))

    async def parse_event(self, call: Call) -> Sequence[PaymentEvent]:
        return []

    async def list_since(self, since: datetime) -> Sequence[Charge]:
        self._answers()
        return [self._now(charge) for charge in self.charges.values() if charge.at >= since]

    async def close(self) -> None:
        return None
