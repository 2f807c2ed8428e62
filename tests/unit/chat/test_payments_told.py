"""What a message about money says, in our own words."""

from datetime import UTC, datetime
from typing import Any

from telegram import SuccessfulPayment

from bot.chat.payments import charge_of, recurring_of
from bot.domain.money import Money
from bot.domain.subscriptions import Recurring
from bot.ports import Charge

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
UNTIL = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)


def told(**more: Any) -> SuccessfulPayment:
    """As Telegram sends it."""
    raw = {
        "currency": "XTR",
        "total_amount": 655,
        "invoice_payload": "pay0001",
        "telegram_payment_charge_id": "stx1",
        "provider_payment_charge_id": "1001_1",
    }
    payment = SuccessfulPayment.de_json({**raw, **more}, None)
    assert payment is not None
    return payment


def test_stars_are_a_charge_of_the_payers() -> None:
    assert charge_of(told(), 1001, AT) == Charge(
        id="stx1", reference="pay0001", amount=Money(655, "XTR"), at=AT, payer_id=1001
    )


def test_a_card_is_told_in_minor_units_and_by_telegrams_id() -> None:
    charge = charge_of(told(currency="JPY", total_amount=500), 1002, AT)
    assert (charge.id, charge.amount, charge.payer_id) == ("stx1", Money(500, "JPY"), 1002)


def test_what_is_paid_once_is_no_subscription() -> None:
    assert recurring_of(told()) is None


def test_a_subscription_says_whether_it_began_and_until_when_it_is_paid() -> None:
    until = int(UNTIL.timestamp())
    began = told(is_recurring=True, is_first_recurring=True, subscription_expiration_date=until)
    again = told(is_recurring=True, subscription_expiration_date=until)
    assert recurring_of(began) == Recurring(first=True, until=UNTIL)
    assert recurring_of(again) == Recurring(first=False, until=UNTIL)
