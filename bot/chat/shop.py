"""Everything a handler may use, in one typed object: the services and the shop's own texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bot.chat.hush import Hush
from bot.chat.rooms import TelegramRooms
from bot.domain.money import Money
from bot.ports import Clock, Store
from bot.services.activation import Activations
from bot.services.agreeing import Agreeing
from bot.services.assisting import Assisting
from bot.services.broadcasts import Broadcasts
from bot.services.checkout import Checkout
from bot.services.deposits import Deposits
from bot.services.desk import Desk
from bot.services.grouping import Grouping
from bot.services.handover import Handovers
from bot.services.keeping import Keeping
from bot.services.outbox import Outbox
from bot.services.paying import Paying
from bot.services.payouts import Payouts
from bot.services.posting import Postings
from bot.services.privacy import Privacy
from bot.services.reminding import Reminding
from bot.services.removing import Removing
from bot.services.requesting import Requesting
from bot.services.sims import Sims
from bot.services.status import Status
from bot.services.till import Till
from bot.services.transfers import Transfers
from bot.services.visits import Visits


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who sells, as customers are told."""

    name: str
    legal_name: str | None = None
    contact: str | None = None
    hotline: str | None = None
    shops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Purses:
    """What customers' wallets are filled with: amounts offered by currency, none where the shop
    has no wallets; `most` is the largest top-up, in major units."""

    amounts: Mapping[str, tuple[Money, ...]]
    most: Decimal


@dataclass(frozen=True, slots=True)
class Shop:
    """The services behind the chat."""

    store: Store
    clock: Clock
    sims: Sims
    keeping: Keeping
    handovers: Handovers
    checkout: Checkout
    paying: Paying
    till: Till
    deposits: Deposits
    transfers: Transfers
    purses: Purses
    reminding: Reminding
    desk: Desk
    requesting: Requesting
    privacy: Privacy
    agreeing: Agreeing
    removing: Removing
    assisting: Assisting
    activations: Activations
    grouping: Grouping
    postings: Postings
    rooms: TelegramRooms
    visits: Visits
    payouts: Payouts
    broadcasts: Broadcasts
    merchant: Merchant
    outbox: Outbox
    status: Status
    operators: frozenset[int]
    public_url: str | None = None
    """Where people's own devices reach the bot's web server, without a slash at its end."""
    hush: Hush = field(default_factory=Hush)

    def ring(self) -> None:
        """The outbox has something new."""
        self.outbox.worker.ring()
