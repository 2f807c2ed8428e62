"""PayPal's report of its account: what came in, and what of it went back.

It covers at most 31 days a question and three years in all, and lags behind by up to three hours.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator

from bot.payments.paypal_api import Amount, Api, Text, as_list
from bot.ports import Charge

_SLICE = timedelta(days=31)
_KEPT = timedelta(days=3 * 365)
_GOES_BACK = frozenset({"T1106", "T1107", "T1201", "T1202"})
"""Reversal, refund, chargeback and its undoing."""
_DISPUTED = frozenset({"T1110", "T1201"})
"""Money held for a dispute, chargeback."""


class Row(BaseModel):
    """One line of the account's report. Money that left has a minus."""

    transaction_id: str
    transaction_status: Text = None
    transaction_event_code: str = ""
    transaction_initiation_date: datetime
    transaction_amount: Amount
    custom_field: Text = None
    invoice_id: Text = None
    paypal_reference_id: Text = None


class _Entry(BaseModel):
    transaction_info: Row


class Report(BaseModel):
    """One page of the report."""

    transaction_details: Annotated[list[_Entry], BeforeValidator(as_list)]
    total_pages: int = 1


async def read(api: Api, since: datetime, until: datetime) -> Sequence[Charge]:
    """Every payment to us within that time (UTC). Raises PaymentUnavailable."""
    rows: list[Row] = []
    start = max(since, until - _KEPT)
    while start < until:
        stop = min(start + _SLICE, until)
        rows += await _rows(api, start, stop)
        start = stop
    return tuple(_charges(rows))


async def _rows(api: Api, start: datetime, stop: datetime) -> list[Row]:
    rows: list[Row] = []
    number, pages = 1, 1
    while number <= pages:
        params = {
            "start_date": _moment(start),
            # Whole seconds: what came in within the last one is in this answer too.
            "end_date": _moment(stop + timedelta(seconds=1)),
            "fields": "transaction_info",
            "page_size": "500",
            "page": str(number),
        }
        page: Report = await api.get(Report, "/v1/reporting/transactions", params)
        rows += [entry.transaction_info for entry in page.transaction_details]
        number, pages = number + 1, page.total_pages
    return rows


def _charges(rows: Iterable[Row]) -> Iterable[Charge]:
    rows = {row.transaction_id: row for row in rows}.values()
    back: dict[str, int] = {}
    for row in rows:
        if row.transaction_event_code in _GOES_BACK and row.paypal_reference_id:
            minor = row.transaction_amount.money.minor
            back[row.paypal_reference_id] = back.get(row.paypal_reference_id, 0) - minor
    disputed = {row.paypal_reference_id for row in rows if row.transaction_event_code in _DISPUTED}
    for row in rows:
        if _came_in(row):
            yield Charge(
                id=row.transaction_id,
                reference=row.custom_field or row.invoice_id or "",
                amount=row.transaction_amount.money,
                at=row.transaction_initiation_date,
                returned=back.get(row.transaction_id, 0),
                disputed=row.transaction_id in disputed,
            )


def _came_in(row: Row) -> bool:
    """A payment to us that is complete; V is one that went back since."""
    return (
        row.transaction_event_code.startswith("T00")
        and row.transaction_amount.value > 0
        and row.transaction_status in ("S", "V")
    )


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
