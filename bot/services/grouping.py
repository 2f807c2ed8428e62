"""Groups and channels: met, renamed, moved, left; allowed or banned by the shop (F42, F45).

What the bot hears of a group is stored whether or not it may sell there; a group that is new
waits until a person of the shop allows it. Each decision is one line in the audit log.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.domain.campaigns import POSTING, Posting, PostingState
from bot.domain.groups import Approval, Group, Standing, Topic
from bot.ports import AuditRow, Clock, Store, Tx
from bot.services import notices
from bot.services.desk import NotOperator
from bot.services.ids import new_id
from bot.services.work import Worker

log = structlog.get_logger()

_CHANNEL = "channel"
_HELD = {Approval.BANNED: "group_banned", Approval.WAITING: "group_waiting"}
"""Why postings are held by what the shop decided."""


@dataclass(frozen=True, slots=True)
class Room:
    """A group or channel as Telegram shows it. `kind` is Telegram's: group, supergroup, channel."""

    chat_id: int
    kind: str
    title: str
    username: str | None = None
    forum: bool = False


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak in a group that has chosen nothing yet: a language, an IANA zone."""

    language: str
    zone: str


class Grouping:
    """What the bot knows of its groups, and what the shop lets them do."""

    def __init__(self, store: Store, clock: Clock, operators: tuple[int, ...]) -> None:
        self._store = store
        self._clock = clock
        self._operators = operators
        self.rings: list[Worker] = []
        """Woken when there is something to tell, or a post to end."""

    # ---- what Telegram tells -------------------------------------------------------------

    async def met(self, room: Room, manner: Manner, by: int | None = None) -> Group:
        """The group of a chat that the bot hears from: it is there, whatever was known before."""
        async with self._store.read() as tx:
            known = await tx.groups.by_chat(room.chat_id)
        if known is not None and known.standing is not Standing.OUT and _same(known, room):
            return known
        there = Standing.ADMIN if room.kind == _CHANNEL else Standing.MEMBER
        async with self._store.write() as tx:
            group, _ = await self._keep(tx, room, manner, there, by, can_post=True)
        self._ring()
        return group

    async def changed(
        self, room: Room, standing: Standing, manner: Manner, by: int | None, *, can_post: bool
    ) -> Group | None:
        """What the bot is in a chat has changed; who added it there is `by`.

        Admins are greeted once in the life of a group. None for a chat that was never known.
        """
        async with self._store.write() as tx:
            known = await tx.groups.by_chat(room.chat_id)
            if known is None and standing is Standing.OUT:
                return None
            group, came = await self._keep(tx, room, manner, standing, by, can_post=can_post)
            if came and group.greeted_at is None and group.approval is not Approval.BANNED:
                now = self._clock.now()
                await tx.groups.set(group.id, greeted_at=now)
                # A channel's readers are not to read this: it goes to who added the bot.
                if room.kind != _CHANNEL:
                    await tx.outbox.add(notices.group_greeting(group.id, room.chat_id))
                elif by is not None and await tx.chats.get(by) is not None:
                    await tx.outbox.add(notices.group_news(group.id, by, "hello", ""))
        self._ring()
        return group

    async def _keep(
        self, tx: Tx, room: Room, manner: Manner, standing: Standing, by: int | None, *,
        can_post: bool,
    ) -> tuple[Group, bool]:  # fmt: skip
        """Save what is known now; whether the bot has just come (back)."""
        now = self._clock.now()
        known = await tx.groups.by_chat(room.chat_id)
        if known is None:
            group = Group(
                id=new_id(), chat_id=room.chat_id, kind=room.kind, title=room.title,
                standing=standing, can_post=can_post, approval=Approval.WAITING,
                language=manner.language, zone=manner.zone, forum=room.forum,
                username=room.username, added_by=by, added_at=now,
            )  # fmt: skip
            await tx.groups.add(group)
            subject = f"group:{group.id}"
            for note in notices.for_operators(self._operators, subject, "group_new"):
                await tx.outbox.add(note)
            log.info("group_met", group=group.id, kind=room.kind)
            return group, True
        came = known.standing is Standing.OUT and standing is not Standing.OUT
        seen = {"kind": room.kind, "title": room.title, "username": room.username,
                "forum": room.forum}  # fmt: skip
        more = {"added_by": by} if came and by is not None else {}
        await tx.groups.set(known.id, standing=standing, can_post=can_post, **seen, **more)
        return await tx.groups.get(known.id) or known, came

    async def moved(self, old: int, new: int) -> None:
        """A group became a supergroup, which has another id; harmless when told twice."""
        async with self._store.write() as tx:
            await tx.chats.migrate(old, new)
            await tx.groups.migrate(old, new)
        self._ring()

    async def topic(
        self, chat_id: int, thread_id: int, name: str | None, closed: bool | None
    ) -> None:
        """A forum's topic was made, renamed, closed or opened; None for what is as it was."""
        async with self._store.write() as tx:
            group = await tx.groups.by_chat(chat_id)
            if group is None:
                return
            if not group.forum:
                await tx.groups.set(group.id, forum=True)
            known = {topic.id: topic for topic in await tx.groups.topics(group.id)}
            old = known.get(thread_id) or Topic(group.id, thread_id, name or str(thread_id))
            new = replace(
                old, name=name or old.name, closed=old.closed if closed is None else closed
            )
            if known.get(thread_id) != new:
                await tx.groups.topic(new)

    # ---- what people decide --------------------------------------------------------------

    async def asked(self, group: Group, by: int) -> None:
        """An admin would like to post: they hear of it when the shop has decided."""
        if group.added_by is None:
            async with self._store.write() as tx:
                await tx.groups.set(group.id, added_by=by)

    async def decide(self, group_id: str, approval: Approval, operator: int) -> Group | None:
        """Allow or ban a group; None when there is none. A second press changes nothing.

        Raises NotOperator.
        """
        if operator not in self._operators:
            raise NotOperator
        async with self._store.write() as tx:
            group = await tx.groups.get(group_id)
            if group is None or group.approval is approval:
                return group
            now = self._clock.now()
            await tx.groups.set(group_id, approval=approval)
            details = {"was": group.approval.value, "title": group.title}
            row = AuditRow(
                now, f"chat:{operator}", f"group_{approval}", f"group:{group_id}", details
            )
            await tx.audit.add(row)
            # Where nothing may be posted any more, open posts end when they are looked at.
            await tx.posts.touch(now, group_id=group_id)
            going_on = [one for one in await tx.posts.postings_of(group_id) if POSTING[one.state]]
            await _hold(tx, going_on, approval, now)
            concerned = {one.by for one in going_on}
            if group.added_by is not None:
                concerned.add(group.added_by)
            for person in sorted(await tx.chats.many(concerned)):
                key = f"{now:%Y%m%d%H%M%S}:{person}"
                await tx.outbox.add(notices.group_news(group_id, person, approval.value, key))
        self._ring()
        return replace(group, approval=approval)

    async def prefer(
        self, group_id: str, *, language: str | None = None, zone: str | None = None
    ) -> None:
        """What an admin chose for the group; None leaves as it is."""
        chosen = {"language": language, "zone": zone}
        async with self._store.write() as tx:
            await tx.groups.set(
                group_id, **{name: value for name, value in chosen.items() if value is not None}
            )

    async def all(self) -> Sequence[Group]:
        """Every group, those that wait for a decision first."""
        order = (Approval.WAITING, Approval.ALLOWED, Approval.BANNED)
        async with self._store.read() as tx:
            return sorted(await tx.groups.all(), key=lambda one: order.index(one.approval))

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


async def _hold(tx: Tx, going_on: Sequence[Posting], approval: Approval, now: datetime) -> None:
    """What is planned in a group that may not post waits, and says why; an admin resumes it."""
    why = _HELD.get(approval)
    for one in going_on:
        if why is not None and one.state is PostingState.ACTIVE:
            await tx.posts.move_posting(
                one.id, one.state, PostingState.HELD, why, now, next_at=None
            )


def _same(group: Group, room: Room) -> bool:
    return (group.kind, group.title, group.username, group.forum) == (
        room.kind, room.title, room.username, room.forum,
    )  # fmt: skip
