"""The counter, as a person of the shop sees it: customers, their SIMs, prices, cash (F20)."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views import plans as plan_views
from bot.chat.views.choose import label
from bot.chat.views.orders import STATES
from bot.chat.views.paying import price_lines
from bot.chat.views.plans import plan_name
from bot.chat.views.sale import METHODS, Sale
from bot.chat.views.sims import title
from bot.domain.chats import Chat
from bot.domain.orders import OrderState
from bot.domain.plans import Offer, Plan
from bot.domain.quotes import Quote
from bot.domain.sims import Sim
from bot.i18n import N_, Html, Words
from bot.services.assisting import Customer


def ask_whom(t: Words, problem: Html | None = None) -> Screen:
    """Whom to look for."""
    text = lines(
        t("<b>Find a customer</b>"),
        problem,
        t("Send a phone number, the last 4 digits of an ICCID, an order number, or a name."),
    )
    return Screen(text, [[button(t.plain("‹ Queue"), "queue")]])


def nobody(t: Words) -> Html:
    """What was sent fits nobody."""
    return t("Nobody was found. The customer has to write to this bot once; try another number.")


def found(t: Words, chats: Sequence[Chat]) -> Screen:
    """Several people it may be."""
    rows = [[button(_name(chat), "acust", chat.id)] for chat in chats]
    return Screen(t("Who is it?"), [*rows, [button(t.plain("‹ Search again"), "find")]])


def _name(chat: Chat) -> str:
    name = chat.first_name or str(chat.id)
    return f"{name} · @{chat.username}" if chat.username else name


def customer(t: Words, one: Customer, now: datetime, *, wallet: bool = False) -> Screen:
    """Somebody's SIMs and what of theirs is not over; with `wallet` the shop keeps wallets."""
    parts: list[str | None] = [
        t("<b>Customer: {name}</b>", name=_name(one.chat)),
        t("Telegram id: <code>{id}</code>", id=one.chat.id),
        t("They have blocked the bot: nothing reaches them.") if one.chat.blocked_at else None,
        "",
    ]
    rows = []
    for sim in one.sims:
        rows.append([button(label(t, sim, now), "asim", sim.id)])
    for order in one.orders:
        state = t.plain(STATES[order.state])
        rows.append([button(f"🧾 {order.number} · {state}", "aorder", order.id)])
    parts.append(
        t("Tap a SIM to prepare an order for it.") if one.sims else t("They have no SIM here yet.")
    )
    if not one.offers:
        parts.append(t("Offers are closed to them: no promos, no codes, nothing from groups."))
    closes, opens = N_("Close offers to them"), N_("Open offers to them again")
    change = t.plain(closes if one.offers else opens)
    rows.append([button(change, "aoffers", one.chat.id, int(not one.offers))])
    if wallet:
        rows.append([button(t.plain("Their wallet"), "owallet", one.chat.id)])
    rows.append([button(t.plain("Write to them"), "answer", one.chat.id)])
    rows.append([button(t.plain("‹ Search again"), "find"), button(t.plain("‹ Queue"), "queue")])
    return Screen(lines(*parts), rows)


def close_offers(t: Words, one: Customer) -> Screen:
    """Sure?"""
    text = lines(
        t("<b>Close our offers to {name}?</b>", name=_name(one.chat)),
        t("They then pay the usual prices: no promos, no codes, nothing from groups, and their own "
          "posts earn nothing. They read that offers are not open to them only when they try one."),
    )  # fmt: skip
    rows = [
        [button(t.plain("Yes, close them"), "aoffers!", one.chat.id)],
        [button(t.plain("‹ Back"), "acust", one.chat.id)],
    ]
    return Screen(text, rows)


def plans(t: Words, sim: Sim, offers: Sequence[Offer], now: datetime) -> Screen:
    """What the customer could choose from, for us to choose."""
    return _ours(t, plan_views.plans(t, sim, offers, now), sim)


def ask_amount(t: Words, sim: Sim, plan: Plan, problem: str | None = None) -> Screen:
    """How much, of an open amount."""
    return _ours(t, plan_views.ask_amount(t, sim, plan, problem), sim)


_OURS = {"plan": "aplan", "amt": "aamt"}


def _ours(t: Words, screen: Screen, sim: Sim) -> Screen:
    """A customer's screen with the buttons of the counter."""
    rows = []
    for row in screen.rows:
        kept = [Button(b.label, ":".join([_OURS[verb], *rest])) for b in row if b.data
                for verb, *rest in [b.data.split(":")] if verb in _OURS]  # fmt: skip
        rows.append(kept)
    return Screen(screen.text, [*rows, _back(t, sim.owner_id)])


def _back(t: Words, chat_id: int | None) -> list[Button]:
    if chat_id is None:
        return [button(t.plain("‹ Queue"), "queue")]
    return [button(t.plain("‹ Customer"), "acust", chat_id)]


def price(t: Words, quote: Quote, sim: Sim, now: datetime) -> Screen:
    """The price, and how it comes to be paid."""
    parts: list[str | None] = [
        t("<b>Price for the customer</b>"),
        *_sold(t, quote, sim, now),
        "",
        t("In cash: <b>{amount}</b>", amount=t.money(quote.due)),
        *(
            t("• {method}: <b>{total}</b>", method=t(METHODS[total.method]),
              total=t.money(total.amount))
            for total in quote.totals
        ),
        "",
        t("This price stands until {time}.", time=t.clock(quote.expires_at)),
    ]  # fmt: skip
    rows = [
        [button(t.plain("Send to the customer"), "asend", quote.id)],
        [button(t.plain("Took cash"), "acash", quote.id)],
        [button(t.plain("‹ Other plan"), "asim", sim.id)],
        _back(t, quote.chat_id),
    ]
    return Screen(lines(*parts), rows)


def _sold(t: Words, quote: Quote, sim: Sim, now: datetime) -> list[str | None]:
    new = quote.new_expiry
    old = t.date(quote.old_expiry, now=now) if quote.old_expiry else "—"
    moved = new is not None and new != quote.old_expiry
    return [
        t("SIM: {title}", title=title(t, sim)),
        t("Plan: {name}", name=plan_name(t, quote.plan)),
        "",
        *price_lines(t, quote),
        t("Valid until: {old} → <b>{new}</b>", old=old, new=t.date(new, now=now))
        if moved and new is not None
        else None,
    ]


def sent(t: Words, sale: Sale) -> Screen:
    """It is in the customer's chat."""
    text = t("Order {number} is in the customer's chat. They pay it there; you see here when it "
             "is done.", number=sale.order.number)  # fmt: skip
    return Screen(text, [[button(t.plain("Show the order"), "aorder", sale.order.id)],
                         _back(t, sale.order.chat_id)])  # fmt: skip


def ask_receipt(t: Words, quote: Quote, problem: Html | None = None) -> Screen:
    """The number of the receipt that was given for the cash."""
    text = lines(
        problem,
        t("You take <b>{amount}</b> in cash. Send me the number of the receipt you gave for it.",
          amount=t.money(quote.due)),
    )  # fmt: skip
    return Screen(text, [_back(t, quote.chat_id)])


def confirm_cash(t: Words, quote: Quote, number: str) -> Screen:
    """Asked about once more: the top-up follows at once."""
    text = lines(
        t("Receipt <code>{number}</code>: {amount} in cash for {name}.", number=number,
          amount=t.money(quote.due), name=plan_name(t, quote.plan)),
        t("Did you take it? The SIM is topped up at once."),
    )  # fmt: skip
    return Screen(
        text, [[button(t.plain("Yes: top up"), "acash!", quote.id)], _back(t, quote.chat_id)]
    )


def order(t: Words, sale: Sale, now: datetime) -> Screen:
    """One order of a customer's, as it stands."""
    one = sale.order
    text = lines(
        t("<b>Order {number}</b>", number=one.number),
        t("{name} for {title}", name=plan_name(t, one.plan), title=title(t, sale.sim)),
        t("State: {state}", state=t(STATES[one.state])),
        t("Price: {price}", price=t.money(one.due or one.price)),
        t("Paid: {amount} by {method}", amount=t.money(one.charge), method=t(METHODS[one.method]))
        if one.charge and one.method
        else None,
    )
    waits = one.state is OrderState.AWAITING_PAYMENT and now < one.expires_at
    rows = [[button(t.plain("Took cash"), "acash", one.quote_id)]] if waits else []
    again = [button(t.plain("Look again"), "aorder", one.id)]
    return Screen(text, [*rows, again, _back(t, one.chat_id)])


# ---- the customer ------------------------------------------------------------------------


def prepared(t: Words, sale: Sale, now: datetime) -> Screen | None:
    """The shop has prepared an order: the customer looks at it and pays it, or does not."""
    one, quote = sale.order, sale.quote
    if one.state is not OrderState.AWAITING_PAYMENT or quote is None or now >= one.expires_at:
        return None
    text = lines(
        t("<b>Our shop has prepared order {number} for you</b>", number=one.number),
        *_sold(t, quote, sale.sim, now),
        "",
        t("Look at it and choose how to pay. This price stands until {time}.",
          time=t.clock(one.expires_at)),
        t("By paying you accept the /terms. Nothing is charged beyond the total."),
    )  # fmt: skip
    rows = [
        [button(t.plain("Choose how to pay"), "price", one.quote_id)],
        [button(t.plain("Cancel the order"), "cancel", one.id)],
    ]
    return Screen(text, rows)
