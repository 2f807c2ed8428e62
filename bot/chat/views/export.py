"""A customer's orders as a file for Excel or any spreadsheet (F17)."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

from bot.chat.views.orders import STATES
from bot.chat.views.plans import plan_name
from bot.chat.views.receipt import charge_id, charged, validity
from bot.chat.views.sale import METHODS, Sale
from bot.chat.views.sims import title
from bot.domain.money import Money
from bot.domain.orders import RefundState
from bot.domain.sims import Sim, mask
from bot.i18n import N_, Words

COLUMNS = (
    N_("Order"), N_("Date"), N_("State"), N_("SIM"), N_("SIM number"), N_("Plan"),
    N_("List price"), N_("Discounts"), N_("Points"), N_("Worth of the points"), N_("To pay"),
    N_("Currency"), N_("Rate"), N_("Fee"), N_("Charged"), N_("Charge currency"), N_("Paid by"),
    N_("Charge number"), N_("Returned"), N_("Still being returned"), N_("Valid until, before"),
    N_("Valid until, after"), N_("Sold by"),
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def orders_csv(t: Words, sales: Sequence[Sale]) -> bytes:
    """One line an order. UTF-8 with a mark in front: without it Excel shows no Chinese."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow([t.plain(column) for column in COLUMNS])
    for sale in sales:
        writer.writerow([guarded(cell) for cell in _row(t, sale)])
    return out.getvalue().encode("utf-8-sig")


def guarded(cell: str) -> str:
    """A text that no spreadsheet takes for a formula: what a SIM is called is a customer's word."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def unnamed(sim: Sim) -> Sim:
    """A SIM without what its holder calls it."""
    return replace(sim, nickname=None)


def _row(t: Words, sale: Sale) -> list[str]:
    order, quote, total = sale.order, sale.quote, charged(sale)
    number = sale.sim.msisdn or sale.sim.iccid
    discounts = [one.amount for one in quote.discounts] if quote else []
    back = [one for one in sale.refunds if one.state is RefundState.DONE]
    coming = [one for one in sale.refunds if one.state is not RefundState.DONE]
    old, new = validity(sale)
    return [
        order.number,
        t.stamp(order.fulfilled_at or order.paid_at or order.created_at),
        t.plain(STATES[order.state]),
        title(t, sale.sim),
        mask(number) if number else "",
        plan_name(t, order.plan),
        _amount(order.price),
        _sum(discounts),
        str(quote.points) if quote and quote.points else "",
        _amount(quote.points_worth) if quote else "",
        _amount(order.due or order.price),
        order.price.currency,
        str(total.rate.per_unit) if total and total.rate else "",
        _amount(total.fee) if total else "",
        _amount(order.charge),
        order.charge.currency if order.charge else "",
        t.plain(METHODS[order.method]) if order.method else "",
        charge_id(sale) or "",
        _sum([one.amount for one in back]),
        _sum([one.amount for one in coming]),
        t.date(old) if old else "",
        t.date(new) if new else "",
        sale.merchant.legal_name or sale.merchant.name,
    ]


def _sum(amounts: Sequence[Money]) -> str:
    return _amount(sum(amounts[1:], amounts[0])) if amounts else ""


def _amount(money: Money | None) -> str:
    """In major units with a point, as spreadsheets read numbers; its currency has a column."""
    return "" if money is None else f"{money.major}"
