"""易支付 alone: its signed link, its look-up and its notifications."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from pydantic import ValidationError

from bot.demo.epay_page import sign
from bot.domain.money import Money
from bot.domain.sales import Payment
from bot.payments.epay import Epay, EpaySettings, signature
from bot.ports import Call, PaymentEvent, Return, Shown, Standing, WebhookRefused
from tests.contract.bench_epay import EpayBench, epay_bench, hand_epay_bench
from tests.contract.botapi_server import serving
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import EPOCH, one_charge, refused, unavailable

REFUND = "POST /api.php?act=refund"


@pytest.fixture
async def b() -> AsyncIterator[EpayBench]:
    host = Host()
    async with serving(host) as address, epay_bench(host, address) as bench:
        yield bench


def params(shown: Shown) -> dict[str, str]:
    assert shown.url is not None
    return dict(parse_qsl(urlsplit(shown.url).query))


async def link(b: EpayBench, **settings: object) -> dict[str, str]:
    """The parameters of the link that a platform so set up gives."""
    epay = Epay(b.settings(**settings), None, b.clock)
    try:
        return params(await epay.request(b.payment(), b.bill()))
    finally:
        await epay.close()


# ---- the link ------------------------------------------------------------------------------


async def test_the_link_is_signed_and_asks_nobody(b: EpayBench) -> None:
    bill = b.bill(back="https://t.me/shop_bot")
    shown = await b.paying.request(b.payment(), bill)
    told = params(shown)
    assert (told["pid"], told["out_trade_no"], told["money"]) == ("1001", "pay0001", "68.90")
    assert (told["name"], told["return_url"]) == (bill.title, bill.back)
    assert (told["sign"], told["sign_type"]) == (sign(told, b.state.key), "MD5")
    assert shown.ends_at is None
    assert b.calls.after() == []


async def test_the_same_attempt_has_the_same_link(b: EpayBench) -> None:
    one, two = [await b.paying.request(b.payment(), b.bill()) for _ in range(2)]
    assert one == two


def test_the_signature_is_the_one_of_the_platforms_documents() -> None:
    """Sorted names, empty ones and the signature's own left out, the key right behind."""
    told = {"c": "3", "a": "1", "b": "", "sign": "x", "sign_type": "MD5"}
    # printf 'a=1&c=3KEY' | md5sum
    assert signature(told, "KEY") == "4801ff26945ab18c6a10a0e8eda5b448"
    assert signature(told, "KEY") == sign(told, "KEY")


async def test_the_key_does_not_stand_in_the_link(b: EpayBench) -> None:
    assert b.state.key not in urlencode(await link(b))


async def test_a_link_names_where_to_call_and_how_to_pay_when_told_to(b: EpayBench) -> None:
    told = await link(b, notify_url="https://shop.example/hooks/epay/s", pay_type="wxpay")
    assert (told["notify_url"], told["type"]) == ("https://shop.example/hooks/epay/s", "wxpay")
    assert "type" not in await link(b)
    assert (await link(b))["notify_url"] == "https://t.me"


async def test_a_long_chinese_title_is_cut_between_characters(b: EpayBench) -> None:
    shown = await b.paying.request(b.payment(), b.bill(title="续卡" * 40))
    name = params(shown)["name"]
    assert len(name.encode()) <= 127
    assert set(name) == set("续卡")
    assert (await b.on_page(shown, "alipay")).status_code == 200


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (Money(0, "CNY"), "too_small"),
        (Money(-5, "CNY"), "too_small"),
        (Money(990, "USD"), "currency"),
    ],
    ids=str,
)
async def test_what_a_link_can_not_say_is_refused(b: EpayBench, amount: Money, reason: str) -> None:
    assert await refused(b.paying.request(b.payment(amount=amount), b.bill())) == reason


@pytest.mark.parametrize("changed", [{"money": "0.01"}, {"out_trade_no": "pay0009"}, {"sign": ""}])
async def test_a_link_changed_by_the_payer_can_not_be_paid(
    b: EpayBench, changed: dict[str, str]
) -> None:
    _, shown = await b.asked()
    url = f"{b.base_url}/submit.php?{urlencode({**params(shown), **changed})}"
    assert (await b.on_page(Shown(url=url), "alipay")).status_code == 400
    assert b.state.trades == []


# ---- the look-up ---------------------------------------------------------------------------


async def test_a_link_that_nobody_opened_can_still_be_paid(b: EpayBench) -> None:
    payment, shown = await b.asked()
    assert (await b.paying.lookup(payment)).standing is Standing.OPEN
    await b.on_page(shown, "leave")
    assert (await b.paying.lookup(payment)).standing is Standing.OPEN
    assert (await b.paying.lookup(b.payment("pay0009"))).standing is Standing.UNKNOWN


async def test_what_was_paid_is_told_by_the_platform_and_not_by_the_link(b: EpayBench) -> None:
    b.strike("money_differs", times=1)
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    charge = one_charge(await b.paying.lookup(payment))
    assert charge.amount == Money.of("68.89", "CNY")
    assert charge.amount != payment.amount


async def test_a_lagging_look_up_is_open_until_it_shows(b: EpayBench) -> None:
    b.strike("lookup_lags", times=1)
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    assert (await b.paying.lookup(payment)).standing is Standing.OPEN
    b.clock.advance(180)
    assert (await b.paying.lookup(payment)).standing is Standing.PAID


async def test_times_without_a_zone_are_chinese(b: EpayBench) -> None:
    _, charge = await b.paid()
    assert abs(charge.at - b.clock.now()) < timedelta(seconds=5)
    assert charge.at.utcoffset() == timedelta(0)


async def test_a_page_paid_twice_is_two_charges(b: EpayBench) -> None:
    b.strike("paid_twice")
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    first = one_charge(await b.paying.lookup(payment))
    await b.pay(payment, shown)
    found = await b.paying.lookup(payment)
    assert [charge.amount for charge in found.charges] == [b.amount] * 2
    assert first in found.charges
    listed = await b.paying.list_since(EPOCH)
    assert {charge.id for charge in listed} == {charge.id for charge in found.charges}
    assert {charge.reference for charge in listed} == {payment.id}


async def test_two_notifications_of_one_link_are_two_events(b: EpayBench) -> None:
    b.strike("paid_twice")
    payment, shown = await b.asked()
    events: list[PaymentEvent] = []
    for _ in range(2):
        await b.pay(payment, shown)
        events += await b.paying.parse_event(b.told(payment))
    assert len({event.event_id for event in events}) == 2
    assert {event.reference for event in events} == {payment.id}


async def test_a_hundred_and_twenty_payments_are_all_listed(b: EpayBench) -> None:
    payment, _ = await b.paid()
    trade = b.state.trades[0]
    for n in range(119):
        twin = {"trade_no": f"T{n}", "out_trade_no": f"pay{n}"}
        b.state.trades.append(trade.model_copy(update=twin))
    assert len(await b.paying.list_since(EPOCH)) == 120
    assert one_charge(await b.paying.lookup(payment)).reference == payment.id


async def test_an_old_list_is_not_read_to_its_end(b: EpayBench) -> None:
    _, _ = await b.paid()
    trade = b.state.trades[0]
    b.state.trades = [
        trade.model_copy(update={"trade_no": f"T{n}", "out_trade_no": f"pay{n}"})
        for n in range(2000)
    ]
    b.clock.advance(10 * 24 * 3600)
    _, charge = await b.paid("pay9999")
    before = len(b.calls.after())
    since = b.clock.now() - timedelta(hours=1)
    assert [one.id for one in await b.paying.list_since(since)] == [charge.id]
    assert len(b.calls.after()) - before <= 3


async def test_a_list_longer_than_we_read_proves_nothing(b: EpayBench) -> None:
    await b.paid()
    trade = b.state.trades[0]
    b.state.trades = [
        trade.model_copy(update={"trade_no": f"T{n}", "out_trade_no": f"pay{n}"})
        for n in range(1001)
    ]
    await unavailable(b.paying.list_since(EPOCH))


# ---- refunds -------------------------------------------------------------------------------


async def test_a_charge_goes_back_whole_and_once(b: EpayBench) -> None:
    payment, _ = await b.paid()
    assert await refused(b.paying.refund(payment, b.refund(payment, 10))) == "whole_only"
    for _ in range(2):
        assert await b.paying.refund(payment, b.refund(payment)) is Return.DONE
    made = sum(call.method == REFUND for call in b.calls.after())
    assert (b.returned(payment.id), made) == (b.amount.minor, 1)


async def test_a_channel_that_does_not_refund_is_told_and_may_be_tried_again(
    b: EpayBench,
) -> None:
    payment, _ = await b.paid()
    b.strike("refunds_refused")
    assert await refused(b.paying.refund(payment, b.refund(payment))) == "refused"
    b.calm()
    assert await b.paying.refund(payment, b.refund(payment)) is Return.DONE


async def test_of_a_page_paid_twice_the_second_charge_goes_back(b: EpayBench) -> None:
    b.strike("paid_twice")
    payment, shown = await b.asked()
    for _ in range(2):
        await b.pay(payment, shown)
    first, second = sorted((await b.paying.lookup(payment)).charges, key=lambda one: one.id)
    extra: Payment = b.captured(payment, second)
    assert await b.paying.refund(extra, b.refund(extra)) is Return.DONE
    backs = {one.id: one.returned for one in (await b.paying.lookup(payment)).charges}
    assert backs == {first.id: 0, second.id: b.amount.minor}


async def test_a_second_charge_goes_back_from_the_attempt_that_the_till_gave_it(
    b: EpayBench,
) -> None:
    """The platform has never heard of that attempt's reference: it knows its own number."""
    b.strike("paid_twice")
    payment, shown = await b.asked()
    for _ in range(2):
        await b.pay(payment, shown)
    first, second = sorted((await b.paying.lookup(payment)).charges, key=lambda one: one.id)
    extra = replace(b.captured(payment, second), id="order001-again")
    for _ in range(2):
        assert await b.paying.refund(extra, b.refund(extra)) is Return.DONE
    backs = {one.id: one.returned for one in (await b.paying.lookup(payment)).charges}
    assert backs == {first.id: 0, second.id: b.amount.minor}


async def test_a_charge_that_the_platform_does_not_know_is_not_sent_back(b: EpayBench) -> None:
    payment, _ = await b.paid()
    extra = replace(payment, charge_id="nobody's")
    await unavailable(b.paying.refund(extra, b.refund(extra)))


async def test_a_platform_without_refunds_declares_none() -> None:
    host = Host()
    async with serving(host) as address, hand_epay_bench(host, address) as b:
        assert b.paying.capabilities.returns == "nothing"
        payment, _ = await b.paid()
        assert await refused(b.paying.refund(payment, b.refund(payment))) == "refused"
        assert b.returned(payment.id) == 0


# ---- notifications -------------------------------------------------------------------------


async def test_a_notification_by_get_and_by_post_says_the_same(b: EpayBench) -> None:
    payment, charge = await b.paid()
    told = b.told(payment)
    form = Call(urlencode(told.query).encode(), {}, {})
    expected = (PaymentEvent(charge.id, payment.id),)
    assert await b.paying.parse_event(told) == expected
    assert await b.paying.parse_event(form) == expected
    assert b.paying.capabilities.answer == "success"


async def test_a_wrong_amount_in_a_notification_is_not_believed(b: EpayBench) -> None:
    b.strike("notifies_wrong_money")
    payment, charge = await b.paid()
    assert b.told(payment).query["money"] == "0.01"
    (event,) = await b.paying.parse_event(b.told(payment))
    assert event.reference == payment.id
    assert charge.amount == b.amount


async def test_a_notification_for_another_merchant_is_refused(b: EpayBench) -> None:
    payment, _ = await b.paid()
    told = {**b.told(payment).query, "pid": "1002"}
    told["sign"] = sign(told, b.state.key)
    with pytest.raises(WebhookRefused):
        await b.paying.parse_event(Call(b"", {}, told))


@pytest.mark.parametrize("name", ["money", "trade_no", "out_trade_no", "trade_status", "sign"])
async def test_every_field_of_a_notification_is_signed(b: EpayBench, name: str) -> None:
    payment, _ = await b.paid()
    call = b.told(payment)
    changed = replace(call, query={**call.query, name: f"{call.query[name]}1"})
    with pytest.raises(WebhookRefused):
        await b.paying.parse_event(changed)


async def test_a_signature_in_capitals_is_as_good(b: EpayBench) -> None:
    payment, _ = await b.paid()
    call = b.told(payment)
    loud = replace(call, query={**call.query, "sign": call.query["sign"].upper()})
    assert await b.paying.parse_event(loud) == await b.paying.parse_event(call)


# ---- settings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://pay.example"},
        {"url": "http://192.168.1.5"},
        {"url": "pay.example"},
        {"pid": "1 2"},
        {"pid": ""},
        {"notify_url": "http://shop.example/hooks"},
        {"pay_type": "支付宝"},
        {"currencies": "CNY,USD"},
    ],
    ids=str,
)
def test_settings_that_can_not_be_meant_are_refused(wrong: dict[str, str]) -> None:
    right = {"url": "https://pay.example/", "pid": "1001", "key": "k"}
    assert EpaySettings.model_validate(right).url == "https://pay.example"
    with pytest.raises(ValidationError):
        EpaySettings.model_validate({**right, **wrong})


def test_yuan_is_the_default_and_the_key_is_not_shown() -> None:
    settings = EpaySettings.model_validate({"url": "https://a.example", "pid": "1", "key": "kkk"})
    assert settings.currencies == ("CNY",)
    assert settings.fee_percent == Decimal(0)
    assert not settings.refunds
    assert "kkk" not in repr(settings)
