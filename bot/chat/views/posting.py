"""What an admin reads while an offer is prepared for a group: offers, preview, time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.views.posts import why_not
from bot.chat.views.zones import zone_name
from bot.domain.campaigns import MOST_EXTRA, Campaign, Repeat, Timing
from bot.domain.groups import Group, Topic
from bot.domain.zones import local_date, zone
from bot.i18n import NAMES, Html, Words
from bot.services.posting_rules import Choice

LAST_DAY = 31
DAYS_AHEAD = 14
CLOCKS = tuple(time(hour) for hour in (8, 9, 10, 11, 12, 15, 17, 18, 19, 20, 21, 22))
_MONTH_DAYS = (1, 5, 10, 15, 20, 25, 28, LAST_DAY)
_ONCE_DAYS = 8
_MOST_TOPICS = 12

# ---- which offer -------------------------------------------------------------------------


def named(t: Words, texts: Mapping[str, str]) -> str:
    """A campaign's title in the reader's language, or the nearest there is."""
    for language in (t.language, "zh_Hans", "zh_Hant", "en"):
        if language in texts and (language == t.language or t.language != "en"):
            return texts[language]
    return texts.get("en") or next(iter(texts.values()), "")


def offers(t: Words, group: Group, choices: Sequence[Choice], now: datetime) -> Screen:
    """The shop's offers that this group may post."""
    back = [button(t.plain("‹ {name}", name=group.title), "group", group.id)]
    if not choices:
        text = lines(
            t("<b>{name}</b>", name=group.title),
            t("There is no offer for this group right now. Our shop makes new ones; look again "
              "soon."),
        )  # fmt: skip
        return Screen(text, [back])
    parts = [_choice(t, one, now) for one in choices]
    text = lines(t("<b>Which offer shall I post in {name}?</b>", name=group.title), "", *parts)
    rows = [
        [button(named(t, one.campaign.title), "gpick", group.id, one.campaign.id)]
        for one in choices
    ]
    return Screen(text, [*rows, back])


def _choice(t: Words, one: Choice, now: datetime) -> Html:
    title = t("<b>{title}</b>", title=named(t, one.campaign.title))
    places = t.n("{n} place left", "{n} places left", one.places) if one.places else None
    earns = earning(t, one.campaign)
    wait = why_not(t, one.why, one.until) if one.why else None
    facts = [part for part in (places, earns) if part is not None]
    return lines(title, Html(" · ".join(facts)) if facts else None, wait, "")


def earning(t: Words, campaign: Campaign) -> Html | None:
    """What the one who posts earns of each order."""
    if campaign.earns_percent:
        return t("you earn {percent} % of each order", percent=t.number(campaign.earns_percent))
    if campaign.earns_points:
        return t.n(
            "you earn {n} point for each order", "you earn {n} points for each order",
            campaign.earns_points,
        )  # fmt: skip
    return None


# ---- the preview's controls --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prepared:
    """A post that is being prepared. `token` ties buttons to it; `timing` is None for now."""

    token: str
    group: Group
    campaign: Campaign
    languages: tuple[str, ...]
    topics: Sequence[Topic]
    has_picture: bool
    extra: str | None = None
    picture: bool = True
    thread_id: int | None = None
    timing: Timing | None = None
    pin: bool = False


def controls(t: Words, one: Prepared, now: datetime, note: Html | None = None) -> Screen:
    """Below the preview: what can be changed, and the button that posts."""
    topic = topic_name(t, one.topics, one.thread_id) if one.group.forum else None
    text = lines(
        note,
        "" if note else None,
        t("⬆️ This is how it will look in <b>{name}</b>.", name=one.group.title),
        t("Topic: {topic}", topic=topic) if topic else None,
        t("Language: {languages}", languages=t.join(NAMES[code] for code in one.languages)),
        t("Time: {when}", when=when(t, one.timing, now)),
        t("It will be pinned.") if one.pin else None,
    )
    post = t.plain("✅ Post it now") if one.timing is None else t.plain("✅ Schedule it")
    rows = [
        [button(post, "gnow", one.token)],
        [button(t.plain("🕐 Another time, repeat"), "gwhen", one.token)],
        [button(t.plain("Language"), "glg", one.token), _sentence(t, one)],
        _looks(t, one),
        [button(t.plain("‹ Another offer"), "gpost", one.group.id)],
    ]
    if one.group.forum:
        rows.insert(2, [button(t.plain("Topic"), "gtop", one.token)])
    return Screen(text, [row for row in rows if row])


def _sentence(t: Words, one: Prepared) -> Button:
    label = t.plain("Your sentence") if one.extra is None else t.plain("Change the sentence")
    return button(label, "gext", one.token)


def _looks(t: Words, one: Prepared) -> list[Button]:
    row = []
    if one.has_picture:
        label = t.plain("Without the picture") if one.picture else t.plain("With the picture")
        row.append(button(label, "gpicture", one.token, int(not one.picture)))
    if one.group.kind != "channel" or one.group.can_post:
        label = t.plain("Don't pin it") if one.pin else t.plain("📌 Pin it")
        row.append(button(label, "gpinit", one.token, int(not one.pin)))
    return row


def topic_name(t: Words, topics: Sequence[Topic], thread_id: int | None) -> str:
    """A forum's topic by its name."""
    names = {topic.id: topic.name for topic in topics}
    return t.plain("General") if thread_id is None else names.get(thread_id, f"#{thread_id}")


def ask_languages(t: Words, one: Prepared) -> Screen:
    """In which languages the text is posted: one, or Chinese and English together."""
    known = [code for code in NAMES if code in one.campaign.texts]
    sets: list[tuple[str, ...]] = [(code,) for code in known]
    sets += [(code, "en") for code in known if code != "en" and "en" in known]
    rows = [
        [button(
            ("✓ " if languages == one.languages else "")
            + " + ".join(NAMES[code] for code in languages),
            "glgs", one.token, "-".join(languages),
        )]
        for languages in sets
    ]  # fmt: skip
    return Screen(t("In which language?"), [*rows, _back(t, one.token)])


def ask_topic(t: Words, one: Prepared) -> Screen:
    """In which topic of a forum; those the bot has seen."""
    text = lines(
        t("In which topic?"),
        t("I know the topics that were made or used since I am here. For another one, send "
          "/promo in it."),
    )  # fmt: skip
    choices = [button(t.plain("General"), "gtops", one.token, 0)]
    choices += [
        button(topic.name, "gtops", one.token, topic.id)
        for topic in one.topics[-_MOST_TOPICS:]
        if not topic.closed and topic.id != 1
    ]
    return Screen(text, [*grid(choices, 2), _back(t, one.token)])


def ask_sentence(
    t: Words, token: str | None, extra: str | None, problem: Html | None = None
) -> Screen:
    """A sentence of the admin's own. Without a token it changes a posting that is planned."""
    text = lines(
        problem,
        "" if problem else None,
        t("Write one sentence of your own, up to {n} characters. It stands below the offer.",
          n=MOST_EXTRA),
        t("Now: {text}", text=extra) if extra else None,
    )  # fmt: skip
    remove = [button(t.plain("Without a sentence"), "gext0", token)] if extra and token else []
    return Screen(text, [row for row in (remove, _back(t, token) if token else []) if row])


def _back(t: Words, token: str) -> list[Button]:
    return [button(t.plain("‹ Back"), "gshow", token)]


def planned(
    t: Words, group: Group, timing: Timing | None, posting_id: str, now: datetime
) -> Screen:
    """It is done."""
    if timing is None:
        text = t("✅ It goes out in <b>{name}</b> now. I keep its prices and places up to date "
                 "and close it when the offer ends.", name=group.title)  # fmt: skip
    else:
        text = t("✅ Planned for <b>{name}</b>: {when}. Before each post I look whether you are "
                 "still an admin there.", name=group.title, when=when(t, timing, now))  # fmt: skip
    rows = [
        [button(t.plain("View and manage"), "gwish", posting_id)],
        [button(t.plain("Another offer"), "gpost", group.id),
         button(t.plain("‹ {name}", name=group.title), "group", group.id)],
    ]  # fmt: skip
    return Screen(text, rows)


# ---- when --------------------------------------------------------------------------------


def when(t: Words, timing: Timing | None, now: datetime) -> Html:
    """A timing in words: "every Mon, Thu at 20:00 (Shanghai)"."""
    if timing is None:
        return t("now")
    clock, city = f"{timing.clock:%H:%M}", zone_name(t, timing.zone)
    if timing.repeat is Repeat.WEEKLY:
        days = t.join(weekday(t, number) for number in sorted(timing.weekdays))
        return t("every {days} at {clock} ({city})", days=days, clock=clock, city=city)
    if timing.repeat is Repeat.MONTHLY:
        if timing.day == LAST_DAY:
            return t("on the last day of each month at {clock} ({city})", clock=clock, city=city)
        return t("on day {day} of each month at {clock} ({city})", day=timing.day, clock=clock,
                 city=city)  # fmt: skip
    days = t.join(t.date(day, now=now) for day in sorted(timing.dates))
    return t("{days} at {clock} ({city})", days=days, clock=clock, city=city)


def weekday(t: Words, number: int) -> str:
    """The short name of a weekday; 0 is Monday."""
    return str(t.locale.days["format"]["abbreviated"][number])


def ask_repeat(t: Words, token: str, *, new: bool) -> Screen:
    """Once, or again and again."""
    rows = [
        [button(t.plain("Once, at a time"), "gw", token, Repeat.ONCE.value)],
        [button(t.plain("Every week"), "gw", token, Repeat.WEEKLY.value),
         button(t.plain("Every month"), "gw", token, Repeat.MONTHLY.value)],
        [button(t.plain("On certain days"), "gw", token, Repeat.DATES.value)],
    ]  # fmt: skip
    if new:
        rows.append([button(t.plain("Now"), "gwnow", token)])
    rows.append(_back(t, token) if new else [button(t.plain("‹ Back"), "gwish", token)])
    return Screen(t("When shall it be posted?"), rows)


def ask_days(
    t: Words, token: str, chosen: Timing, now: datetime, problem: Html | None = None
) -> Screen:
    """Which day or days, by the group's calendar."""
    today = local_date(now, zone(chosen.zone))
    ahead = [today + timedelta(days=n) for n in range(DAYS_AHEAD)]
    many = chosen.repeat in (Repeat.WEEKLY, Repeat.DATES)
    if chosen.repeat is Repeat.WEEKLY:
        text = t("On which weekdays? Tap all of them, then Next.")
        days = [_day(token, weekday(t, n), n, n in chosen.weekdays) for n in range(7)]
        rows = grid(days, 4)
    elif chosen.repeat is Repeat.MONTHLY:
        text = t("On which day of the month? Tap one, or write its number.")
        labels = {n: t.plain("last day") if n == LAST_DAY else str(n) for n in _MONTH_DAYS}
        rows = grid([_day(token, label, n, False) for n, label in labels.items()], 4)
    elif chosen.repeat is Repeat.DATES:
        text = t("On which days? Tap or write them, several with commas; then Next.")
        shown = sorted({*ahead, *chosen.dates})
        rows = grid([_day(token, _date(t, d), f"{d:%Y%m%d}", d in chosen.dates) for d in shown], 4)
    else:
        text = t("On which day? Tap one, or write a date.")
        days = [_day(token, _date(t, d), f"{d:%Y%m%d}", False) for d in ahead[:_ONCE_DAYS]]
        rows = grid(days, 4)
    if many and (chosen.weekdays or chosen.dates):
        rows.append([button(t.plain("Next ›"), "gwn", token)])
    return Screen(
        lines(problem, "" if problem else None, text),
        [*rows, [button(t.plain("‹ Back"), "gwhen", token)]],
    )


def _day(token: str, label: str, value: object, chosen: bool) -> Button:
    return button(("✓ " if chosen else "") + label, "gwd", token, value)


def _date(t: Words, day: date) -> str:
    return f"{weekday(t, day.weekday())} {t.date(day, now=datetime(day.year, 7, 1, tzinfo=t.zone))}"


def ask_clock(
    t: Words, token: str, chosen: Timing, now: datetime, problem: Html | None = None
) -> Screen:
    """At what time of day, by the group's clock."""
    local = f"{now.astimezone(zone(chosen.zone)):%H:%M}"
    text = lines(
        problem,
        "" if problem else None,
        t("At what time? Tap one, or write it, such as 20:30."),
        t("By the clock of {city}, where it is {clock} now.", city=zone_name(t, chosen.zone),
          clock=local),
    )  # fmt: skip
    rows = grid([button(f"{c:%H:%M}", "gwc", token, f"{c:%H%M}") for c in CLOCKS], 4)
    back = [button(t.plain("‹ Back"), "gw", token, chosen.repeat.value)]
    return Screen(text, [*rows, back])


def no_date(t: Words) -> Html:
    """What was written is no date."""
    return t("I don't understand that date. Write it so: 2026-12-03.")


def no_day(t: Words) -> Html:
    """What was written is no day of a month."""
    return t("Please write a number from 1 to 31.")


def no_clock(t: Words) -> Html:
    """What was written is no time of day."""
    return t("I don't understand that time. Write it so: 20:30.")


def tap_weekdays(t: Words) -> Html:
    """Weekdays are tapped, not written."""
    return t("Please tap the weekdays, then Next.")
