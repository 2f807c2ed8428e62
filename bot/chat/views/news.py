"""What a reminder is about, in a sentence: calm early, precise late."""

from datetime import datetime, timedelta

from bot.chat.views.sims import span, title
from bot.domain.rules import Lapse, Loss, Rule
from bot.domain.sims import Sim, SimForm, Tracking
from bot.domain.stages import Stage, StageKind
from bot.i18n import N_, Html, Words

_NOW = {
    Loss.WARNED: N_("For now it works as usual; the carrier warns before it stops."),
    Loss.RECEIVE_ONLY: N_("It still receives calls and SMS. Calling, sending and data are off."),
    Loss.SUSPENDED: N_("Calls, SMS and data are off until you renew. The number is still yours."),
    Loss.HIBERNATED: N_("The number is paused: nothing works, but it can be restored."),
    Loss.BALANCE_LOST: N_("The balance on it is lost. The number is still yours."),
}
_THEN = {
    Loss.WARNED: N_("On {date} a warning comes."),
    Loss.RECEIVE_ONLY: N_("From {date} on it can only receive."),
    Loss.SUSPENDED: N_("On {date} the line is suspended."),
    Loss.HIBERNATED: N_("On {date} the number is paused."),
    Loss.BALANCE_LOST: N_("On {date} the balance is lost."),
    Loss.NUMBER_LOST: N_("On {date} the number is lost."),
}


def news(t: Words, sim: Sim, stage: Stage, now: datetime) -> Html:
    """One stage of one SIM, in a sentence."""
    name = title(t, sim)
    match stage.kind:
        case StageKind.EXPIRY if sim.expiry is not None:
            return _expiry(t, sim, sim.expiry, now)
        case StageKind.KEEP if sim.keep_deadline is not None:
            return t(
                "🔑 <b>{title}</b>: use it by {date} ({left}), so that the number is not lost.",
                title=name,
                date=t.moment(sim.keep_deadline, now=now),
                left=span(t, sim.keep_deadline, now),
            )
        case StageKind.GRACE_STARTED:
            return _grace_started(t, sim, now)
        case StageKind.GRACE if sim.grace_end is not None:
            return _grace(t, sim, sim.grace_end, now)
        case StageKind.LOST:
            return _lost(t, sim)
        case StageKind.USED_UP:
            return t("🟠 <b>{title}</b>: the data is used up.", title=name)
    return t("🟡 <b>{title}</b>: data is running low.", title=name)


def _grace_started(t: Words, sim: Sim, now: datetime) -> Html:
    name = title(t, sim)
    if sim.expiry is None:
        return t(
            "🔴 <b>{title}</b>: its keep-number deadline has passed. Use it today, or ask the "
            "carrier.",
            title=name,
        )
    if sim.grace_end is None:
        return t("🔴 <b>{title}</b> has expired.", title=name)
    until = t.moment(sim.grace_end, now=now)
    if data_only(sim):
        return t(
            "🔴 <b>{title}</b> has expired. It can still be renewed until {date}.",
            title=name,
            date=until,
        )
    return t(
        "🔴 <b>{title}</b> has expired. The number is still yours until {date}: "
        "renew it before then.",
        title=name,
        date=until,
    )


def _grace(t: Words, sim: Sim, end: datetime, now: datetime) -> Html:
    said = N_("🔴 <b>{title}</b>: {left} to save the number. After {date} it is gone for good.")
    if data_only(sim):
        said = N_("🔴 <b>{title}</b>: {left} to renew it. After {date} it is gone for good.")
    left, until = span(t, end, now), t.moment(end, now=now)
    return t(said, title=title(t, sim), left=left, date=until)


def _lost(t: Words, sim: Sim) -> Html:
    if data_only(sim):
        return t(
            "⚫️ The grace period of <b>{title}</b> has ended. It can no longer be renewed; our "
            "shop can give you a new eSIM.",
            title=title(t, sim),
        )
    return t(
        "⚫️ The grace period of <b>{title}</b> has ended. The number can no longer be "
        "renewed here; the carrier may still help if you ask today.",
        title=title(t, sim),
    )


def data_only(sim: Sim) -> bool:
    """An eSIM of our shop without a number: nothing but its data can be lost."""
    return sim.form is SimForm.ESIM and sim.tracking is Tracking.MANAGED and sim.msisdn is None


def _expiry(t: Words, sim: Sim, expiry: datetime, now: datetime) -> Html:
    days = (t.local(expiry).date() - t.local(now).date()).days
    if days <= 0:
        return t(
            "⏰ <b>{title}</b> expires today at {time}.", title=title(t, sim), time=t.clock(expiry)
        )
    if days == 1:
        return t(
            "⏰ <b>{title}</b> expires tomorrow at {time}.",
            title=title(t, sim),
            time=t.clock(expiry),
        )
    return t.n(
        "🗓 <b>{title}</b> expires in {n} day, on {date}.",
        "🗓 <b>{title}</b> expires in {n} days, on {date}.",
        days,
        title=title(t, sim),
        date=t.moment(expiry, now=now),
    )


def in_grace(t: Words, sim: Sim, rule: Rule | None, now: datetime) -> list[Html]:
    """What still works of an expired line, what does not, and what is lost next on which date.

    As its rule tells; without one only what holds for every line.
    """
    if sim.end is None:
        return []
    lapses, come = _lapses(rule), _come(sim.end, rule, now)
    ahead = [one for one in lapses if _at(sim.end, one) > now and one.after_days is not None]
    found = []
    if come:
        latest = max(one.after_days or 0 for one in come)
        found += [t(_NOW[one.what]) for one in come if (one.after_days or 0) == latest]
    elif data_only(sim):
        found.append(t("Data is off until you renew; what was left of it is lost."))
    else:
        found.append(t("Calls, SMS and data may be off until you renew."))
    told = sim.grace_end is not None  # then its news names the day on which the number is lost
    rest = [one for one in ahead if not (told and one.what is Loss.NUMBER_LOST)]
    if rest:
        first = min(rest, key=lambda one: one.after_days or 0)
        found.append(t(_THEN[first.what], date=t.date(_at(sim.end, first), now=now)))
    return found


def stopped(sim: Sim, rule: Rule | None, now: datetime) -> bool:
    """Whether, as its rule tells, nothing can be sent or called from the line any more."""
    if sim.end is None:
        return False
    off = (Loss.RECEIVE_ONLY, Loss.SUSPENDED, Loss.HIBERNATED)
    return any(one.what in off for one in _come(sim.end, rule, now))


def _lapses(rule: Rule | None) -> tuple[Lapse, ...]:
    return rule.pack.lapses if rule is not None and rule.pack is not None else ()


def _come(end: datetime, rule: Rule | None, now: datetime) -> list[Lapse]:
    return [one for one in _lapses(rule) if _at(end, one) <= now and one.what in _NOW]


def _at(end: datetime, lapse: Lapse) -> datetime:
    """When it happens, at the earliest; at the end of the line where nobody says when."""
    return end + timedelta(days=lapse.after_days or 0)
