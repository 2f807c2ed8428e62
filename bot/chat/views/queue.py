"""What operators read: what waits for a person, and what each button will do."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views import requests
from bot.chat.views import transfer as transfers
from bot.chat.views.plans import plan_name
from bot.chat.views.reasons import known
from bot.chat.views.sims import age, title
from bot.domain.chats import Chat, forgotten
from bot.domain.money import Money
from bot.i18n import N_, Html, Words
from bot.services.desk import Settled
from bot.services.waiting import Action, Kind, QueueItem

WHYS = {
    "by_hand": N_("A paid renewal waits for you to top it up by hand."),
    "mismatch": N_("A payment does not fit its order."),
    "not_found": N_("A top-up was sent, its answer was lost, and the supplier does not know it."),
    "unknown": N_("A top-up was sent and the supplier can't be asked whether it arrived."),
    "no_look_up": N_("A top-up was sent and this supplier has no look-up."),
    "unverified": N_("A top-up was delivered, but the SIM does not show it."),
    "supplier_off": N_("A paid order's supplier is switched off."),
    "refund_due": N_("A refund does not go through."),
    "claim": N_("A customer says that a SIM is theirs."),
    "surplus": N_("More was paid than asked, for an order that was paid already."),
    "reversed": N_("The supplier took a delivered top-up back and returned your money."),
    "price_moved": N_("A plan costs more at the supplier than you allow; it is not sold."),
    "wallet_low": N_("Your balance at a supplier is running low."),
    "activation": N_("An eSIM has not been activated a day after its customer was to use it."),
    "owned": N_("A customer asks for a SIM that belongs to someone else."),
    "refund_by_hand": N_("Money has to go back that no provider can send: return it by hand."),
    "refunded_outside": N_("Money went back at the payment provider, outside the bot."),
    "gap_no_order": N_("A provider took money under a reference that no order has."),
    "gap_missing_there": N_("We count a payment as taken that its provider does not list."),
    "gap_refund_missing_there": N_("We count money as returned that the provider still has."),
    "gap_unpaid": N_("An order was delivered, and no payment of its amount is there."),
    "gap_stuck": N_("An order was paid more than a day ago and has come to no end."),
    "gap_ledger": N_("The wallets' books do not add up."),
    "rate_stale": N_("An exchange rate is too old; what needs it can't be paid until it is new."),
    "refund_asked": N_("A customer asks for their money back."),
    "refund_running": N_(
        "A customer asks for their money back. The top-up is running: wait for its end to refund."
    ),
    "proof": N_("A customer has sent the proof of a transfer. Compare it with your account."),
    "proof_again": N_("A proof of a transfer shares its picture or number with another payment."),
    "group_new": N_("A group would like to post your offers."),
    "disputed": N_("A payer asks their bank for the money back. Answer at the provider."),
}
KINDS = {
    Kind.TOPUP: N_("Top-up not certain"),
    Kind.BY_HAND: N_("Top up by hand"),
    Kind.MISMATCH: N_("Wrong amount"),
    Kind.REFUND: N_("Refund due"),
    Kind.DISPUTE: N_("Dispute"),
    Kind.CLAIM: N_("Claim"),
    Kind.REQUEST: N_("Refund asked for"),
    Kind.PROOF: N_("Transfer to check"),
    Kind.DIFFERENCE: N_("Books differ"),
    Kind.ACTIVATION: N_("Not activated"),
}
ACTIONS = {
    Action.DELIVERED: N_("Done: it arrived"),
    Action.SUBMIT_AGAIN: N_("Buy it again"),
    Action.LOOK_UP_AGAIN: N_("Ask once more"),
    Action.REFUND: N_("Refund"),
    Action.PART: N_("Refund a part"),
    Action.RETURNED: N_("I returned it myself"),
    Action.ACCEPT: N_("Accept this amount"),
    Action.APPROVE: N_("It is theirs"),
    Action.DECLINE: N_("Decline"),
    Action.SEEN: N_("Done: I saw to it"),
    Action.HELPED: N_("Done: I helped"),
}
CONFIRMED = frozenset({Action.SUBMIT_AGAIN, Action.REFUND, Action.RETURNED})
"""Decisions that move money and are asked about once more."""


def note(t: Words, subject: str, why: str, amount: Money | None = None) -> Screen:
    """A short note that leads to what waits; what is no matter of the queue is only named."""
    text = t("📋 {text}", text=t(WHYS.get(why, N_("Something waits for a person."))))
    whole = button(t.plain("All of the queue"), "queue")
    kind, _, name = subject.partition(":")
    if kind == "supplier":
        balance = t("Balance: {amount}", amount=t.money(amount)) if amount else None
        return Screen(lines(text, t("Supplier: {name}", name=name), balance), [[whole]])
    if kind == "rate":
        return Screen(lines(text, t("Rate: {name}", name=name)), [[whole]])
    if kind == "plan":
        return Screen(lines(text, t("Plan: <code>{name}</code>", name=name)), [[whole]])
    return Screen(text, [[button(t.plain("Open"), "qitem", subject), whole]])


def queue(t: Words, items: Sequence[QueueItem], now: datetime) -> Screen:
    """Everything that waits, the longest first."""
    if not items:
        return Screen(
            lines(t("<b>Queue</b>"), "", t("Nothing waits for a person.")),
            _below(t),
        )
    rows = [[button(_label(t, item), "qitem", item.subject)] for item in items[:20]]
    parts = [
        t("• {kind}: {what}, {age}", kind=t(KINDS[item.kind]), what=_what(t, item),
          age=age(t, item.since, now))
        for item in items[:20]
    ]  # fmt: skip
    more = len(items) - 20
    return Screen(
        lines(
            t.n("<b>Queue</b>: {n} matter waits", "<b>Queue</b>: {n} matters wait", len(items)),
            "",
            *parts,
            t.n("… and {n} more", "… and {n} more", more) if more > 0 else None,
        ),
        [*rows, *_below(t)],
    )


def _below(t: Words) -> list[list[Button]]:
    return [
        [
            button(t.plain("🔎 Find a customer"), "find"),
            button(t.plain("📊 How everything runs"), "status"),
        ],
        [button(t.plain("Look again"), "queue"), button(t.plain("‹ Menu"), "menu")],
    ]


def _what(t: Words, item: QueueItem) -> str:
    if item.order is not None:
        return item.order.number
    if item.proof is not None:
        return transfers.number_of(item.proof.payment_id)
    return title(t, item.sim) if item.sim is not None else item.subject


def _customer(t: Words, chat: Chat) -> str:
    return t.plain("deleted customer") if forgotten(chat.id) else chat.first_name or str(chat.id)


def _label(t: Words, item: QueueItem) -> str:
    return f"{t.plain(KINDS[item.kind])} · {_what(t, item)}"


def item(t: Words, one: QueueItem, now: datetime, asked: Action | None = None) -> Screen:
    """One matter with its facts; with `asked`, the question before a decision about money."""
    order, topup = one.order, one.topup
    why = WHYS.get(one.reason or "", WHYS["by_hand"] if one.kind is Kind.BY_HAND else None)
    parts: list[str | None] = [
        t("<b>{kind}</b>", kind=t(KINDS[one.kind])),
        t(why) if why else known(t, one.reason),
        "",
        t("Customer: {name}", name=_customer(t, one.chat)) if one.chat else None,
        t("SIM: {title}", title=title(t, one.sim)) if one.sim else None,
    ]
    if one.sim is not None and one.kind in (Kind.BY_HAND, Kind.CLAIM, Kind.ACTIVATION):
        number = one.sim.msisdn or one.sim.iccid
        parts.append(t("Number: <code>{number}</code>", number=number) if number else None)
    if order is not None:
        parts += [
            t("Order: {number}", number=order.number),
            t("Plan: {name}, {price}", name=plan_name(t, order.plan), price=t.money(order.price)),
            t("Paid: {amount}", amount=t.money(order.charge)) if order.charge else None,
        ]
    if topup is not None and one.kind is Kind.TOPUP:
        parts.append(t("Our reference: <code>{ref}</code>", ref=topup.id))
    asked_of = one.payment if one.kind is not Kind.REQUEST else None
    if asked_of is not None and asked_of.captured is not None:
        parts.append(
            t("Asked {asked}, received {received}", asked=t.money(asked_of.amount),
              received=t.money(asked_of.captured))
        )  # fmt: skip
    if one.request is not None:
        parts.append(requests.reason(t, one.request))
    parts += transfers.facts(t, one)
    if one.difference is not None and one.difference.amount is not None:
        parts.append(t("Amount: {amount}", amount=t.money(one.difference.amount)))
        parts.append(t("Reference: <code>{ref}</code>", ref=one.difference.subject))
    if one.refund is not None:
        parts.append(t("To return: {amount}", amount=t.money(one.refund.amount)))
    parts += ["", t("Waits since {when}", when=t.moment(one.since, now=now))]
    if asked is not None:
        parts.append(Html(f"\n{_question(t, asked)}"))
    return Screen(lines(*parts), _rows(t, one, asked))


def _question(t: Words, action: Action) -> Html:
    if action is Action.SUBMIT_AGAIN:
        return t("Buy it again? Do this only when you are sure that nothing arrived.")
    return t("Is that right? It can't be taken back.")


def _rows(t: Words, one: QueueItem, asked: Action | None) -> list[list[Button]]:
    if asked is not None:
        return [
            [button(t.plain("Yes: {action}", action=t.plain(ACTIONS[asked])), "qact!", asked.value,
                    one.subject)],
            [button(t.plain("‹ Back"), "qitem", one.subject)],
        ]  # fmt: skip
    rows = [[button(t.plain(ACTIONS[a]), "qact", a.value, one.subject)] for a in one.actions]
    rows += transfers.choices(t, one)
    return [*rows, [button(t.plain("‹ Queue"), "queue")]]


def settled(t: Words, done: Settled, now: datetime) -> str:
    """What was decided, by whom: shown to who pressed first and second alike."""
    action = t.plain(ACTIONS[done.action])
    if done.first:
        return t.plain("Decided: {action}", action=action)
    return t.plain("Already settled: {action}, {when}", action=action,
                   when=t.moment(done.at, now=now))  # fmt: skip
