"""Reloadly beyond what every Carrier promises: tokens, and operators of every kind."""

import asyncio
import time
from dataclasses import replace

import pytest

from bot.domain.money import Money
from bot.domain.plans import OpenAmount
from bot.ports import SupplierPlan, SupplierQuote, TopUpStatus
from tests.contract.bench_reloadly import (
    ATT,
    CMCC,
    SMART,
    TELECOM,
    TMOBILE,
    UNICOM,
    ReloadlyBench,
)
from tests.contract.carrier_bench import Host, unavailable
from tests.contract.carrier_table import Adapter, Check, Table

SUCCEEDED, PROCESSING, REJECTED, UNKNOWN, NOT_FOUND, NOT_SENT = (
    TopUpStatus.SUCCEEDED,
    TopUpStatus.PROCESSING,
    TopUpStatus.REJECTED,
    TopUpStatus.UNKNOWN,
    TopUpStatus.NOT_FOUND,
    TopUpStatus.NOT_SENT,
)
TABLE = Table("reloadly")
case = TABLE.case


# ---- tokens ------------------------------------------------------------------------------


@case("one token serves many calls")
async def _(b: ReloadlyBench) -> None:
    await asyncio.gather(*(b.carrier.wallet() for _ in range(20)))
    assert b.asked("POST /oauth/token") == 1


@case("a token is renewed before it ends")
async def _(b: ReloadlyBench) -> None:
    await b.carrier.wallet()
    b.clock.advance(b.state.token_seconds - 30)
    assert await b.carrier.wallet()
    assert b.asked("POST /oauth/token") == 2
    assert {call.status for call in b.calls.after()} == {200}


@case("a token that ends early is renewed once for a read")
async def _(b: ReloadlyBench) -> None:
    await b.carrier.wallet()
    b.strike("token_expired", times=1)
    assert await b.carrier.wallet()
    assert b.asked("POST /oauth/token") == 2


@case("a token that ends just before the purchase buys nothing; then it goes on")
async def _(b: ReloadlyBench) -> None:
    b.strike("token_gone", times=1)
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason, b.topups()) == (NOT_SENT, "credentials", 0)
    assert (await b.carrier.submit(b.request())).status is SUCCEEDED


@case("a token refused for ever is a matter of credentials")
async def _(b: ReloadlyBench) -> None:
    b.strike("token_expired")
    assert await unavailable(b.carrier.wallet()) == "credentials"


@case("no token to be had: nothing is sent")
async def _(b: ReloadlyBench) -> None:
    b.strike("no_token")
    assert await unavailable(b.carrier.wallet()) == "http_500"
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason, b.asked(b.buys)) == (NOT_SENT, "http_500", 0)


@case("too many requests until a moment: waits until then")
async def _(b: ReloadlyBench) -> None:
    await b.carrier.wallet()
    b.strike("rate_reset", times=1)
    began = time.monotonic()
    assert await b.carrier.wallet()
    assert time.monotonic() - began >= 0.9


# ---- numbers and operators ---------------------------------------------------------------


def whose(number: str, operator_id: str, name: str, country: str) -> None:
    async def check(b: ReloadlyBench) -> None:
        found = await b.carrier.resolve(iccid=None, msisdn=number)
        assert found is not None
        assert (found.supplier_ref, found.carrier, found.country, found.msisdn) == (
            operator_id,
            name,
            country,
            number,
        )
        assert found.reading is None

    case(f"{number} is {name}'s")(check)


whose(SMART, "423", "Smart Philippines", "PH")
whose(TMOBILE, "548", "T-Mobile USA RTR", "US")
whose(ATT, "1207", "AT&T USA", "US")
whose(CMCC, "85", "China Mobile China", "CN")
whose(UNICOM, "86", "China Unicom China", "CN")
whose(TELECOM, "87", "China Telecom China", "CN")


@case("a number without an operator, and what is no number, are nobody's")
async def _(b: ReloadlyBench) -> None:
    for number in ("+818012345678", "+13125550100", "+999123", "hello", ""):
        assert await b.carrier.resolve(iccid=None, msisdn=number) is None
    assert await b.carrier.resolve(iccid="89852041000000001015", msisdn=None) is None


@case("a SIM without a number has no plans and can't be topped up")
async def _(b: ReloadlyBench) -> None:
    nameless = b.sim("+818012345678")
    assert await unavailable(b.carrier.plans(nameless)) == "unknown_sim"


@case("a SIM of another supplier is known by its number alone")
async def _(b: ReloadlyBench) -> None:
    for supplier, operator_id in (("esim_access", "423"), ("reloadly", "548")):
        sim = replace(b.sim(), supplier=supplier, supplier_ref="548")
        assert [plan.code for plan in await b.carrier.plans(sim)] == [operator_id]


def ranged(currency: str, low: str, high: str) -> OpenAmount:
    return OpenAmount(Money.of(low, currency), Money.of(high, currency), Money(1, currency))


@case("fixed amounts at home: one plan each, in dollars")
async def _(b: ReloadlyBench) -> None:
    plans = await b.carrier.plans(b.sim(ATT))
    assert [plan.code for plan in plans] == ["1207:15", "1207:30", "1207:50", "1207:100"]
    assert plans[1] == SupplierPlan(
        "1207:30", Money.of("28.95", "USD"), 0, None, name="AT&T Prepaid 30 USD"
    )


@case("fixed amounts in the phone's currency: one plan each, with it in the code")
async def _(b: ReloadlyBench) -> None:
    plans = await b.carrier.plans(b.sim(CMCC))
    assert [plan.code for plan in plans] == ["85:50CNY", "85:100CNY", "85:200CNY", "85:300CNY"]
    assert plans[0].cost == Money.of("7.30", "USD")
    assert plans[0].name == "China Mobile China 50 CNY"


def range_case(number: str, code: str, amounts: OpenAmount) -> None:
    async def check(b: ReloadlyBench) -> None:
        (plan,) = await b.carrier.plans(b.sim(number))
        assert (plan.code, plan.cost, plan.amount) == (code, None, amounts)

    case(f"the range of operator {code} is in the phone's currency")(check)


range_case(TMOBILE, "548", ranged("USD", "10", "100"))
range_case(SMART, "423", ranged("PHP", "50", "1000"))
range_case(TELECOM, "87", ranged("CNY", "50", "500"))
range_case(UNICOM, "86", ranged("CNY", "22.99", "502.81"))


def price(number: str, code: str, amount: str | None, cost: str, delivered: str, sent: str) -> None:
    async def check(b: ReloadlyBench) -> None:
        money = Money.of(*amount.split()) if amount else None
        arrives = Money.of(*delivered.split())
        quote = await b.carrier.quote(b.sim(number), code, money)
        assert quote == SupplierQuote(cost=Money.of(cost, "USD"), delivered=arrives)
        before = await b.carrier.wallet()
        request = b.request(sim=b.sim(number), supplier_code=code, amount=money, max_cost=None)
        answer = await b.carrier.submit(request)
        assert (answer.status, answer.delivered) == (SUCCEEDED, arrives)
        after = await b.carrier.wallet()
        assert before is not None
        assert after is not None
        assert quote.cost is not None
        paid = before - after
        assert 0 <= (quote.cost - paid).minor + 1 <= 1
        assert f"{b.last().requested:f} {b.last().currency}" == sent
        assert b.last().number == number.removeprefix("+")

    case(f"price and purchase of {code} {amount or ''}".strip())(check)


price(TMOBILE, "548", "25 USD", "23.90", "25 USD", "25.00 USD")
price(ATT, "1207:50", None, "48.25", "50 USD", "50 USD")
price(SMART, "423", "300 PHP", "5.27", "300 PHP", "300.00 PHP")
price(CMCC, "85:100CNY", None, "14.60", "100 CNY", "100 CNY")
price(UNICOM, "86", "100 CNY", "14.87", "100.03 CNY", "15.32 USD")
price(TELECOM, "87", "50 CNY", "7.30", "50 CNY", "50.00 CNY")


def no_price(title: str, reason: str, code: str, amount: str | None) -> None:
    async def check(b: ReloadlyBench) -> None:
        money = Money.of(*amount.split()) if amount else None
        refused = SupplierQuote(refused=reason)
        assert await b.carrier.quote(b.sim(), code, money) == refused
        answer = await b.carrier.submit(b.request(supplier_code=code, amount=money))
        assert (answer.status, answer.reason, b.asked(b.buys)) == (REJECTED, reason, 0)

    case(f"no price: {title}")(check)


no_price("no amount chosen", "amount_needed", "423", None)
no_price("an amount too small", "amount_out_of_range", "423", "49.99 PHP")
no_price("an amount too large", "amount_out_of_range", "423", "1000.01 PHP")
no_price("an amount in our own currency", "amount_out_of_range", "423", "5 USD")
no_price("a fixed amount that is none", "not_sold_now", "1207:31", None)
no_price("a fixed amount without its currency", "not_sold_now", "85:50", None)
no_price("a fixed amount of a range", "not_sold_now", "423:100", "100 PHP")
no_price("a range of fixed amounts", "not_sold_now", "1207", "30 USD")
no_price("an operator nobody knows", "not_sold_now", "999999", "100 PHP")


@case("an operator switched off sells nothing")
async def _(b: ReloadlyBench) -> None:
    b.strike("operator_off")
    assert await b.carrier.plans(b.sim()) == []
    quote = await b.carrier.quote(b.sim(), b.plan, b.amount)
    assert quote == SupplierQuote(refused="operator_down")


@case("an operator switched off after its price was read refuses")
async def _(b: ReloadlyBench) -> None:
    b.strike("off_meanwhile")
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason, b.asked(b.buys)) == (REJECTED, "operator_down", 1)


# ---- the table ---------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("adapter", "check"), TABLE.rows())
async def test_carrier(adapter: Adapter, check: Check, served_host: tuple[Host, str]) -> None:
    async with adapter.bench(*served_host) as bench:
        await check(bench)
