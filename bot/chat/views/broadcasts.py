"""News to many as an operator sees it: the list, how far one is, what comes before sending."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views.audience import people
from bot.chat.views.zones import zone_name
from bot.domain.broadcasts import Broadcast, BroadcastState, Reached, Report, text_for
from bot.domain.money import Money
from bot.i18n import N_, NAMES, Html, Words
from bot.services.broadcasts import bare

STATES = {
    BroadcastState.DRAFT: N_("being written"),
    BroadcastState.SCHEDULED: N_("scheduled"),
    BroadcastState.RUNNING: N_("being sent"),
    BroadcastState.PAUSED: N_("paused"),
    BroadcastState.DONE: N_("sent"),
    BroadcastState.STOPPED: N_("stopped"),
}
_MARKS = {
    BroadcastState.DRAFT: "✏️",
    BroadcastState.SCHEDULED: "⏰",
    BroadcastState.RUNNING: "📤",
    BroadcastState.PAUSED: "⏸",
    BroadcastState.DONE: "✅",
    BroadcastState.STOPPED: "⏹",
}
WHY = {
    "moved": N_("This has changed since. Here is how it stands now."),
    "unknown": N_("I can't find this one any more. Here are the others."),
    "no_text": N_("Write a text first."),
    "too_long": N_("A text is too long. Under a picture 1,000 characters fit, without one 3,500."),
    "nobody": N_("Nobody fits this choice right now. Choose more people first."),
    "in_past": N_("That time has passed. Choose a later one."),
    "too_far": N_("That is more than 60 days ahead. Choose an earlier time."),
}
LISTED = 8
"""Those shown in the list."""
_CELLS = 10
_EXCERPT = 60


def excerpt(t: Words, one: Broadcast) -> str:
    """The beginning of its text, by which people know it."""
    found = text_for(one.texts, t.language)
    text = " ".join(bare(found[1]).split()) if found else ""
    if not text:
        return t.plain("(no text yet)")
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


def listed(t: Words, found: Sequence[Broadcast], now: datetime) -> Screen:
    """The latest ones, and the way to a new one."""
    rows = [[button(f"{_MARKS[one.state]} {excerpt(t, one)}", "bc", one.id)] for one in found]
    text = lines(
        t("<b>News to many customers</b>"),
        t("Write once, and everybody who fits gets it in their language, outside of their quiet "
          "hours. Who wants no news gets none."),
        None if found else t("Nothing has been sent yet."),
    )  # fmt: skip
    new = [button(t.plain("✏️ Write news"), "bcnew")]
    return Screen(text, [new, *rows, [button(t.plain("‹ Queue"), "queue")]])


def bar(over: int, whole: int) -> str:
    """How much is over, in cells."""
    full = _CELLS if over >= whole else over * _CELLS // whole
    return "▰" * full + "▱" * (_CELLS - full)


def card(t: Words, one: Broadcast, report: Report, now: datetime) -> Screen:
    """How far one is, what came of it, and what can be done."""
    text = lines(
        t("{mark} <b>News: {state}</b>", mark=_MARKS[one.state], state=t(STATES[one.state])),
        t("<i>{text}</i>", text=excerpt(t, one)),
        "",
        *_when(t, one, now),
        *_far(t, one, report),
        *_effect(t, report),
    )
    rows = [_controls(t, one), [button(t.plain("↻ Refresh"), "bc", one.id),
                                button(t.plain("‹ All news"), "bclist")]]  # fmt: skip
    return Screen(text, rows)


def _when(t: Words, one: Broadcast, now: datetime) -> list[str | None]:
    if one.state is BroadcastState.SCHEDULED and one.start_at is not None:
        city = zone_name(t, str(t.zone))
        at = t.moment(one.start_at, now=now)
        return [t("It begins on {moment}, {zone} time.", moment=at, zone=city)]
    if one.started_at is None:
        return [t("Nobody got it.")]
    begun = t("Begun: {moment}", moment=t.moment(one.started_at, now=now))
    if one.ended_at is None:
        return [begun]
    return [begun, t("Ended: {moment}", moment=t.moment(one.ended_at, now=now))]


def _far(t: Words, one: Broadcast, report: Report) -> list[str | None]:
    if one.started_at is None:
        return []
    whole = max(one.people, sum(report.by_state.values()))
    far = t("{bar} {over} of {whole}", bar=bar(report.over, whole), over=t.number(report.over),
            whole=t.number(whole))  # fmt: skip
    counts = (
        (N_("✉️ Sent: {n}"), report.count(Reached.SENT)),
        (N_("❔ Sent, perhaps not arrived: {n}"), report.count(Reached.UNSURE)),
        (N_("🚫 Have left or blocked the bot: {n}"),
         report.count(Reached.BLOCKED, Reached.DEACTIVATED)),
        (N_("➖ Left out: {n}"), report.count(Reached.DROPPED)),
        (N_("⚠️ Refused by Telegram: {n}"), report.count(Reached.FAILED)),
        (N_("🌙 Wait for their turn or the end of their quiet hours: {n}"),
         report.count(Reached.WAITING, Reached.QUEUED)),
    )  # fmt: skip
    return [far, *(t(text, n=t.number(count)) for text, count in counts if count)]


def _effect(t: Words, report: Report) -> list[str | None]:
    found: list[str | None] = []
    if report.clicked:
        found.append(t("👆 Tapped the button: {n}", n=t.number(report.clicked)))
    if report.paid:
        money = t.join(t.money(Money(minor, code)) for code, minor in report.amounts.items())
        found.append(
            t.n("🛒 {n} order within 7 days of the tap: {money}",
                "🛒 {n} orders within 7 days of the tap: {money}", report.paid, money=money)
        )  # fmt: skip
    if report.left:
        found.append(t("🔕 Turned news off: {n}", n=t.number(report.left)))
    return ["", *found] if found else []


def _controls(t: Words, one: Broadcast) -> list[Button]:
    stop = button(t.plain("⏹ Stop"), "bcstop", one.id)
    match one.state:
        case BroadcastState.RUNNING:
            return [button(t.plain("⏸ Pause"), "bcpause", one.id), stop]
        case BroadcastState.PAUSED:
            return [button(t.plain("▶️ Go on"), "bcresume", one.id), stop]
        case BroadcastState.SCHEDULED:
            return [button(t.plain("✏️ Change it"), "bcback", one.id), stop]
    return []


def ask_stop(t: Words, one: Broadcast, report: Report) -> Screen:
    """Stopping is for good."""
    left = max(0, max(one.people, sum(report.by_state.values())) - report.over)
    text = t("Stop this for good? Nobody has got it yet, and nobody will.")
    if one.started_at is not None:
        text = t.n(
            "Stop this for good? {n} person who has not got it will not get it.",
            "Stop this for good? {n} people who have not got it will not get it.",
            left,
        )
    rows = [
        [button(t.plain("⏹ Yes, stop it"), "bcstop!", one.id)],
        [button(t.plain("‹ Back"), "bc", one.id)],
    ]
    return Screen(text, rows)


# ---- before sending ----------------------------------------------------------------------------


def check(t: Words, one: Broadcast, counts: Mapping[str, int], note: Html | None = None) -> Screen:
    """Below the preview: who gets which text, and how to go on."""
    who = people(t, sum(counts.values()))
    parts: list[str | None] = [
        note,
        "" if note else None,
        t("<b>This is how it looks.</b> It goes to {people}:", people=who),
    ]
    for language, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        found = text_for(one.texts, language)
        if found is not None and found[0] != language:
            parts.append(
                t("• {language}: {n}; they read the text in {other}", language=NAMES[language],
                  n=t.number(count), other=NAMES[found[0]])
            )  # fmt: skip
        else:
            parts.append(t("• {language}: {n}", language=NAMES[language], n=t.number(count)))
    parts += ["", t("Anybody in their quiet hours gets it when those end.")]
    rows = [
        [button(t.plain("📤 Send now"), "bcsure", one.id, one.version)],
        [button(t.plain("⏰ At a time"), "bcwhen", one.id),
         button(t.plain("Test to me"), "bctest", one.id)],
        [button(t.plain("‹ Change it"), "bc", one.id)],
    ]  # fmt: skip
    return Screen(lines(*parts), rows)


def confirm(t: Words, one: Broadcast, count: int, at: datetime | None, now: datetime) -> Screen:
    """The last question: what is sent can't be taken back."""
    who = people(t, count)
    if at is None:
        text = t("Send it to {people} now?", people=who)
        yes = button(t.plain("📤 Yes, send it"), "bcsend!", one.id, one.version)
    else:
        city = zone_name(t, str(t.zone))
        text = t("Send it on {moment}, {zone} time? Now {people} would get it.",
                 moment=t.moment(at, now=now), zone=city, people=who)  # fmt: skip
        yes = button(t.plain("⏰ Yes, at that time"), "bcsend!", one.id, one.version, stamp(at))
    warning = t("You can pause or stop it at any time. What is sent can't be taken back.")
    return Screen(lines(text, warning), [[yes], [button(t.plain("‹ Back"), "bcprev", one.id)]])


def stamp(at: datetime) -> str:
    """A moment (UTC) as a button carries it."""
    return f"{at:%Y%m%d%H%M}"


def ask_when(
    t: Words,
    one: Broadcast,
    offered: Sequence[datetime],
    now: datetime,
    problem: Html | None = None,
) -> Screen:
    """When to begin, by the operator's own clock."""
    rows = [
        [button(t.moment(at, now=now), "bcat", one.id, one.version, stamp(at))] for at in offered
    ]
    text = lines(
        problem,
        "" if problem else None,
        t("When shall it begin? Tap a time, or write one like <code>19:30</code> or "
          "<code>2026-12-03 19:30</code>. Your time zone: {zone}.", zone=zone_name(t, str(t.zone))),
    )  # fmt: skip
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "bcprev", one.id)]])


def when_problem(t: Words) -> Html:
    """What was written is no time."""
    return t("I can't read that as a time. Example: 19:30, or 2026-12-03 19:30.")


def tested(t: Words) -> Html:
    """It is on its way to the one who writes it."""
    return t("✓ The test is on its way to you.")


def picture_gone(t: Words) -> Html:
    """Telegram did not take the picture."""
    return t("⚠️ Telegram did not take the picture. Send it again, or leave it out.")
