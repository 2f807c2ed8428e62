"""An order in words, from waiting for money to the receipt: one message, edited as it moves; and
the list of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views import paying
from bot.chat.views.plans import plan_name
from bot.chat.views.reasons import because
from bot.chat.views.receipt import asked, particulars, receipt, returned
from bot.chat.views.sale import BY_HAND, Sale, head, read_back
from bot.chat.views.sims import title
from bot.domain.orders import Listed, OrderState
from bot.domain.sales import Order, TopUp
from bot.domain.sims import Sim
from bot.i18n import N_, Html, Words
from bot.services.requesting import REQUESTED

STATES = {
    OrderState.QUOTED: N_("price shown"),
    OrderState.AWAITING_PAYMENT: N_("waiting for payment"),
    OrderState.PAID: N_("paid"),
    OrderState.TOPPING_UP: N_("topping up"),
    OrderState.FULFILLED: N_("done"),
    OrderState.EXPIRED: N_("price expired"),
    OrderState.CANCELLED: N_("cancelled"),
    OrderState.TOPUP_UNKNOWN: N_("asking the supplier"),
    OrderState.NEEDS_OPERATOR: N_("with our shop"),
    OrderState.REFUND_DUE: N_("refund on its way"),
    OrderState.REFUNDING: N_("refund on its way"),
    OrderState.REFUNDED: N_("refunded"),
}


def order_screen(t: Words, sale: Sale, now: datetime) -> Screen:
    """Where an order stands and what to do next (F16)."""
    order = sale.order
    match order.state:
        case OrderState.PAID | OrderState.TOPPING_UP | OrderState.TOPUP_UNKNOWN:
            return _running(t, sale)
        case OrderState.NEEDS_OPERATOR:
            note = t(
                "Someone at our shop is looking at it now. Your money is safe: it is topped up "
                "or returned. We write to you here."
            )
            return Screen(lines(*head(t, sale), note, *_wish(t, sale)), _to_sim(t, sale))
        case OrderState.REFUND_DUE | OrderState.REFUNDING:
            note = _going_back(t, order)
            return Screen(lines(*head(t, sale), note), _to_sim(t, sale))
        case OrderState.REFUNDED:
            parts = (*head(t, sale), returned(t, order), "", *particulars(t, sale, now))
            slip = [button(t.plain("Picture"), "slip", order.id)]
            return Screen(lines(*parts), [slip, *_again(t, sale)])
        case OrderState.EXPIRED:
            note = t("This price has expired and nothing was charged. Choose a plan again.")
            return Screen(lines(*head(t, sale), note), _again(t, sale))
        case OrderState.CANCELLED:
            note = t("Cancelled. Nothing was charged.")
            return Screen(lines(*head(t, sale), note), _again(t, sale))
        case OrderState.FULFILLED:
            return receipt(t, sale, now)
    return paying.waiting(t, sale)


def ended(t: Words, sale: Sale) -> Screen:
    """A short message of its own when an order ends long after it was paid."""
    order, sim = sale.order, sale.sim
    what = t("{name} for {title}", name=plan_name(t, order.plan), title=title(t, sim))
    if order.state is OrderState.FULFILLED:
        head = t("✅ Order {number} is done.", number=order.number)
    else:
        head = t("Order {number}: your money has been returned.", number=order.number)
    return Screen(lines(head, what), [[button(t.plain("Show receipt"), "order", order.id)]])


_PAID = N_("Paid")
_BY_SHOP = (_PAID, N_("Topping up by our shop"), N_("Confirmed by our shop"))
_BY_NETWORK = (_PAID, N_("Topping up at the supplier"), N_("Confirmed by the network"))
_ON_SIM = (_PAID, N_("Topping up at the supplier"), N_("Checked on the SIM"))


def _steps(order: Order, sim: Sim) -> tuple[str, ...]:
    """Who tops up, and whose word it is that it arrived."""
    if order.plan.supplier == BY_HAND:
        return _BY_SHOP
    return _ON_SIM if read_back(order, sim) else _BY_NETWORK


def _running(t: Words, sale: Sale) -> Screen:
    order, all_steps = sale.order, _steps(sale.order, sale.sim)
    done = 1 if order.state is not OrderState.TOPPING_UP else 1 + bool(_delivered(sale.topup))
    marks = ["✅"] * done + ["⏳"] + ["◻️"] * len(all_steps)
    steps = [Html(f"{mark} {t(step)}") for mark, step in zip(marks, all_steps, strict=False)]
    if order.state is OrderState.TOPUP_UNKNOWN:
        note = t(
            "The supplier did not answer in time. We are asking whether the top-up arrived and "
            "never buy twice. Your money is safe."
        )
    elif order.plan.supplier == BY_HAND:
        note = t("Our shop tops it up by hand, usually within a few hours. We write to you here.")
    else:
        note = t("This takes about a minute. You can close the chat; we write to you here.")
    return Screen(lines(*head(t, sale), *steps, "", note, *_wish(t, sale)), _to_sim(t, sale))


def _wish(t: Words, sale: Sale) -> list[str]:
    """That the customer has asked for their money back."""
    return ["", asked(t, sale.order, sale.request)] if sale.request is not None else []


def _going_back(t: Words, order: Order) -> Html:
    if order.reason == REQUESTED:
        return t("Our shop has approved your refund. Your money is on its way back.")
    return t(
        "The top-up did not go through. {reason} Your money is on its way back.",
        reason=because(t, order.reason),
    )


def _delivered(topup: TopUp | None) -> bool:
    return topup is not None and topup.supplier_ref is not None


def _to_sim(t: Words, sale: Sale) -> list[list[Button]]:
    ask = [button(t.plain("Ask for a refund"), "rfask", sale.order.id)] if sale.askable else []
    return [[button(t.plain("Show this SIM"), "sim", sale.sim.id)], ask]


def _again(t: Words, sale: Sale) -> list[list[Button]]:
    return [
        [button(t.plain("Choose a plan"), "renew", sale.sim.id)],
        [button(t.plain("‹ Menu"), "menu")],
    ]


LISTED = {
    Listed.ALL: N_("All"),
    Listed.RUNNING: N_("Running"),
    Listed.DONE: N_("Done"),
    Listed.REFUNDED: N_("Refunded"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of somebody's orders: which of them, of which SIM, and what is on it."""

    number: int
    found: Sequence[Order]
    more: bool
    listed: Listed = Listed.ALL
    sim: Sim | None = None

    def turned(self, number: int) -> tuple[object, ...]:
        """The button arguments of another page of the same list."""
        return (number, self.listed.value, *([self.sim.id] if self.sim else ()))


def orders(t: Words, page: Page, now: datetime) -> Screen:
    """The newest orders first, a page at a time."""
    filtered = page.listed is not Listed.ALL or page.sim is not None
    if not page.found and page.number == 0 and not filtered:
        return Screen(
            lines(t("<b>Orders</b>"), "", t("You have no orders yet. Renew a SIM to begin.")),
            [[button(t.plain("Renew"), "renew"), button(t.plain("‹ Menu"), "menu")]],
        )
    parts: list[str | None] = [t("<b>Orders</b>")]
    if page.sim is not None:
        parts.append(t("SIM: {title}", title=title(t, page.sim)))
    if page.listed is not Listed.ALL:
        parts.append(t("Only: {which}", which=t(LISTED[page.listed])))
    parts += ["", *([] if page.found else [t("There is none of these.")])]
    rows: list[list[Button]] = []
    for order in page.found:
        when = t.date(order.created_at, now=now)
        parts.append(
            t("{number} · {date} · {state}", number=order.number, date=when,
              state=t(STATES[order.state]))
        )  # fmt: skip
        rows.append([button(f"{order.number} · {plan_name(t, order.plan)}", "order", order.id)])
    turn = []
    if page.number:
        turn.append(button(t.plain("‹ Newer"), "orders", *page.turned(page.number - 1)))
    if page.more:
        turn.append(button(t.plain("Older ›"), "orders", *page.turned(page.number + 1)))
    return Screen(lines(*parts), [*rows, turn, *_tools(t, page)])


def _tools(t: Words, page: Page) -> list[list[Button]]:
    """Other lists, one order, a file of them all."""
    of_sim = [page.sim.id] if page.sim else []
    lists = [
        button(f"• {t.plain(name)}" if listed is page.listed else t.plain(name), "orders", 0,
               listed.value, *of_sim)
        for listed, name in LISTED.items()
    ]  # fmt: skip
    by_sim = button(t.plain("By SIM"), "osims")
    if page.sim is not None:
        by_sim = button(t.plain("All SIMs"), "orders", 0, page.listed.value)
    find = button(t.plain("🔎 By number"), "ofind")
    return [
        lists,
        [by_sim, find],
        [button(t.plain("⬇️ File (CSV)"), "ocsv"), button(t.plain("‹ Menu"), "menu")],
    ]


def pick_sim(t: Words, sims: Sequence[Sim]) -> Screen:
    """Whose orders to show."""
    rows = [[button(title(t, sim), "orders", 0, Listed.ALL.value, sim.id)] for sim in sims]
    back = [button(t.plain("‹ Orders"), "orders", 0)]
    return Screen(t("Orders of which SIM?"), [*rows, back])


def ask_number(t: Words, problem: Html | None = None) -> Screen:
    """Ask for an order's number."""
    text = lines(problem, t("Send me the order number, for example <code>XK-7F3K2M9P</code>."))
    return Screen(text, [[button(t.plain("‹ Orders"), "orders", 0)]])


def no_such_order(t: Words) -> Html:
    """The number is nobody's, or somebody else's: the answer is the same."""
    return t("You have no order with this number.")


def csv_caption(t: Words, count: int) -> Screen:
    """Below the file of all orders."""
    text = t.n("{n} order, for Excel or any spreadsheet.",
               "{n} orders, for Excel or any spreadsheet.", count)  # fmt: skip
    return Screen(text, [[button(t.plain("‹ Orders"), "orders", 0)]])


def csv_not_sent(t: Words) -> Screen:
    """Telegram did not take the file."""
    text = t("Telegram did not take the file just now. If it is not here in a moment, tap again.")
    again = [button(t.plain("Try again"), "ocsv"), button(t.plain("‹ Orders"), "orders", 0)]
    return Screen(text, [again])
