"""A shop whose groups post: Telegram's word on rights, and a messenger, both as a test tells."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.campaigns import Campaign, Post, Posting
from bot.domain.groups import Approval, Group, Standing
from bot.ports import Delivery, Notice, Outcome, Place, Rights, RoomsUnavailable
from bot.services import notices
from bot.services.looks import Looks
from bot.services.outbox import Outbox
from bot.services.places import posts_touched
from bot.services.posted import Posted, told
from bot.services.posters import showing
from bot.services.posting import Postings
from bot.services.posting_rules import Wish
from bot.services.turns import Turns
from bot.store import Database
from tests.unit.services.house import HandClock, opened
from tests.unit.services.promo_house import BIG, promo
from tests.unit.store.samples import ALICE, BOB, CHARLIE, NOW, PLAN, days

GROUP = -100_555
ADMIN, OTHER, MEMBER = ALICE, BOB, CHARLIE
TITLE = {"en": "Spring", "zh_Hans": "春季"}
TEXT = {"en": "{plan} for {after}", "zh_Hans": "{plan}，{after}"}
SPRING = Campaign("spring", 1, "grp", (PLAN.code, BIG.code), TITLE, TEXT)
OFFER = promo("grp", code=None, posted=True, total=10, ends_at=days(30))


@dataclass
class Room:
    """What Telegram says of the group."""

    rights: Rights | None = field(
        default_factory=lambda: Rights(frozenset({ADMIN, OTHER}), posts=True, pins=True)
    )
    away: bool = False
    asked: list[bool] = field(default_factory=list)
    """Whether it had to be fresh, each time."""
    pinned: list[tuple[int, bool]] = field(default_factory=list)
    pins: bool = True
    """Whether Telegram does as it is told."""

    async def rights_of(self, fresh: bool) -> Rights | None:
        self.asked.append(fresh)
        if self.away:
            raise RoomsUnavailable("no answer")
        return self.rights


class Rooms:
    """ports.Rooms over one room."""

    def __init__(self, room: Room) -> None:
        self.room = room

    async def rights(self, chat_id: int, *, fresh: bool = False) -> Rights | None:
        return await self.room.rights_of(fresh)

    async def pin(self, chat_id: int, message_id: int, *, on: bool = True) -> bool:
        if self.room.away:
            raise RoomsUnavailable("no answer")
        self.room.pinned.append((message_id, on))
        return self.room.pins


@dataclass
class Press:
    """A messenger that takes everything, unless its script has another answer."""

    database: Database
    clock: HandClock
    script: list[Delivery | BaseException] = field(default_factory=list)
    got: list[Notice] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)
    """Of the edits."""
    numbers: int = 100
    meanwhile: Callable[[], Any] | None = None
    """Happens while the next message is on its way."""

    async def deliver(self, notice: Notice, place: Place | None = None) -> Delivery:
        self.got.append(notice)
        if notice.kind == notices.POST_EDIT:
            self.moments.append(self.clock.now())
        detail, number = await self._written(notice)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        if self.script:
            answer = self.script.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer
        return Delivery(Outcome.SENT, message_id=number, detail=detail)

    async def _written(self, notice: Notice) -> tuple[str | None, int]:
        if notice.kind not in (notices.POST, notices.POST_EDIT):
            return None, 1
        async with self.database.read() as tx:
            post = await tx.posts.get(notice.data["post_id"])
            assert post is not None
            shown = await showing(tx, post, self.clock.now())
        assert shown is not None
        if post.message_id is None:
            self.numbers += 1
        mark = shown.poster(self.clock.now()).mark()
        return told(mark, photo=True), post.message_id or self.numbers

    def of(self, kind: str) -> list[Notice]:
        """What came of one kind, oldest first."""
        return [notice for notice in self.got if notice.kind == kind]

    def news(self) -> list[tuple[int, str]]:
        """Whom admins' news went to, and why."""
        return [(one.chat_id, one.data["why"]) for one in self.of(notices.POST_NEWS)]


@dataclass
class Square:
    """Everything that goes on in groups."""

    database: Database
    clock: HandClock
    room: Room
    press: Press
    postings: Postings
    turns: Turns
    looks: Looks
    outbox: Outbox

    def restart(self) -> None:
        """A new process with the same store."""
        rooms = Rooms(self.room)
        self.postings = Postings(self.database, self.clock, rooms)
        self.turns = Turns(self.database, self.clock, rooms)
        self.looks = Looks(self.database, self.clock, rooms)
        self.outbox = Outbox(self.database, self.clock, self.press)
        posted = Posted(self.clock)
        self.outbox.told |= {notices.POST: posted.sent, notices.POST_EDIT: posted.edited}

    async def work(self) -> None:
        """Everything that is due now."""
        await self.turns.worker.run()
        await self.outbox.worker.run()
        await self.looks.worker.run()
        await self.outbox.worker.run()

    async def live(self, **span: float) -> None:
        """Everything that is due within a span, each at its moment."""
        end = self.clock.at + timedelta(**span)
        await self.work()
        while (due := await self._next()) is not None and due <= end:
            self.clock.at = max(self.clock.at, due)
            await self.work()
        self.clock.at = end

    async def _next(self) -> Any:
        found = [await self.turns.next_due(), await self.looks.next_look(),
                 await self.outbox.next_due()]  # fmt: skip
        return min((at for at in found if at is not None), default=None)

    async def plan(self, **changes: Any) -> Posting:
        """What an admin wants posted: now, in English, unless said otherwise."""
        return await self.postings.plan(wish(**changes), next(_TAPS))

    async def out(self, **changes: Any) -> Post:
        """A post that stands in the group."""
        planned = await self.plan(**changes)
        await self.outbox.worker.run()
        return (await self.posts(planned.id))[0]

    async def posts(self, posting_id: str) -> list[Post]:
        async with self.database.read() as tx:
            return await tx.posts.of_posting(posting_id)

    async def post(self, post_id: str) -> Post:
        async with self.database.read() as tx:
            found = await tx.posts.get(post_id)
        assert found is not None
        return found

    async def posting(self, posting_id: str) -> Posting:
        async with self.database.read() as tx:
            found = await tx.posts.posting(posting_id)
        assert found is not None
        return found

    async def group(self) -> Group:
        async with self.database.read() as tx:
            found = await tx.groups.get("grp1")
        assert found is not None
        return found

    async def set_group(self, **changes: Any) -> None:
        async with self.database.write() as tx:
            await tx.groups.set("grp1", **changes)

    async def campaign(self, **changes: Any) -> None:
        """The campaign is another one now."""
        async with self.database.write() as tx:
            await tx.campaigns.apply([replace(SPRING, **changes)], {})

    async def offer(self, **changes: Any) -> None:
        """Its promo is another one now."""
        async with self.database.write() as tx:
            await tx.promos.apply([replace(OFFER, **changes)])


_TAPS = iter(range(3_000_000, 4_000_000))


def wish(**changes: Any) -> Wish:
    """The campaign of spring in the group, in English, now."""
    return replace(Wish("grp1", ADMIN, SPRING.id, ("en",)), **changes)


@asynccontextmanager
async def square(folder: Path) -> AsyncIterator[Square]:
    """An allowed group with two admins, and one campaign that it may post."""
    async with opened(folder) as database:
        clock = HandClock()
        press, room = Press(database, clock), Room()
        async with database.write() as tx:
            await tx.catalogue.apply([PLAN, BIG])
            await tx.promos.apply([OFFER])
            await tx.campaigns.apply([SPRING], {})
            await tx.groups.add(
                Group("grp1", GROUP, "supergroup", "SIM talk", Standing.MEMBER, True,
                      Approval.ALLOWED, "en", "UTC", added_at=NOW)
            )  # fmt: skip
        found: Any = Square(database, clock, room, press, *([None] * 4))  # type: ignore[arg-type]
        found.restart()
        yield found


async def places(at: Square, total: int) -> None:
    """So many places are left: somebody has taken or freed one."""
    await at.offer(total=total)
    async with at.database.write() as tx:
        await posts_touched(tx, "grp", at.clock.now())


def edits(at: Square) -> int:
    return len(at.press.of(notices.POST_EDIT))


async def true(at: Square, post: Post) -> bool:
    """Whether the group reads what is true."""
    found = await at.post(post.id)
    extra = (await at.posting(found.posting_id)).extra
    poster, _ = await at.postings.preview(wish(extra=extra))
    return found.shown == poster.mark()
