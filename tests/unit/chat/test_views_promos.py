"""Codes and points in words, in every language."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.chat.views import paying, promos
from bot.chat.views.reasons import REASONS
from bot.domain.chats import LANGUAGES
from bot.domain.money import Money
from bot.domain.points import Effect, PointEntry, PointTerms
from bot.domain.quotes import Discount
from bot.i18n import words
from tests.unit.store.samples import NOW, managed, quote

T = words("en")
TERMS = PointTerms(
    {"USD": Decimal(10), "PHP": Decimal("0.2")}, {"USD": Decimal("0.001")}, 12, Decimal(50)
)
HISTORY = [
    PointEntry(effect, amount, NOW)
    for effect, amount in zip(Effect, (85, -40, 40, -85, -3, 58), strict=True)
]
ACCOUNT = promos.Account(1234, (NOW + timedelta(days=3), 50), HISTORY)
GIFT = Discount("gift", {"en": "Gift & more", "zh_Hans": "礼物"}, Money(0, "USD"), 5)
SPRING = Discount("spring", {"en": "Spring"}, Money(129, "USD"))
LOWERED = replace(
    quote(), discounts=(SPRING, GIFT), points=100, points_worth=Money(100, "USD"),
    due=Money(1061, "USD"), earns=106,
)  # fmt: skip


def labels(**changes: object) -> list[str]:
    """Buttons under a price."""
    spare = changes.pop("spare", (85, Money(85, "USD")))
    made = replace(quote(), **changes)  # type: ignore[arg-type]
    rows = promos.wishes(T, made, spare, codes=True)  # type: ignore[arg-type]
    return [cell.label for row in rows for cell in row]


def test_a_price_names_each_discount_the_points_and_what_is_left() -> None:
    said = paying.price_lines(T, LOWERED)
    assert said == [
        "List price: $12.90", "Spring: −$1.29", "Gift &amp; more", "100 points: −$1",
        "To pay: <b>$10.61</b>", "Points for this order: 106",
    ]  # fmt: skip


def test_a_price_without_promos_says_nothing_of_them() -> None:
    assert paying.price_lines(T, quote()) == ["List price: $12.90"]


def test_points_are_offered_with_what_they_pay_and_can_be_kept() -> None:
    assert labels() == ["I have a code", "Use 85 points (−$0.85)"]
    assert labels(points=85) == ["I have a code", "Keep my points"]
    assert labels(spare=None) == ["I have a code"]
    assert promos.wishes(T, quote(), None, codes=False) == []


def test_the_wishes_stand_above_the_way_back() -> None:
    rows = promos.wishes(T, quote(), None, codes=True)
    shown = paying.quote(T, quote(), managed(), NOW, extends=None, wishes=rows).rows
    assert [cell.label for row in shown[-2:] for cell in row] == ["I have a code", "‹ Other plan"]


def test_a_wrong_code_is_explained_above_the_question() -> None:
    text = promos.ask_code(T, quote(), T(REASONS["promo_over"])).text
    assert text.index("This offer is over") < text.index("Send me the code")


def test_the_account_says_what_there_is_and_what_happened() -> None:
    text = promos.points(T, ACCOUNT, TERMS, NOW).text
    assert "Your points: 1,234" in text
    assert "10 for $1, 0.2 for ₱1" in text
    assert "100 points pay $0.10, and up to 50 % of a price." in text
    assert "50 of them expire on 23 Nov." in text
    assert "+85 · earned by an order · 20 Nov" in text
    assert "−3 · expired · 20 Nov" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_is_in_every_language(language: str) -> None:
    t = words(language)
    screens = [
        promos.points(t, ACCOUNT, TERMS, NOW),
        promos.points(t, promos.Account(0, None, ()), TERMS, NOW),
        promos.points(t, ACCOUNT, None, NOW),
        promos.ask_code(t, quote()),
    ]
    for screen in screens:
        assert screen.text
        assert screen.rows
        if language != "en":
            assert not any(word in screen.text for word in ("points", "Send", "earned", "offer"))


@pytest.mark.parametrize(
    "reason", [name for name in REASONS if name.startswith(("promo", "points"))]
)
@pytest.mark.parametrize("language", ["zh_Hans", "zh_Hant"])
def test_every_reason_is_in_chinese(language: str, reason: str) -> None:
    assert words(language)(REASONS[reason]) != REASONS[reason]
