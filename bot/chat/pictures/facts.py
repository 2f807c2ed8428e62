"""What the pictures show, in the same words as the texts."""

import html
import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bot.chat.pictures.canvas import Tone
from bot.chat.pictures.card import Allowance, CardFacts, Stretch, Timeline, progress
from bot.chat.pictures.fonts import clean
from bot.chat.pictures.plot import PlotFacts, Value
from bot.chat.pictures.receipt import ReceiptFacts, Row
from bot.chat.views import sims as views
from bot.chat.views.carriers import carrier_name
from bot.chat.views.pace import lately, verdict
from bot.domain.pace import Pace, Use, ordered, topped_up
from bot.domain.reminders import Planned
from bot.domain.sims import LOW_DATA, Reading, Sim, SimState
from bot.i18n import Words

MONTH = timedelta(days=30)
_LEAST = timedelta(hours=6)
"""A plot of less shows nothing but its frame."""
_VERDICTS = {Use.HEAVY: Tone.WARN, Use.LIGHT: Tone.CALM, Use.NORMAL: Tone.GOOD}
_TAG = re.compile(r"<[^>]+>")
_BAR = re.compile(r"[▓░]+\s*")
_TONES = {
    SimState.ACTIVE: Tone.GOOD,
    SimState.LOW: Tone.WARN,
    SimState.USED_UP: Tone.WARN,
    SimState.EXPIRED: Tone.BAD,
    SimState.SUSPENDED: Tone.OVER,
    SimState.LOST: Tone.OVER,
    SimState.PENDING_ACTIVATION: Tone.CALM,
    SimState.UNKNOWN: Tone.CALM,
}


def unmarked(text: str) -> str:
    """A text of the chat without its markup."""
    return html.unescape(_TAG.sub("", text))


def name_of(t: Words, sim: Sim) -> str:
    """A SIM's title; its carrier's when the nickname has nothing that can be drawn."""
    title, tail = views.title(t, sim), views.tail(sim)
    if clean(title.removesuffix(f"·{tail}")):
        return title
    carrier = carrier_name(t, sim.carrier)
    return f"{carrier} ·{tail}" if tail else carrier


# ---- the balance card ----------------------------------------------------------------------


def card_facts(
    t: Words, sim: Sim, planned: Planned | None, now: datetime, pace: Pace | None = None
) -> CardFacts:
    """The balance card of one SIM (F4), saying what the text card says."""
    state = sim.state_at(now)
    tone = _TONES[state]
    if tone is Tone.GOOD and views.mark(sim, now) != views.MARKS[state]:
        tone = Tone.WARN  # its last days
    told = verdict(t, sim, pace, now)
    warning = told or views.unused(t, sim, now)
    return CardFacts(
        title=name_of(t, sim),
        state=unmarked(views.state_words(t, sim, now)),
        tone=tone,
        headline=_headline(t, sim, now),
        detail=_detail(t, sim, now),
        allowances=_allowances(t, sim, now),
        timeline=_timeline(t, sim, now),
        warning=unmarked(warning) if warning else "",
        warning_tone=_verdict_tone(pace) if told else Tone.WARN,
        source=unmarked(views.source_line(t, sim, now)),
        reminder=unmarked(views.next_line(t, sim, planned, now)),
    )


def _headline(t: Words, sim: Sim, now: datetime) -> str:
    """The time that is left, of the validity or of the grace period."""
    for end in (sim.expiry, sim.grace_end):
        if end is not None and end > now and sim.state_at(now) is not SimState.LOST:
            return unmarked(views.span(t, end, now))
    return ""


def _detail(t: Words, sim: Sim, now: datetime) -> tuple[str, ...]:
    expiry, grace = sim.expiry, sim.grace_end
    if expiry is not None and expiry > now:
        return (t.plain("Valid until {date}", date=t.moment(expiry, now=now)),)
    if expiry is not None and grace is not None and grace > now:
        return (t.plain("Grace period until {date}", date=t.moment(grace, now=now)),)
    return tuple(unmarked(one) for one in views.dates(t, sim, now))


def _allowances(t: Words, sim: Sim, now: datetime) -> tuple[Allowance, ...]:
    """Of the text's lines the first has a bar when the share is known: here it is drawn."""
    if sim.reading is None or views.over(sim, now):
        return ()
    share = sim.reading.data_share_left
    tone = Tone.GOOD
    if share is not None and share < LOW_DATA:
        tone = Tone.BAD if share < LOW_DATA / 2 else Tone.WARN
    return tuple(
        Allowance(unmarked(_BAR.sub("", line)), share if _BAR.search(line) else None, tone)
        for line in views.allowances(t, sim.reading)
    )


def _timeline(t: Words, sim: Sim, now: datetime) -> Timeline | None:
    """The line's life. When the validity began is not stored, so that it shows its last 30 days;
    of more days left the marker stands at the beginning."""
    expiry, grace = sim.expiry, sim.grace_end
    if expiry is None:
        return None
    found = [Stretch(t.plain("Valid"), Tone.GOOD, t.date(expiry, now=now))]
    at, share = (0, progress(expiry - MONTH, expiry, now)) if now < expiry else (1, 0.5)
    if grace is not None and grace > expiry:
        found.append(Stretch(t.plain("Grace period"), Tone.WARN, t.date(grace, now=now)))
        if now >= expiry:
            at, share = (1, progress(expiry, grace, now)) if now < grace else (2, 0.5)
    # What comes after an unknown grace period is not known either.
    last = SimState.LOST if grace is not None else SimState.EXPIRED
    found.append(Stretch(unmarked(t(views.STATES[last])), Tone.BAD if grace else Tone.OVER))
    return Timeline(tuple(found), t.plain("Today"), at, share)


# ---- the use plot --------------------------------------------------------------------------


def plot_facts(
    t: Words, sim: Sim, readings: Sequence[Reading], pace: Pace | None, now: datetime
) -> PlotFacts | None:
    """Thirty days of a SIM's data; None when the readings are too few or too close to draw."""
    shown = [one for one in ordered(readings, now) if one.as_of > now - MONTH]
    if len(shown) < 2 or shown[-1].as_of - shown[0].as_of < _LEAST:
        return None
    start, end = shown[0].as_of, _end(sim, pace, now)
    top = max(one.data_left or 0 for one in shown)
    step = _nice(top)
    if end <= start or step == 0:
        return None
    top = math.ceil(top / step) * step
    told = verdict(t, sim, pace, now)
    return PlotFacts(
        title=name_of(t, sim),
        subtitle=t.plain("Data left in the last 30 days"),
        start=start,
        end=end,
        top=top,
        line=_line(shown),
        x_ticks=_days(t, start, end, now),
        y_ticks=tuple(
            (value, t.data(value) if value else "0") for value in range(0, top + 1, step)
        ),
        today=(now, t.plain("Today")),
        expiry=(sim.expiry, t.plain("Expires {date}", date=t.date(sim.expiry, now=now)))
        if sim.expiry is not None
        else None,
        topups=tuple(b.as_of for a, b in pairwise(shown) if topped_up(a, b)),
        topup_word=t.plain("Topped up"),
        forecast=_forecast(pace, end),
        pace=lately(t, pace),
        advice=unmarked(told) if told else "",
        tone=_verdict_tone(pace),
    )


def _verdict_tone(pace: Pace | None) -> Tone:
    return _VERDICTS[pace.use] if pace is not None and pace.use is not None else Tone.GOOD


def _end(sim: Sim, pace: Pace | None, now: datetime) -> datetime:
    """The last moment shown: the expiry or the forecast's end, within a month; a day at least."""
    wanted = [now + timedelta(days=1)]
    if sim.expiry is not None:
        wanted.append(sim.expiry + timedelta(days=1))
    elif pace is not None and pace.lasts_until is not None:
        wanted.append(pace.lasts_until)
    return min(max(wanted), now + MONTH)


def _line(shown: list[Reading]) -> tuple[Value, ...]:
    """The readings joined; up at the moment of the first reading after a top-up."""
    line: list[Value] = []
    for before, one in zip([None, *shown], shown, strict=False):
        if before is not None and topped_up(before, one):
            line.append((one.as_of, before.data_left or 0))
        line.append((one.as_of, one.data_left or 0))
    return tuple(line)


def _forecast(pace: Pace | None, end: datetime) -> tuple[Value, Value] | None:
    """From the newest reading along the pace, as far as the plot or the data reaches."""
    if pace is None or pace.left == 0:
        return None
    until = min(pace.lasts_until or end, end)
    if pace.to_expiry is not None:
        until = min(until, pace.as_of + pace.to_expiry)
    if until <= pace.as_of:
        return None
    gone = round(pace.used * ((until - pace.as_of) / pace.span))
    return (pace.as_of, pace.left), (until, max(0, pace.left - gone))


def _nice(top: int) -> int:
    """A step of 1, 2 or 5 that makes at most four of `top`; 0 for nothing."""
    unit = 1 << 30 if top >= 1 << 30 else 1 << 20
    wanted = top / unit / 4
    if wanted <= 0:
        return 0
    power = math.pow(10, math.floor(math.log10(wanted)))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= wanted * 0.999)
    return max(1, round(step * unit))


def _days(
    t: Words, start: datetime, end: datetime, now: datetime
) -> tuple[tuple[datetime, str], ...]:
    """Local midnights to name, about five of them."""
    every = max(1, math.ceil((end - start) / timedelta(days=1) / 5))
    first = t.local(start).replace(hour=0, minute=0, second=0, microsecond=0)
    days = (first + timedelta(days=every * count) for count in range(8))
    return tuple((day, t.date(day, now=now)) for day in days if start <= day <= end)


# ---- the receipt ---------------------------------------------------------------------------


def receipt_facts(text: str) -> ReceiptFacts:
    """The facts of a text receipt (`views.orders.receipt`), whatever they are.

    Its parts are parted by empty lines: what happened, what has changed, the particulars with
    their name. Taking them from the text is what keeps the two alike.
    """
    parts = [part.split("\n") for part in unmarked(text).strip().split("\n\n")]
    head, *rest = [[line for line in part if line.strip()] for part in parts]
    changes = rest[0] if len(rest) > 1 else []
    particulars = rest[-1] if rest else []
    return ReceiptFacts(
        heading=head[0],
        subject=" · ".join(head[1:]),
        changes=tuple(map(_row, changes)),
        name=particulars[0] if particulars else "",
        rows=tuple(map(_row, particulars[1:])),
    )


def _row(line: str) -> Row:
    """A line as label and value, parted at its first colon."""
    label, colon, value = re.sub(r"[:：]\s*", "\0", line, count=1).partition("\0")
    return Row(label, value) if colon else Row("", line)
