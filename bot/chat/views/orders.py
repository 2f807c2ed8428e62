"""An order in words, from waiting for money to the receipt: one message, edited as it moves."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views import paying
from bot.chat.views.plans import plan_name
from bot.chat.views.reasons import because
from bot.chat.views.sale import BY_HAND, METHODS, Sale, head, read_back
from bot.chat.views.sims import title
from bot.domain.orders import OrderState
from bot.domain.sales import Method, Order, TopUp
from bot.domain.sims import Reading, Sim, Source, mask
from bot.i18n import N_, Html, Words

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
            return Screen(lines(*head(t, sale), note), _to_sim(t, sale))
        case OrderState.REFUND_DUE | OrderState.REFUNDING:
            note = t(
                "The top-up did not go through. {reason} Your money is on its way back.",
                reason=because(t, order.reason),
            )
            return Screen(lines(*head(t, sale), note), _to_sim(t, sale))
        case OrderState.REFUNDED:
            return Screen(lines(*head(t, sale), _returned(t, order)), _again(t, sale))
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
    return Screen(lines(*head(t, sale), *steps, "", note), _to_sim(t, sale))


def _delivered(topup: TopUp | None) -> bool:
    return topup is not None and topup.supplier_ref is not None


def receipt(t: Words, sale: Sale, now: datetime) -> Screen:
    """Before and after from the SIM itself, and what a receipt must hold (F17)."""
    order, sim, topup = sale.order, sale.sim, sale.topup
    after = topup.after if topup else None
    charge_id = sale.payment.charge_id if sale.payment else None
    number = sim.msisdn or sim.iccid
    parts: list[str | None] = [
        _proof(t, topup, after),
        t("{name} for {title}", name=plan_name(t, order.plan), title=title(t, sim)),
        "",
        *_before_after(t, sale, after),
        *_to_do(t, order, topup),
        "",
        t("<b>Receipt</b>"),
        t("Order: {number}", number=order.number),
        t(
            "Paid: {amount} by {method}",
            amount=t.money(order.charge),
            method=t(METHODS[order.method]),
        )
        if order.charge and order.method
        else None,
        t("Charge: <code>{charge}</code>", charge=charge_id)
        if charge_id and order.method is Method.STARS
        else None,
        t("Network's confirmation: <code>{ref}</code>", ref=topup.operator_ref)
        if topup and topup.operator_ref
        else None,
        t("List price: {price}", price=t.money(order.price)),
        t("SIM: {number}", number=mask(number)) if number else None,
        t("Date: {date}", date=t.stamp(order.fulfilled_at or now)),
        t("Sold by {merchant}", merchant=sale.merchant.legal_name or sale.merchant.name),
    ]
    return Screen(
        lines(*parts),
        [
            [button(t.plain("Picture"), "slip", order.id)],
            [
                button(t.plain("Show this SIM"), "sim", sim.id),
                button(t.plain("Orders"), "orders", 0),
            ],
        ],
    )


def _proof(t: Words, topup: TopUp | None, after: Reading | None) -> Html:
    """Whose word it is that the top-up arrived; only a supplier's reading is the SIM's own."""
    if after is not None and after.source is Source.SUPPLIER:
        return t("✅ <b>Renewed and checked on the SIM</b>")
    if topup is not None and topup.pin is not None:
        return t("✅ <b>Your code is here</b>")
    if after is not None and after.source is Source.OPERATOR:
        return t("✅ <b>Renewed by our shop</b>")
    if topup is not None and topup.supplier_ref is not None:
        return t("✅ <b>Topped up, confirmed by the network</b>")
    return t("✅ <b>Renewed by our shop</b>")


def _to_do(t: Words, order: Order, topup: TopUp | None) -> list[Html]:
    """What the customer must still do: type in a code, see that the carrier's plan renews."""
    found = []
    if topup is not None and topup.pin is not None:
        found.append(t("Code: <code>{pin}</code>", pin=topup.pin))
    extra = (order.plan.extras or {}).get(t.language) or (order.plan.extras or {}).get("en")
    read = topup is not None and topup.after is not None and topup.after.source is Source.SUPPLIER
    if extra and not read:  # the SIM's own word leaves nothing to do
        found.append(t("{text}", text=extra))
    return found


def _before_after(t: Words, sale: Sale, after: Reading | None) -> list[Html]:
    before = sale.topup.before if sale.topup else None
    found = []
    old = before.expiry if before else sale.order.old_expiry
    new = after.expiry if after else sale.sim.expiry
    if new is not None:
        found.append(
            t("Valid until: {old} → <b>{new}</b>", old=t.date(old) if old else "—", new=t.date(new))
        )
    if after and before and after.data_left is not None and before.data_left is not None:
        found.append(
            t(
                "Data left: {old} → <b>{new}</b>",
                old=t.data(before.data_left),
                new=t.data(after.data_left),
            )
        )
    return found


def _returned(t: Words, order: Order) -> Html:
    if order.method is Method.VOUCHER:
        return t("Your voucher was given back: the same code works again.")
    if order.charge is not None:
        return t("{amount} went back to where you paid from.", amount=t.money(order.charge))
    return t("Your payment went back to where you paid from.")


def _to_sim(t: Words, sale: Sale) -> list[list[Button]]:
    return [[button(t.plain("Show this SIM"), "sim", sale.sim.id)]]


def _again(t: Words, sale: Sale) -> list[list[Button]]:
    return [
        [button(t.plain("Choose a plan"), "renew", sale.sim.id)],
        [button(t.plain("‹ Menu"), "menu")],
    ]


def orders(t: Words, page: int, found: Sequence[Order], more: bool, now: datetime) -> Screen:
    """The newest orders first, a page at a time."""
    if not found and page == 0:
        return Screen(
            lines(t("<b>Orders</b>"), "", t("You have no orders yet. Renew a SIM to begin.")),
            [[button(t.plain("Renew"), "renew"), button(t.plain("‹ Menu"), "menu")]],
        )
    parts: list[str | None] = [t("<b>Orders</b>"), ""]
    rows: list[list[Button]] = []
    for order in found:
        when = t.date(order.created_at, now=now)
        parts.append(
            t("{number} · {date} · {state}", number=order.number, date=when,
              state=t(STATES[order.state]))
        )  # fmt: skip
        rows.append([button(f"{order.number} · {plan_name(t, order.plan)}", "order", order.id)])
    turn = []
    if page:
        turn.append(button(t.plain("‹ Newer"), "orders", page - 1))
    if more:
        turn.append(button(t.plain("Older ›"), "orders", page + 1))
    return Screen(lines(*parts), [*rows, turn, [button(t.plain("‹ Menu"), "menu")]])
