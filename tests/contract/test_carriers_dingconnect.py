"""DingConnect beyond what every carrier promises: numbers, ranges, codes, and its own errors."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from bot.carriers.dingconnect import PRODUCTS_FOR, PROVIDERS_FOR
from bot.domain.money import Money
from bot.domain.plans import OpenAmount
from bot.ports import SupplierQuote, TopUpStatus
from tests.contract.bench_dingconnect import (
    ATT,
    CODE,
    FIXED,
    GLOBE,
    PHP_100,
    RANGE,
    SMART,
    a_line,
)
from tests.contract.bench_dingconnect import DingConnectBench as Bench
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
TABLE = Table("dingconnect")
case = TABLE.case


# ---- whose number ------------------------------------------------------------------------


def owner_case(msisdn: str, carrier: str | None, country: str) -> None:
    async def check(b: Bench) -> None:
        found = await b.carrier.resolve(iccid=None, msisdn=msisdn)
        assert found is not None
        assert (found.carrier, found.country, found.msisdn) == (carrier, country, msisdn)
        assert (found.supplier_ref, found.reading) == (msisdn[1:], None)

    case(f"{msisdn} is of {carrier} in {country}")(check)


owner_case(SMART, "Smart", "PH")
owner_case(GLOBE, "Globe", "PH")
owner_case("+13055550142", "T-Mobile", "US")
owner_case(ATT, "AT&T", "US")
owner_case("+8613800138000", "China Mobile", "CN")
owner_case("+8618600138000", "China Unicom", "CN")
owner_case("+8618900138000", "China Telecom", "CN")
owner_case("+19175550100", None, "US")  # two operators share that range


@case("an unknown number is nobody's, and the whole catalogue is not asked for")
async def _(b: Bench) -> None:
    for msisdn in ("+639001234567", "+818012345678"):
        assert await b.carrier.resolve(iccid=None, msisdn=msisdn) is None
        assert await b.carrier.plans(a_line(msisdn)) == []
    assert await b.carrier.resolve(iccid="89852041000000001015", msisdn=None) is None
    assert b.asked("GetProducts") == 0


@case("a SIM without a number can't be asked about")
async def _(b: Bench) -> None:
    assert await unavailable(b.carrier.plans(a_line(None))) == "unknown_sim"
    assert await unavailable(b.carrier.quote(a_line(None), RANGE, PHP_100)) == "unknown_sim"
    answer = await b.carrier.submit(b.request(sim=a_line(None)))
    assert (answer.status, answer.reason, b.asked(b.buys)) == (REJECTED, "unknown_sim", 0)


# ---- plans and prices --------------------------------------------------------------------


@case("an operator's plans: a range in the line's currency, and what is fixed with its cost")
async def _(b: Bench) -> None:
    plans = {plan.code: plan for plan in await b.carrier.plans(b.sim())}
    assert set(plans) == {RANGE, FIXED}
    least, most = Money.of(50, "PHP"), Money.of(1000, "PHP")
    assert plans[RANGE].amount == OpenAmount(least, most, Money(1, "PHP"))
    assert (plans[FIXED].cost, plans[FIXED].days) == (Money.of("1.98", "USD"), 30)


@case("what two operators of one range sell is all shown")
async def _(b: Bench) -> None:
    codes = {plan.code for plan in await b.carrier.plans(a_line("+19175550100"))}
    assert codes == {"US_TM_TopUp", "US_AT_TopUp", CODE}


@case("a code's cost has our fee in it")
async def _(b: Bench) -> None:
    plans = {plan.code: plan for plan in await b.carrier.plans(b.sim(3))}
    assert plans[CODE].cost == Money.of("24.50", "USD")


@case("lists are kept for hours, prices are not")
async def _(b: Bench) -> None:
    async def look() -> tuple[int, int]:
        await b.carrier.plans(b.sim())
        await b.carrier.resolve(iccid=None, msisdn=SMART)
        return b.asked("GetProducts"), b.asked("GetProviders")

    assert await look() == (1, 1)
    assert await look() == (1, 1)
    b.clock.advance(PRODUCTS_FOR.total_seconds() + 1)
    assert await look() == (2, 1)
    b.clock.advance(PROVIDERS_FOR.total_seconds())
    assert await look() == (3, 2)
    before = await b.carrier.quote(b.sim(), FIXED, None)
    b.strike("price_changed")
    after = await b.carrier.quote(b.sim(), FIXED, None)
    assert (before.cost, after.cost) == (Money.of("1.98", "USD"), Money.of("2.48", "USD"))


@case("a range is priced by what is to arrive, to the cent")
async def _(b: Bench) -> None:
    quote = await b.carrier.quote(b.sim(), RANGE, Money.of("123.40", "PHP"))
    # 2.468 dollars would do; a transfer has two decimals, and never too little arrives.
    assert (quote.cost, quote.delivered) == (Money.of("2.47", "USD"), Money.of("123.50", "PHP"))


def refused_case(title: str, reason: str, code: str, amount: Money | None, n: int = 0) -> None:
    async def check(b: Bench) -> None:
        assert await b.carrier.quote(b.sim(n), code, amount) == SupplierQuote(refused=reason)
        request = b.request(sim=b.sim(n), supplier_code=code, amount=amount, max_cost=None)
        answer = await b.carrier.submit(request)
        assert (answer.status, answer.reason, b.asked(b.buys)) == (REJECTED, reason, 0)

    case(f"no price: {title}")(check)


refused_case("a range without an amount", "amount_needed", RANGE, None)
refused_case("too little", "amount_out_of_range", RANGE, Money.of(49, "PHP"))
refused_case("too much", "amount_out_of_range", RANGE, Money.of(1001, "PHP"))
refused_case("another currency", "amount_out_of_range", RANGE, Money.of(100, "USD"))
refused_case("another country's product", "not_sold_now", "CMCN0050", None)
refused_case("another country's number", "not_sold_now", RANGE, PHP_100, n=2)


@case("a number ported within its country can be topped up at its new operator")
async def _(b: Bench) -> None:
    answer = await b.carrier.submit(b.request(sim=b.sim(1)))
    assert (answer.status, b.last().sku, b.last().account) == (SUCCEEDED, RANGE, GLOBE[1:])


@case("an operator that takes no transfers is named before anything is sent")
async def _(b: Bench) -> None:
    b.strike("provider_down")
    quote = await b.carrier.quote(b.sim(), RANGE, PHP_100)
    assert quote == SupplierQuote(refused="operator_down")
    answer = await b.carrier.submit(b.request())
    assert (answer.status, answer.reason, b.asked(b.buys)) == (REJECTED, "operator_down", 0)


# ---- transfers ---------------------------------------------------------------------------


@case("a range: what was quoted is sent and arrives, with the operator's own reference")
async def _(b: Bench) -> None:
    answer = await b.carrier.submit(b.request())
    assert answer.status is SUCCEEDED
    assert answer.operator_ref == b.last().provider_ref
    assert (answer.delivered, answer.pin) == (PHP_100, None)
    assert (b.last().distributor_ref, b.last().account) == ("ref-1", SMART[1:])
    assert await b.carrier.find(b.request()) == answer
    assert await b.carrier.status(b.request(), str(answer.supplier_ref)) == answer


@case("fixed: its one amount is sent")
async def _(b: Bench) -> None:
    answer = await b.carrier.submit(b.request(supplier_code=FIXED, amount=None))
    assert (answer.status, answer.delivered) == (SUCCEEDED, PHP_100)
    assert b.last().send == Decimal("1.98")


@case("a code is told, also after a lost answer, and from the receipt's text")
async def _(b: Bench) -> None:
    request = b.request(
        sim=b.sim(3), supplier_code=CODE, amount=None, max_cost=Money.of("24.50", "USD")
    )
    answer = await b.carrier.submit(request)
    assert (answer.status, answer.pin) == (SUCCEEDED, b.last().pin)
    assert b.last().account == "0000000000"
    assert (await b.another().find(request)).pin == b.last().pin
    b.strike("code_in_text")
    assert (await b.another().find(request)).pin == f"PIN {b.last().pin}"
    again = await b.carrier.submit(replace(request, ref="ref-2"))
    assert again.pin == f"PIN {b.last().pin}"


@case("a code that costs a cent more than the cap with its fee is not bought")
async def _(b: Bench) -> None:
    request = b.request(
        sim=b.sim(3), supplier_code=CODE, amount=None, max_cost=Money.of("24.49", "USD")
    )
    answer = await b.carrier.submit(request)
    assert (answer.status, answer.reason, b.asked(b.buys)) == (REJECTED, "price_moved", 0)


@case("a fixed price that moved after the quote is refused by the supplier")
async def _(b: Bench) -> None:
    quote = await b.carrier.quote(b.sim(), FIXED, None)
    b.strike("price_changed")
    request = b.request(supplier_code=FIXED, amount=None, quoted=quote.quoted)
    answer = await b.carrier.submit(request)
    assert (answer.status, answer.reason) == (REJECTED, "price_moved")
    assert (b.asked(b.buys), b.topups()) == (1, 0)


@case("a range that became dearer after the quote costs the same and says what arrived")
async def _(b: Bench) -> None:
    quote = await b.carrier.quote(b.sim(), RANGE, PHP_100)
    b.strike("price_changed")
    answer = await b.carrier.submit(b.request(quoted=quote.quoted))
    assert (answer.status, answer.delivered) == (SUCCEEDED, Money.of(80, "PHP"))
    assert b.last().cost == Decimal(2)


@case("a quote above the cap is not sent")
async def _(b: Bench) -> None:
    quote = await b.carrier.quote(b.sim(), RANGE, Money.of(1000, "PHP"))
    answer = await b.carrier.submit(b.request(quoted=quote.quoted))
    assert (answer.status, answer.reason, b.asked(b.buys)) == (REJECTED, "price_moved", 0)


def failure_case(title: str, fault: str, reason: str) -> None:
    async def check(b: Bench) -> None:
        quote = await b.carrier.quote(b.sim(), RANGE, PHP_100)
        wallet = await b.carrier.wallet()
        b.strike(fault)
        answer = await b.carrier.submit(b.request(quoted=quote.quoted))
        assert (answer.status, answer.reason) == (REJECTED, reason)
        assert (b.asked(b.buys), b.topups()) == (1, 0)
        b.calm()
        assert await b.carrier.wallet() == wallet
        assert (await b.carrier.find(b.request())).status in (REJECTED, NOT_FOUND)

    case(f"failed and not charged: {title}")(check)


failure_case("the operator did not answer in 90 seconds", "provider_timed_out", "operator_timeout")
failure_case("the operator refuses the number", "provider_refused", "number_refused")
failure_case("the operator went down after the quote", "provider_down", "operator_down")
failure_case("we send too much at once", "rate_limited", "busy")
failure_case("our wallet is empty, told with HTTP 500", "wallet_empty", "no_money")


def doubt_case(title: str, fault: str, reason: str, found: TopUpStatus) -> None:
    async def check(b: Bench) -> None:
        quote = await b.carrier.quote(b.sim(), RANGE, PHP_100)
        b.strike(fault)
        answer = await b.carrier.submit(b.request(quoted=quote.quoted))
        assert (answer.status, answer.reason, b.asked(b.buys)) == (UNKNOWN, reason, 1)
        assert (await b.carrier.find(b.request())).status is found

    case(f"in doubt, asked once and looked up: {title}")(check)


doubt_case("an error that says nothing", "server_error", "code_OtherError", NOT_FOUND)
doubt_case(
    "the operator's unknown error", "provider_unknown", "code_ProviderUnknownError", SUCCEEDED
)
doubt_case("a state nobody knows", "new_state", "new_state", UNKNOWN)


# ---- looking up --------------------------------------------------------------------------


@case("references are compared exactly, whatever the list holds")
async def _(b: Bench) -> None:
    b.strike("lookup_unfiltered")
    await b.carrier.submit(b.request("ref-10"))
    answer = await b.carrier.submit(b.request("ref-1"))
    await b.carrier.submit(b.request("REF-1"))
    assert await b.carrier.find(b.request("ref-1")) == answer
    assert (await b.carrier.find(b.request("ref"))).status is NOT_FOUND
    assert (await b.carrier.status(b.request(), "1")).status is NOT_FOUND


@case("a list that is cut off proves nothing")
async def _(b: Bench) -> None:
    await b.carrier.submit(b.request("ref-0"))
    b.state.transfers += [b.last().model_copy() for _ in range(120)]
    b.strike("lookup_unfiltered")
    found = await b.carrier.find(b.request("ref-1"))
    assert (found.status, found.reason) == (UNKNOWN, "list_cut")


@case("a list without references proves nothing")
async def _(b: Bench) -> None:
    await b.carrier.submit(b.request())
    b.strike("unlisted_ref")
    found = await b.carrier.find(b.request())
    assert (found.status, found.reason) == (UNKNOWN, "no_references")


@case("of two transfers with one reference the one that succeeded counts")
async def _(b: Bench) -> None:
    done = await b.carrier.submit(b.request())
    b.strike("provider_refused")
    await b.carrier.submit(b.request())
    assert b.last().ends_as == "Failed"
    assert await b.carrier.find(b.request()) == done


@case("too many questions, told by the envelope: asks again, then answers")
async def _(b: Bench) -> None:
    b.strike("rate_limited", times=1)
    assert (await b.carrier.find(b.request())).status is NOT_FOUND
    assert b.asked("ListTransferRecords") == 2


@case("a supplier slower than we wait is unavailable, not empty")
async def _(b: Bench) -> None:
    b.http.timeout = httpx.Timeout(0.3)
    b.strike("slow", times=1)
    assert await unavailable(b.carrier.find(b.request())) == "timeout"


@case("in other forms a fresh adapter reads the same")
async def _(b: Bench) -> None:
    async def everything() -> tuple[object, ...]:
        fresh = b.another()
        return (
            await fresh.resolve(iccid=None, msisdn=SMART),
            await fresh.plans(b.sim(3)),
            await fresh.quote(b.sim(), RANGE, PHP_100),
            await fresh.wallet(),
            await fresh.find(request),
            await fresh.resolve(iccid=None, msisdn="+639001234567"),
        )

    request = b.request(sim=b.sim(3), supplier_code=CODE, amount=None, max_cost=Money.of(30, "USD"))
    assert (await b.carrier.submit(request)).pin
    plain = await everything()
    b.strike("other_forms")
    assert await everything() == plain


@case("our wallet is rounded down, and what fails later comes back to it")
async def _(b: Bench) -> None:
    b.strike("fails_later", times=1)
    assert (await b.carrier.submit(b.request())).status is PROCESSING
    assert await b.carrier.wallet() == Money.of(498, "USD")
    b.clock.advance(timedelta(minutes=2).total_seconds())
    assert await b.carrier.wallet() == Money.of(500, "USD")
    b.state.balance -= Decimal("0.001")
    assert await b.carrier.wallet() == Money.of("499.99", "USD")


# ---- the table ---------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("adapter", "check"), TABLE.rows())
async def test_carrier(adapter: Adapter, check: Check, served_host: tuple[Host, str]) -> None:
    async with adapter.bench(*served_host) as bench:
        await check(bench)
