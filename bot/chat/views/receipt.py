"""The receipt (F17): what happened, what has changed, and every amount of the sale.

Its parts are parted by empty lines, which the picture reads (`pictures.facts.receipt_facts`).
"""

from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views.paying import price_lines, rate_line
from bot.chat.views.plans import plan_name
from bot.chat.views.sale import METHODS, Sale
from bot.chat.views.sims import title
from bot.domain.orders import REFUND_STATES, OrderState, PaymentState, RefundState
from bot.domain.quotes import Total
from bot.domain.requests import RefundRequest, RequestState
from bot.domain.sales import IN_STORE, Method, Order, Refund, TopUp
from bot.domain.sims import Reading, Source, mask
from bot.i18n import Html, Words
from bot.services.assisting import CASH


def receipt(t: Words, sale: Sale, now: datetime) -> Screen:
    """Before and after from the SIM itself, and what a receipt must hold."""
    topup = sale.topup
    after = topup.after if topup else None
    text = lines(
        _proof(t, topup, after),
        t("{name} for {title}", name=plan_name(t, sale.order.plan), title=title(t, sale.sim)),
        "",
        *_before_after(t, sale, after),
        *_to_do(t, sale.order, topup),
        "",
        *particulars(t, sale, now),
    )
    return Screen(text, buttons(t, sale))


def buttons(t: Words, sale: Sale) -> list[list[Button]]:
    """What can be done with an order that has its money."""
    order = sale.order
    first = [button(t.plain("Picture"), "slip", order.id)]
    if sale.askable:
        first.append(button(t.plain("Ask for a refund"), "rfask", order.id))
    renews = [button(t.plain("Auto-renew"), "auto", sale.sim.id)]
    return [
        first,
        renews if order.state is OrderState.FULFILLED else [],
        [
            button(t.plain("Show this SIM"), "sim", sale.sim.id),
            button(t.plain("Orders"), "orders", 0),
        ],
    ]


def particulars(t: Words, sale: Sale, now: datetime) -> list[str | None]:
    """Number, amounts from the list price to the charge, what went back, SIM, date, seller."""
    order, topup = sale.order, sale.topup
    number = sale.sim.msisdn or sale.sim.iccid
    return [
        t("<b>Receipt</b>"),
        t("Order: {number}", number=order.number),
        *_amounts(t, sale, now),
        t("Network's confirmation: <code>{ref}</code>", ref=topup.operator_ref)
        if topup and topup.operator_ref
        else None,
        *(_went_back(t, refund) for refund in sale.refunds),
        asked(t, order, sale.request) if sale.request is not None else None,
        t("SIM: {number}", number=mask(number)) if number else None,
        t("Date: {date}", date=t.stamp(order.fulfilled_at or order.paid_at or now)),
        t("Sold by {merchant}", merchant=sale.merchant.legal_name or sale.merchant.name),
    ]


def charged(sale: Sale) -> Total | None:
    """The total of the quote that was paid; None when something else was."""
    order = sale.order
    if sale.quote is None or order.method is None:
        return None
    total = sale.quote.total(order.method)
    return total if total is not None and total.amount == order.charge else None


def charge_id(sale: Sale) -> str | None:
    """The provider's id of the charge, or the number of the shop's own receipt for cash."""
    payment = sale.payment
    if payment is None or payment.charge_id is None:
        return None
    if payment.method is Method.CASH:
        return payment.charge_id.removeprefix(CASH)
    return None if payment.method in IN_STORE else payment.charge_id


def _amounts(t: Words, sale: Sale, now: datetime) -> list[Html | None]:
    order, total = sale.order, charged(sale)
    price = price_lines(t, sale.quote, earns=not _all_back(sale)) if sale.quote else None
    name = charge_id(sale)
    said = t("Receipt number: <code>{charge}</code>", charge=name)
    if order.method is not Method.CASH:
        said = t("Charge: <code>{charge}</code>", charge=name)
    return [
        *(price or [t("List price: {price}", price=t.money(order.price))]),
        t("Fee, included: {fee}", fee=t.money(total.fee)) if total and total.fee.minor else None,
        rate_line(t, total.rate, now) if total and total.rate else None,
        t("Paid: {amount} by {method}", amount=t.money(order.charge),
          method=t(METHODS[order.method])) if order.charge and order.method else None,
        said if name is not None else None,
    ]  # fmt: skip


def _all_back(sale: Sale) -> bool:
    """Whether all of the money went back, or is on its way."""
    whole = sale.payment is not None and sale.payment.state is PaymentState.REFUNDED
    return whole or sale.order.state in REFUND_STATES


def _went_back(t: Words, refund: Refund) -> Html:
    amount = t.money(refund.amount)
    if refund.state is RefundState.DONE and refund.done_at is not None:
        return t("Returned: {amount} on {date}", amount=amount, date=t.date(refund.done_at))
    return t("Returned: {amount}, on its way", amount=amount)


def asked(t: Words, order: Order, request: RefundRequest) -> Html:
    """Where a customer's wish to have money back stands, in one line."""
    on = t.date(request.asked_at)
    decided = t.date(request.decided_at, now=request.asked_at) if request.decided_at else ""
    match request.state:
        case RequestState.APPROVED:
            return t("Refund: asked for on {on}, approved on {decided}", on=on, decided=decided)
        case RequestState.PART:
            amount = t.money(request.amount) if request.amount else ""
            return t("Refund: asked for on {on}, {amount} approved on {decided}", on=on,
                     amount=amount, decided=decided)  # fmt: skip
        case RequestState.DECLINED:
            return t("Refund: asked for on {on}, declined on {decided}", on=on, decided=decided)
    if order.state in REFUND_STATES:
        return t("Refund: asked for on {on}", on=on)
    return t("Refund: asked for on {on}, our shop decides", on=on)


def returned(t: Words, order: Order) -> Html:
    """All of an order's money is back."""
    if order.method is Method.VOUCHER:
        return t("Your voucher was given back: the same code works again.")
    if order.charge is not None:
        return t("{amount} went back to where you paid from.", amount=t.money(order.charge))
    return t("Your payment went back to where you paid from.")


def slip(t: Words, sale: Sale, now: datetime) -> Screen | None:
    """The receipt of an order that has ended; None while it has none."""
    if sale.order.state is OrderState.FULFILLED:
        return receipt(t, sale, now)
    if sale.order.state is not OrderState.REFUNDED:
        return None
    head = t("<b>Your money has been returned</b>")
    what = t("{name} for {title}", name=plan_name(t, sale.order.plan), title=title(t, sale.sim))
    return Screen(lines(head, what, "", *particulars(t, sale, now)), buttons(t, sale))


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
    old, new = validity(sale)
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


def validity(sale: Sale) -> tuple[datetime | None, datetime | None]:
    """The SIM's expiry before the top-up and after it, from the SIM itself where it was read."""
    before = sale.topup.before if sale.topup else None
    after = sale.topup.after if sale.topup else None
    old = before.expiry if before else sale.order.old_expiry
    return old, after.expiry if after else sale.sim.expiry
