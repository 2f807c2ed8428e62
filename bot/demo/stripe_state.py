"""What the Stripe stand-in knows: pages, payments, cards, refunds, and calls not yet made.

Amounts are in Stripe's own units, times UTC by the demo's clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

RETRY_SECONDS = 60
TRIES = 5


class Card(BaseModel):
    """A payment method. `later` is what its bank says of charges without the customer: "ok",
    "declined" or "asks" for a confirmation."""

    id: str
    type: str
    brand: str = ""
    last4: str = ""
    later: str = "ok"
    customer: str | None = None


class Intent(BaseModel):
    """A payment over all its tries. `status` and `error` are Stripe's words."""

    id: str
    amount: int
    currency: str
    created: datetime
    metadata: dict[str, str] = {}
    status: str = "requires_payment_method"
    customer: str | None = None
    card: str | None = None
    keep: bool = False
    error: str | None = None
    cancellation_reason: str | None = None
    charge: str | None = None
    charged_at: datetime | None = None
    disputed: bool = False


class Page(BaseModel):
    """A Checkout Session."""

    id: str
    type: str
    reference: str
    amount: int
    currency: str
    title: str
    description: str = ""
    locale: str = "auto"
    back: str
    away: str
    keep: bool = False
    metadata: dict[str, str] = {}
    intent_metadata: dict[str, str] = {}
    created: datetime
    expires_at: datetime
    closed: bool = False
    intent: str | None = None
    customer: str | None = None


class Refund(BaseModel):
    """Money sent back; `done_at` while it is under way."""

    id: str
    intent: str
    amount: int
    metadata: dict[str, str] = {}
    created: datetime
    done_at: datetime
    fails: bool = False

    def status_at(self, now: datetime) -> str:
        """As Stripe names it."""
        if now < self.done_at:
            return "pending"
        return "failed" if self.fails else "succeeded"


class Kept(BaseModel):
    """The first answer to an idempotency key, and what was asked."""

    asked: dict[str, Any]
    status: int
    body: dict[str, Any]


class Notice(BaseModel):
    """A call to us that is still to be made."""

    id: str
    type: str
    body: dict[str, Any]
    due: datetime
    tries: int = 0


class StripeState(BaseModel):
    """The stand-in's memory; pydantic's `model_dump_json` carries it over a restart."""

    secret_key: str = "sk_test_demo_opens_nothing_else"  # noqa: S105
    webhook_secret: str = "whsec_demo_signs_nothing_else"  # noqa: S105
    webhook_url: str | None = None
    """Where its calls go: an address on loopback. None: they are kept until there is one."""
    types: list[str] = ["card", "alipay", "wechat_pay"]
    """Ways to pay that are switched on in the account."""
    pages: list[Page] = []
    intents: list[Intent] = []
    cards: list[Card] = []
    deleted: list[str] = []
    """Customers who are no more."""
    refunds: list[Refund] = []
    keys: dict[str, Kept] = {}
    notices: list[Notice] = []
    last_id: int = 0
    page_size: int = 100
    lag_seconds: int = 60
    """How late a list shows what is new, where a fault asks for that."""
    late_seconds: int = 600

    def new_id(self, prefix: str) -> str:
        """Looks like one of Stripe's."""
        self.last_id += 1
        return f"{prefix}_demo{self.last_id:06}"

    def page(self, page_id: object) -> Page | None:
        """None without one."""
        return next((one for one in self.pages if one.id == page_id), None)

    def intent(self, intent_id: object) -> Intent | None:
        """None without one."""
        return next((one for one in self.intents if one.id == intent_id), None)

    def card(self, card_id: object) -> Card | None:
        """None without one."""
        return next((one for one in self.cards if one.id == card_id), None)

    def page_status(self, page: Page, now: datetime) -> str:
        """open, complete or expired."""
        intent = self.intent(page.intent)
        if intent is not None and intent.status in ("succeeded", "processing"):
            return "complete"
        return "expired" if page.closed or now >= page.expires_at else "open"

    def returned(self, intent: Intent, now: datetime) -> int:
        """What of it went back, or is on its way."""
        mine = [one for one in self.refunds if one.intent == intent.id]
        return sum(one.amount for one in mine if one.status_at(now) != "failed")

    def charge(self, intent: Intent, card: Card, now: datetime) -> None:
        """Take the money."""
        intent.status, intent.error, intent.card = "succeeded", None, card.id
        intent.charge, intent.charged_at = self.new_id("ch"), now

    def try_page(self, page: Page, card: Card, now: datetime, error: str | None) -> Intent:
        """The customer pays, or tries to: `error` is why their bank says no."""
        intent = self.intent(page.intent)
        if intent is None:
            intent = Intent(
                id=self.new_id("pi"),
                amount=page.amount,
                currency=page.currency,
                created=now,
                metadata=page.intent_metadata,
                keep=page.keep,
            )
            self.intents.append(intent)
            page.intent = intent.id
        if error is not None:
            intent.error = error
            return intent
        if page.keep:
            page.customer = intent.customer = card.customer = self.new_id("cus")
        self.charge(intent, card, now)
        return intent

    def send_back(
        self, intent: Intent, amount: int, metadata: dict[str, str], now: datetime
    ) -> Refund:
        """A refund, done at once."""
        made = Refund(
            id=self.new_id("re"),
            intent=intent.id,
            amount=amount,
            metadata=metadata,
            created=now,
            done_at=now,
        )
        self.refunds.append(made)
        return made

    def tell(self, kind: str, body: dict[str, Any], now: datetime, late: bool = False) -> None:
        """Have a call made to us."""
        due = now + timedelta(seconds=self.late_seconds if late else 0)
        self.notices.append(Notice(id=self.new_id("evt"), type=kind, body=body, due=due))


CARDS = (
    ("visa", "4242", "ok"),
    ("mastercard", "4444", "ok"),
    ("visa", "0341", "declined"),
    ("visa", "3184", "asks"),
)
"""Brand, last digits, and what its bank says of later charges; as Stripe's own test cards."""
