"""News of renewals that pay by themselves: what is coming, what was declined, how it ended."""

from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views.plans import plan_name
from bot.chat.views.reasons import because, known
from bot.chat.views.renewals import Deal, paid_with, why
from bot.chat.views.sims import title
from bot.domain.money import Money
from bot.domain.renewals import LIVE, AgreementState, Run, RunState, retry_at
from bot.domain.sales import Method
from bot.i18n import N_, Html, Words


def told(t: Words, deal: Deal, run: Run | None, step: str, now: datetime) -> Screen | None:
    """The message of one step; None when it is outdated."""
    match step:
        case "on":
            return _on(t, deal, now)
        case "notice":
            return _notice(t, deal, run, now)
        case "declined" if run is not None:
            return _declined(t, deal, run, now)
        case "failed" if run is not None:
            return _failed(t, deal, run)
        case "skipped":
            return _skipped(t, deal)
        case "paused":
            return _paused(t, deal)
        case "ended":
            return _ended(t, deal)
    return None


def _on(t: Words, deal: Deal, now: datetime) -> Screen | None:
    if deal.agreement.state not in LIVE:
        return None
    text = lines(
        t("✅ Auto-renew is on for <b>{title}</b>.", title=title(t, deal.sim)),
        t("Next charge: <b>{date}</b>", date=t.date(deal.at, now=now)) if deal.at else None,
        t("I write to you 3 days before, with the price."),
    )
    return Screen(text, [[_look(t, deal)]])


def _notice(t: Words, deal: Deal, run: Run | None, now: datetime) -> Screen | None:
    """Three days before: what, when, how much, from what, and how to stop."""
    agreement = deal.agreement
    if agreement.state not in LIVE or deal.at is None:
        return None
    if run is not None and run.state is not RunState.NOTICED:
        return None
    plan = plan_name(t, deal.plan) if deal.plan is not None else agreement.plan_code
    said = N_("🔁 On {date} I renew <b>{title}</b>: {plan} for <b>{price}</b>, paid with {what}.")
    if agreement.method is Method.STARS:
        said = N_("🔁 On {date} Telegram charges your subscription, and I renew <b>{title}</b>: "
                  "{plan} for <b>{price}</b>, paid with {what}.")  # fmt: skip
    text = lines(
        t(said, date=t.date(deal.at, now=now), title=title(t, deal.sim), plan=plan,
          price=t.money(agreement.price), what=paid_with(t, agreement.method, deal.saved)),
        _at_most(t, run, agreement.price),
        t("You need not do anything. To stop it, tap below before that day."),
    )  # fmt: skip
    rows = [
        [button(t.plain("Stop auto-renew"), "auto_stop", agreement.id)],
        [button(t.plain("Renew now"), "auto_pay", agreement.id), _look(t, deal)],
    ]
    return Screen(text, rows)


def _at_most(t: Words, run: Run | None, price: Money) -> Html | None:
    """What is charged at most, where that is not simply the price."""
    if run is None or run.most == price:
        return None
    return t("Charged: at most {total}.", total=t.money(run.most))


def _declined(t: Words, deal: Deal, run: Run, now: datetime) -> Screen | None:
    again = retry_at(run)
    if deal.agreement.state not in LIVE or run.state is not RunState.DECLINED or again is None:
        return None
    text = lines(
        t("⚠️ <b>{title}</b> was not renewed. {reason}", title=title(t, deal.sim),
          reason=_reason(t, run)),
        t("I try again on {when}. You can also pay now.", when=t.moment(again, now=now)),
    )  # fmt: skip
    pay = _pay(t, deal)
    if run.reason == "needs_confirmation" and run.order_id is not None:
        pay = button(t.plain("Pay now"), "auto_open", deal.agreement.id)
    return Screen(text, [[pay], [_look(t, deal)]])


def _failed(t: Words, deal: Deal, run: Run) -> Screen | None:
    if run.state is not RunState.FAILED:
        return None
    text = lines(
        t("🔴 <b>{title}</b> could not be renewed. {reason}", title=title(t, deal.sim),
          reason=_reason(t, run)),
        t("Nothing was charged, and auto-renew is paused. Please renew it yourself: tap Pay now."),
        t("I go on reminding you."),
    )  # fmt: skip
    return Screen(
        text, [[button(t.plain("Pay now"), "auto_pay", deal.agreement.id)], [_look(t, deal)]]
    )


def _skipped(t: Words, deal: Deal) -> Screen | None:
    if deal.agreement.state not in LIVE:
        return None
    text = lines(
        t("⚠️ Auto-renew came too late for <b>{title}</b> this time: I may only charge after "
          "telling you a day before.", title=title(t, deal.sim)),
        t("Nothing was charged. Please renew it yourself: tap Pay now."),
    )  # fmt: skip
    return Screen(
        text, [[button(t.plain("Pay now"), "auto_pay", deal.agreement.id)], [_look(t, deal)]]
    )


def _paused(t: Words, deal: Deal) -> Screen | None:
    agreement = deal.agreement
    if agreement.state is not AgreementState.PAUSED:
        return None
    head = t("⏸ Auto-renew for <b>{title}</b> is paused. {reason}", title=title(t, deal.sim),
             reason=why(t, agreement.reason))  # fmt: skip
    stop = button(t.plain("Stop auto-renew"), "auto_stop", agreement.id)
    if agreement.asked is None:
        text = t("Nothing is charged until you set it up again.")
        rows = [[button(t.plain("Set it up again"), "auto_new", deal.sim.id)], [stop]]
        return Screen(lines(head, text), rows)
    text = t("It was {old}, it is now <b>{new}</b>. Nothing is charged until you agree.",
             old=t.money(agreement.price), new=t.money(agreement.asked))  # fmt: skip
    agree = t.plain("Agree to {price}", price=t.money(agreement.asked))
    return Screen(
        lines(head, text), [[button(agree, "auto_agree", agreement.id, agreement.version)], [stop]]
    )


def _ended(t: Words, deal: Deal) -> Screen | None:
    agreement = deal.agreement
    if agreement.state is not AgreementState.ENDED:
        return None
    text = lines(
        t("Auto-renew for <b>{title}</b> has ended. {reason}", title=title(t, deal.sim),
          reason=why(t, agreement.reason)),
        t("Nothing more is charged. You can renew by hand, or set it up again."),
    )  # fmt: skip
    rows: list[list[Button]] = [[button(t.plain("My SIMs"), "sims")]]
    if deal.sim.owner_id == agreement.chat_id and deal.sim.removed_at is None:
        again = button(t.plain("Set it up again"), "auto_new", deal.sim.id)
        rows = [[button(t.plain("Renew now"), "again", deal.sim.id), again]]
    return Screen(text, rows)


def _reason(t: Words, run: Run) -> Html:
    return known(t, run.reason) or because(t, "declined")


def _pay(t: Words, deal: Deal) -> Button:
    return button(t.plain("Pay now"), "auto_pay", deal.agreement.id)


def _look(t: Words, deal: Deal) -> Button:
    return button(t.plain("Auto-renew"), "auto", deal.sim.id)
