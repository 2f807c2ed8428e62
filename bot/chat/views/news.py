"""What a reminder is about, in a sentence: calm early, precise late."""

from datetime import datetime

from bot.chat.views.sims import span, title
from bot.domain.sims import Sim
from bot.domain.stages import Stage, StageKind
from bot.i18n import Html, Words


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
        case StageKind.GRACE_STARTED if sim.expiry is None:
            return t(
                "🔴 <b>{title}</b>: its keep-number deadline has passed. Use it today, or ask the "
                "carrier.",
                title=name,
            )
        case StageKind.GRACE_STARTED if sim.grace_end is not None:
            return t(
                "🔴 <b>{title}</b> has expired. The number is still yours until {date}: "
                "renew it before then.",
                title=name,
                date=t.moment(sim.grace_end, now=now),
            )
        case StageKind.GRACE_STARTED:
            return t("🔴 <b>{title}</b> has expired.", title=name)
        case StageKind.GRACE if sim.grace_end is not None:
            return t(
                "🔴 <b>{title}</b>: {left} to save the number. After {date} it is gone for good.",
                title=name,
                left=span(t, sim.grace_end, now),
                date=t.moment(sim.grace_end, now=now),
            )
        case StageKind.LOST:
            return t(
                "⚫️ The grace period of <b>{title}</b> has ended. The number can no longer be "
                "renewed here; the carrier may still help if you ask today.",
                title=name,
            )
        case StageKind.USED_UP:
            return t("🟠 <b>{title}</b>: the data is used up.", title=name)
    return t("🟡 <b>{title}</b>: data is running low.", title=name)


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
