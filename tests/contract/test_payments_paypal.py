"""PayPal alone: what its orders, report and webhooks need beyond what every method promises."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import structlog.testing
from pydantic import ValidationError

from bot.demo.paypal_shown import capture_shown
from bot.domain.money import Money
from bot.domain.orders import PaymentState
from bot.payments.paypal import PayPal, PayPalSettings
from bot.payments.paypal_api import CURRENCIES
from bot.ports import (
    Call,
    PaymentEvent,
    Return,
    Standing,
    WebhookRefused,
)
from tests.contract.bench_paypal import PayPalBench, paypal_bench
from tests.contract.botapi_server import serving
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import one_charge, refused, unavailable

CREATE = "POST /v2/checkout/orders"
CAPTURE = "POST /v2/checkout/orders/{id}/capture"
REFUND = "POST /v2/payments/captures/{id}/refund"
VERIFY = "POST /v1/notifications/verify-webhook-signature"
TOKEN = "POST /v1/oauth2/token"


@pytest.fixture
async def b() -> AsyncIterator[PayPalBench]:
    host = Host()
    async with serving(host) as address, paypal_bench(host, address) as bench:
        yield bench


def made(b: PayPalBench, call: str) -> int:
    return sum(one.method == call for one in b.calls.after())


# ---- the order -----------------------------------------------------------------------------


async def test_the_order_says_what_is_bought_and_where_to_go_back(b: PayPalBench) -> None:
    bill = b.bill(language="zh_hant", back="https://t.me/shop_bot")
    shown = await b.paying.request(b.payment(), bill)
    order = b.state.orders[0]
    assert (order.custom_id, order.invoice_id, order.reference_id) == ("pay0001",) * 3
    assert (order.title, order.locale) == (bill.title, "zh-TW")
    assert (order.return_url, order.cancel_url) == (bill.back, bill.back)
    assert shown.ends_at is not None
    assert abs(shown.ends_at - b.clock.now() - timedelta(hours=3)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("amount", "value"),
    [
        (Money(990, "USD"), "9.90"),
        (Money(1500, "JPY"), "1500"),
        (Money(150000, "HUF"), "1500"),
        (Money(30000, "TWD"), "300"),
    ],
    ids=str,
)
async def test_amounts_are_written_as_paypal_wants_them(
    b: PayPalBench, amount: Money, value: str
) -> None:
    payment, shown = await b.asked(amount=amount)
    asked = next(call.request for call in b.calls.after() if call.method == CREATE)
    assert asked["purchase_units"][0]["amount"] == {
        "currency_code": amount.currency,
        "value": value,
    }
    await b.pay(payment, shown)
    assert one_charge(await b.paying.lookup(payment)).amount == amount


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (Money(150050, "HUF"), "amount_uneven"),
        (Money(1, "TWD"), "amount_uneven"),
        (Money(500, "KRW"), "currency"),
        (Money(5, "XTR"), "currency"),
    ],
    ids=str,
)
async def test_what_it_can_not_write_is_refused_and_never_asked(
    b: PayPalBench, amount: Money, reason: str
) -> None:
    assert await refused(b.paying.request(b.payment(amount=amount), b.bill())) == reason
    assert b.state.orders == []


async def test_nothing_is_taken_before_the_payer_agrees(b: PayPalBench) -> None:
    payment, _ = await b.asked()
    assert (await b.paying.lookup(payment)).standing is Standing.OPEN
    assert made(b, CAPTURE) == 0


async def test_leaving_the_page_takes_nothing_and_it_can_be_paid_later(b: PayPalBench) -> None:
    payment, shown = await b.asked()
    await b.on_page(shown, "leave")
    assert (await b.paying.lookup(payment)).standing is Standing.OPEN
    await b.pay(payment, shown)
    assert (await b.paying.lookup(payment)).standing is Standing.PAID


@pytest.mark.parametrize(
    "state", [PaymentState.CANCELLED, PaymentState.EXPIRED, PaymentState.FAILED], ids=str
)
async def test_an_attempt_we_gave_up_is_never_captured(b: PayPalBench, state: PaymentState) -> None:
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    found = await b.paying.lookup(replace(payment, state=state))
    assert (found.standing, found.reason) == (Standing.ENDED, "cancelled")
    assert (made(b, CAPTURE), b.taken(payment.id)) == (0, [])
    b.clock.advance(4 * 3600)
    assert b.attempts(payment.id) == 0


async def test_one_captured_before_we_gave_it_up_is_told(b: PayPalBench) -> None:
    payment, charge = await b.paid()
    found = await b.paying.lookup(replace(payment, state=PaymentState.CANCELLED))
    assert one_charge(found).id == charge.id


async def test_an_order_of_another_amount_is_not_captured(b: PayPalBench) -> None:
    b.strike("amount_differs", times=1)
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    found = await b.paying.lookup(payment)
    assert (found.standing, found.reason) == (Standing.ENDED, "differs")
    assert made(b, CAPTURE) == 0


async def test_an_order_of_another_reference_is_not_captured(b: PayPalBench) -> None:
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    other = b.payment("pay0002", provider_ref=shown.provider_ref, state=PaymentState.PENDING)
    assert (await b.paying.lookup(other)).standing is Standing.UNKNOWN
    assert made(b, CAPTURE) == 0


async def test_a_second_order_of_one_reference_is_not_captured(b: PayPalBench) -> None:
    """PayPal forgot the request id, so the link was made twice, and both were approved."""
    b.strike("forgets_request_ids")
    first, one = await b.asked()
    second, two = await b.asked()
    assert one.provider_ref != two.provider_ref
    for payment, shown in ((first, one), (second, two)):
        await b.pay(payment, shown)
    assert (await b.paying.lookup(first)).standing is Standing.PAID
    found = await b.paying.lookup(second)
    assert (found.standing, found.reason) == (Standing.ENDED, "already_paid")
    assert b.taken("pay0001") == [b.amount]


async def test_a_capture_without_an_answer_is_asked_about_and_made_once(b: PayPalBench) -> None:
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    b.strike("timeout_after_success", times=3)
    await unavailable(b.paying.lookup(payment))
    b.calm()
    assert one_charge(await b.paying.lookup(payment)).amount == b.amount
    assert b.taken(payment.id) == [b.amount]


async def test_a_capture_repeated_without_a_memory_of_it_takes_nothing_more(
    b: PayPalBench,
) -> None:
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    b.strike("forgets_request_ids")
    b.strike("timeout_after_success", times=1)
    await unavailable(b.paying.lookup(payment))
    one, two = await asyncio.gather(b.paying.lookup(payment), b.paying.lookup(payment))
    assert one_charge(one) == one_charge(two)
    assert b.taken(payment.id) == [b.amount]


async def test_money_on_hold_is_not_ours_yet(b: PayPalBench) -> None:
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    b.strike("capture_pending", times=1)
    found = await b.paying.lookup(payment)
    assert (found.standing, found.reason) == (Standing.OPEN, "processing")
    gone = replace(payment, state=PaymentState.EXPIRED)
    assert (await b.paying.lookup(gone)).standing is Standing.OPEN
    b.clock.advance(900)
    assert (await b.paying.lookup(gone)).standing is Standing.PAID


async def test_a_declined_card_ends_the_attempt(b: PayPalBench) -> None:
    payment, shown = await b.asked()
    await b.decline(payment, shown)
    for _ in range(2):
        found = await b.paying.lookup(payment)
        assert (found.standing, found.reason) == (Standing.ENDED, "declined")
    assert b.taken(payment.id) == []


async def test_a_page_shown_again_is_the_same_one(b: PayPalBench) -> None:
    payment, shown = await b.asked()
    b.clock.advance(7200)
    again = await b.paying.request(payment, b.bill(language="en"))
    assert again == shown
    assert len(b.state.orders) == 1


async def test_a_page_that_ended_is_followed_by_another(
    b: PayPalBench,
) -> None:
    payment, shown = await b.asked()
    b.clock.advance(4 * 3600)
    assert (await b.paying.lookup(payment)).standing is Standing.ENDED
    again = await b.paying.request(payment, b.bill())
    assert again.provider_ref != shown.provider_ref


# ---- the token -----------------------------------------------------------------------------


async def test_one_token_serves_until_it_ends(b: PayPalBench) -> None:
    payment, _ = await b.asked()
    await b.paying.lookup(payment)
    assert made(b, TOKEN) == 1
    b.clock.advance(9 * 3600 - 30)
    await b.paying.lookup(payment)
    assert made(b, TOKEN) == 2


async def test_a_token_refused_early_is_renewed_and_the_call_repeated(b: PayPalBench) -> None:
    payment, _ = await b.asked()
    b.strike("token_expired", times=1)
    assert (await b.paying.lookup(payment)).standing is Standing.OPEN
    assert made(b, TOKEN) == 2


# ---- refunds -------------------------------------------------------------------------------


async def test_two_parts_go_back_each_once(b: PayPalBench) -> None:
    payment, charge = await b.paid()
    for ref, minor in (("back0001", 300), ("back0002", 690), ("back0001", 300)):
        assert await b.paying.refund(payment, b.refund(payment, minor, ref)) is Return.DONE
    assert b.returned(payment.id) == 990
    assert await refused(b.paying.refund(payment, b.refund(payment, 1, "back0003"))) == (
        "over_captured"
    )
    assert one_charge(await b.paying.lookup(payment)).returned == 990
    assert charge.returned == 0


async def test_a_refund_is_found_even_when_its_request_id_is_forgotten(b: PayPalBench) -> None:
    payment, _ = await b.paid()
    refund = b.refund(payment, 300)
    b.strike("forgets_request_ids")
    b.strike("slow_after_success", times=1)
    await unavailable(b.another(seconds=0.5).refund(payment, refund))
    assert await b.paying.refund(payment, refund) is Return.DONE
    b.clock.advance(50 * 24 * 3600)
    assert await b.paying.refund(payment, refund) is Return.DONE
    assert (b.returned(payment.id), made(b, REFUND)) == (300, 1)


async def test_a_refund_on_its_way_is_asked_about_again(b: PayPalBench) -> None:
    payment, _ = await b.paid()
    b.strike("refund_pending", times=1)
    assert await b.paying.refund(payment, b.refund(payment)) is Return.PENDING
    assert await b.paying.refund(payment, b.refund(payment)) is Return.PENDING
    b.clock.advance(900)
    assert await b.paying.refund(payment, b.refund(payment)) is Return.DONE
    assert b.returned(payment.id) == b.amount.minor


async def test_a_refund_too_late_is_refused_with_the_reason(b: PayPalBench) -> None:
    payment, _ = await b.paid()
    b.strike("refunds_refused")
    assert await refused(b.paying.refund(payment, b.refund(payment))) == "too_late"


async def test_a_charge_is_refunded_by_its_capture_alone(b: PayPalBench) -> None:
    """An attempt that was found by the report: our store does not know its order."""
    payment, _ = await b.paid()
    bare = replace(payment, provider_ref=None)
    assert await b.paying.refund(bare, b.refund(payment, 90)) is Return.DONE
    assert b.returned(payment.id) == 90


async def test_nothing_goes_back_of_what_was_never_captured(b: PayPalBench) -> None:
    payment, _ = await b.asked()
    assert await refused(b.paying.refund(payment, b.refund(payment))) == "no_charge"


# ---- the report ----------------------------------------------------------------------------


async def test_the_report_is_read_in_months_and_pages(b: PayPalBench) -> None:
    start = b.clock.now()
    for n in range(3):
        await b.paid(f"pay{n}")
        b.clock.advance(40 * 24 * 3600)
    listed = await b.paying.list_since(start - timedelta(minutes=1))
    assert [charge.reference for charge in listed] == ["pay0", "pay1", "pay2"]
    assert len(await b.paying.list_since(start + timedelta(days=1))) == 2


async def test_six_hundred_payments_are_all_listed(b: PayPalBench) -> None:
    _, _ = await b.paid()
    order = b.state.orders[0]
    for n in range(600):
        capture = order.captures[0].model_copy(update={"id": f"CAPTURE{n}"})
        twin = {"id": f"ORDER{n}", "custom_id": f"pay{n}", "captures": [capture]}
        b.state.orders.append(order.model_copy(update=twin))
    listed = await b.paying.list_since(b.clock.now() - timedelta(hours=1))
    assert len({charge.id for charge in listed}) == 601


async def test_a_lagging_report_is_made_up_for_by_look_ups(b: PayPalBench) -> None:
    b.strike("report_lags")
    payment, charge = await b.paid()
    since = b.clock.now() - timedelta(days=1)
    assert list(await b.paying.list_since(since)) == []
    assert one_charge(await b.paying.lookup(payment)).id == charge.id
    b.clock.advance(4 * 3600)
    assert [one.id for one in await b.paying.list_since(since)] == [charge.id]


async def test_the_report_tells_of_disputes_and_of_money_sent_back_by_others(
    b: PayPalBench,
) -> None:
    _, charge = await b.paid()
    await b.return_outside(charge, 190)
    b.dispute(charge)
    listed = await b.paying.list_since(b.clock.now() - timedelta(hours=1))
    assert [(one.returned, one.disputed) for one in listed] == [(190, True)]


# ---- webhooks ------------------------------------------------------------------------------


async def test_an_approval_tells_the_order_and_its_reference(b: PayPalBench) -> None:
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    (event,) = await b.paying.parse_event(b.told(payment))
    assert (event.reference, event.provider_ref) == (payment.id, shown.provider_ref)


async def test_a_refund_names_its_payment_and_not_itself(b: PayPalBench) -> None:
    payment, _ = await b.paid()
    await b.paying.refund(payment, b.refund(payment, 100))
    (event,) = await b.paying.parse_event(b.told(payment))
    assert (event.reference, event.provider_ref) == (payment.id, payment.provider_ref)
    assert event.event_id.startswith("WH-")


@pytest.mark.parametrize("kind", ["PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.PENDING"])
async def test_every_change_of_a_capture_is_about_its_order(b: PayPalBench, kind: str) -> None:
    payment, charge = await b.paid()
    shown = capture_shown(b.state.orders[0], b.at(charge), b.base_url, b.clock.now())
    (event,) = await b.paying.parse_event(b.call("", kind, "capture", shown))
    assert (event.reference, event.provider_ref) == (payment.id, payment.provider_ref)


async def test_a_dispute_names_the_payment_of_its_capture(b: PayPalBench) -> None:
    payment, charge = await b.paid()
    about = {
        "dispute_id": "PP-D-1",
        "disputed_transactions": [{"seller_transaction_id": charge.id}],
    }
    call = b.call("", "CUSTOMER.DISPUTE.CREATED", "dispute", about)
    (event,) = await b.paying.parse_event(call)
    assert (event.reference, event.provider_ref) == (payment.id, payment.provider_ref)


async def test_a_dispute_about_somebody_elses_sale_is_let_be(b: PayPalBench) -> None:
    about = {"disputed_transactions": [{"seller_transaction_id": "NOTOURS"}]}
    call = b.call("", "CUSTOMER.DISPUTE.CREATED", "dispute", about)
    assert list(await b.paying.parse_event(call)) == []


@pytest.mark.parametrize(
    "resource",
    [{}, {"purchase_units": None}, {"id": None, "links": None}, {"supplementary_data": None}],
    ids=str,
)
async def test_an_event_that_names_nothing_is_let_be(
    b: PayPalBench, resource: dict[str, Any]
) -> None:
    for kind in ("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.REFUND.FAILED"):
        assert list(await b.paying.parse_event(b.call("", kind, "x", resource))) == []


async def test_the_verified_bytes_are_the_ones_that_came(b: PayPalBench) -> None:
    """Chinese, spaces and the order of fields: one byte otherwise, and PayPal says no."""
    payment, _ = await b.paid()
    call = b.told(payment)
    assert "发生了变化".encode() in call.body
    assert await b.paying.parse_event(call)
    with pytest.raises(WebhookRefused):
        await b.paying.parse_event(replace(call, body=call.body + b" "))


async def test_another_shops_event_is_refused(b: PayPalBench) -> None:
    payment, _ = await b.paid()
    b.state.webhook_id = "8PTOTHER"
    with pytest.raises(WebhookRefused):
        await b.paying.parse_event(b.told(payment))


async def test_without_a_webhook_id_nothing_is_believed(b: PayPalBench) -> None:
    payment, _ = await b.paid()
    deaf = PayPal(b.settings(webhook_id=None), None, b.clock)
    with pytest.raises(WebhookRefused):
        await deaf.parse_event(b.told(payment))
    await deaf.close()


async def test_an_unsigned_call_is_refused_without_asking_paypal(b: PayPalBench) -> None:
    payment, _ = await b.paid()
    call = b.told(payment)
    for body, headers in ((call.body, {}), (b"[1]", call.headers), (b"\xff", call.headers)):
        with pytest.raises(WebhookRefused):
            await b.paying.parse_event(Call(body, headers))
    assert made(b, VERIFY) == 0


async def test_a_verify_endpoint_in_trouble_is_not_a_forgery(b: PayPalBench) -> None:
    payment, _ = await b.paid()
    call = b.told(payment)
    b.strike("http_500")
    await unavailable(b.paying.parse_event(call))
    b.calm()
    assert await b.paying.parse_event(call) == (
        PaymentEvent(
            (await b.paying.parse_event(call))[0].event_id, payment.id, payment.provider_ref
        ),
    )


# ---- settings and shapes -------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["http://paypal.example", "ftp://127.0.0.1", "paypal.example", "http://10.0.0.1", ""]
)
def test_an_address_that_others_can_read_along_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        PayPalSettings.model_validate({"client_id": "a", "secret": "b", "base_url": address})


def test_real_money_is_the_default_and_costs_nothing_extra() -> None:
    settings = PayPalSettings.model_validate({"client_id": "a", "secret": "b"})
    assert settings.base_url == "https://api-m.paypal.com"
    assert settings.currencies == ("USD",)
    assert settings.fee_percent == 0
    assert "USD" in CURRENCIES


async def test_an_amount_that_is_none_is_no_clear_answer(b: PayPalBench) -> None:
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    b.state.orders[0].currency = "JPY"
    b.state.orders[0].amount = Decimal("9.9")
    found = await b.paying.lookup(payment)
    assert (found.standing, found.reason) == (Standing.ENDED, "differs")


async def test_two_look_ups_at_once_capture_once(b: PayPalBench) -> None:
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    b.strike("forgets_request_ids")
    founds = await asyncio.gather(*(b.paying.lookup(payment) for _ in range(5)))
    assert {one_charge(found).id for found in founds} == {b.captures(payment.id)[0].id}
    assert b.taken(payment.id) == [b.amount]


async def test_disputes_that_we_may_not_read_are_no_obstacle(b: PayPalBench) -> None:
    payment, charge = await b.paid()
    b.dispute(charge)
    assert one_charge(await b.paying.lookup(payment)).disputed
    b.strike("disputes_403")
    found = one_charge(await b.paying.lookup(payment))
    assert (found.id, found.disputed) == (charge.id, False)


async def test_no_key_reaches_the_log_when_paypal_refuses_them(b: PayPalBench) -> None:
    with structlog.testing.capture_logs() as logs:
        await unavailable(b.another(wrong_keys=True).lookup((await b.asked())[0]))
    assert logs
    assert all(secret not in str(logs) for secret in b.secrets())
