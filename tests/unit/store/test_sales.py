"""The catalogue, quotes, orders, payments, top-ups, vouchers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.domain.money import Money
from bot.domain.orders import IllegalTransition, OrderState, PaymentState, TopUpState
from bot.domain.sales import Method, VoucherState
from bot.ports import Tx
from bot.store import Database
from bot.store.transactions import transaction
from tests.unit.store.samples import (
    ALICE,
    BOB,
    NOW,
    OPEN_PLAN,
    PLAN,
    days,
    minutes,
    notice,
    order,
    payment,
    populate,
    quote,
    reading,
    sim,
    topup,
    voucher,
)

QUOTED, AWAITING, PAID = OrderState.QUOTED, OrderState.AWAITING_PAYMENT, OrderState.PAID


@pytest.fixture
async def shop(db: Database) -> Database:
    """Alice's quote q1 and order o1."""
    await populate(db)
    return db


async def transitions(db: Database) -> list[tuple[str, ...]]:
    """Every recorded move."""
    async with transaction(db._reader) as conn:
        rows = await conn.execute(
            text(
                "SELECT machine, subject_id, old, new, reason, actor FROM transitions ORDER BY seq"
            )
        )
        return [tuple(row) for row in rows]


async def at_once(db: Database, act: Callable[[Tx], Awaitable[bool]], count: int = 6) -> int:
    """How often `act` succeeds in that many transactions at the same time."""
    start = asyncio.Barrier(count)

    async def one() -> bool:
        await start.wait()
        async with db.write() as tx:
            return await act(tx)

    return sum(await asyncio.gather(*(one() for _ in range(count))))


async def test_the_catalogue_is_made_what_the_file_says(db: Database) -> None:
    other = replace(PLAN, code="boom-1d", days=1)
    async with db.write() as tx:
        await tx.catalogue.apply([PLAN, OPEN_PLAN])
        assert await tx.catalogue.all() == [PLAN, OPEN_PLAN]
        dearer = replace(PLAN, price=Money(1390, "USD"))
        await tx.catalogue.apply([other, dearer])
        assert await tx.catalogue.all() == [other, replace(dearer, version=2)]
        gone = await tx.catalogue.get(OPEN_PLAN.code)
        assert gone == replace(OPEN_PLAN, active=False, version=2)
        await tx.catalogue.apply([other, dearer])
        assert [plan.version for plan in await tx.catalogue.all()] == [1, 2]
        assert len(await tx.catalogue.all(active=False)) == 3
        assert await tx.catalogue.all(carrier="Smart") == []
        await tx.catalogue.apply([OPEN_PLAN])
        assert await tx.catalogue.all(carrier="Smart") == [replace(OPEN_PLAN, version=3)]
        assert await tx.catalogue.get("none") is None


async def test_a_replayed_update_gets_its_first_quote(shop: Database) -> None:
    async with shop.write() as tx:
        first = await tx.quotes.add(quote("q2"), 700)
        again = await tx.quotes.add(quote("q3", price=Money(1, "USD")), 700)
        other = await tx.quotes.add(quote("q4"), 701)
        assert (first.id, again, other.id) == ("q2", quote("q2"), "q4")
        assert await tx.quotes.get("q3") is None
        assert await tx.quotes.get("q2") == quote("q2")
        with pytest.raises(ValueError, match="saved already"):
            await tx.quotes.add(quote("q2"), 702)


async def test_a_quote_without_a_star_rate_comes_back(shop: Database) -> None:
    plain = quote("q2", totals=(), old_expiry=None, new_expiry=None, plan=OPEN_PLAN)
    async with shop.write() as tx:
        assert await tx.quotes.add(plain, None) == plain
        assert await tx.quotes.get("q2") == plain


async def test_a_quote_makes_one_order(shop: Database) -> None:
    async with shop.write() as tx:
        assert await tx.orders.add(order("o2")) == order("o1")
        assert await tx.orders.get("o2") is None
        assert await tx.orders.by_quote("q1") == order("o1")
        assert await tx.orders.by_quote("q9") is None


async def test_two_orders_of_one_quote_at_once_are_one(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.quotes.add(quote("q2"), None)
    names = iter(range(10))

    async def place(tx: Tx) -> bool:
        mine = f"x{next(names)}"
        return (await tx.orders.add(order(mine, "q2"))).id == mine

    assert await at_once(shop, place) == 1


async def test_orders_are_listed(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.sims.add(sim("sim-b", BOB))
        for number in range(2, 6):
            await tx.quotes.add(quote(f"q{number}"), None)
            state = PAID if number > 3 else AWAITING
            await tx.orders.add(order(f"o{number}", f"q{number}", state=state))
        await tx.quotes.add(quote("q6", chat_id=BOB, sim_id="sim-b"), None)
        await tx.orders.add(order("o6", "q6", chat_id=BOB, sim_id="sim-b", state=PAID))
        assert [o.id for o in await tx.orders.of_chat(ALICE, 2)] == ["o5", "o4"]
        assert [o.id for o in await tx.orders.of_chat(ALICE, 2, 2)] == ["o3", "o2"]
        assert [o.id for o in await tx.orders.in_states([PAID])] == ["o4", "o5", "o6"]
        assert [o.id for o in await tx.orders.in_states([PAID, AWAITING], 1)] == ["o2"]
        assert [o.id for o in await tx.orders.of_sim("sim-a", [PAID])] == ["o4", "o5"]
        assert await tx.orders.in_states([]) == []


async def test_only_open_orders_expire(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.quotes.add(quote("q2"), None)
        await tx.orders.add(order("o2", "q2", expires_at=minutes(5), state=AWAITING))
        await tx.quotes.add(quote("q3"), None)
        await tx.orders.add(order("o3", "q3", expires_at=minutes(1), state=PAID))
        assert await tx.orders.next_expiring() == minutes(5)
        assert await tx.orders.expiring(minutes(4), 9) == []
        assert [o.id for o in await tx.orders.expiring(minutes(5), 9)] == ["o2"]
        assert [o.id for o in await tx.orders.expiring(minutes(99), 9)] == ["o2", "o1"]
        await tx.orders.move("o1", QUOTED, OrderState.EXPIRED, "late", NOW)
        await tx.orders.move("o2", AWAITING, OrderState.EXPIRED, "late", NOW)
        assert await tx.orders.next_expiring() is None


async def test_a_move_changes_the_row_and_says_why(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.orders.set_message("o1", 55)
        assert await tx.orders.move("o1", QUOTED, AWAITING, "confirmed", NOW)
        assert await tx.orders.move(
            "o1", AWAITING, PAID, "captured", NOW, charge=Money(993, "XTR"), method=Method.STARS,
            paid_at=minutes(1), actor="chat:7",
        )  # fmt: skip
        assert not await tx.orders.move("o1", AWAITING, OrderState.EXPIRED, "late", NOW)
        assert await tx.orders.get("o1") == order(
            state=PAID, version=3, charge=Money(993, "XTR"), method=Method.STARS,
            paid_at=minutes(1), message_id=55,
        )  # fmt: skip
        await tx.orders.move("o1", PAID, OrderState.REFUND_DUE, "rejected", NOW)
        found = await tx.orders.get("o1")
        assert found is not None
        assert found.reason == "rejected"
    assert await transitions(shop) == [
        ("order", "o1", "quoted", "awaiting_payment", "confirmed", "bot"),
        ("order", "o1", "awaiting_payment", "paid", "captured", "chat:7"),
        ("order", "o1", "paid", "refund_due", "rejected", "bot"),
    ]


async def test_moves_that_no_table_holds_are_refused(shop: Database) -> None:
    async with shop.write() as tx:
        with pytest.raises(IllegalTransition):
            await tx.orders.move("o1", QUOTED, PAID, "x", NOW)
        with pytest.raises(IllegalTransition):
            await tx.payments.move("p1", PaymentState.REFUNDED, PaymentState.CAPTURED, "x", NOW)
        with pytest.raises(IllegalTransition):
            await tx.topups.move("t1", TopUpState.SAVED, TopUpState.VERIFIED, "x", NOW)
        for name in ("state", "price", "seq", "colour"):
            with pytest.raises(ValueError, match=name):
                await tx.orders.move("o1", QUOTED, AWAITING, "x", NOW, **{name: 1})
    assert await transitions(shop) == []


async def test_of_many_who_move_one_order_one_wins(shop: Database) -> None:
    assert await at_once(shop, lambda tx: tx.orders.move("o1", QUOTED, AWAITING, "tap", NOW)) == 1
    assert len(await transitions(shop)) == 1


async def test_a_payment_is_captured_once(shop: Database) -> None:
    created, captured = PaymentState.CREATED, PaymentState.CAPTURED
    async with shop.write() as tx:
        await tx.payments.add(payment())
        await tx.payments.add(payment("p2", amount=Money(1, "XTR")))

    async def capture(tx: Tx) -> bool:
        return await tx.payments.move(
            "p1", created, captured, "telegram", NOW, charge_id="ch1", captured_at=NOW,
            captured=Money(993, "XTR"), payer_id=BOB,
        )  # fmt: skip

    assert await at_once(shop, capture) == 1
    wanted = payment(
        state=captured, charge_id="ch1", captured_at=NOW, captured=Money(993, "XTR"), payer_id=BOB
    )
    async with shop.read() as tx:
        assert await tx.payments.by_charge("ch1") == wanted == await tx.payments.get("p1")
        assert await tx.payments.by_charge("ch2") is None
        assert [p.id for p in await tx.payments.of_order("o1")] == ["p1", "p2"]
        assert await tx.payments.in_states([created]) == [payment("p2", amount=Money(1, "XTR"))]
    with pytest.raises(IntegrityError):
        async with shop.write() as tx:
            await tx.payments.move("p2", created, captured, "replay", NOW, charge_id="ch1")


async def test_the_second_capture_of_an_order_is_surplus(shop: Database) -> None:
    captured = PaymentState.CAPTURED
    async with shop.write() as tx:
        for number, at in [(1, minutes(3)), (2, minutes(1)), (3, minutes(3))]:
            await tx.payments.add(
                payment(f"p{number}", state=captured, charge_id=f"c{number}", captured_at=at)
            )
        await tx.payments.add(payment("p4"))
        assert [p.id for p in await tx.payments.surplus()] == ["p1", "p3"]
        await tx.payments.move("p1", captured, PaymentState.REFUNDED, "surplus", NOW)
        await tx.payments.move("p3", captured, PaymentState.REFUNDED, "surplus", NOW)
        assert await tx.payments.surplus() == []


async def test_a_top_up_waits_for_its_moment(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.topups.add(topup(next_at=minutes(5)))
        await tx.topups.add(topup("t2", amount=Money(5, "PHP"), max_cost=None, before=None))
        assert await tx.topups.next_due() == minutes(5)
        assert await tx.topups.due(minutes(4), 9) == []
        assert await tx.topups.due(minutes(5), 9) == [topup(next_at=minutes(5))]
        assert await tx.topups.move(
            "t1", TopUpState.SAVED, TopUpState.SUBMITTING, "claimed", NOW, next_at=None
        )
        await tx.topups.set("t1", after=reading(), supplier_ref="s", tries=3)
        assert await tx.topups.get("t1") == topup(
            state=TopUpState.SUBMITTING, reason="claimed", after=reading(), supplier_ref="s",
            tries=3,
        )  # fmt: skip
        assert await tx.topups.next_due() is None
        assert [t.id for t in await tx.topups.of_order("o1")] == ["t1", "t2"]
        assert [t.id for t in await tx.topups.in_states([TopUpState.SAVED])] == ["t2"]
        with pytest.raises(ValueError, match="order_id"):
            await tx.topups.set("t1", order_id="o2")


async def test_of_many_who_claim_one_top_up_one_wins(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.topups.add(topup())

    async def claim(tx: Tx) -> bool:
        return await tx.topups.move("t1", TopUpState.SAVED, TopUpState.SUBMITTING, "claim", NOW)

    assert await at_once(shop, claim) == 1


async def test_a_voucher_pays_once(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.vouchers.add(voucher(), "hash", "batch-1")
        await tx.vouchers.add(voucher("v2", plan_code="p"), "hash2", "batch-1")
        assert await tx.vouchers.find("hash") == voucher()
        assert not await tx.vouchers.redeem("v1", "o1", days(365))
    assert await at_once(shop, lambda tx: tx.vouchers.redeem("v1", "o1", NOW)) == 1
    used = voucher(state=VoucherState.REDEEMED, order_id="o1")
    async with shop.write() as tx:
        assert await tx.vouchers.find("hash") == used == await tx.vouchers.of_order("o1")
        assert not await tx.vouchers.redeem("v2", "o1", NOW)  # one order, one voucher
        assert await tx.vouchers.release("v1")
        assert not await tx.vouchers.release("v1")
        assert await tx.vouchers.of_order("o1") is None
        assert await tx.vouchers.redeem("v2", "o1", NOW)
        assert await tx.vouchers.find("none") is None


async def test_a_sale_is_captured_whole_or_not_at_all(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.orders.move("o1", QUOTED, AWAITING, "confirmed", NOW)
        await tx.payments.add(payment())

    async def capture() -> None:
        async with shop.write() as tx:
            await tx.payments.move(
                "p1", PaymentState.CREATED, PaymentState.CAPTURED, "x", NOW, charge_id="c"
            )
            await tx.orders.move("o1", AWAITING, PAID, "captured", NOW)
            await tx.outbox.add(notice("receipt"))
            await tx.topups.add(topup(order_id="none"))

    with pytest.raises(IntegrityError):
        await capture()
    async with shop.read() as tx:
        assert await tx.payments.by_charge("c") is None
        found = await tx.orders.get("o1")
        assert found is not None
        assert found.state is AWAITING
        assert await tx.outbox.next_due() is None
