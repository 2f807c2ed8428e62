"""Stripe beyond what every PaymentMethod promises: kept cards, its calls, the stand-in's page."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.demo.stripe_shown import dispute, return_outside, send_webhooks, signature
from bot.ports import Call, Shown, Standing, WebhookRefused
from tests.contract.bench_stripe import (
    ASKS_LATER,
    DECLINED_LATER,
    OK,
    AlipayBench,
    StripeBench,
    WechatBench,
    stripe_bench,
)
from tests.contract.botapi_server import serving
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import one_charge, unavailable

ENDED = Standing.ENDED


@pytest.fixture
async def b() -> AsyncIterator[StripeBench]:
    host = Host()
    async with serving(host) as address, stripe_bench(host, address) as bench:
        yield bench


# ---- kept cards --------------------------------------------------------------------------


async def test_a_kept_card_has_a_name(b: StripeBench) -> None:
    kept = await b.kept(OK)
    assert kept.label == "Visa ···· 4242"
    customer, _, card = kept.token.partition("/")
    assert (customer[:4], card[:3]) == ("cus_", "pm_")


@pytest.mark.parametrize(
    ("card", "reason"), [(DECLINED_LATER, "insufficient_funds"), (ASKS_LATER, "needs_confirmation")]
)
async def test_what_its_bank_refuses_later_ends_and_stays_ended(
    b: StripeBench, card: int, reason: str
) -> None:
    kept = await b.kept(card)
    payment = b.payment("renew001", saved_id="saved001")
    for _n in range(2):
        found = await b.paying.charge_saved(payment, kept.token, b.bill())
        assert (found.standing, found.reason) == (ENDED, reason)
    found = await b.paying.lookup(payment)
    assert (found.standing, found.reason) == (ENDED, reason)
    assert b.taken("renew001") == []
    assert len([one for one in b.state.intents if one.metadata["xuka_payment"] == "renew001"]) == 1


async def test_what_waits_for_a_confirmation_is_closed_there(b: StripeBench) -> None:
    kept = await b.kept(ASKS_LATER)
    await b.paying.charge_saved(b.payment("renew001", saved_id="s"), kept.token, b.bill())
    assert b.state.intents[-1].status == "canceled"


async def test_a_card_that_is_gone_there_ends(b: StripeBench) -> None:
    kept = await b.kept(OK)
    b.state.cards.clear()
    payment = b.payment("renew001", saved_id="saved001")
    found = await b.paying.charge_saved(payment, kept.token, b.bill())
    assert (found.standing, found.reason) == (ENDED, "saved_gone")


async def test_what_was_charged_without_the_customer_is_kept_no_second_time(b: StripeBench) -> None:
    kept = await b.kept(OK)
    payment = b.payment("renew001", saved_id="saved001")
    charge = one_charge(await b.paying.charge_saved(payment, kept.token, b.bill()))
    assert charge.kept is None


async def test_closing_a_charge_that_was_made_tells_of_it(b: StripeBench) -> None:
    kept = await b.kept(OK)
    payment = b.payment("renew001", saved_id="saved001")
    await b.paying.charge_saved(payment, kept.token, b.bill())
    assert one_charge(await b.paying.cancel(payment)).amount == b.amount


async def test_in_trouble_a_kept_card_is_charged_by_no_guess(b: StripeBench) -> None:
    kept = await b.kept(OK)
    payment = b.payment("renew001", saved_id="saved001")
    for fault in ("http_500", "http_429", "garbage"):
        b.strike(fault)
        await unavailable(b.paying.charge_saved(payment, kept.token, b.bill()))
        await unavailable(b.paying.lookup(payment))
        b.calm()
    assert b.taken("renew001") == []


# ---- its calls ---------------------------------------------------------------------------


async def test_calls_about_refunds_and_disputes_are_traced_to_our_payment(b: StripeBench) -> None:
    _payment, charge = await b.paid()
    b.state.notices.clear()
    return_outside(b.state, b.intent_of(charge), 100, b.clock.now())
    dispute(b.state, b.intent_of(charge), b.clock.now())
    assert [one.type for one in b.state.notices] == [
        "refund.created",
        "charge.refunded",
        "charge.dispute.created",
    ]
    for notice in b.state.notices:
        [event] = await b.paying.parse_event(b.called(notice))
        assert (event.reference, event.event_id) == ("pay0001", notice.id)


async def test_a_call_that_must_be_asked_about_is_not_dropped_in_trouble(b: StripeBench) -> None:
    _payment, charge = await b.paid()
    dispute(b.state, b.intent_of(charge), b.clock.now())
    call = b.called(b.state.notices[-1])
    b.strike("http_500")
    await unavailable(b.paying.parse_event(call))


async def test_another_shops_payment_is_none_of_ours(b: StripeBench) -> None:
    payment, charge = await b.paid()
    b.intent_of(charge).metadata = {}
    notice = b.notice_of(payment)
    notice.body["metadata"] = {}
    assert list(await b.paying.parse_event(b.called(notice))) == []


async def test_a_call_about_anything_but_money_tells_nothing(b: StripeBench) -> None:
    payment, _charge = await b.paid()
    notice = b.notice_of(payment)
    assert notice.body["metadata"]["xuka_payment"] == "pay0001"
    notice.type = "payment_intent.created"
    assert list(await b.paying.parse_event(b.called(notice))) == []


async def test_without_a_secret_no_call_is_taken(b: StripeBench) -> None:
    payment, _charge = await b.paid()
    call = b.told(payment)
    with pytest.raises(WebhookRefused):
        await b.another(webhook_secret=None).parse_event(call)


async def test_a_signed_call_that_is_no_event_is_refused(b: StripeBench) -> None:
    for body in (b"[]", b"{}", b'{"id": "", "type": "x", "data": {"object": {}}}', b"null"):
        with pytest.raises(WebhookRefused):
            await b.paying.parse_event(Call(body, signature(body, b.state.webhook_secret)))


async def test_the_stand_in_calls_twice_and_repeats_what_nobody_took(b: StripeBench) -> None:
    heard: asyncio.Queue[Call] = asyncio.Queue()
    answers = [503, 503, 503, 503, 200, 200]

    async def hook(request: Request) -> Response:
        heard.put_nowait(Call(await request.body(), dict(request.headers)))
        return Response(status_code=answers.pop(0))

    async def told(times: int) -> list[str]:
        async with asyncio.timeout(10):
            calls = [await heard.get() for _ in range(times)]
        return [(await b.paying.parse_event(call))[0].event_id for call in calls]

    async with serving(Starlette(routes=[Route("/hook", hook, methods=["POST"])])) as address:
        b.strike("webhook_twice")
        payment, shown = await b.asked()
        await b.pay(payment, shown)
        b.state.webhook_url = f"{address}/hook"
        await send_webhooks(b.state, b.clock, b.faults, b.calls, b.http)
        first = await told(4)
        assert first[0] == first[1] != first[2] == first[3]
        b.calm()
        await send_webhooks(b.state, b.clock, b.faults, b.calls, b.http)
        assert heard.empty()
        b.clock.advance(120)
        await send_webhooks(b.state, b.clock, b.faults, b.calls, b.http)
        assert set(await told(2)) == set(first)
        assert b.state.notices == []


async def test_a_payment_on_the_page_makes_it_call(b: StripeBench) -> None:
    heard: asyncio.Queue[Call] = asyncio.Queue()

    async def hook(request: Request) -> Response:
        heard.put_nowait(Call(await request.body(), dict(request.headers)))
        return Response()

    async with serving(Starlette(routes=[Route("/hook", hook, methods=["POST"])])) as address:
        b.state.webhook_url = f"{address}/hook"
        payment, shown = await b.asked()
        await b.pay(payment, shown)
        async with asyncio.timeout(10):
            call = await heard.get()
        [event] = await b.paying.parse_event(call)
        assert event.reference == payment.id


# ---- the stand-in's page -----------------------------------------------------------------


@pytest.mark.parametrize("kind", [StripeBench, AlipayBench, WechatBench])
async def test_the_page_says_what_it_is_and_what_is_paid(kind: type[StripeBench]) -> None:
    host = Host()
    async with serving(host) as address, stripe_bench(host, address, kind) as b:
        for n, (language, demo) in enumerate(
            {"en": "Demo stand-in", "zh-hans": "演示用的", "zh-hant": "示範用的"}.items()
        ):
            shown = await b.paying.request(b.payment(f"pay000{n}"), b.bill(language=language))
            text = (await b.http.get(str(shown.url))).text
            assert demo in text
            assert "12.50 USD" in text
            assert 'name="viewport"' in text or "name=viewport" in text
            assert "https://" not in text


async def test_the_page_tells_how_it_went(b: StripeBench) -> None:
    _payment, shown = await b.asked()
    assert "银行拒绝了" in await b.press(shown, "decline")
    assert "付款成功" in await b.press(shown, "pay")
    assert "付款成功" in await b.press(shown, "pay")
    assert b.taken("pay0001") == [b.amount]
    gone = await b.http.get(str(shown.url).replace("cs_test", "cs_none"))
    assert gone.status_code == 404


async def test_names_are_written_as_text(b: StripeBench) -> None:
    shown: Shown = await b.paying.request(b.payment(), b.bill(title="<b>A&B</b>"))
    text = (await b.http.get(str(shown.url))).text
    assert "<b>A" not in text
    assert "&lt;b&gt;A&amp;B" in text
