"""A year of reminders: customers with three SIMs each, the bot's own services on a real database,
a clock that leaps from one thing to the next, and a process that is down at times.

Everything that is sent is held against `reminder_model`. What people and suppliers do is drawn
from the seed: they renew, snooze, stop, change their wishes, move, pay and do not pay; suppliers
correct dates late and are out of reach.
"""

import heapq
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any, cast

from bot.chat.notices import Renderer
from bot.chat.shop import Merchant
from bot.domain.chats import Preferences
from bot.domain.sims import OwnReminders, Reading, Sim, SimState, Source
from bot.ports import Notice, Outcome, SupplierUnavailable
from bot.services.planning import settle_passed
from bot.services.reminding import Reminding
from bot.services.sims import Sims
from bot.services.work import Worker
from bot.store import Database
from tests.faults.reminder_model import DAY, HOUR, MINUTE, Deed, Facts, Wish
from tests.harness import Report
from tests.unit.services.house import HandClock, Supplier
from tests.unit.store.samples import chat, managed, sim

START = datetime(2027, 1, 1, 6, 30, tzinfo=UTC)
ZONES = (
    "Asia/Shanghai", "Asia/Taipei", "Asia/Hong_Kong", "Asia/Kolkata", "Asia/Kathmandu",
    "Asia/Manila", "Europe/London", "Europe/Berlin", "America/New_York", "America/Los_Angeles",
    "America/St_Johns", "America/Santiago", "Africa/Cairo", "Australia/Lord_Howe",
    "Pacific/Auckland", "Pacific/Kiritimati",
)  # fmt: skip
LENGTHS = (30, 90, 90, 180, 180, 365)
TOTAL = 100 << 20
ENOUGH = 50
"""Violations after which the year is over: what is broken would go on all day."""
SETTLED = timedelta(minutes=11)
"""How long a running order may put off the look after its end."""


@dataclass
class Line:
    """A SIM: what the bot knows of it, and what is true."""

    facts: Facts
    chat_id: int
    supplied: bool
    length: int
    own: OwnReminders | None
    truth: tuple[datetime, datetime] | None = None
    """Expiry and end of grace as its supplier has them."""
    used: int = 0
    """Per cent of its data."""
    unread: datetime | None = None
    """Since when the supplier knows of other dates than the bot."""
    failed_at: datetime | None = None
    running: str | None = None
    promised: tuple[datetime | None, str | None, tuple[int, ...]] | None = None

    @property
    def id(self) -> str:
        return self.facts.name


class Shop(Supplier):
    """A supplier that tells the truth of the town, when it is in reach."""

    def __init__(self, clock: HandClock, town: "Town") -> None:
        super().__init__(clock)
        self.town = town

    async def snapshot(self, sim: Sim) -> Reading:
        """What is true now; the bot knows it from then on."""
        return self.town.told(sim.id)


class Town:
    """The year."""

    def __init__(self, database: Database, people: int, seed: str, report: Report) -> None:
        self.rng = random.Random(f"reminders:{seed}")
        self.report, self.database = report, database
        self.clock = HandClock()
        self.clock.at = START
        self.supplier = Shop(self.clock, self)
        carriers: Any = {self.supplier.name: self.supplier}
        self.carriers = carriers
        self.rung = False
        self.reminding = self._process()
        self.sims = Sims(database, self.clock, carriers, "pepper", ())
        self.renderer = Renderer(database, self.clock, carriers, Merchant("Shop"))
        self.lines: dict[str, Line] = {}
        self.of_chat: dict[int, list[Line]] = {}
        self.blocked: set[int] = set()
        self.deeds: list[Deed] = []
        self.numbers = count()
        self.up = True
        self.people = people
        self.orders = count()
        self.missed: list[tuple[Line, str, int]] = []

    def _process(self) -> Reminding:
        made = Reminding(self.database, self.clock, self.carriers)
        made.rings.append(cast(Worker, self))
        return made

    # ---- beginning -------------------------------------------------------------------------

    async def settle_in(self) -> None:
        """Everybody with their SIMs and wishes."""
        async with self.database.write() as tx:
            for number in range(self.people):
                chat_id, wish = 10_000 + number, self._wishes()
                await tx.chats.add(chat(chat_id, preferences=preferences(wish)))
                # Half of them bought their SIMs in one go.
                length = self.rng.choice(LENGTHS)
                bought = (length, START + self._days(1, length))
                together = bought if self.rng.random() < 0.5 else None
                for place in range(3):
                    await self._line(tx, f"s{number}x{place}", chat_id, wish, place, together)
        for line in self.lines.values():
            self.owe(line)
            self.later(self._days(5, 120), "wish", line)
            if line.supplied:
                self.later(self._days(1, 60), "use", line)
                self.later(self._days(1, 200), "correct", line)
        at = START
        while at < START + 366 * DAY:  # a process that is down for minutes, hours, days
            at += self._days(2, 30)
            self.do(
                at, "down", extra=self.rng.choice([4 * MINUTE, HOUR, 9 * HOUR, 2 * DAY, 6 * DAY])
            )
        for _ in range(self.people * 12):
            self.do(START + self._days(0, 360), "ask", self.rng.choice(list(self.lines.values())))

    def _wishes(self) -> Wish:
        rng = self.rng
        quiet = rng.choice([(22, 8), (22, 8), (22, 8), (23, 7), (0, 9), (0, 0), (13, 15)])
        return Wish(
            zone=rng.choice(ZONES),
            hour=rng.choice([9, 9, 9, 7, 12, 20, 23]),
            quiet=(time(quiet[0]), time(quiet[1])),
            override=rng.random() < 0.3,
            offsets=rng.choice([(7, 3, 1, 0), (7, 3, 1, 0), (14, 5, 2), (30, 0), (1,), ()]),
            digest=rng.random() < 0.8,
        )

    async def _line(
        self, tx: Any, name: str, chat_id: int, wish: Wish, place: int,
        together: tuple[int, datetime] | None,
    ) -> None:  # fmt: skip
        rng = self.rng
        length = rng.choice(LENGTHS)
        end = START + self._days(1, length)
        if together is not None:
            length, end = together[0], together[1] + self._days(0, 0.6)
        grace = rng.choice([None, 0, 2, 10, 60])
        grace_end = None if grace is None else end + timedelta(days=grace)
        supplied, keeps = place == 0, place == 2
        own = None
        if rng.random() < 0.2:
            own = OwnReminders(hour=rng.choice([6, 10, 18]), alone=rng.random() < 0.5)
        facts = Facts(name, own_wish(wish, own), end, grace_end, None)
        if keeps:
            facts.expiry, facts.keep = (None, end) if rng.random() < 0.5 else (end, end + 40 * DAY)
        line = Line(facts, chat_id, supplied, length, own, (end, grace_end or end + 30 * DAY))
        dated: dict[str, Any] = {
            "expiry": facts.expiry, "grace_end": grace_end, "keep_deadline": facts.keep, "own": own,
        }  # fmt: skip
        if supplied:
            facts.grace_end = line.truth[1] if line.truth else None
            dated["grace_end"] = facts.grace_end
            dated["reading"] = self._reading(line, START)
            facts.share = 1.0
        made = (managed if supplied else sim)(name, chat_id, **dated)
        await tx.sims.add(replace(made, rule=None))
        facts.dates.began = facts.number.began = facts.open_since = START
        facts.passed(START)
        await settle_passed(tx, name, START)
        self.lines[name] = line
        self.of_chat.setdefault(chat_id, []).append(line)

    def _days(self, least: float, most: float) -> timedelta:
        return timedelta(seconds=int(self.rng.uniform(least, most) * 86_400))

    def _reading(self, line: Line, now: datetime) -> Reading:
        assert line.truth is not None
        expiry, grace_end = line.truth
        return Reading(
            source=Source.SUPPLIER, as_of=now, taken_at=now, state=SimState.ACTIVE,
            expiry=expiry, grace_end=grace_end, data_total=TOTAL,
            data_used=line.used * TOTAL // 100,
        )  # fmt: skip

    # ---- time ------------------------------------------------------------------------------

    def do(self, at: datetime, what: str, line: Line | None = None, extra: Any = None) -> None:
        """Something is going to happen."""
        heapq.heappush(self.deeds, Deed(at, next(self.numbers), what, line, extra))

    def later(self, span: timedelta, what: str, line: Line, extra: Any = None) -> None:
        """The same, from now."""
        self.do(self.clock.at + span, what, line, extra)

    async def live(self, until: datetime) -> None:
        """From one thing to the next."""
        due: datetime | None = None
        stale = True
        while True:
            if stale:
                due = await self.reminding.next_due() if self.up else None
            deed = self.deeds[0].at if self.deeds else until
            at = min(deed, max(due, self.clock.at) if due is not None else until)
            if at >= until or self.report.violations > ENOUGH:
                return
            self.clock.at = max(at, self.clock.at)
            if deed <= self.clock.at:
                one = heapq.heappop(self.deeds)
                stale = one.what not in ("owed", "ask")  # these change nothing
                await self._happens(one)
            else:
                await self._tick()
                self.clock.at += timedelta(seconds=20)
                stale = True

    async def _tick(self) -> None:
        self.report.count("ticks")
        self.rung = False
        await self.reminding.worker.run()
        if self.rung:
            await self._send()

    def ring(self) -> None:
        """The reminding has put something into the outbox."""
        self.rung = True

    async def _send(self) -> None:
        while True:
            async with self.database.write() as tx:
                batch = await tx.outbox.claim(self.clock.at, 100)
            if not batch:
                return
            shown = [(notice, await self.renderer.render(notice)) for notice in batch]
            async with self.database.write() as tx:
                for notice, screen in shown:
                    assert notice.id is not None
                    sent = Outcome.SENT if screen is not None else Outcome.DROPPED
                    await tx.outbox.settle(notice.id, sent, self.clock.at)
            for notice, screen in shown:
                if screen is not None:
                    self._arrived(notice)
                else:
                    self.report.count("dropped")

    # ---- what comes ------------------------------------------------------------------------

    def _arrived(self, notice: Notice) -> None:
        items = [dict(item) for item in notice.data.get("items", [notice.data])]
        self.report.count("digests" if "items" in notice.data else "single reminders")
        if notice.chat_id in self.blocked:
            self.report.violation(f"{self.clock.at:%F %R} {notice.chat_id}: written to who blocked")
        ranks = []
        for item in items:
            codes = [item["stage"], *([item["also"]] if item.get("also") else [])]
            line = self.lines[item["sim_id"]]
            for code in codes:
                self._told(line, code, together=len(items) > 1)
            line.facts.again = False
            ranks.append(codes[0])
            self._kept_word(line, codes[0])
            self._reacts(line)
        if len({item["sim_id"] for item in items}) < len(items):
            self.report.violation(
                f"{self.clock.at:%F %R} {notice.chat_id}: a SIM twice in a digest"
            )

    def _told(self, line: Line, code: str, *, together: bool) -> None:
        now, facts = self.clock.at, line.facts
        self.report.count(f"told {code.split('-')[0]}")
        if line.running is not None:
            self.bad(line, code, "told while an order runs")
        known = line.failed_at == now or line.unread is None or now - line.unread <= HOUR / 2
        if line.supplied and not known:
            self.bad(line, code, "told of dates that the supplier has moved")
        slack = SETTLED + MINUTE
        for fault in facts.faults(code, now, together=together, slack=slack):
            self.bad(line, code, fault)
        facts.track(code).told[code] = now

    def bad(self, line: Line, code: str, what: str) -> None:
        """A promise was broken."""
        facts, wish = line.facts, line.facts.wish
        self.report.violation(
            f"{self.clock.at:%F %R}Z {line.id} {code}: {what}; {wish.zone} {wish.hour}:00, "
            f"quiet {wish.quiet[0]:%R}-{wish.quiet[1]:%R}, expiry {facts.expiry}, "
            f"grace {facts.grace_end}, keep {facts.keep}, told {sorted(facts.dates.told)}"
        )

    def _kept_word(self, line: Line, code: str) -> None:
        """What was shown as the next reminder is what came, if nothing has changed since."""
        promised, line.promised = line.promised, None
        if promised is None or promised[2] != self._state(line):
            return
        at, stage, _ = promised
        self.report.count("announcements held against what came")
        if at is None or stage != code or not at <= self.clock.at <= at + MINUTE:
            self.bad(line, code, f"announced was {stage} at {at}")

    def _state(self, line: Line) -> tuple[int, ...]:
        """Whatever an announcement depends on."""
        return tuple(one.facts.version for one in self.of_chat[line.chat_id])

    def told(self, sim_id: str) -> Reading:
        """The supplier is asked."""
        line, now = self.lines[sim_id], self.clock.at
        if self.rng.random() < 0.05:
            line.failed_at = now
            raise SupplierUnavailable("timeout")
        self.report.count("readings")
        self.learn(line)
        return self._reading(line, now)

    def learn(self, line: Line) -> None:
        """From here on the bot knows what is true."""
        facts, now = line.facts, self.clock.at
        assert line.truth is not None
        if line.unread is not None:
            expiry, grace_end = line.truth
            facts.redate(now, seen=False, expiry=expiry, grace_end=grace_end)
            facts.open_since = max(facts.open_since, now)
            line.unread = None
            self.owe(line)
        left = (100 - line.used) / 100
        if facts.share is not None and left != facts.share:
            if left > facts.share:
                facts.data.told.clear()
            facts.share = left
            facts.version += 1
            self.owe(line)
            for code in ("data-20", "data-10", "used-up"):
                at = facts.wish.awake(now) + SETTLED + 2 * MINUTE
                self.do(at, "owed", line, (code, facts.version))

    # ---- what is owed ----------------------------------------------------------------------

    def owe(self, line: Line) -> None:
        """Look, after each stage's moment, whether it was told."""
        facts = line.facts
        for code, (at, exact) in facts.stages().items():
            event = facts.event_of(code)
            when = at if exact or event is None else event - 3 * MINUTE
            self.do(max(when, self.clock.at) + 2 * MINUTE, "owed", line, (code, facts.version))
            if at - 5 * MINUTE > self.clock.at and self.rng.random() < 0.02:
                self.do(at - 5 * MINUTE, "order", line)  # somebody pays as the reminder comes

    def _owed(self, line: Line, code: str, version: int) -> None:
        facts, now = line.facts, self.clock.at
        if facts.version != version:
            return  # what changed has asked anew
        if not self.up:
            self.missed.append((line, code, version))
            return
        if facts.stopped or line.running is not None or line.chat_id in self.blocked:
            return  # asked anew when that is over
        ready = facts.wish.awake(facts.open_since) + SETTLED + 2 * MINUTE
        if now < ready:
            self.do(ready, "owed", line, (code, version))
            return
        self.report.count("moments held against what was told")
        if facts.owed(code, now):
            self.bad(line, code, "owed, and never told")

    # ---- deeds, in `reminder_life` -----------------------------------------------------------

    async def _happens(self, deed: Deed) -> None:
        raise NotImplementedError

    def _reacts(self, line: Line) -> None:
        raise NotImplementedError


def own_wish(wish: Wish, own: OwnReminders | None) -> Wish:
    """The wishes for one SIM."""
    if own is None:
        return wish
    return replace(wish, hour=own.hour or 0, digest=wish.digest and not own.alone)


def preferences(wish: Wish) -> Preferences:
    return Preferences(
        zone=wish.zone, zone_confirmed=True, hour=wish.hour, quiet_start=wish.quiet[0],
        quiet_end=wish.quiet[1], urgent_override=wish.override, offsets=wish.offsets,
        digest=wish.digest,
    )  # fmt: skip
