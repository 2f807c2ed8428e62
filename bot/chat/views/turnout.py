"""What a group's posts brought, in words: its picture's, and what stands below it."""

from datetime import datetime

from bot.chat.pictures.turnout import TurnoutFacts
from bot.chat.screen import Screen, button, lines
from bot.chat.views.group_posts import counts_line
from bot.domain.campaigns import PostCounts
from bot.domain.groups import Group
from bot.domain.turnout import Turnout
from bot.i18n import Words

DAYS = 30
_MOST_STEPS = 5
"""Lines across, besides the one at nothing."""
_EVERY = 7
"""Days between two that are named."""


def facts(
    t: Words, group: Group, found: Turnout, counts: PostCounts, now: datetime
) -> TurnoutFacts:
    """The picture's words and numbers; `found` is not empty."""
    highest = max(*found.opened, *found.quoted, *found.paid)
    step = _step(highest)
    values = range(0, (highest + step - 1) // step * step + 1, step)
    days = found.days
    named = range(len(days) - 1, -1, -_EVERY)
    return TurnoutFacts(
        title=group.title,
        subtitle=t.plain("What its posts brought in the last 30 days"),
        names=(t.plain("Opened"), t.plain("Saw a price"), t.plain("Paid")),
        bars=(found.opened, found.quoted, found.paid),
        steps=tuple((value, t.number(value)) for value in values),
        ticks=tuple((place, t.date(days[place], now=now)) for place in reversed(named)),
        sums=t.plain(
            "All posts: {opened} opened, {quoted} saw a price, {paid} paid",
            opened=t.number(counts.opened), quoted=t.number(counts.quoted),
            paid=t.number(counts.paid),
        ),
    )  # fmt: skip


def _step(highest: int) -> int:
    """A step of 1, 2 or 5 and their tens that makes at most five of `highest`."""
    tens = 1
    while 5 * tens * _MOST_STEPS < highest:
        tens *= 10
    return next(one * tens for one in (1, 2, 5) if one * tens * _MOST_STEPS >= highest)


def caption(t: Words, group: Group, counts: PostCounts, back: str) -> Screen:
    """Below the picture; `back` is the verb of the group's page."""
    text = lines(t("<b>{name}</b>", name=group.title), counts_line(t, counts))
    return Screen(text, [[button(t.plain("‹ {name}", name=group.title), back, group.id)]])


def nobody(t: Words, group: Group, back: str) -> Screen:
    """There is nothing to draw yet."""
    text = lines(
        t("<b>{name}</b>", name=group.title),
        t("Nobody has opened its posts in the last 30 days. From the first one on you see here "
          "how many come and buy."),
    )  # fmt: skip
    return Screen(text, [[button(t.plain("‹ {name}", name=group.title), back, group.id)]])


def not_sent(t: Words, group: Group, again: str, back: str) -> Screen:
    """Telegram did not take the picture."""
    text = lines(
        t("Telegram did not take the picture just now."),
        t("If it is not here in a moment, tap again. The text says the same."),
    )
    rows = [[button(t.plain("Try again"), again, group.id),
             button(t.plain("As text"), back, group.id)]]  # fmt: skip
    return Screen(text, rows)
