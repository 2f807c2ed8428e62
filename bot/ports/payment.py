"""A way to pay that lives outside our store.

What a provider says comes back as charges: money that it has taken for one of our references.
The core compares them with what was asked; an adapter only tells what is there.

Every amount is exact, in the currency's smallest unit. Every call may be repeated under the same
ids: a provider that forgets them is first asked what it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bot.domain.money import Money
from bot.domain.sales import Method, Payment, Refund


class PaymentUnavailable(Exception):
    """The provider could not be asked or gave no clear answer; nothing may be assumed."""


class PaymentRefused(Exception):
    """The provider looked at it and said no: nothing was taken, nothing was returned.

    `reason` is a code the views know; `final` tells that asking again won't help.
    """

    def __init__(self, reason: str, *, final: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Way(StrEnum):
    """How a customer pays."""

    INVOICE = "invoice"  # a message of Telegram's own, in the chat
    PAGE = "page"  # a page of the provider's, behind a link


class Returns(StrEnum):
    """What of a charge can be sent back through the provider."""

    NOTHING = "nothing"
    WHOLE = "whole"
    PART = "part"


@dataclass(frozen=True, slots=True)
class PaymentCapabilities:
    """What a provider can do; the core asks only for what is declared here."""

    way: Way
    currencies: frozenset[str] | None
    """It charges in these; None: in any that the shop names."""
    returns: Returns
    finds: bool
    """It can be asked what became of an attempt, and lists what it has taken."""
    cancels: bool
    """An attempt can be closed, so that it can't be paid any more."""
    saves: bool = False
    """It can keep what was paid with, to be charged again without the customer."""
    webhooks: bool = False
    """It calls us; what it says is only a hint."""
    answer: str = ""
    """What it wants to read when we have taken its call."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What the payer reads on the provider's sheet, in their language.

    `keep` asks the provider to keep what is paid with; `back` is the address of our chat.
    """

    title: str
    description: str
    label: str
    language: str = "en"
    back: str = "https://t.me"
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What the payer has before them: a message, or a page that stands until `ends_at` (UTC).

    `provider_ref` is the provider's own name for the attempt.
    """

    message_id: int | None = None
    url: str | None = None
    provider_ref: str | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that can be charged again: the provider's token, and its name for the customer
    ("Visa ···· 4242")."""

    token: str
    label: str


@dataclass(frozen=True, slots=True)
class Charge:
    """Money that the provider has taken. `id` is its own and unique for ever."""

    id: str
    reference: str
    """Our payment's id, as it was given to the provider; empty when it has none."""
    amount: Money
    at: datetime
    returned: int = 0
    """What of it went back, by whomever, in minor units."""
    disputed: bool = False
    payer_id: int | None = None
    """Who paid, where Telegram tells."""
    kept: Kept | None = None


class Standing(StrEnum):
    """Where an attempt stands at the provider."""

    OPEN = "open"  # it can still be paid, or is being paid
    PAID = "paid"
    ENDED = "ended"  # declined, expired or cancelled: it can't be paid any more
    UNKNOWN = "unknown"  # the provider has no such attempt


@dataclass(frozen=True, slots=True)
class Found:
    """What the provider says of an attempt; `charges` are there exactly when it is PAID.

    `url` is where the customer must confirm, when a charge of something kept needs them.
    """

    standing: Standing
    charges: tuple[Charge, ...] = ()
    reason: str | None = None
    """Why it ended or waits, as a code the views know."""
    url: str | None = None


class Return(StrEnum):
    """What became of money sent back."""

    DONE = "done"
    PENDING = "pending"  # on its way; asked about again


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """What a provider's call is about. `reference` is our payment's id, `provider_ref` the
    provider's name for the attempt; at least one is there."""

    event_id: str
    reference: str | None = None
    provider_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A provider's HTTP call as it came; header names are in lower case."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


class PaymentMethod(Protocol):
    """A way to pay that lives outside our store.

    Every call raises PaymentUnavailable without a clear answer. A call that needs what
    `capabilities` does not declare is not made.
    """

    method: Method
    provider: str
    """The name in the address it calls us at; methods of one provider share it."""
    capabilities: PaymentCapabilities

    async def request(self, payment: Payment, bill: Bill) -> Shown:
        """Let the payer pay `payment.amount`, under our reference `payment.id`.

        Asked again for the same attempt it shows the same one, or another of the same reference.
        Raises PaymentRefused when it can't be paid so (an amount too small for the provider).
        """
        ...

    async def lookup(self, payment: Payment) -> Found:
        """What became of the attempt, from the provider itself."""
        ...

    async def cancel(self, payment: Payment) -> Found:
        """Close the attempt. One that was paid meanwhile is told as PAID, with its charges."""
        ...

    async def refund(self, payment: Payment, refund: Refund) -> Return:
        """Send `refund.amount` of the captured charge back, once for `refund.id`, however often
        it is asked. Raises PaymentRefused."""
        ...

    async def charge_saved(self, payment: Payment, token: str, bill: Bill) -> Found:
        """Charge what was kept, without the customer, once for `payment.id`.

        OPEN with a url: the customer must confirm there. ENDED: declined, with the reason.
        """
        ...

    async def parse_event(self, call: Call) -> Sequence[PaymentEvent]:
        """What a call to us is about; nothing for what does not concern money.

        Raises WebhookRefused when it is not the provider's, or too old.
        """
        ...

    async def list_since(self, since: datetime) -> Sequence[Charge]:
        """Everything taken since then (UTC), with what went back of it."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class Forgetting(Protocol):
    """A method whose provider keeps what was paid with (`saves`), and deletes it when told to."""

    async def forget_saved(self, token: str) -> None:
        """Delete what `Kept.token` names; it can't be charged any more. Asked again, or for what
        is not there, nothing happens. Raises PaymentUnavailable without a clear answer.
        """
        ...
