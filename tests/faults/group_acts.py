"""What the cases of the groups' fault harness are made of: posts, changes, buyers, managing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.demo.botapi import acts
from bot.demo.botapi.models import BOT_ID
from bot.demo.botapi.upgrade import upgrade
from bot.domain.campaigns import Posting, Repeat, Timing
from bot.domain.groups import Approval
from bot.domain.orders import OrderState
from bot.domain.quotes import Quote
from bot.services.posting_rules import Wish
from bot.services.promos import Wish as Saving
from tests.faults.group_cast import ADMINS, ROLES
from tests.faults.group_judge import moments
from tests.faults.group_people import QUIET, Folk
from tests.faults.group_talk import plan_by_taps
from tests.faults.group_town import Process
from tests.unit.store.samples import PLAN

LIVE = 30
"""A process that is going to die has at most so many steps left."""


_FREE = frozenset({OrderState.EXPIRED, OrderState.CANCELLED, OrderState.REFUNDED})
"""Orders in these states hold no place."""


class Acts(Folk):
    """Acts of several steps, most of them left to chance."""

    most_held = 0
    """The most orders that held a place at the same time."""

    async def some_post(self) -> None:
        """An admin posts now, by taps or, as somebody quicker would, at once."""
        role = self.someone(ADMINS)
        if self.rng.random() < 0.5:
            await self.say(role, "/promo", self.room)
            links = self.links(self.room.id, "g")
            await self.open(role, links[0] if links else f"g{self.who.group_id}")
            await plan_by_taps(self, role, None)
        else:
            wish, update = self.wish(role, None), self.update_id()
            await self.ask(lambda p: p.shop.postings.plan(wish, update))
        await self.place.later(minutes=2)

    async def planned(self, timing: Timing, roles: Sequence[str] = ADMINS) -> object:
        """An admin plans a post."""
        wish, update = self.wish(self.someone(roles), timing), self.update_id()
        done = await self.ask(lambda p: p.shop.postings.plan(wish, update))
        if self.rng.random() < 0.3:  # the update comes again
            again = await self.ask(lambda p: p.shop.postings.plan(wish, update))
            if isinstance(done, Posting) and getattr(again, "id", None) != done.id:
                self.broken("replay: another posting of the same update")
        return done

    def wish(self, role: str, timing: Timing | None) -> Wish:
        threads = [None, *(t for t in self.room.topics if t != 1)]
        return Wish(
            self.who.group_id, self.who.person(role).id, self.who.campaign.id,
            self.rng.choice([("en",), ("zh_Hans",), ("zh_Hans", "en")]),
            extra=self.rng.choice([None, "Our <b>friends</b> & neighbours like it"]),
            picture=self.rng.random() < 0.7, thread_id=self.rng.choice(threads), timing=timing,
            pin=self.rng.random() < 0.3,
        )  # fmt: skip

    def soon(self) -> Timing:
        """Within the next hours, by the room's clock."""
        at = self.place.clock.now() + timedelta(hours=self.rng.choice([1, 3, 6]))
        local = at.astimezone(ZoneInfo(self.who.zone))
        return Timing(Repeat.ONCE, local.time().replace(second=0, microsecond=0), self.who.zone,
                      (local.date(),))  # fmt: skip

    def every_week(self) -> Timing:
        days = tuple(sorted(self.rng.sample(range(7), self.rng.choice([2, 3]))))
        clock = self.rng.choice([time(2, 30), time(1, 15), time(9), time(23, 59)])
        return Timing(Repeat.WEEKLY, clock, self.who.zone, weekdays=tuple({*days, 6}))

    async def on_time(self, posting: Posting, timing: Timing, since: datetime) -> None:
        """Each post came in its own minute, whatever the clocks did."""
        due = [at for at in moments(timing, since) if since < at < self.place.clock.now()]
        async with self.place.database.read() as tx:
            made = sorted(p.created_at for p in await tx.posts.of_posting(posting.id))
        self.report.count("posts due by the wall clock", len(due))
        late = [b - a for a, b in zip(due, made, strict=False)]
        if len(due) != len(made) or any(not timedelta(0) <= one < QUIET for one in late):
            self.broken(f"time: due at {due}, posted at {made} ({timing.zone} {timing.clock})")

    async def changes(self, what: str) -> None:
        """Something changes before a post is due."""
        self.report.count(f"before the post: {what}")
        hour = self.place.clock.now() + timedelta(minutes=self.rng.choice([1, 20, 50]))
        await self.place.until(hour)
        self.loses(what)
        if what == "banned":
            await self.decide(Approval.BANNED)
        elif what == "waiting":
            await self.decide(Approval.WAITING)
        elif what == "stopped":
            await self.stop_campaign()
        elif what == "topic":
            for topic in [t for t in self.room.topics if t != 1]:
                await self.change("owner", "topics", message_thread_id=topic, closed=True)
        elif what == "over":
            await self.place.until(self.place.clock.now() + timedelta(days=61))
            self.record.sells = False
            self.note()

    def loses(self, what: str) -> None:
        """Rights are gone."""
        if what == "admin_lost":
            for role in ADMINS[1:]:
                self.rank(self.who.person(role).id, status=self.rng.choice(["member", "left"]))
        elif what == "bot_lost":
            self.rank(BOT_ID, status=self.rng.choice(["left", "kicked"]))
        elif what == "bot_silent" and self.room.type == "channel":
            self.rank(BOT_ID, rights={"can_post_messages": False})
        elif what == "bot_silent" and self.room.type == "supergroup":
            self.rank(BOT_ID, status="restricted", rights={"can_send_messages": False})
        elif what == "bot_member" and self.room.type != "channel":
            self.rank(BOT_ID, status="member")

    async def curious(self) -> None:
        """Members open the post's link; some look at its plan."""
        for link in self.links(self.room.id, "p")[:1]:
            for role in ("member", "buyer"):
                await self.open(role, link)

    async def buyers(self) -> None:
        """Everybody wants it at once."""
        links = self.links(self.room.id, "p")
        if not links:
            return
        roles = [role for role in ROLES if role in self.who.sims]
        if self.rng.random() < 0.5:
            for role in roles:
                acts.start(self.place.world, self.who.person(role), links[0])
            await self.place.settle()
            for role in roles:
                pays = [found for found in self.buttons(role) if found[1].startswith("pay:")]
                if pays:
                    self.pressed(role, *pays[0])
                    self.report.count("orders by taps")
            await self.place.settle()
            await self._count_held()
            return
        prices = await asyncio.gather(*(self._price(role, links[0][1:]) for role in roles))
        await asyncio.gather(*(self._order(one) for one in prices if isinstance(one, Quote)))
        await self.place.settle()
        await self._count_held()

    async def _count_held(self) -> None:
        """How many orders hold a place now, by what their prices say."""
        held = 0
        async with self.place.database.read() as tx:
            for line in self.who.sims.values():
                for order in await tx.orders.of_sim(line.id, tuple(set(OrderState) - _FREE)):
                    price = await tx.quotes.get(order.quote_id)
                    given = price.discounts if price is not None else ()
                    held += any(one.promo == self.who.promo.id for one in given)
        self.most_held = max(self.most_held, held)

    async def _price(self, role: str, post_id: str) -> object:
        person, line, update = self.who.person(role), self.who.sims[role], self.update_id()
        saving = Saving(post=post_id)
        return await self.ask(
            lambda p: p.shop.checkout.quote(person.id, line, PLAN, None, update, saving),
            waits=False,
        )

    async def _order(self, price: Quote) -> None:
        done = await self.ask(
            lambda p: p.shop.checkout.place(price.id, price.chat_id, None), waits=False
        )
        self.report.count("orders refused" if isinstance(done, str) else "orders")

    async def manage(self, posting: Posting | None) -> None:
        role = self.someone([*ADMINS, "member", "stranger"])
        by, what = self.who.person(role).id, self.rng.choice(list(_MANAGING))
        async with self.place.database.read() as tx:
            posts = [p for w in await tx.posts.postings_of(self.who.group_id)
                     for p in await tx.posts.of_posting(w.id)]  # fmt: skip
        if what == "pin" and posts:
            post, on = self.rng.choice(posts), self.rng.random() < 0.6
            await self.ask(lambda p: p.shop.postings.pin(post.id, by, on=on))
        elif posting is not None and what != "pin":
            before = await self.posting(posting.id)
            await self.ask(lambda p: _MANAGING[what](p, posting.id, by))
            if role in ("member", "stranger") and await self.posting(posting.id) != before:
                self.broken(f"rights: {what} by somebody who is no admin")
        self.report.count(f"managed: {what}")

    async def posting(self, posting_id: str) -> Posting | None:
        async with self.place.database.read() as tx:
            return await tx.posts.posting(posting_id)

    def upgrade_room(self) -> None:
        world, owner = self.place.world, self.who.person("owner")
        if self.room.upgraded_to is None and self.room.type == "group":
            old = self.room
            self.record.moved[old.id] = upgrade(world, old, owner.user).id
            self.note()

    def is_going_to_die(self) -> None:
        self.place.process.life.dies_in(self.rng.randint(0, LIVE))

    def broken(self, what: str) -> None:
        """A promise is broken."""
        kind = what.split(":")[0]
        self.report.count(f"broken: {kind}")
        self.report.violation(f"case {self.who.number}: {what}")


_MANAGING: Mapping[str, Callable[[Process, str, int], Awaitable[object]]] = {
    "pause": lambda p, one, by: p.shop.postings.pause(one, by),
    "resume": lambda p, one, by: p.shop.postings.resume(one, by),
    "change": lambda p, one, by: p.shop.postings.change(one, by, extra="Only this week"),
    "withdraw": lambda p, one, by: p.shop.postings.withdraw(one, by),
    "pin": lambda p, one, by: p.shop.postings.pin(one, by),
}
