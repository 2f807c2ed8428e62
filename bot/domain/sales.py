"""Rows of a sale: order, payment attempts, top-up, voucher. Frozen copies of the store."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, RefundState, TopUpState
from bot.domain.plans import Plan
from bot.domain.sims import Reading


class Method(StrEnum):
    """Ways to pay that a shop can switch on."""

    STARS = "stars"
    TELEGRAM = "telegram"  # a fiat invoice in the chat, through a provider token
    CARD = "card"
    ALIPAY = "alipay"
    WECHAT = "wechat"
    PAYPAL = "paypal"
    EPAY = "epay"
    WALLET = "wallet"
    TRANSFER = "transfer"  # with a proof that an operator checks
    VOUCHER = "voucher"
    CASH = "cash"  # taken by a person of the shop, with a receipt number


IN_STORE = frozenset({Method.WALLET, Method.TRANSFER, Method.VOUCHER, Method.CASH})
"""Methods that no provider stands behind: what they are worth is in our own store."""


@dataclass(frozen=True, slots=True)
class Order:
    """One sale. `message_id` is the chat message that is edited through the flow."""

    id: str
    version: int
    state: OrderState
    quote_id: str
    chat_id: int
    sim_id: str
    plan: Plan
    price: Money
    old_expiry: datetime | None
    new_expiry: datetime | None
    expires_at: datetime
    """Until when it waits for money (the quote's end)."""
    created_at: datetime
    message_id: int | None = None
    due: Money | None = None
    """What is to be paid in the plan's currency, after discounts; None in orders of old, which had
    none."""
    paid_at: datetime | None = None
    fulfilled_at: datetime | None = None
    charge: Money | None = None
    """What was captured, in the currency it was captured in."""
    method: Method | None = None
    reason: str | None = None
    """Why it is in a side state; a code the views know."""
    post_id: str | None = None
    """The group's post that the customer came from."""

    @property
    def number(self) -> str:
        """Order number as people read it out."""
        return f"XK-{self.id.upper()}"


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt to pay an order, or to fill a wallet. `id` is our reference and the invoice's
    payload."""

    id: str
    order_id: str | None
    chat_id: int
    method: Method
    state: PaymentState
    amount: Money
    created_at: datetime
    charge_id: str | None = None
    """The provider's id of the captured charge, unique over all attempts."""
    captured_at: datetime | None = None
    captured: Money | None = None
    payer_id: int | None = None
    deposit_id: str | None = None
    """The deposit it pays, where it pays no order."""
    provider_ref: str | None = None
    """The provider's own name for the attempt."""
    url: str | None = None
    """The page to pay on."""
    ends_at: datetime | None = None
    """Until when that page stands (UTC)."""
    look_at: datetime | None = None
    """When the provider is next asked about it; None when nothing is to be learnt."""
    looks: int = 0
    going_back: int = 0
    """Minor units that went back, or are on their way: never more than was captured."""
    saved_id: str | None = None
    """What it charges without the customer, see `Saved`."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that goes back from one captured payment. `id` is our reference at the provider."""

    id: str
    payment_id: str
    state: RefundState
    amount: Money
    reason: str
    created_at: datetime
    next_at: datetime | None = None
    tries: int = 0
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What a customer let a provider keep, to be charged without them. `token` is the
    provider's."""

    id: str
    chat_id: int
    method: Method
    token: str
    label: str
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """Something kept that is still to be deleted at its provider; it names nobody any more."""

    id: str
    method: Method
    token: str
    next_at: datetime
    tries: int = 0


@dataclass(frozen=True, slots=True)
class TopUp:
    """One top-up at a supplier. `id` is our reference there, saved before the call."""

    id: str
    order_id: str
    sim_id: str
    supplier: str
    supplier_code: str
    state: TopUpState
    created_at: datetime
    amount: Money | None = None
    """Set for open-amount plans."""
    max_cost: Money | None = None
    before: Reading | None = None
    after: Reading | None = None
    supplier_ref: str | None = None
    operator_ref: str | None = None
    """The network operator's own confirmation, where no API reads the SIM."""
    pin: str | None = None
    """A code that the customer types into the phone to get what was bought."""
    resubmitted: bool = False
    """Sent a second time under its one reference, as its supplier promises to allow."""
    tries: int = 0
    next_at: datetime | None = None
    """When the next step (submit, look-up, verification) is due; None when nothing is."""
    reason: str | None = None
    claimed_by: str | None = None
    """The instance that submits it or asks about it, until `next_at`."""


class VoucherState(StrEnum):
    """A voucher is used once; a refund makes it usable again."""

    UNUSED = "unused"
    REDEEMED = "redeemed"


@dataclass(frozen=True, slots=True)
class Voucher:
    """A prepaid code. Only the hash of its code is stored; `hint` is its last four characters.

    It pays an order of its plan, or, with `plan_code` None, an order of exactly its value.
    """

    id: str
    state: VoucherState
    value: Money
    hint: str
    plan_code: str | None = None
    order_id: str | None = None
    expires_at: datetime | None = None
