"""One case of the groups' fault harness: a room, its people, and what its kind has in store."""

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bot.demo.botapi.models import BOT_ID
from bot.domain.campaigns import Posting, PostState
from bot.domain.groups import Approval
from tests.faults.group_acts import Acts
from tests.faults.group_cast import ADMINS, ZONES, Cast, cast, move_in
from tests.faults.group_judge import Judge, Record, Rows
from tests.faults.group_talk import commands, forged, plan_by_taps, tour, writes
from tests.faults.group_town import House
from tests.harness import Report

_CHANGES = (
    "admin_lost", "bot_lost", "bot_silent", "bot_member", "banned", "waiting", "stopped", "topic",
    "over", "none",
)  # fmt: skip


class Case(Acts):
    """What happens in it, by its kind."""

    async def now(self) -> None:
        """Posts at once; taps that come again, links that others follow."""
        for _ in range(self.rng.choice([1, 2])):
            await self.some_post()
        await self.curious()

    async def later(self) -> None:
        """A post at a time, and what changes before it."""
        change = self.rng.choice(_CHANGES)
        await self.planned(self.soon())
        await self.changes(change)
        await self.place.later(hours=7)
        await self.curious()

    async def demoted(self) -> None:
        """Rights are lost before the post, or in the moment between question and post."""
        for _ in range(2):
            await self.planned(self.rng.choice([self.soon(), self.every_week()]), ADMINS[1:])
        lost = self.rng.choice(["admin_lost", "admin_lost", "bot_lost", "bot_silent"])
        if self.rng.random() < 0.3:
            await self.place.later(minutes=50)
            self.surprises.append(("getChatAdministrators", lambda: self.loses(lost)))
        else:
            await self.changes(lost)
        await self.place.later(days=4)
        for role in ADMINS[1:]:
            await self.say(role, "/promo", self.room)
            await self.open(role, f"g{self.who.group_id}")
            await plan_by_taps(self, role, None)

    async def weekly(self) -> None:
        """Week after week, over the night when the clocks change."""
        timing = self.every_week()
        before = self.place.clock.now()
        posting = await self.planned(timing)
        await self.place.later(days=self.rng.choice([9, 16]))
        if isinstance(posting, Posting):
            await self.on_time(posting, timing, before)
        if self.rng.random() < 0.5:
            await self.place.sleep(self.place.clock.now() + timedelta(days=8))
            await self.place.later(days=2)

    async def lost(self) -> None:
        """Telegram's answers get lost, or come as "slow down"; outages."""
        posting = await self.planned(self.soon())
        if isinstance(posting, Posting) and posting.next_at is not None:
            await self.place.until(posting.next_at - timedelta(seconds=1))
        fault = self.rng.choice(
            ["telegram_send_lost_answer", "telegram_send_lost_answer", "telegram_flood",
             "telegram_down", "telegram_down"]
        )  # fmt: skip
        self.report.count(f"fault: {fault}")
        if fault == "telegram_down":
            if self.rng.random() < 0.7:  # it begins between the decision and the message
                off = partial(self.place.board.set, fault, on=True)
                self.surprises.append(("getChatAdministrators", off))
            else:
                self.place.board.set(fault, on=True)
            await self.place.later(minutes=self.rng.choice([5, 20, 50, 80, 200]))
            if self.rng.random() < 0.4:
                await self.changes(self.rng.choice(["banned", "stopped"]))
            self.place.board.set(fault, on=False)
        else:
            self.place.board.set(fault, times=self.rng.choice([1, 2, 5]))
        await self.place.later(hours=1)
        self.place.board.set("telegram_send_lost_answer", times=self.rng.choice([0, 1]))
        await self.some_post()
        await self.place.later(hours=7)

    async def dies(self) -> None:
        """The process dies between any two transactions or calls, as often as it likes."""
        self.place.repeats = self.rng.choice([0, 1])
        self.is_going_to_die()
        await self.some_post()
        posting = await self.planned(self.rng.choice([self.soon(), self.every_week()]))
        for _ in range(4):
            if isinstance(posting, Posting) and posting.next_at is not None:
                await self.place.until(posting.next_at)
            self.is_going_to_die()
            await self.place.later(hours=2.4)
            posting = await self.posting(posting.id) if isinstance(posting, Posting) else None
            self.is_going_to_die()
            await self.some_post()
        self.is_going_to_die()
        await self.changes("banned" if self.rng.random() < 0.3 else "none")
        await self.place.later(hours=1)
        self.place.process.life.lives()

    async def overlaps(self) -> None:
        """Two processes at the due time."""
        timing = self.soon()
        await self.planned(timing)
        if self.rng.random() < 0.5:
            await self.planned(self.every_week())
        for _ in range(3):
            due = min(self.place.due().values(), default=self.place.clock.now())
            self.place.clock.move_to(max(due, self.place.clock.now()))
            await self.place.overlap()
            if self.rng.random() < 0.5:
                wish, update = self.wish(self.someone(ADMINS), None), self.update_id()
                await self.ask(lambda p, w=wish, u=update: p.shop.postings.plan(w, u),  # type: ignore[misc]
                               waits=False)  # fmt: skip
                await self.place.overlap()
            await self.place.later(hours=3)

    async def migrates(self) -> None:
        """The group becomes a supergroup: before the post, or on its way."""
        await self.planned(self.soon())
        if self.rng.random() < 0.4:
            await self.some_post()
        if self.rng.random() < 0.5:
            self.surprises.append(("getChatAdministrators", self.upgrade_room))
        else:
            self.upgrade_room()
            if self.rng.random() < 0.5:  # the bot hears of it when it writes there
                self.place.world.updates.pending.clear()
        await self.place.later(hours=7)

    async def sold_out(self) -> None:
        """More buyers at once than places, by two processes too."""
        await self.some_post()
        if not self.links(self.room.id, "p"):
            return
        await self.buyers()
        await self.place.later(minutes=self.rng.choice([3, 40]))
        await self.buyers()
        await self.place.later(minutes=5)

    async def channels(self) -> None:
        """A channel: posts and commands in it, its discussion group, its admins."""
        await self.some_post()
        await commands(self, 12)
        await self.planned(self.soon())
        if self.rng.random() < 0.4:
            self.rank(BOT_ID, rights={"can_post_messages": False})
        await self.place.later(hours=7)

    async def talks(self) -> None:
        """Everybody sends every command everywhere."""
        await self.some_post()
        await commands(self, 40)

    async def taps(self) -> None:
        """Everybody taps whatever there is, and what is none of theirs."""
        for role in ("member", "admin"):
            await tour(self, role)
        await self.say("operator", f"/find {self.who.person('buyer').id}")
        await self.say("operator", "/queue")
        await self.some_post()
        await forged(self, 30)
        await writes(self)

    async def strangers(self) -> None:
        """People who are no admins try to post."""
        await self.say(self.someone(ADMINS), "/promo", self.room)
        links = self.links(self.room.id, "g") or [f"g{self.who.group_id}"]
        for role in ("member", "stranger", "buyer"):
            await self.say(role, "/promo", self.room)
            if self.room.type == "supergroup" and role == "member":
                await self.say(role, "/promo", self.room, as_chat=self.who.elsewhere.id)
            await self.open(role, links[0])
            await plan_by_taps(self, role, None)
            await self.ask(lambda p, role=role: p.shop.postings.plan(  # type: ignore[misc]
                self.wish(role, None), self.update_id()))  # fmt: skip
        await forged(self, 10)

    async def manages(self) -> None:
        """Admins, and others, pause, change, pin, withdraw."""
        await self.some_post()
        posting = await self.planned(self.every_week())
        for _ in range(8):
            await self.manage(posting if isinstance(posting, Posting) else None)
            await self.place.later(hours=self.rng.choice([1, 30]))

    async def deleted(self) -> None:
        """An admin deletes posts; an edit finds out."""
        await self.some_post()
        for one in self.bots(self.room.id):
            if "?start=p" in str(one.data.get("reply_markup")):
                await self.change("owner", "delete", message_id=one.message_id)
        await self.buyers()
        await self.place.later(minutes=10)
        await self.planned(self.soon())
        await self.place.later(hours=7)

    async def often(self) -> None:
        """More often than the shop allows."""
        for _ in range(4):
            await self.some_post()
            await self.place.later(hours=self.rng.choice([1, 5, 7, 30]))
        await self.planned(self.every_week())
        await self.place.later(days=9)


KINDS: Mapping[str, Callable[[Case], Awaitable[None]]] = {
    "talks": Case.talks, "taps": Case.taps, "now": Case.now, "later": Case.later,
    "weekly": Case.weekly, "demoted": Case.demoted, "lost": Case.lost, "dies": Case.dies,
    "overlaps": Case.overlaps, "migrates": Case.migrates, "sold_out": Case.sold_out,
    "channels": Case.channels, "strangers": Case.strangers, "manages": Case.manages,
    "deleted": Case.deleted, "often": Case.often,
}  # fmt: skip
"""What there is; each case is of one kind, by its number."""


def _before_the_change(zone: str, now: datetime) -> datetime:
    """Some days before the next night in which the zone's clocks change."""
    tz = ZoneInfo(zone)
    day, noon = now.date(), time(12)
    for n in range(370):
        some, following = day + timedelta(days=n), day + timedelta(days=n + 1)
        if _offset(some, noon, tz) != _offset(following, noon, tz):
            found = datetime.combine(some, noon, UTC) - timedelta(days=4)
            if found > now:
                return found
    return now


def _offset(day: date, clock: time, tz: ZoneInfo) -> timedelta | None:
    return datetime.combine(day, clock, tz).utcoffset()


async def case(place: House, number: int, rng: random.Random, report: Report) -> bool:
    """Play and judge one; False when the house has to be left."""
    kind = list(KINDS)[number % len(KINDS)]
    report.count(f"kind: {kind}")
    before = report.violations
    if kind == "weekly":
        zone = ZONES[number % 3]
        await place.until(_before_the_change(zone, place.clock.now()))
    who = cast(place, number, kind, rng)
    if kind == "weekly":
        who.zone = zone
    await move_in(place, who, rng)
    record = Record()
    played = Case(place, who, rng, record, report)
    place.calls.listeners.append(played.heard)
    try:
        await _play(played, KINDS[kind])
        rows = await _rows(place, who, played.most_held)
        outcomes(report, rows)
        for found in Judge(place, who, record, rows).findings():
            played.broken(found)
    finally:
        place.calls.listeners.remove(played.heard)
        place.repeats = 0
        place.board.clear()
    return report.violations == before


async def _play(played: Case, body: Callable[[Case], Awaitable[None]]) -> None:
    deaths = played.place.deaths
    await played.let_in(played.rng.choice(["administrator", "administrator", "member"]))
    if played.rng.random() < 0.3:  # not allowed yet
        await played.some_post()
    await played.decide(Approval.ALLOWED)
    if body not in (Case.lost, Case.dies) and played.rng.random() < 0.4:
        _one_fault(played)
    await body(played)
    played.place.process.life.lives()
    played.place.board.clear()
    await played.stop_campaign()
    await played.place.later(hours=1)
    await played.place.later(hours=2)
    played.report.count("deaths", played.place.deaths - deaths)
    played.report.count("calls in groups", sum(one.chat_id < 0 for one in played.record.shown))


def _one_fault(played: Case) -> None:
    """Something goes wrong somewhere."""
    what = played.rng.choice(["death", "telegram_send_lost_answer", "telegram_flood", "repeats"])
    played.report.count(f"once on the way: {what}")
    if what == "death":
        played.place.process.life.dies_in(played.rng.randint(0, 150))
    elif what == "repeats":
        played.place.repeats = 1
    else:
        played.place.board.set(what, times=1)


async def _rows(place: House, who: Cast, most_held: int) -> Rows:
    async with place.database.read() as tx:
        postings = await tx.posts.postings_of(who.group_id)
        posts = [post for one in postings for post in await tx.posts.of_posting(one.id)]
    return Rows(postings, posts, most_held)


def outcomes(report: Report, rows: Rows) -> None:
    """Count what became of postings and posts."""
    for posting in rows.postings:
        why = f", {posting.reason}" if posting.reason else ""
        report.count(f"posting: {posting.state}{why}")
    for post in rows.posts:
        report.count(f"post: {post.state}" + (f", {post.end}" if post.end else ""))
        report.count(
            "posts without Telegram's answer", post.message_id is None and bool(post.posted_at)
        )
    report.count("posts", len([p for p in rows.posts if p.state is not PostState.FAILED]))
