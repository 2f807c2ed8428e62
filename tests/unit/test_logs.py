"""What never stands in a log, whoever logs it; and what still does, to find one's way."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from bot import logs
from bot.logs import redact

STARS = "stxyFMt0rr3Y5ANU2vdLcVpiJQ5qDDEOwyCyvtHdJ0kzTfA1b"


@pytest.mark.parametrize(
    "private",
    [
        "ch_3PqX7Y2eZvKYlo2C0abcdEFG",
        "pi_3PqX7Y2eZvKYlo2C1hQwErTy",
        "cs_test_a1B2c3D4e5F6g7H8",
        "pm_1PqX7Y2eZvKYlo2C",
        "evt_1PqX7Y2eZvKYlo2CAAAA",
        "8MC585209K746392H",
        "2026112022001412341234567890",
        STARS,
        "emma.clark+sim@mail.example.com",
        "8944501012345678901",
        "+8613800138000",
        "LPA:1$rsp.example$ABC",
    ],
)
def test_what_names_a_payer_or_a_payment_is_taken_out(private: str) -> None:
    for text in (private, f"refused: {private}.", f"('{private}',)", f"id={private} again"):
        assert private not in redact(text), redact(text)


@pytest.mark.parametrize("label", ["Visa ···· 4242", "Mastercard •••• 4444", "**** 1881"])
def test_the_end_of_a_card_is_taken_out(label: str) -> None:
    assert label[-4:] not in redact(f"declined: {label}")


@pytest.mark.parametrize(
    "useful",
    [
        "o7f3k2m9p-t4h8",
        "XK-7F3K2M9PQ4",
        "card_declined",
        "payment_disputed",
        "sub_cancelled_by_customer",
        "order:7f3k2m9pq4:needs_operator",
        "/opt/xuka/bot/services/reconcile.py",
        "test_after_forgetting_nothing_of_the_person_is_left_anywhere",
        "TimeoutError",
        "2026-11-20T12:00:00.123456Z",
        "77001234",
    ],
)
def test_what_one_finds_ones_way_by_stays(useful: str) -> None:
    assert redact(f"({useful})") == f"({useful})"


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What the bot's own root handler writes; the root logger is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    logs.configure("DEBUG", "json")
    out = StringIO()
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(out)
    yield out
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_fields_that_say_who_paid_are_hidden_wherever_they_stand(written: StringIO) -> None:
    structlog.get_logger("bot.test").error(
        "charge_without_order", charge="plain-1", reference="o7-p1", payer=77,
        more={"label": "Visa", "provider_ref": None}, subject="charge:plain-2",
    )  # fmt: skip
    said = json.loads(written.getvalue())
    assert said["charge"] == "<charge>"
    assert said["payer"] == "<payer>"
    assert said["more"] == {"label": "<label>", "provider_ref": None}
    assert said["subject"] == "charge:<id>"
    assert said["reference"] == "o7-p1"
