"""Rows to begin with. Alice owns a SIM, Bob another, one waits in stock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.chats import Chat, Preferences
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, TopUpState
from bot.domain.plans import OpenAmount, Plan
from bot.domain.quotes import Quote, Rate, Total
from bot.domain.sales import Method, Order, Payment, TopUp, Voucher, VoucherState
from bot.domain.sims import KeepRule, Reading, Sim, SimForm, SimState, Source, Tracking
from bot.ports import Notice, Priority
from bot.store import Database

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ALICE, BOB, CHARLIE = 1001, 1002, 5_000_000_001  # the last one needs more than 32 bits


def minutes(count: float) -> datetime:
    """That many minutes after NOW."""
    return NOW + timedelta(minutes=count)


def days(count: float) -> datetime:
    """That many days after NOW."""
    return NOW + timedelta(days=count)


def chat(id: int = ALICE, **changes: Any) -> Chat:
    """A private chat."""
    return replace(
        Chat(id, "private", "zh_Hans", False, Preferences(), "Alice", "alice", created_at=NOW),
        **changes,
    )


def reading(**changes: Any) -> Reading:
    """What a supplier said just now."""
    return replace(
        Reading(
            source=Source.SUPPLIER, as_of=minutes(-5), taken_at=NOW, state=SimState.ACTIVE,
            expiry=days(30), data_total=1 << 33, data_used=1 << 31, money_left=Money(125, "USD"),
        ),
        **changes,
    )  # fmt: skip


def sim(id: str = "sim-a", owner_id: int | None = ALICE, **changes: Any) -> Sim:
    """A self-tracked SIM."""
    return replace(
        Sim(
            id=id, version=1, owner_id=owner_id, tracking=Tracking.SELF, form=SimForm.CARD,
            carrier="Smart", supplier="manual", expiry=days(10), grace_end=days(100),
            rule=KeepRule(30, 90), created_at=NOW,
        ),
        **changes,
    )  # fmt: skip


def managed(id: str = "sim-m", owner_id: int | None = None, **changes: Any) -> Sim:
    """A managed eSIM, in stock unless somebody owns it."""
    return sim(
        id, owner_id, tracking=Tracking.MANAGED, form=SimForm.ESIM, carrier="boom eSIM",
        supplier="esim_access", rule=None, **changes,
    )  # fmt: skip


PLAN = Plan(
    code="boom-30d-5gb", version=1, carrier="boom eSIM", supplier="esim_access",
    supplier_code="TOPUP_5", name={"en": "5 GB, 30 days", "zh_Hans": "5 GB 30 天"}, days=30,
    price=Money(1290, "USD"), data=5 << 30, roaming=("US", "CA"), extras={"en": "5G"},
    max_cost=Money(800, "USD"),
)  # fmt: skip

OPEN_PLAN = Plan(
    code="smart-any", version=1, carrier="Smart", supplier="manual", supplier_code="any",
    name={"en": "Any amount"}, days=0,
    open_amount=OpenAmount(Money(10_000, "PHP"), Money(100_000, "PHP"), Money(5_000, "PHP")),
)  # fmt: skip


TOTALS = (
    Total(Method.STARS, Money(993, "XTR"), Money(0, "XTR"), Rate("USD", "XTR", Decimal("76.92"))),
    Total(Method.CARD, Money(1290, "USD"), Money(0, "USD")),
    Total(Method.VOUCHER, Money(1290, "USD"), Money(0, "USD")),
)


def quote(id: str = "q1", **changes: Any) -> Quote:
    """Alice's quote for her SIM."""
    return replace(
        Quote(
            id=id, version=1, chat_id=ALICE, sim_id="sim-a", plan=PLAN, price=Money(1290, "USD"),
            due=Money(1290, "USD"), totals=TOTALS, old_expiry=days(10), new_expiry=days(40),
            created_at=NOW, expires_at=minutes(15),
        ),
        **changes,
    )  # fmt: skip


def order(id: str = "o1", quote_id: str = "q1", **changes: Any) -> Order:
    """Alice's order of that quote, not confirmed yet."""
    return replace(
        Order(
            id=id, version=1, state=OrderState.QUOTED, quote_id=quote_id, chat_id=ALICE,
            sim_id="sim-a", plan=PLAN, price=Money(1290, "USD"), old_expiry=days(10),
            new_expiry=days(40), expires_at=minutes(15), created_at=NOW,
        ),
        **changes,
    )  # fmt: skip


def payment(id: str = "p1", **changes: Any) -> Payment:
    """An attempt to pay that order in Stars."""
    return replace(
        Payment(id, "o1", ALICE, Method.STARS, PaymentState.CREATED, Money(993, "XTR"), NOW),
        **changes,
    )


def topup(id: str = "t1", **changes: Any) -> TopUp:
    """The top-up of that order, saved."""
    return replace(
        TopUp(
            id, "o1", "sim-a", "esim_access", "TOPUP_5", TopUpState.SAVED, NOW,
            max_cost=Money(800, "USD"), before=reading(),
        ),
        **changes,
    )  # fmt: skip


def voucher(id: str = "v1", **changes: Any) -> Voucher:
    """An unused voucher of the order's price."""
    return replace(
        Voucher(id, VoucherState.UNUSED, Money(1290, "USD"), "9P4T", expires_at=days(365)),
        **changes,
    )


def notice(key: str, chat_id: int = ALICE, **changes: Any) -> Notice:
    """A reminder to send."""
    return replace(
        Notice("reminder", chat_id, key, Priority.REMINDER, {"sim": "sim-a", "n": 3}), **changes
    )


async def populate(db: Database) -> None:
    """Alice with a SIM, a quote and an order; Bob."""
    async with db.write() as tx:
        await tx.chats.add(chat())
        await tx.chats.add(chat(BOB, first_name="Bob", username=None))
        await tx.sims.add(sim())
        await tx.quotes.add(quote(), None)
        await tx.orders.add(order())
