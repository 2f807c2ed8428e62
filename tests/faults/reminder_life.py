"""What people, suppliers and the process do in a year of reminders; see `reminder_town`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.orders import OrderState
from bot.domain.sims import Sim
from bot.ports import SupplierUnavailable
from bot.services.planning import plan_for, replan, replan_chat, settle, settle_passed
from bot.services.readings import read
from bot.store import Database
from tests.faults.reminder_model import DAY, MINUTE, Deed, Wish
from tests.faults.reminder_town import SETTLED, Line, Town, own_wish, preferences
from tests.harness import Report
from tests.unit.store.samples import order, quote

ALONE = ("use", "correct", "renewed", "lapses")
"""What happens also while the bot is down."""
STANDS = timedelta(minutes=15)
"""How long a price stands."""


class Life(Town):
    """The town, with what happens in it."""

    async def _happens(self, deed: Deed) -> None:
        line = deed.line
        if deed.what == "down":
            await self._down(deed.extra)
        elif line is not None and deed.what == "owed":
            self._owed(line, *deed.extra)
        elif line is not None and not self.up and deed.what not in ALONE:
            self.later(timedelta(days=7), deed.what, line, deed.extra)  # nobody answers them now
        elif line is not None:
            await getattr(self, f"_{deed.what}")(line, deed.extra)

    async def _down(self, span: timedelta | None) -> None:
        if span is not None:
            if self.up:
                self.up = False
                self.report.count("downtimes")
                self.do(self.clock.at + span, "down")
            return
        self.up = True
        # A new process: nothing of the old one's is in its memory.
        self.reminding = self._process()
        for line in self.lines.values():
            line.facts.open_since = max(line.facts.open_since, self.clock.at)
            line.promised = None
        for line, code, version in self.missed:
            self.later(SETTLED + 2 * MINUTE, "owed", line, (code, version))
        self.missed.clear()
        await self._tick()

    def _reacts(self, line: Line) -> None:
        """What somebody does with a reminder, some time later."""
        chance, soon = self.rng.random(), timedelta(seconds=self.rng.randrange(60, 30_000))
        if chance < 0.35:
            self.later(soon, "renewed" if line.supplied else "dates", line)
        elif chance < 0.45:
            self.later(soon, "snooze", line)
        elif chance < 0.48:
            self.later(soon, "stop", line)
        elif chance < 0.53:
            self.later(soon, "order", line)
        elif chance < 0.55:
            self.later(soon, "block", line)

    def _opened(self, line: Line) -> None:
        """Something was changed: what is due now may come now."""
        line.facts.open_since = max(line.facts.open_since, self.clock.at)
        line.facts.version += 1
        self.owe(line)

    async def _renewed(self, line: Line, _: Any) -> None:
        """At the supplier, not through us."""
        assert line.truth is not None
        end = max(line.truth[0], self.clock.at) + timedelta(days=line.length)
        line.truth, line.used = (end, end + 30 * DAY), 0
        line.unread = line.unread or self.clock.at
        self.report.count("renewals")

    async def _correct(self, line: Line, _: Any) -> None:
        """The supplier puts its dates right, late, and the bot reads them."""
        assert line.truth is not None
        moved = timedelta(days=self.rng.randrange(-9, 10), hours=self.rng.randrange(-12, 13))
        line.truth = (line.truth[0] + moved, line.truth[1] + moved)
        line.unread = line.unread or self.clock.at
        self.report.count("corrections")
        await self._read(line)
        self.later(self._days(20, 200), "correct", line)

    async def _use(self, line: Line, _: Any) -> None:
        """Data is used, and the bot reads it."""
        line.used = min(100, line.used + self.rng.choice([5, 31, 48]))
        await self._read(line)
        self.later(self._days(3, 60), "use", line)

    async def _read(self, line: Line) -> None:
        """The background reading, while the bot runs."""
        if not self.up:
            return
        async with self.database.read() as tx:
            current = await tx.sims.get(line.id)
        assert current is not None
        try:
            await read(self.database, self.clock, self.supplier, current)
        except SupplierUnavailable:
            return

    async def _current(self, line: Line) -> Sim:
        async with self.database.read() as tx:
            found = await tx.sims.get(line.id)
        assert found is not None
        return found

    async def _dates(self, line: Line, _: Any) -> None:
        """ "Already renewed", and the new date."""
        facts, now = line.facts, self.clock.at
        end = max(facts.end or now, now) + timedelta(days=line.length)
        grace = None if facts.grace_end is None else end + 10 * DAY
        if facts.expiry is None:
            async with self.database.write() as tx:
                current = await tx.sims.get(line.id)
                assert current is not None
                await tx.sims.update(line.id, current.version, keep_deadline=end, grace_end=grace,
                                     snoozed_until=None)  # fmt: skip
                await settle_passed(tx, line.id, now)
            facts.redate(now, seen=True, keep=end, grace_end=grace)
        else:
            await self.sims.set_dates(await self._current(line), end, grace_end=grace)
            facts.redate(now, seen=True, expiry=end, grace_end=grace)
        facts.snoozed, facts.open_since = None, now
        self.report.count("renewals")
        self._opened(line)

    async def _snooze(self, line: Line, _: Any) -> None:
        until = self.clock.at + self._days(0.5, 5)
        await self.reminding.snooze(await self._current(line), until)
        line.facts.snoozed, line.facts.again = until, True
        line.facts.open_since = max(line.facts.open_since, until)
        self.report.count("snoozes")
        self._opened(line)

    async def _stop(self, line: Line, _: Any) -> None:
        await self.reminding.stop(await self._current(line))
        line.facts.stopped = True
        self._opened(line)
        self.later(self._days(1, 40), "restart", line)

    async def _restart(self, line: Line, _: Any) -> None:
        await self.reminding.restart(await self._current(line))
        line.facts.stopped, line.facts.snoozed, line.facts.again = False, None, False
        line.facts.open_since = self.clock.at
        self._opened(line)

    async def _block(self, line: Line, _: Any) -> None:
        """They block the bot for a while: nothing is sent, and nothing is lost."""
        if line.chat_id in self.blocked:
            return
        self.blocked.add(line.chat_id)
        async with self.database.write() as tx:
            await tx.chats.set_blocked(line.chat_id, self.clock.at)
        self.report.count("blocks")
        self.later(self._days(1, 20), "unblock", line)

    async def _unblock(self, line: Line, _: Any) -> None:
        async with self.database.write() as tx:
            await tx.chats.set_blocked(line.chat_id, None)
            await replan_chat(tx, line.chat_id, self.clock.at)
        self.blocked.discard(line.chat_id)
        for one in self.of_chat[line.chat_id]:
            self._opened(one)

    async def _order(self, line: Line, _: Any) -> None:
        """A paid order runs, and fails: the money goes back, and reminders go on. Or it is never
        paid, and lapses."""
        if line.running is not None:
            return
        name, now, paid = f"o{next(self.orders)}", self.clock.at, self.rng.random() < 0.5
        state = OrderState.PAID if paid else OrderState.AWAITING_PAYMENT
        async with self.database.write() as tx:
            made = quote(f"q-{name}", sim_id=line.id, chat_id=line.chat_id)
            await tx.quotes.add(made, None)
            saved = order(name, made.id, sim_id=line.id, chat_id=line.chat_id, state=state)
            await tx.orders.add(replace(saved, created_at=now, expires_at=now + STANDS))
            if paid:
                await replan(tx, line.id, now)
        line.running = name
        line.facts.version += 1
        self.report.count("orders" if paid else "orders never paid")
        if paid:
            self.later(timedelta(seconds=self.rng.randrange(60, 6_000)), "fails", line)
        else:
            self.later(STANDS, "lapses", line)

    async def _lapses(self, line: Line, _: Any) -> None:
        assert line.running is not None
        async with self.database.write() as tx:
            await tx.orders.move(line.running, OrderState.AWAITING_PAYMENT, OrderState.EXPIRED,
                                 "quote_expired", self.clock.at)  # fmt: skip
        line.running = None
        self._opened(line)

    async def _fails(self, line: Line, _: Any) -> None:
        async with self.database.write() as tx:
            assert line.running is not None
            await tx.orders.move(line.running, OrderState.PAID, OrderState.REFUND_DUE, "test",
                                 self.clock.at)  # fmt: skip
            await replan(tx, line.id, self.clock.at)
        line.running = None
        self._opened(line)

    async def _wish(self, line: Line, _: Any) -> None:
        """Other wishes, of all SIMs."""
        wish = self._wishes()
        async with self.database.write() as tx:
            await tx.chats.set_preferences(line.chat_id, preferences(wish))
            for one in self.of_chat[line.chat_id]:
                await self._other_days(tx, one, own_wish(wish, one.own))
            await replan_chat(tx, line.chat_id, self.clock.at)
        for one in self.of_chat[line.chat_id]:
            self._opened(one)
        self.report.count("changed wishes")
        self.later(self._days(60, 300), "wish", line)

    async def _other_days(self, tx: Any, line: Line, wish: Wish) -> None:
        """As the chat does: a day just asked for that has passed does not mean "now"."""
        facts, now = line.facts, self.clock.at
        new = set(wish.offsets) - set(facts.wish.offsets)
        facts.wish = wish
        facts.version += 1
        current = await tx.sims.get(line.id)
        for code in (f"expiry-{day}" for day in new):
            if current is not None and code in facts.stages() and facts.stages()[code][0] <= now:
                await settle(tx, current, code, now, sent=False)
                facts.dates.told[code] = now

    async def _ask(self, line: Line, _: Any) -> None:
        """They look at the SIM's card: what it announces is held against what comes."""
        async with self.database.read() as tx:
            planned = await plan_for(tx, await self._current(line), self.clock.at)
        if line.chat_id in self.blocked or (planned is not None and planned.held):
            return
        at = max(planned.at, self.clock.at) if planned is not None else None
        code = planned.stage.code if planned is not None else None
        line.promised = (at, code, self._state(line))


@asynccontextmanager
async def town(folder: Path, people: int, seed: str, report: Report) -> AsyncIterator[Life]:
    """Open it, settled in."""
    database = await Database.open(f"sqlite:///{folder / 'reminders.db'}")
    try:
        place = Life(database, people, seed, report)
        await place.settle_in()
        yield place
    finally:
        await database.close()
