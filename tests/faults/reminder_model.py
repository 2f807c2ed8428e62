"""What a reminder has to be, told anew: F30-F35 of product.md without a line of the bot's.

Days are counted on the customer's own calendar, quiet hours are looked at minute by quarter, and
nothing is planned ahead: of a message that came the model says whether it was right, and of a
moment that has passed whether one was owed.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
QUARTER = timedelta(minutes=15)
LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
GRACE, KEEP = (3, 1), (30, 7, 3, 1)
LAST_DAY = frozenset({"expiry-0", "keep-1", "grace-1"})
AHEAD = ("expiry-", "keep-", "grace-1", "grace-3")


@dataclass
class Wish:
    """What a customer asked for, of all SIMs or of one."""

    zone: str
    hour: int
    quiet: tuple[time, time]
    override: bool
    offsets: tuple[int, ...]
    digest: bool

    def local(self, moment: datetime) -> datetime:
        """On their wall."""
        return moment.astimezone(ZoneInfo(self.zone))

    def is_quiet(self, moment: datetime) -> bool:
        """Whether they sleep."""
        wall = self.local(moment).time().replace(second=0, microsecond=0)
        start, end = self.quiet
        return start <= wall < end if start <= end else wall >= start or wall < end

    def awake(self, moment: datetime) -> datetime:
        """The first whole minute from then on at which they may be written to."""
        at = up(moment)
        while self.is_quiet(at):
            at += QUARTER - timedelta(minutes=at.minute % 15)
        return at


def up(moment: datetime) -> datetime:
    """The next whole minute."""
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + MINUTE


def rank(code: str) -> float:
    """How urgent a stage is."""
    name, _, number = code.rpartition("-")
    match name:
        case "expiry":
            return -float(number)
        case "keep":
            return 0.25 - float(number)
        case "data":
            return {"10": -1.5, "20": -3.5}[number]
        case "grace" if number != "started":
            return 500 - float(number)
    return {"used-up": -0.5, "grace-started": 400.0, "lost": 1000.0}[code]


def of_data(code: str) -> bool:
    """Whether it comes of a reading."""
    return code.startswith(("data-", "used-up"))


@dataclass
class Track:
    """What leads to reminders, and what was told of it, or need not be, since it began."""

    told: dict[str, datetime] = field(default_factory=dict)
    began: datetime = LONG_AGO

    def highest(self) -> float:
        """The rank of the most urgent that was told."""
        return max((rank(code) for code in self.told), default=-1e9)


@dataclass
class Facts:
    """A SIM as the bot knows it, and what was told of it."""

    name: str
    wish: Wish
    expiry: datetime | None
    grace_end: datetime | None
    keep: datetime | None
    share: float | None = None
    """How much of its data is left."""
    stopped: bool = False
    snoozed: datetime | None = None
    again: bool = False
    """A snooze ends in the same once more."""
    open_since: datetime = LONG_AGO
    """Since when nothing has kept the bot from writing about it."""
    dates: Track = field(default_factory=Track)
    number: Track = field(default_factory=Track)
    data: Track = field(default_factory=Track)
    version: int = 0
    """Grows with everything that changes what is to come."""
    _known: tuple[int, dict[str, tuple[datetime, bool]]] | None = None

    @property
    def end(self) -> datetime | None:
        """What the line lives to."""
        return self.expiry or self.keep

    def track(self, code: str) -> Track:
        """Whose stage it is."""
        if of_data(code):
            return self.data
        return self.number if code.startswith("keep") and self.expiry else self.dates

    # ---- when ----------------------------------------------------------------------------

    def stages(self) -> dict[str, tuple[datetime, bool]]:
        """Every stage of its dates with its moment, and whether that moment is exact: where no
        allowed hour is left before the event, it only has to come before it."""
        if self._known is None or self._known[0] != self.version:
            self._known = (self.version, self._stages())
        return self._known[1]

    def _stages(self) -> dict[str, tuple[datetime, bool]]:
        found: dict[str, tuple[datetime, bool]] = {}
        if self.end is None:
            return found
        if self.expiry is not None:
            for days in self.wish.offsets:
                found[f"expiry-{days}"] = self._before(self.expiry, days)
        if self.keep is not None and (self.expiry is None or abs(self.keep - self.expiry) >= DAY):
            for days in KEEP:
                found[f"keep-{days}"] = self._before(self.keep, days)
        started = self.wish.awake(self.end)
        if self.grace_end is None:
            return found | {"grace-started": (started, True)}
        last = max(self.end, self.grace_end)
        found["lost"] = (self.wish.awake(last), True)
        if started < last.replace(second=0, microsecond=0):
            found["grace-started"] = (started, True)
            for days in GRACE:
                at, exact = self._before(last, days)
                if at > started:
                    found[f"grace-{days}"] = (at, exact)
        return found

    def _before(self, event: datetime, days: int) -> tuple[datetime, bool]:
        tz = ZoneInfo(self.wish.zone)
        day = event.astimezone(tz).date() - timedelta(days=days)
        wanted = datetime.combine(day, time(self.wish.hour), tz).astimezone(UTC)
        whole = event.replace(second=0, microsecond=0)
        wanted = min(wanted, whole - HOUR)
        at = self.wish.awake(wanted)
        return (at, True) if at <= whole - QUARTER else (wanted, False)

    def event_of(self, code: str) -> datetime | None:
        """What a stage counts to."""
        if code.startswith("expiry"):
            return self.expiry
        if code.startswith("keep"):
            return self.keep
        return self.grace_end if code.startswith("grace") else None

    # ---- what was right --------------------------------------------------------------------

    def faults(self, code: str, now: datetime, *, together: bool, slack: timedelta) -> list[str]:
        """What is wrong about telling a stage at `now`; `together` with another SIM's."""
        return [
            *self._unwanted(code, now), *self._untrue(code, now),
            *self._repeated(code, now), *self._ill_timed(code, now, together, slack),
        ]  # fmt: skip

    def _unwanted(self, code: str, now: datetime) -> list[str]:
        found = []
        if self.stopped:
            found.append("told of a stopped SIM")
        if self.snoozed is not None and now < up(self.snoozed):
            found.append("told during a snooze")
        if self.wish.is_quiet(now):
            event = self.event_of(code)
            last = code in LAST_DAY and self.wish.override and event is not None
            if not last or (event is not None and self.wish.awake(now) <= event - QUARTER):
                found.append("told in quiet hours")
        return found

    def _untrue(self, code: str, now: datetime) -> list[str]:
        event, end = self.event_of(code), self.end
        if end is None:
            return ["told of a SIM without dates"]
        if of_data(code):
            limit = {"data-20": 0.2, "data-10": 0.1, "used-up": 0.0}[code]
            low = self.share is not None and (self.share < limit or self.share == limit == 0)
            return [] if low and now < end else ["told of data that is there"]
        if code.startswith(("expiry", "keep")):
            return [] if event is not None and now < event else ["told of what has passed"]
        if code == "lost":
            return [] if self.grace_end and now >= self.grace_end else ["told lost too early"]
        over = self.grace_end is not None and now >= self.grace_end
        return ["told of grace out of grace"] if now < end or over else []

    def _repeated(self, code: str, now: datetime) -> list[str]:
        track = self.track(code)
        if self.again:
            return []
        if code in track.told:
            return ["told twice"]
        return ["less urgent than what was told"] if rank(code) < track.highest() else []

    def _ill_timed(self, code: str, now: datetime, together: bool, slack: timedelta) -> list[str]:
        if of_data(code) or self.again:
            return []
        stages, track = self.stages(), self.track(code)
        if code not in stages:
            return ["told of a day that nobody asked for"]
        at, exact = stages[code]
        more = [
            other for other, (moment, _) in stages.items()
            if self.track(other) is track and moment <= now and rank(other) > rank(code)
        ]  # fmt: skip
        if more:
            return [f"told though {more[0]} has come"]
        if now < at:
            day = self.wish.local
            joins = together and self.wish.digest and code.startswith(AHEAD)
            fits = joins and day(now).date() == day(at).date()
            return [] if fits or not exact else ["told too early"]
        due = self.wish.awake(max(at, self.open_since))
        return ["told too late"] if exact and now > due + slack else []

    def owed(self, code: str, now: datetime) -> bool:
        """Whether a stage whose moment has come was neither told nor passed by a more urgent."""
        track = self.track(code)
        if track.highest() >= rank(code):
            return False
        if of_data(code):
            return not self._untrue(code, now)
        event, (at, exact) = self.event_of(code), self.stages().get(code, (None, True))
        if at is None or (event is not None and now >= event):
            return False
        if not exact and event is not None:
            return max(self.open_since, track.began) < event - DAY
        return True

    # ---- what changes ----------------------------------------------------------------------

    def redate(self, now: datetime, *, seen: bool, **dates: datetime | None) -> None:
        """Other dates. `seen` by their owner; else a supplier put them right, or renewed."""
        moved = {name for name, moment in dates.items() if self._other_day(name, moment)}
        for name, moment in dates.items():
            setattr(self, name, moment)
        self.version += 1
        if seen:
            self.dates, self.again = Track({}, now), False
            if "keep" in moved:
                self.number = Track({}, now)
            self.passed(now)
        elif moved:  # what was told of the old ones counts as far as the new ones say no more
            carried = self.dates.highest()
            self.dates = Track({}, now)
            self.passed(now, carried)

    def _other_day(self, name: str, moment: datetime | None) -> bool:
        was = getattr(self, name)
        return moment is None or was is None or bool(moment.date() != was.date())

    def passed(self, now: datetime, highest: float = 1e9) -> None:
        """Nothing more is said of what has passed, up to a rank."""
        for code, (at, _) in self.stages().items():
            if at <= now and rank(code) <= highest:
                self.track(code).told.setdefault(code, now)


@dataclass(order=True)
class Deed:
    """Something that happens at its moment, to the SIM `line`."""

    at: datetime
    number: int
    what: str = field(compare=False)
    line: Any = field(compare=False, default=None)
    extra: Any = field(compare=False, default=None)
