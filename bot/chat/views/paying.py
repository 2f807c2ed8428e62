"""From the price to the money in words: the quote, the ways to pay, the order that waits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.shop import Merchant
from bot.chat.views.plans import plan_holds, plan_name, plan_terms
from bot.chat.views.reasons import because
from bot.chat.views.sale import METHODS, Sale, head, read_back
from bot.chat.views.sims import title
from bot.domain.money import STARS, Money, decimals
from bot.domain.orders import PaymentState
from bot.domain.plans import Plan
from bot.domain.quotes import Discount, Quote, Rate, Total
from bot.domain.sales import Method, Order
from bot.domain.sims import Sim
from bot.i18n import N_, Html, Words
from bot.ports import Bill

_VERBS = {
    Method.VOUCHER: "voucher",
    Method.WALLET: "wallet",
    Method.TRANSFER: "transfer",
}
"""Methods with a conversation of their own; every other one is `pay`."""
_INVOICES = frozenset({Method.STARS, Method.TELEGRAM})


# ---- the price ---------------------------------------------------------------------------


def quote(
    t: Words,
    quote: Quote,
    sim: Sim,
    now: datetime,
    *,
    extends: bool | None,
    wallet: Money | None = None,
    wishes: Sequence[list[Button]] = (),
) -> Screen:
    """The frozen price with everything in it (F12). `extends` as in ports.Capabilities; `wallet`
    is what the customer's wallet holds in the plan's currency; `wishes` are rows for a code and
    for points."""
    until = quote.new_expiry
    parts: list[str | None] = [
        t("<b>Your price</b>"),
        t("SIM: {title}", title=title(t, sim)),
        t("Plan: {name}", name=plan_name(t, quote.plan)),
        _holds_besides(t, quote.plan),
        *plan_terms(t, quote.plan),
        "",
        *price_lines(t, quote),
        "",
        *totals(t, quote.totals, now, wallet),
        "",
    ]
    if until is not None and until != quote.old_expiry:
        old = t.date(quote.old_expiry, now=now) if quote.old_expiry else "—"
        parts.append(t("Valid until: {old} → <b>{new}</b>", old=old, new=t.date(until, now=now)))
    parts.append(_data_stays(t, quote.plan, sim, now, extends))
    parts += [
        t("This price stands until {time}.", time=t.clock(quote.expires_at)),
        t("By paying you accept the /terms. Nothing is charged beyond the total."),
    ]
    rows = [*_choices(t, quote, wallet), *wishes]
    rows.append([button(t.plain("‹ Other plan"), "renew", sim.id)])
    return Screen(lines(*parts), rows)


def price_lines(t: Words, quote: Quote, *, earns: bool = True) -> list[Html]:
    """From the list price to what is left to pay. `earns` tells whether the points stand that it
    promises: with all of the money they go back."""
    found = [t("List price: {price}", price=t.money(quote.price))]
    found += [_discount(t, discount) for discount in quote.discounts]
    if quote.points_worth is not None:
        found.append(
            t("{n} points: −{amount}", n=t.number(quote.points), amount=t.money(quote.points_worth))
        )
    if quote.due != quote.price:
        found.append(t("To pay: <b>{amount}</b>", amount=t.money(quote.due)))
    if quote.earns and earns:
        found.append(t("Points for this order: {n}", n=t.number(quote.earns)))
    return found


def _discount(t: Words, discount: Discount) -> Html:
    said = discount.title.get(t.language) or discount.title.get("en") or discount.promo
    if not discount.amount.minor:
        return t("{title}", title=said)
    return t("{title}: −{amount}", title=said, amount=t.money(discount.amount))


def totals(
    t: Words, offered: Sequence[Total], now: datetime, wallet: Money | None = None
) -> list[Html]:
    """What each way to pay charges, its fee, and the rates used."""
    charged = [total for total in offered if total.method is not Method.VOUCHER]
    if not offered:
        return [t("Payment isn't available right now. Please write to /support.")]
    if len(charged) == 1:
        only = charged[0]
        found = [t("<b>Total: {total}</b>", total=t.money(only.amount))]
        found += [_fee(t, only.fee)] if only.fee.minor else [t("Fee: none")]
    else:
        found = [t("<b>Total, as you pay it</b>")] if charged else []
        alike: dict[tuple[Money, Money], list[str]] = {}
        for total in charged:
            name = t.plain(METHODS[total.method])
            if total.method is Method.WALLET and wallet is not None:
                name = t.plain("Wallet (you have {amount})", amount=t.money(wallet))
            alike.setdefault((total.amount, total.fee), []).append(name)
        for (amount, fee), names in alike.items():
            said = t("• {method}: <b>{total}</b>", method=t.join(names), total=t.money(amount))
            found.append(Html(f"{said} · {_fee(t, fee)}") if fee.minor else said)
    rates = {total.rate: None for total in charged if total.rate is not None}
    return found + [rate_line(t, rate, now) for rate in rates]


def _fee(t: Words, fee: Money) -> Html:
    return t("fee {fee} included", fee=t.money(fee))


def rate_line(t: Words, rate: Rate, now: datetime) -> Html:
    """Where a rate comes from, and how it is rounded: up, to the currency's smallest unit."""
    shown = t.number(rate.per_unit)
    if rate.into == STARS:
        said = N_("Rate: 1 {currency} = {rate} ⭐, {source}, rounded up to a whole Star")
        return t(said, currency=rate.currency, rate=shown, source=_source(t, rate, now))
    unit = N_("rounded up to a whole unit") if not decimals(rate.into) else N_(
        "rounded up to the last digit")  # fmt: skip
    return t(
        "Rate: 1 {currency} = {rate} {into}, {source}, {unit}",
        currency=rate.currency, rate=shown, into=rate.into, source=_source(t, rate, now),
        unit=t(unit),
    )  # fmt: skip


def _source(t: Words, rate: Rate, now: datetime) -> Html:
    if rate.at is None:
        return t("set by the shop")
    said = t("{source} of {time}", source=rate.source, time=t.stamp(rate.at))
    if not rate.margin:
        return said
    return t("{source}, with the shop's {percent} %", source=said, percent=t.number(rate.margin))


def _choices(t: Words, quote: Quote, wallet: Money | None) -> list[list[Button]]:
    """One button for each way to pay: the first, the shop's favourite, has a row of its own."""
    found = [_choice(t, quote, total, wallet) for total in quote.totals]
    return [found[:1], *grid(found[1:])] if len(found) > 3 else [[one] for one in found]


def _choice(t: Words, quote: Quote, total: Total, wallet: Money | None) -> Button:
    verb = _VERBS.get(total.method)
    if total.method is Method.VOUCHER:
        return button(t.plain("Use a voucher"), "voucher", quote.id)
    amount = t.money(total.amount)
    if total.method is Method.WALLET and wallet is not None and wallet < total.amount:
        label = t.plain("Wallet · top up first")
    elif total.method is Method.STARS:
        label = t.plain("Pay {total}", total=amount)
    else:
        label = t.plain("{method} · {total}", method=t.plain(METHODS[total.method]), total=amount)
    if verb is not None:
        return button(label, verb, quote.id)
    return button(label, "pay", quote.id, total.method.value)


def _holds_besides(t: Words, plan: Plan) -> Html | None:
    """What a plan holds, unless its name says it already."""
    holds = plan_holds(t, plan)
    return None if holds is None or holds in plan_name(t, plan) else holds


def _data_stays(t: Words, plan: Plan, sim: Sim, now: datetime, extends: bool | None) -> Html | None:
    """What becomes of data not used; None where there is none, or nobody says."""
    left = sim.reading.data_left if sim.reading is not None else None
    ahead = sim.expiry is not None and sim.expiry > now
    if extends is None or not (ahead and left):
        return None
    if not extends:
        return t(
            "This plan is a package of its own. Data you have not used keeps its own end date."
        )
    adds_up = plan.data and not plan.unlimited
    return t("Data you have not used stays until the new date.") if adds_up else None


# ---- the order that waits ----------------------------------------------------------------


def bill(
    t: Words, order: Order, sim: Sim, merchant: Merchant, back: str, *, keep: bool = False
) -> Bill:
    """What the invoice says; Telegram allows a title of 32 and a description of 255 characters."""
    name = plan_name(t, order.plan)
    said = N_("{plan} for {sim}. Order {number}, sold by {merchant}.")
    if read_back(order, sim):
        said = N_("{plan} for {sim}. Order {number}, sold by {merchant}. Checked on the SIM after "
                  "payment.")  # fmt: skip
    text = t.plain(said, plan=name, sim=title(t, sim), number=order.number, merchant=merchant.name)
    return Bill(name[:32], text[:255], name[:32], t.language, back, keep)


def waiting(t: Words, sale: Sale, problem: Html | None = None) -> Screen:
    """An order that waits for money, with the attempt that is open."""
    order, attempt = sale.order, sale.attempt
    how = None
    rows: list[list[Button]] = []
    if attempt is not None and attempt.state is PaymentState.PENDING:
        if attempt.url is not None:
            how = t("Tap <b>Pay</b> to open the payment page, then come back here. "
                    "We see by ourselves that you have paid.")  # fmt: skip
            pay = t.plain("Pay {total}", total=t.money(attempt.amount))
            rows.append([Button(pay, url=attempt.url)])
            rows.append([button(t.plain("I have paid"), "check", order.id)])
        elif attempt.method in _INVOICES:
            how = t("Tap <b>Pay</b> in the invoice below.")
            again = ("pay", order.quote_id, attempt.method.value, "again")
            rows.append([button(t.plain("Show invoice"), *again)])
        elif attempt.method is Method.TRANSFER:
            how = t("Transfer {amount} and send us a photo of the proof.",
                    amount=t.money(attempt.amount))  # fmt: skip
            if sale.proved:
                how = t("We have your proof. Our shop compares it with its account, mostly within "
                        "a few hours, and writes to you here.")  # fmt: skip
            rows.append([button(t.plain("Where to transfer"), "transfer", order.quote_id)])
    elif attempt is not None and attempt.state is PaymentState.FAILED:
        problem = problem or because(t, "declined")
    text = lines(
        problem,
        "" if problem else None,
        *head(t, sale)[:2],
        "",
        t("Waiting for your payment until {time}.", time=_until(t, order)),
        how,
        t("If your connection breaks, nothing is lost: send /start and go on from here."),
    )
    other = t.plain("Other way to pay") if rows else t.plain("Choose how to pay")
    rows.append([button(other, "price", order.quote_id)])
    rows.append([button(t.plain("Cancel the order"), "cancel", order.id)])
    return Screen(text, rows)


def _until(t: Words, order: Order) -> str:
    """A time of day; with its day for a transfer, which may take some."""
    far = order.expires_at - order.created_at > timedelta(hours=1)
    return t.moment(order.expires_at) if far else t.clock(order.expires_at)


def not_shown(t: Words, sale: Sale, reason: str | None = None) -> Screen:
    """The provider could not show what to pay, or does not take it."""
    problem = t("The payment could not be opened just now. Nothing was charged. Please tap again.")
    return waiting(t, sale, because(t, reason) if reason else problem)


def not_seen(t: Words, sale: Sale) -> Screen:
    """The customer says that they have paid; the provider does not say so yet."""
    problem = t(
        "Your payment has not arrived yet. Some take a few minutes; we go on looking and write to "
        "you here. Please do not pay twice."
    )
    return waiting(t, sale, problem)


def ask_voucher(t: Words, order: Order, problem: str | None = None) -> Screen:
    """Ask for a voucher code."""
    text = lines(
        t("<b>Order {number}</b>", number=order.number),
        Html(problem) if problem else None,
        t("Send me the voucher code, for example <code>XV7F-3K2M-9PQ4-TD8W</code>."),
        t("The plan costs {price}.", price=t.money(order.due or order.price)),
    )
    rows = [
        [button(t.plain("‹ Back"), "order", order.id)],
        [button(t.plain("Cancel the order"), "cancel", order.id)],
    ]
    return Screen(text, rows)


def checking_voucher(t: Words, sale: Sale) -> Screen:
    """While the code is looked at."""
    return Screen(lines(*head(t, sale)[:2], "", t("⏳ Checking the voucher.")))
