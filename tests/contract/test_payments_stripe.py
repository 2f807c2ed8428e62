"""Stripe beyond what every PaymentMethod promises: its settings, its units, its page."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import ValidationError
from stripe.params import PaymentIntentCreateParams, RefundCreateParams, checkout

from bot.domain.money import Money
from bot.domain.sales import Method
from bot.payments.stripe import StripeCheckout
from bot.payments.stripe_money import from_stripe, to_stripe
from bot.payments.stripe_settings import StripeSettings
from bot.ports import PaymentRefused, Return, Standing
from tests.contract.bench_stripe import (
    OK,
    AlipayBench,
    StripeBench,
    stripe_bench,
)
from tests.contract.botapi_server import serving
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import EPOCH, one_charge, refused, unavailable

OPEN, ENDED = Standing.OPEN, Standing.ENDED


@pytest.fixture
async def b() -> AsyncIterator[StripeBench]:
    host = Host()
    async with serving(host) as address, stripe_bench(host, address) as bench:
        yield bench


def asked(b: StripeBench) -> dict[str, object]:
    """What the latest page was asked for with."""
    calls = [call for call in b.calls.after() if call.method == "POST /v1/checkout/sessions"]
    request: dict[str, object] = calls[-1].request
    return request


# ---- settings ----------------------------------------------------------------------------


def test_the_settings_name_their_methods_and_hide_their_keys() -> None:
    settings = StripeSettings.model_validate(
        {"secret_key": "sk_test_1", "webhook_secret": "whsec_1", "methods": "card, wechat"}
    )
    assert settings.methods == (Method.CARD, Method.WECHAT)
    assert "sk_test_1" not in repr(settings)
    assert "whsec_1" not in repr(settings)


@pytest.mark.parametrize("methods", ["", "paypal", "card,stars", "kard"])
def test_other_methods_are_refused_at_the_start(methods: str) -> None:
    with pytest.raises(ValidationError, match="card, alipay or wechat"):
        StripeSettings.model_validate({"secret_key": "sk_test_1", "methods": methods})


@pytest.mark.parametrize("address", ["http://api.stripe.com", "api.stripe.com", "ftp://x.test"])
def test_a_key_is_sent_nowhere_unencrypted(address: str) -> None:
    with pytest.raises(ValidationError):
        StripeSettings.model_validate({"secret_key": "sk_test_1", "base_url": address})


async def test_each_method_is_one_object_and_all_share_a_client(b: StripeBench) -> None:
    all_of = StripeCheckout.from_settings(b.settings(methods="card,alipay,wechat,card"), b.clock)
    assert [one.method for one in all_of] == [Method.CARD, Method.ALIPAY, Method.WECHAT]
    assert {one.provider for one in all_of} == {"stripe"}
    assert [one.capabilities.saves for one in all_of] == [True, False, False]
    shown = await all_of[1].request(b.payment(), b.bill())
    assert shown.url
    for one in all_of:
        await one.close()


def test_currencies_that_it_does_not_charge_are_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="UGX, XTR"):
        StripeSettings.model_validate({"secret_key": "sk_test_1", "currencies": "usd,xtr,ugx"})


# ---- units -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("money", "units"),
    [
        (Money.of("12.50", "USD"), 1250),
        (Money.of(1250, "JPY"), 1250),
        (Money.of("4.120", "KWD"), 4120),
        (Money.of(5, "ISK"), 500),
        (Money.of("5.00", "MGA"), 5),
        (Money.of("10.45", "HUF"), 1045),
    ],
)
def test_units_there_and_back(money: Money, units: int) -> None:
    assert to_stripe(money) == units
    assert from_stripe(units, money.currency.lower()) == money


@pytest.mark.parametrize(
    ("money", "reason"),
    [
        (Money.of("4.123", "KWD"), "amount_uneven"),
        (Money.of("5.01", "MGA"), "amount_uneven"),
        (Money(100, "XTR"), "currency"),
        (Money(100, "UGX"), "currency"),
        (Money(1000, "IQD"), "currency"),
    ],
)
def test_what_it_cannot_charge_exactly_is_refused_and_never_rounded(
    money: Money, reason: str
) -> None:
    with pytest.raises(PaymentRefused) as caught:
        to_stripe(money)
    assert caught.value.reason == reason


def test_units_that_are_no_whole_amount_are_not_guessed() -> None:
    with pytest.raises(ValueError, match="no whole amount"):
        from_stripe(550, "isk")


# ---- what is sent ------------------------------------------------------------------------


async def test_nothing_is_sent_that_the_packages_version_of_the_api_does_not_know(
    b: StripeBench,
) -> None:
    payment, _charge = await b.paid()
    await b.paying.refund(payment, b.refund(payment))
    kept = await b.kept(OK)
    await b.paying.charge_saved(b.payment("renew001", saved_id="s"), kept.token, b.bill())
    known = {
        "POST /v1/checkout/sessions": checkout.SessionCreateParams,
        "POST /v1/refunds": RefundCreateParams,
        "POST /v1/payment_intents": PaymentIntentCreateParams,
    }
    sent = [call for call in b.calls.after() if call.method in known]
    assert {call.method for call in sent} == set(known)
    for call in sent:
        assert set(call.request) <= set(known[call.method].__annotations__)
    page = asked(b)
    nested = {"payment_intent_data": "PaymentIntentData", "adaptive_pricing": "AdaptivePricing"}
    for name, kind in nested.items():
        of = getattr(checkout, f"SessionCreateParams{kind}")
        assert set(page[name]) <= set(of.__annotations__)  # type: ignore[call-overload]


# ---- the page ----------------------------------------------------------------------------


async def test_the_page_is_asked_for_as_the_api_of_today_wants_it(b: StripeBench) -> None:
    await b.asked()
    request = asked(b)
    ours = {"xuka_payment": "pay0001", "xuka_method": "card"}
    assert request["allowed_payment_method_types"] == ["card"]
    assert "payment_method_types" not in request
    assert request["client_reference_id"] == "pay0001"
    assert request["metadata"] == ours
    assert request["payment_intent_data"] == {"metadata": ours, "description": "Speedtalk 30 days"}
    # Its own conversion would show another amount than the quote.
    assert request["adaptive_pricing"] == {"enabled": "false"}
    assert request["locale"] == "zh"
    assert "customer_creation" not in request


async def test_only_a_card_that_may_be_kept_is_kept(b: StripeBench) -> None:
    await b.paying.request(b.payment(), b.bill(keep=True))
    assert asked(b)["customer_creation"] == "always"
    async with stripe_bench(Host(), b.base_url, AlipayBench) as other:
        other.state.secret_key = b.state.secret_key
        alipay = StripeCheckout.from_settings(b.settings(methods="alipay"), b.clock)[0]
        await alipay.request(b.payment("pay0002"), b.bill(keep=True))
        await alipay.close()
    assert "customer_creation" not in asked(b)


@pytest.mark.parametrize(
    ("language", "locale"),
    [("zh-hans", "zh"), ("zh_Hant", "zh-TW"), ("en", "en"), ("fr", "auto")],
)
async def test_the_page_speaks_the_payers_language(
    b: StripeBench, language: str, locale: str
) -> None:
    await b.paying.request(b.payment(), b.bill(language=language))
    assert asked(b)["locale"] == locale


async def test_a_repeated_call_is_the_same_call(b: StripeBench) -> None:
    payment = b.payment()
    first = await b.paying.request(payment, b.bill())
    b.clock.advance(300)
    assert await b.paying.request(payment, b.bill()) == first
    assert len(b.state.pages) == 1


async def test_an_attempt_asked_for_late_still_gets_its_half_hour(b: StripeBench) -> None:
    payment = b.payment()
    b.clock.advance(3600)
    shown = await b.paying.request(payment, b.bill())
    assert shown.ends_at is not None
    assert shown.ends_at - b.clock.now() > timedelta(minutes=30)


async def test_a_page_that_ended_is_followed_by_another(b: StripeBench) -> None:
    payment, first = await b.asked()
    b.clock.advance(3600)
    second = await b.paying.request(payment, b.bill())
    assert second.provider_ref != first.provider_ref
    assert b.attempts("pay0001") == 1


async def test_what_is_paid_is_not_asked_for_again(b: StripeBench) -> None:
    payment, _charge = await b.paid()
    assert await refused(b.paying.request(payment, b.bill())) == "already_paid"


async def test_what_is_paid_is_not_asked_for_again_in_other_words(b: StripeBench) -> None:
    await b.paid()
    assert await refused(b.paying.request(b.payment(), b.bill(title="Other"))) == "already_paid"


async def test_a_method_that_the_account_has_not_switched_on_is_off(b: StripeBench) -> None:
    b.state.types = ["alipay"]
    assert await refused(b.paying.request(b.payment(), b.bill())) == "method_off"


async def test_keys_forgotten_two_pages_stand_and_both_are_closed(b: StripeBench) -> None:
    b.strike("forgets_keys")
    await b.paying.request(b.payment(), b.bill())
    payment, _shown = await b.asked()
    assert b.attempts("pay0001") == 2
    assert (await b.paying.cancel(payment)).standing is ENDED
    assert b.attempts("pay0001") == 0


async def test_closing_tells_of_money_on_a_page_that_we_never_knew_of(b: StripeBench) -> None:
    b.strike("forgets_keys")
    unknown = await b.paying.request(b.payment(), b.bill())
    payment, _shown = await b.asked()
    await b.pay(payment, unknown)
    assert one_charge(await b.paying.cancel(payment)).amount == b.amount


async def test_paid_between_the_question_and_the_closing(b: StripeBench) -> None:
    b.strike("paid_on_closing")
    payment, _shown = await b.asked()
    assert one_charge(await b.paying.cancel(payment)).amount == b.amount


async def test_a_payment_under_way_is_neither_money_nor_an_end(b: StripeBench) -> None:
    b.strike("stays_processing")
    payment, shown = await b.asked()
    await b.pay(payment, shown)
    found = await b.paying.lookup(payment)
    assert (found.standing, found.reason, found.charges) == (OPEN, "processing", ())
    assert (await b.paying.cancel(payment)).standing is OPEN
    b.calm()
    await b.http.get(str(shown.url))
    assert one_charge(await b.paying.lookup(payment)).amount == b.amount


async def test_a_list_that_lags_is_not_taken_for_proof_by_the_page_we_know(b: StripeBench) -> None:
    b.strike("list_lags")
    payment, charge = await b.paid()
    assert one_charge(await b.paying.lookup(payment)) == charge


async def test_a_charge_is_told_by_the_one_method_it_was_asked_by(b: StripeBench) -> None:
    card, alipay, wechat = StripeCheckout.from_settings(b.settings(), b.clock)
    _payment, charge = await b.paid()
    assert [one.id for one in await card.list_since(EPOCH)] == [charge.id]
    assert list(await alipay.list_since(EPOCH)) == []
    # Another shop's, on the same account: it has nothing of ours but its own way to pay.
    b.state.intents[0].metadata = {"order": "77"}
    assert [one.reference for one in await card.list_since(EPOCH)] == [""]
    assert list(await wechat.list_since(EPOCH)) == []
    await card.close()


async def test_a_list_without_an_end_is_no_list(b: StripeBench) -> None:
    await b.paid()
    b.strike("endless_list")
    await unavailable(b.paying.list_since(EPOCH))
    assert b.called_for("GET /v1/charges") <= 3


# ---- money back --------------------------------------------------------------------------


async def test_a_refund_that_broke_once_does_not_break_for_ever(b: StripeBench) -> None:
    """Stripe answers a key again as the first time, a failure too, for a day at least."""
    payment, _ = await b.paid()
    refund = b.refund(payment)
    b.strike("acting_500", times=1)
    for _ in range(3):
        await unavailable(b.paying.refund(payment, refund))
    b.clock.advance(24 * 3600)
    for _ in range(2):
        assert await b.paying.refund(payment, refund) is Return.DONE
    assert b.returned(payment.id) == b.amount.minor
