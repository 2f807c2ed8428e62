"""What the stand-in's world is made of: people, groups, messages, invoices, charges."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

BOT_TOKEN = "9000001:DEMO-TOKEN-NOT-A-SECRET"  # noqa: S105  (as its name says)
PROVIDER_TOKEN = "9000002:TEST:DEMO-NOT-A-SECRET"  # noqa: S105  (as its name says)
"""What @BotFather would give for a payment provider; cards behind it are the demo's."""
STARS = "XTR"
BOT_ID = 9000001
BOT_USERNAME = "xuka_demo_bot"


@dataclass(slots=True)
class Person:
    """Somebody with a Telegram account. `stars` is the person's balance of Telegram Stars."""

    id: int
    name: str
    language_code: str
    role: str
    username: str | None = None
    stars: int = 50_000
    started: bool = False
    blocked: bool = False
    deactivated: bool = False
    user: Json = field(init=False, repr=False)
    chat: Json = field(init=False, repr=False)

    def __post_init__(self) -> None:
        first, _, last = self.name.partition(" ")
        names: Json = {"first_name": first}
        if last:
            names["last_name"] = last
        if self.username:
            names["username"] = self.username
        self.user = {
            "id": self.id,
            "is_bot": False,
            **names,
            "language_code": self.language_code,
        }
        self.chat = {"id": self.id, **names, "type": "private"}


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice: `amount` in the currency's smallest unit (XTR are Telegram Stars).

    `subscription_period` in seconds, 0 for what is paid once.
    """

    title: str
    description: str
    payload: str
    amount: int
    start_parameter: str = ""
    currency: str = STARS
    subscription_period: int = 0

    def as_message(self) -> Json:
        """The Bot API's Invoice object."""
        return {
            "title": self.title,
            "description": self.description,
            "start_parameter": self.start_parameter,
            "currency": self.currency,
            "total_amount": self.amount,
        }


@dataclass(slots=True)
class Stored:
    """One message. `data` is the Bot API Message and is replaced, never changed, by an edit:
    updates and callers keep the message as it was.

    `author` wrote it, where `from` does not say so (0: it does). `echo` is the id of a channel
    post's automatic forward in the discussion group.
    """

    data: Json
    edited: bool = False
    deleted: bool = False
    invoice: Invoice | None = None
    paid: list[str] = field(default_factory=list)
    keyboard: Json | None = None
    author: int = 0
    echo: int | None = None

    @property
    def message_id(self) -> int:
        return int(self.data["message_id"])

    @property
    def written_by(self) -> int:
        """The account that wrote it, whoever it shows as its sender."""
        return self.author or int(self.data.get("from", {}).get("id", 0))

    @property
    def from_bot(self) -> bool:
        return self.written_by == BOT_ID


@dataclass(slots=True)
class CallbackQuery:
    """A press on a button that the bot has not answered yet; `created` by the demo's clock."""

    id: str
    person_id: int
    chat_id: int
    message_id: int
    created: float
    answer: asyncio.Future[Json]


@dataclass(slots=True)
class PreCheckout:
    """A payer waiting for the bot's word; the result is None or the bot's error message."""

    id: str
    person_id: int
    invoice: Invoice
    answer: asyncio.Future[str | None]


@dataclass(slots=True)
class Charge:
    """Money that a person paid; times in Unix seconds of the demo's clock.

    Of a subscription: the charge that began it, and until when this one pays.
    """

    id: str
    person_id: int
    invoice: Invoice
    paid_at: int
    refunded_at: int | None = None
    provider_charge_id: str = ""
    subscription_id: str | None = None
    expires_at: int | None = None


@dataclass(slots=True)
class Subscription:
    """Stars that a person pays every period; `id` is the charge that began it.

    Paid until `expires_at` (Unix seconds of the demo's clock). `cancelled`: it is not charged
    again; `by_bot`: nor can the person change that.
    """

    id: str
    person_id: int
    invoice: Invoice
    expires_at: int
    cancelled: bool = False
    by_bot: bool = False
    ended: bool = False

    def runs(self, now: int) -> bool:
        """Whether it is paid for this moment."""
        return now < self.expires_at


@dataclass(slots=True)
class StoredFile:
    """A file on the stand-in's disk, which is memory."""

    file_id: str
    unique_id: str
    kind: str
    path: str
    name: str
    mime_type: str
    data: bytes
    width: int = 0
    height: int = 0

    def as_file(self) -> Json:
        return {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_size": len(self.data),
        }

    def as_content(self) -> Json:
        """The part of a Message that shows this file."""
        if self.kind == "photo":
            return {"photo": [self.as_file() | {"width": self.width, "height": self.height}]}
        names = {"file_name": self.name, "mime_type": self.mime_type}
        return {"document": names | self.as_file()}
