"""Renewals that pay by themselves, in words (F19): the choices, the terms, where one stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.views.plans import plan_name, plan_price
from bot.chat.views.reasons import because
from bot.chat.views.sale import METHODS
from bot.chat.views.sims import title
from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.renewals import LIVE, Agreement, AgreementState
from bot.domain.sales import Method, Saved
from bot.domain.sims import Sim
from bot.i18n import N_, Html, Words
from bot.services.agreeing import Wanted, Ways

CYCLES = (0, 30, 90, 180)
"""Days between renewals that can be chosen; 0: before each expiry."""
PAUSES = {
    "price_moved": N_("The price has changed."),
    "plan_inactive": N_("This plan is no longer sold."),
    "cap": N_("One more renewal would pass your limit for 30 days."),
    "saved_gone": N_("The saved card can no longer be charged."),
    "method_off": N_("This way to pay is switched off."),
    "declined": N_("The payment was declined three times."),
    "disputed": N_("A payment of it was disputed."),
    "refunded_outside": N_("A payment of it was returned by its provider."),
    "sim_gone": N_("The SIM is no longer among yours."),
    "line_gone": N_("The SIM is no longer among yours."),
    "not_charged": N_("Telegram has not charged the subscription."),
    "not_kept": N_("The card was not saved when you paid."),
}
"""Why an agreement is paused or has ended."""
_OTHER = N_("Something about it has changed.")


@dataclass(frozen=True, slots=True)
class Deal:
    """An agreement with what it is about. `at` is its next charge (UTC), where that is known."""

    agreement: Agreement
    sim: Sim
    plan: Plan | None
    saved: Saved | None = None
    at: datetime | None = None


def on_line(t: Words, deal: Deal | None, now: datetime) -> Html | None:
    """One line for a SIM's card and its reminders; None while nothing renews it."""
    if deal is None or deal.agreement.state is AgreementState.WAITING:
        return None
    if deal.agreement.state not in LIVE:
        return t("⏸ Auto-renew is paused. Tap Auto-renew to go on.")
    if deal.at is None:
        return t("🔁 Auto-renew is on.")
    return t("🔁 Auto-renew is on: we renew it on {date} for {price}.",
             date=t.date(deal.at, now=now), price=_price(t, deal))  # fmt: skip


def _price(t: Words, deal: Deal) -> str:
    return t.money(deal.agreement.price)


def paid_with(t: Words, method: Method, saved: Saved | None) -> str:
    """What is charged: a card by its last digits, else the method's name."""
    return saved.label if saved is not None else t.plain(METHODS[method])


# ---- choosing ----------------------------------------------------------------------------


def choose_plan(t: Words, sim: Sim, plans: Sequence[Plan]) -> Screen:
    """Which plan; the last one bought comes first."""
    back = [button(t.plain("‹ Back"), "sim", sim.id)]
    head = t("<b>Auto-renew for {title}</b>", title=title(t, sim))
    if not plans:
        text = t("None of this SIM's plans can renew by itself. I remind you in time instead.")
        return Screen(lines(head, "", text), [back])
    text = lines(
        head,
        "",
        t("I renew this SIM before it expires, so that you need not think of it. You hear of every "
          "charge 3 days before, and stop it with one tap."),
        t("Which plan shall it be?"),
    )  # fmt: skip
    rows = [
        [button(f"{plan_name(t, plan)} · {plan_price(t, plan)}",
                "auto_plan", sim.id, plan.code, plan.version)]
        for plan in plans
    ]  # fmt: skip
    return Screen(text, [*rows, back])


def ask_amount(t: Words, sim: Sim, plan: Plan, problem: Html | None = None) -> Screen:
    """Of a plan of any amount."""
    assert plan.open_amount is not None  # noqa: S101  asked only then
    text = lines(
        problem,
        "" if problem else None,
        t("How much each time? Write an amount: {range}.", range=plan_price(t, plan)),
    )
    return Screen(text, [[button(t.plain("‹ Back"), "auto_new", sim.id)]])


def choose_way(t: Words, sim: Sim, plan: Plan, ways: Ways) -> Screen:
    """What to pay with; only what can be charged again."""
    rows: list[list[Button]] = []
    if ways.wallet:
        rows.append([button(t.plain("Wallet"), "auto_by", "wallet")])
    rows += [[button(saved.label, "auto_by", "card", saved.id)] for saved in ways.saved]
    if ways.new_card:
        rows.append([button(t.plain("Another card") if ways.saved else t.plain("Card"),
                            "auto_by", "card")])  # fmt: skip
    if ways.stars is not None:
        label = t.plain("Telegram Stars · {total} a month", total=t.money(ways.stars))
        rows.append([button(label, "auto_by", "stars")])
    text = lines(
        t("<b>Auto-renew for {title}</b>", title=title(t, sim)),
        t("Plan: {name}", name=plan_name(t, plan)),
        t("Price each time: {price}", price=t.money(ways.price)),
        "",
        t("How shall it be paid?")
        if rows
        else t("No way to pay of this shop can be charged again. I remind you in time instead."),
    )
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "auto_new", sim.id)]])


def choose_cap(t: Words, sim: Sim, price: Money, problem: Html | None = None) -> Screen:
    """The most within 30 days."""
    picks = [
        button(t.money(Money(price.minor * n, price.currency)), "auto_cap", price.minor * n)
        for n in (1, 2, 3)
    ]
    text = lines(
        problem,
        "" if problem else None,
        t("What is the most I may charge for <b>{title}</b> within 30 days? Tap an amount or write "
          "one.", title=title(t, sim)),
        t("Beyond it nothing is charged, and I ask you first."),
    )  # fmt: skip
    return Screen(text, [*grid(picks, 3), [button(t.plain("‹ Back"), "auto_new", sim.id)]])


def choose_cycle(t: Words, sim: Sim, every: int | None) -> Screen:
    """How often."""
    rows = [
        [button(("✓ " if (every or 0) == days else "") + _cycle(t, days), "auto_every", days)]
        for days in CYCLES
    ]
    text = t("How often shall <b>{title}</b> be renewed?", title=title(t, sim))
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "auto_terms")]])


def _cycle(t: Words, days: int) -> str:
    if not days:
        return t.plain("Before each expiry")
    return str(t.n("Every {n} day", "Every {n} days", days))


# ---- the terms ---------------------------------------------------------------------------


def terms(
    t: Words, sim: Sim, plan: Plan, ways: Ways, wanted: Wanted, saved: Saved | None,
    *, late: bool, problem: Html | None = None,
) -> Screen:  # fmt: skip
    """What is agreed to, in full, before anything is. `late`: it can be renewed after expiry."""
    stars = wanted.method is Method.STARS
    text = lines(
        problem,
        "" if problem else None,
        t("<b>Auto-renew for {title}: what you agree to</b>", title=title(t, sim)),
        t("• Plan: {name}, {price} each time", name=plan_name(t, plan), price=t.money(ways.price)),
        _when(t, wanted, late=late),
        t("• Paid with: {what}", what=paid_with(t, wanted.method, saved)),
        _how_much(t, ways, wanted),
        t("• Limit: never more than {cap} within 30 days", cap=t.money(wanted.cap)),
        t("• I write to you 3 days before each charge, with its price. If the price changes, "
          "nothing is charged until you confirm it."),
        None if stars else
        t("• If a payment is declined, I tell you, and try twice more within 48 hours. Reminders "
          "go on until the SIM is renewed."),
        t("• You can stop at any time here, with one tap. What is paid stays yours."),
        "",
        t("By tapping Accept you agree to this and to the /terms."),
    )  # fmt: skip
    accept = t.plain("Accept") if _at_once(wanted) else t.plain("Accept and pay the first one")
    rows = [
        [button(accept, "auto_yes")],
        [button(t.plain("Change the limit"), "auto_limit")],
        [] if stars else [button(t.plain("How often"), "auto_cycle")],
        [button(t.plain("‹ Back"), "auto_new", sim.id)],
    ]
    return Screen(text, rows)


def _at_once(wanted: Wanted) -> bool:
    return wanted.method is Method.WALLET or wanted.saved_id is not None


def _when(t: Words, wanted: Wanted, *, late: bool) -> Html:
    if wanted.method is Method.STARS:
        return t("• When: you pay the first month now; then Telegram charges every 30 days")
    if wanted.every:
        return t.n("• When: every {n} day", "• When: every {n} days", wanted.every)
    if not _at_once(wanted):
        return t("• When: you pay the first one now, and your card is saved; from then on before "
                 "each expiry")  # fmt: skip
    return t("• When: 1 day before each expiry") if late else t("• When: 3 days before each expiry")


def _how_much(t: Words, ways: Ways, wanted: Wanted) -> Html | None:
    if wanted.method is Method.STARS and ways.stars is not None:
        return t("• Charged: {total} a month", total=t.money(ways.stars))
    if wanted.method is Method.CARD:
        return t("• In another currency the rate of the day counts: at most 5 % more than I told "
                 "you before")  # fmt: skip
    return None


# ---- where it stands ---------------------------------------------------------------------


def status(t: Words, deal: Deal, now: datetime, note: Html | None = None) -> Screen:
    """One SIM's agreement, and what can be done with it."""
    agreement, sim = deal.agreement, deal.sim
    waits = agreement.state is AgreementState.WAITING
    text = lines(
        note,
        "" if note else None,
        t("<b>Auto-renew for {title}</b>", title=title(t, sim)),
        _state(t, deal),
        t("Plan: {name}", name=plan_name(t, deal.plan)) if deal.plan is not None else None,
        t("Price each time: {price}", price=_price(t, deal)),
        t("Paid with: {what}", what=paid_with(t, agreement.method, deal.saved)),
        t("At most {cap} within 30 days", cap=t.money(agreement.cap)),
        t("Next charge: <b>{date}</b>", date=t.date(deal.at, now=now)) if deal.at else None,
        t("You agreed to this on {date}.", date=t.date(agreement.accepted_at, now=now)),
    )
    rows: list[list[Button]] = []
    if agreement.asked is not None:
        rows.append([_confirm(t, agreement, agreement.asked)])
    if waits:
        rows.append([button(t.plain("Pay the first one"), "auto_begin", agreement.id)])
    rows += [
        [
            button(t.plain("Change"), "auto_new", sim.id),
            button(t.plain("Stop auto-renew"), "auto_stop", agreement.id),
        ],
        [button(t.plain("Remove this card"), "cardout", deal.saved.id)] if deal.saved else [],
        [button(t.plain("‹ Back"), "sim", sim.id)],
    ]
    return Screen(text, rows)


def _state(t: Words, deal: Deal) -> Html:
    agreement = deal.agreement
    match agreement.state:
        case AgreementState.ACTIVE:
            return t("🔁 On")
        case AgreementState.FAILING:
            return t("⚠️ The last payment was declined; it is tried again.")
        case AgreementState.WAITING:
            return t("⏳ It begins when you have paid the first one.")
        case AgreementState.PAUSED:
            return t("⏸ Paused. {reason}", reason=why(t, agreement.reason))
    return t("Off")


def why(t: Words, reason: str | None) -> Html:
    """Why it is paused or has ended."""
    return t(PAUSES.get(reason or "", _OTHER))


def _confirm(t: Words, agreement: Agreement, asked: Money) -> Button:
    label = t.plain("Agree to {price}", price=t.money(asked))
    return button(label, "auto_agree", agreement.id, agreement.version)


def ask_stop(t: Words, deal: Deal) -> Screen:
    """Sure?"""
    agreement = deal.agreement
    text = lines(
        t("Stop auto-renew for <b>{title}</b>?", title=title(t, deal.sim)),
        t("Nothing more is charged. I go on reminding you before it expires."),
        t("What Telegram has charged stays valid until its end.")
        if agreement.method is Method.STARS
        else None,
    )
    rows = [
        [
            button(t.plain("Yes, stop"), "auto_off", agreement.id),
            button(t.plain("No, go on"), "auto", deal.sim.id),
        ]
    ]
    return Screen(text, rows)


def stopped(t: Words, sim: Sim) -> Screen:
    """It has ended by the customer's word."""
    text = lines(
        t("✓ Auto-renew is off for <b>{title}</b>. Nothing more is charged.", title=title(t, sim)),
        t("I remind you before it expires."),
    )
    rows = [
        [
            button(t.plain("Renew now"), "again", sim.id),
            button(t.plain("Show this SIM"), "sim", sim.id),
        ]
    ]
    return Screen(text, rows)


def accepted(t: Words) -> Html:
    """Said above where it stands."""
    return t("✅ Auto-renew is on.")


def problem(t: Words, reason: str, price: Money) -> Html:
    """Why it was not agreed to."""
    if reason == "cap_low":
        return t("The limit has to be {price} or more.", price=t.money(price))
    return because(t, reason)
