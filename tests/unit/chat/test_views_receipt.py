"""Receipts and the file of orders: every amount of the sale, nothing of anybody else's."""

import csv
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest

from bot.chat.pictures.facts import receipt_facts, unmarked
from bot.chat.shop import Merchant
from bot.chat.views import export
from bot.chat.views import orders as order_views
from bot.chat.views import receipt as views
from bot.chat.views.sale import Sale
from bot.domain.chats import LANGUAGES
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, RefundState
from bot.domain.quotes import Discount, Rate, Total
from bot.domain.requests import RefundRequest, RequestState, Why
from bot.domain.sales import Method, Refund
from bot.i18n import words
from tests.unit.store.samples import (
    ALICE,
    NOW,
    days,
    managed,
    order,
    payment,
    quote,
    reading,
    topup,
)

PAID = Money(8590, "CNY")
RATE = Rate("USD", "CNY", Decimal("7.1234"), "ECB", days(-0.2), Decimal("1.5"))
TOTAL = Total(Method.ALIPAY, PAID, Money(86, "CNY"), RATE)


def refund(minor: int, state: RefundState = RefundState.DONE, id: str = "r1") -> Refund:
    """A part of the payment that goes back."""
    done = NOW if state is RefundState.DONE else None
    return Refund(id, "p1", state, Money(minor, "CNY"), "requested", NOW, done_at=done)


def request(state: RequestState, **changes: Any) -> RefundRequest:
    """Alice's wish to have money back."""
    made = RefundRequest("rq1", "o1", ALICE, Why.OTHER, "It is slow", state, NOW, 7)
    return replace(made, **changes)


def sale(**changes: Any) -> Sale:
    """A top-up with everything a price can have, paid by Alipay."""
    sold = quote(
        due=Money(1200, "USD"),
        totals=(TOTAL,),
        discounts=(Discount("SPRING", {"en": "Spring sale", "zh_Hans": "春季特惠"},
                            Money(50, "USD")),),
        points=400,
        points_worth=Money(40, "USD"),
    )  # fmt: skip
    done = order(
        state=OrderState.FULFILLED, charge=PAID, method=Method.ALIPAY, fulfilled_at=NOW,
        due=Money(1200, "USD"), paid_at=NOW,
    )  # fmt: skip
    paid = payment(
        method=Method.ALIPAY, state=PaymentState.CAPTURED, captured=PAID, amount=PAID,
        charge_id="pi_3Nxyz",
    )  # fmt: skip
    moved = topup(before=reading(expiry=days(4)), after=reading(expiry=days(34), data_used=0))
    one = managed(owner_id=ALICE, iccid="8985200012345678905", nickname="=Mum")
    made = Sale(done, one, moved, paid, Merchant("Boom", "Boom Telecom Ltd"), quote=sold)
    return replace(made, **changes)


def text(shown: Sale, language: str = "en") -> str:
    """The receipt without markup."""
    return unmarked(views.receipt(words(language), shown, NOW).text)


def test_every_amount_of_the_sale_is_on_the_receipt() -> None:
    lines = text(sale()).split("\n")
    for line in (
        "Order: XK-O1",
        "List price: $12.90",
        "Spring sale: −$0.50",
        "400 points: −$0.40",
        "To pay: $12",
        "Fee, included: CN¥0.86",
        "Paid: CN¥85.90 by Alipay",
        "Charge: pi_3Nxyz",
        "SIM: 8985••••8905",
        "Sold by Boom Telecom Ltd",
    ):
        assert line in lines, (line, lines)
    [rate] = [line for line in lines if line.startswith("Rate:")]
    assert "7.123" in rate
    assert "ECB" in rate


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_says_every_amount_too(language: str) -> None:
    shown = sale(refunds=(refund(300),), request=request(RequestState.DECLINED, decided_at=NOW))
    together = str(receipt_facts(views.receipt(words(language), shown, NOW).text))
    for fact in ("XK-O1", "12.90", "0.50", "400", "0.86", "85.90", "pi_3Nxyz", "8985••••8905", "3"):
        assert fact in together


@pytest.mark.parametrize("state", [OrderState.FULFILLED, OrderState.REFUNDED])
def test_an_order_whose_money_went_back_names_no_points(state: OrderState) -> None:
    earns = sale(quote=quote(earns=76))
    assert "Points for this order: 76" in text(earns)
    paid = payment(method=Method.ALIPAY, state=PaymentState.REFUNDED, captured=PAID, amount=PAID)
    back = replace(earns, payment=paid, order=replace(earns.order, state=state))
    assert "Points for this order" not in text(back)
    part = replace(earns, refunds=(refund(300),))
    assert "Points for this order: 76" in text(part), "a part of them stays"


def test_what_went_back_and_what_is_on_its_way_are_told_apart() -> None:
    both = sale(refunds=(refund(300), refund(200, RefundState.SENDING, "r2")))
    assert "Returned: CN¥3 on 20 Nov 2026" in text(both)
    assert "Returned: CN¥2, on its way" in text(both)


@pytest.mark.parametrize(
    ("state", "changes", "said"),
    [
        (RequestState.ASKED, {}, "Refund: asked for on 20 Nov 2026, our shop decides"),
        (RequestState.DECLINED, {"decided_at": NOW}, "declined on 20 Nov"),
        (RequestState.PART, {"decided_at": NOW, "amount": Money(300, "CNY")},
         "CN¥3 approved on 20 Nov"),
        (RequestState.APPROVED, {"decided_at": NOW}, ", approved on 20 Nov"),
    ],
)  # fmt: skip
def test_a_wish_for_money_back_is_visible(
    state: RequestState, changes: dict[str, Any], said: str
) -> None:
    shown = sale(request=request(state, **changes))
    assert said in text(shown)
    labels = [b.label for row in views.receipt(words("en"), shown, NOW).rows for b in row]
    assert ("Ask for a refund" in labels) is (state is not RequestState.ASKED)


def test_nothing_is_asked_back_when_all_of_it_went_back() -> None:
    paid = sale().payment
    assert paid is not None
    assert not sale(payment=replace(paid, going_back=8590)).askable
    assert not sale(payment=replace(paid, state=PaymentState.DISPUTED)).askable
    assert sale(payment=replace(paid, going_back=8589)).askable


def test_cash_is_named_by_the_shops_own_receipt() -> None:
    paid = payment(method=Method.CASH, charge_id="cash:A-17", captured=Money(1290, "USD"))
    done = replace(sale().order, method=Method.CASH, charge=Money(1290, "USD"))
    shown = text(sale(order=done, payment=paid))
    assert "Receipt number: A-17" in shown
    assert "Charge:" not in shown
    assert "Fee" not in shown, "the fee of another way to pay"


def test_an_order_refunded_whole_keeps_its_particulars() -> None:
    back = replace(sale().order, state=OrderState.REFUNDED)
    shown = order_views.order_screen(words("en"), sale(order=back, refunds=(refund(8590),)), NOW)
    assert "Returned: CN¥85.90" in shown.text
    slip = views.slip(words("en"), sale(order=back), NOW)
    assert slip is not None
    assert "XK-O1" in slip.text
    waiting = replace(back, state=OrderState.AWAITING_PAYMENT)
    assert views.slip(words("en"), sale(order=waiting), NOW) is None


# ---- the file --------------------------------------------------------------------------------


def table(*sales: Sale, language: str = "en") -> list[dict[str, str]]:
    """The file as a spreadsheet reads it."""
    data = export.orders_csv(words(language), sales)
    assert data.startswith(b"\xef\xbb\xbf"), "without the mark Excel shows no Chinese"
    return list(csv.DictReader(StringIO(data.decode("utf-8-sig"))))


def test_the_file_has_a_line_for_each_order_with_its_amounts() -> None:
    [row, other] = table(sale(refunds=(refund(300),)), sale(quote=None))
    assert row["Order"] == "XK-O1"
    assert (row["List price"], row["Discounts"], row["To pay"]) == ("12.90", "0.50", "12.00")
    assert (row["Points"], row["Worth of the points"], row["Currency"]) == ("400", "0.40", "USD")
    assert (row["Fee"], row["Charged"], row["Charge currency"]) == ("0.86", "85.90", "CNY")
    assert (row["Returned"], row["Still being returned"]) == ("3.00", "")
    assert (row["Rate"], row["Paid by"]) == ("7.1234", "Alipay")
    assert row["SIM number"] == "8985••••8905"
    assert (other["Discounts"], other["Charged"]) == ("", "85.90")


def test_no_cell_is_taken_for_a_formula() -> None:
    [row] = table(sale())
    assert row["SIM"].startswith("'=Mum")
    for evil in ("=1+1", "+86", "-2", "@SUM(A1)", "\t=1", " =1", "\r=1"):
        assert export.guarded(evil) == f"'{evil}"
    assert export.guarded("2.50") == "2.50"
    phone = replace(sale().sim, iccid=None, msisdn="+639170001234")
    [row] = table(sale(sim=phone))
    assert row["SIM number"].startswith("'+639")


@pytest.mark.parametrize("language", ["zh_Hans", "zh_Hant"])
def test_the_file_speaks_chinese(language: str) -> None:
    [row] = table(sale(), language=language)
    assert all(any("一" <= letter <= "鿿" for letter in column) or column in ("SIM 卡",)
               for column in row)  # fmt: skip
