"""A person's SIM dates for their own calendar: in words, and as a file."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Screen, button, lines
from bot.chat.views.news import data_only
from bot.chat.views.sims import title
from bot.domain.calendar import DateKind, Event, dates_of, ics, uid
from bot.domain.sims import Sim
from bot.i18n import N_, Html, Words

FILE = "sims.ics"
_SUMMARIES = {
    DateKind.EXPIRY: N_("{title} expires"),
    DateKind.GRACE: N_("{title}: last day to save the number"),
    DateKind.KEEP: N_("{title}: use it by today to keep the number"),
}
_HINTS = {
    DateKind.EXPIRY: N_("Renew it before then: open the bot and send /renew."),
    DateKind.GRACE: N_("After this day the number is gone. Open the bot and send /renew."),
    DateKind.KEEP: N_("Open the bot and send /sims to see what counts as use."),
}


def calendar_file(t: Words, sims: Sequence[Sim], shop: str, now: datetime) -> str:
    """Every date of the SIMs as an iCalendar file."""
    events = [
        Event(uid(sim, kind), day, *_told(t, sim, kind))
        for sim in sims
        for kind, day in dates_of(sim, t.zone.key)
    ]
    return ics(t.plain("SIM dates · {shop}", shop=shop), events, now)


def _told(t: Words, sim: Sim, kind: DateKind) -> tuple[str, str]:
    """What stands in the calendar, and what to do about it."""
    if kind is DateKind.GRACE and data_only(sim):
        told = t.plain("{title}: last day to renew it", title=title(t, sim))
        return told, t.plain("After this day it can't be renewed. Open the bot and send /renew.")
    return t.plain(_SUMMARIES[kind], title=title(t, sim)), t.plain(_HINTS[kind])


def offer(t: Words, link: str | None, *, can_link: bool, note: Html | None = None) -> Screen:
    """The file and, where the bot has an address of its own, the link."""
    text = [
        note,
        "" if note else None,
        t("<b>Your SIM dates in your calendar</b>"),
        t("Expiry, end of the grace period and keep-number deadline of every SIM, as whole days."),
    ]
    rows = [[button(t.plain("Send me the file"), "calfile")]]
    if link is not None:
        text += [
            "",
            t("Your link, which stays up to date by itself:"),
            t("<code>{link}</code>", link=link),
            t("Add it in your calendar under “subscribe” or “from URL”. Whoever has the link can "
              "read these dates, so keep it to yourself."),
        ]  # fmt: skip
        rows.append([
            button(t.plain("New link"), "callink", 1),
            button(t.plain("End the link"), "calend"),
        ])  # fmt: skip
    elif can_link:
        rows.append([button(t.plain("A link that stays up to date"), "callink", 0)])
    return Screen(lines(*text), [*rows, [button(t.plain("‹ Back"), "rem")]])


def nothing(t: Words) -> str:
    """There is no date to put into a file."""
    return t.plain("None of your SIMs has a date yet. Add a SIM first.")


def caption(t: Words) -> Html:
    """Said below the file."""
    return t("Open it on your phone or computer and add the dates. Later dates need a new file.")


def fresh(t: Words) -> Html:
    """The link before leads nowhere now."""
    return t("✓ Here is a new link. The old one no longer works.")


def ended(t: Words) -> Html:
    """There is no link any more."""
    return t("✓ The link no longer works.")


def not_sent(t: Words) -> Screen:
    """Telegram is busy, or lost its answer."""
    text = t("Telegram did not take the file just now. If it is not here in a moment, tap again.")
    return Screen(text, [[button(t.plain("Send me the file"), "calfile")]])
