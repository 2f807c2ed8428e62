"""Money asked back, in the customer's words and in the shop's (F18)."""

from bot.chat.screen import Screen, button, grid, lines
from bot.chat.views.sale import Sale, head
from bot.domain.money import Money
from bot.domain.orders import RefundState
from bot.domain.requests import RefundRequest, RequestState, Why
from bot.domain.sales import Refund
from bot.i18n import N_, Html, Words
from bot.services.desk import Settled
from bot.services.waiting import QueueItem

WHYS = {
    Why.NOT_ARRIVED: N_("It did not arrive"),
    Why.WRONG_SIM: N_("Wrong SIM"),
    Why.WRONG_PLAN: N_("Wrong plan"),
    Why.TWICE: N_("I paid twice"),
    Why.NOT_WORKING: N_("It does not work"),
    Why.OTHER: N_("Something else"),
}


# ---- the customer ------------------------------------------------------------------------


def ask(t: Words, sale: Sale) -> Screen:
    """Why they want their money back: one tap, or their own words."""
    text = lines(
        *head(t, sale),
        t("Why do you want your money back? Tap a reason, or write to me what happened."),
        t("Our shop reads it and decides; the answer comes into this chat. A top-up that has "
          "arrived can usually not be taken back."),
    )  # fmt: skip
    order_id = sale.order.id
    reasons = [
        button(t.plain(name), "rfwhy", order_id, why.value)
        for why, name in WHYS.items()
        if why is not Why.OTHER
    ]
    return Screen(text, [*grid(reasons), [button(t.plain("‹ Back"), "order", order_id)]])


def passed_on(t: Words, sale: Sale) -> Screen:
    """The wish is with the shop."""
    text = lines(
        *head(t, sale)[:2],
        "",
        t("Your wish for a refund is with our shop. The answer comes into this chat; the order "
          "shows where it stands."),
    )  # fmt: skip
    return Screen(
        text,
        [
            [button(t.plain("Show the order"), "order", sale.order.id)],
            [button(t.plain("‹ Menu"), "menu")],
        ],
    )


def told(
    t: Words, sale: Sale, request: RefundRequest, refund: Refund | None, points: int = 0
) -> Screen:
    """What the shop decided, or that the money is back; `points` were taken back with it."""
    order = sale.order
    rows = [[button(t.plain("Show the order"), "order", order.id)]]
    amount = request.amount or order.charge or order.price
    said = {"number": order.number, "amount": t.money(amount)}
    if request.state is RequestState.DECLINED:
        text = lines(
            t("Our shop does not return the money of order {number}:", **said),
            t("{text}", text=request.answer or ""),
        )
        rows.append([button(t.plain("💬 Support"), "support")])
        return Screen(text, rows)
    if refund is not None and refund.state is RefundState.DONE:
        text = lines(
            t("✅ {amount} of order {number} went back to where you paid from.", **said),
            t.n("{n} point of this order went with it.", "{n} points of this order went with it.",
                points) if points else None,
        )  # fmt: skip
        return Screen(text, rows)
    if request.state is RequestState.PART:
        text = t("✅ Our shop has approved your refund for order {number}: {amount} is on its way "
                 "back to where you paid from.", **said)  # fmt: skip
        return Screen(text, rows)
    text = t("✅ Our shop has approved your refund for order {number}. Your money is on its way "
             "back to where you paid from.", **said)  # fmt: skip
    return Screen(text, rows)


# ---- the operator ------------------------------------------------------------------------


def reason(t: Words, request: RefundRequest) -> Html:
    """Why the customer asks, with their own words."""
    why = t(WHYS[request.why])
    if not request.words:
        return t("Reason: {why}", why=why)
    if request.why is Why.OTHER:
        return t("They write: “{words}”", words=request.words)
    return t("Reason: {why}. They write: “{words}”", why=why, words=request.words)


def ask_part(t: Words, one: QueueItem, most: Money, problem: Html | None = None) -> Screen:
    """How much goes back."""
    text = lines(
        problem,
        t("How much goes back? Write an amount below {most}.", most=t.money(most)),
    )
    return Screen(text, [[button(t.plain("‹ Back"), "qitem", one.subject)]])


def confirm_part(t: Words, one: QueueItem, amount: Money) -> Screen:
    """The amount, asked about once more."""
    text = lines(
        t("Return {amount} and leave the top-up with the customer?", amount=t.money(amount)),
        t("Is that right? It can't be taken back."),
    )
    yes = button(t.plain("Yes: return {amount}", amount=t.money(amount)), "qpart!", amount.minor,
                 one.subject)  # fmt: skip
    return Screen(text, [[yes], [button(t.plain("‹ Back"), "qitem", one.subject)]])


def ask_words(t: Words, one: QueueItem, problem: Html | None = None) -> Screen:
    """Why it is declined, as the customer will read it."""
    text = lines(problem, t("Write to the customer why not, in one message."))
    return Screen(text, [[button(t.plain("‹ Back"), "qitem", one.subject)]])


def decided(t: Words, done: Settled) -> Screen:
    """After a written decision."""
    text = t("The customer is told.") if done.first else t("This has been settled.")
    return Screen(text, [[button(t.plain("‹ Queue"), "queue")]])
