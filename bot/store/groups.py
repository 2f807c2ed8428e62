"""Groups, their topics and admins, and the operator's campaigns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.campaigns import Campaign
from bot.domain.groups import Group, Topic
from bot.store.rows import Shape, insert_new
from bot.store.tables import campaigns, group_admins, groups, posts, topics

_GROUP = Shape(groups, Group)
_TOPIC = Shape(topics, Topic)
_FIXED = frozenset({"id", "chat_id"})
_C = campaigns.c


class GroupRows:
    """Implements `ports.Groups`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add(self, group: Group) -> Group:
        """Save it; the stored one where its chat is known already."""
        if await insert_new(self._conn, groups, _GROUP.dump(group)):
            return group
        return await self.by_chat(group.chat_id) or group

    async def get(self, group_id: str) -> Group | None:
        """The group, also one the bot has left."""
        found = await self._many(_SELECT.where(groups.c.id == group_id))
        return found[0] if found else None

    async def by_chat(self, chat_id: int) -> Group | None:
        """The group of that chat."""
        found = await self._many(_SELECT.where(groups.c.chat_id == chat_id))
        return found[0] if found else None

    async def all(self) -> list[Group]:
        """Oldest first."""
        return await self._many(_SELECT.order_by(groups.c.seq))

    async def of_admin(self, user_id: int) -> list[Group]:
        """Those where this person was last seen to be an admin."""
        seen = select(group_admins.c.group_id).where(group_admins.c.user_id == user_id)
        return await self._many(_SELECT.where(groups.c.id.in_(seen)).order_by(groups.c.seq))

    async def set(self, group_id: str, **changes: Any) -> None:
        """Change what is given. Raises ValueError for unknown names."""
        values = _GROUP.changes(changes, _FIXED)
        await self._conn.execute(update(groups).where(groups.c.id == group_id).values(values))

    async def migrate(self, old: int, new: int) -> None:
        """The chat has another id; harmless when it is told twice."""
        known = await self.by_chat(old)
        if known is None or old == new:
            return
        other = await self.by_chat(new)
        if other is not None:
            # The new chat was met before this was told. The row with the history goes on; that of
            # the meeting stays behind under the old id, by way of one that no chat has.
            away = update(groups).where(groups.c.id == other.id)
            await self._conn.execute(away.values(chat_id=0, standing="out", can_post=False))
        here = update(groups).where(groups.c.id == known.id)
        await self._conn.execute(here.values(chat_id=new, former_id=old, kind="supergroup"))
        # The messages of the old chat have other numbers in the new one: they can't be edited.
        of_old = update(posts).where(posts.c.group_id == known.id)
        await self._conn.execute(of_old.values(message_id=None))
        if other is not None:
            await self._conn.execute(away.values(chat_id=old))

    async def admins(self, group_id: str, user_ids: Sequence[int]) -> None:
        """Remember who its admins were when Telegram was asked last."""
        # Two who were told the same write it one after the other.
        mine = select(groups.c.id).where(groups.c.id == group_id)
        await self._conn.execute(mine.with_for_update(key_share=True))
        await self._conn.execute(delete(group_admins).where(group_admins.c.group_id == group_id))
        rows = [{"group_id": group_id, "user_id": user_id} for user_id in sorted(set(user_ids))]
        if rows:
            await self._conn.execute(insert(group_admins), rows)

    async def topics(self, group_id: str) -> list[Topic]:
        """Those seen, by their number."""
        statement = select(*_TOPIC.columns).where(topics.c.group_id == group_id)
        rows = await self._conn.execute(statement.order_by(topics.c.id))
        return [_TOPIC.load(row) for row in rows]

    async def topic(self, topic: Topic) -> None:
        """Save or change one."""
        if not await insert_new(self._conn, topics, _TOPIC.dump(topic)):
            here = (topics.c.group_id == topic.group_id, topics.c.id == topic.id)
            values = {"name": topic.name, "closed": topic.closed}
            await self._conn.execute(update(topics).where(*here).values(values))

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Group]:
        return [_GROUP.load(row) for row in await self._conn.execute(statement)]


_SELECT = select(*_GROUP.columns)


class CampaignRows:
    """Implements `ports.Campaigns`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def get(self, campaign_id: str) -> Campaign | None:
        """Stopped ones too."""
        found = await self._many(_CAMPAIGNS.where(_C.code == campaign_id))
        return found[0] if found else None

    async def all(self, *, active: bool = True) -> list[Campaign]:
        """In the order of the operator's file."""
        statement = _CAMPAIGNS.order_by(_C.position, _C.code)
        return await self._many(statement.where(_C.active) if active else statement)

    async def apply(self, campaigns_: Sequence[Campaign], pictures: Mapping[str, bytes]) -> None:
        """Make these the campaigns: new and changed ones saved, others stopped.

        A changed one's version is one more than the stored one; an equal one keeps its own.
        `pictures` are by campaign id.
        """
        known = {one.id: one for one in await self.all(active=False)}
        await self._conn.execute(update(campaigns).values(active=False))
        for position, one in enumerate(campaigns_):
            old = known.get(one.id)
            picture = pictures.get(one.id)
            values: dict[str, Any] = {
                "position": position, "picture": picture, "active": one.active,
            }  # fmt: skip
            if old is None:
                row = {"code": one.id, "version": one.version, **values, "campaign": one}
                await self._conn.execute(insert(campaigns).values(row))
                continue
            same = replace(one, version=old.version, active=old.active) == old
            version = old.version if same else old.version + 1
            values |= {"version": version, "campaign": replace(one, version=version)}
            if (await self.picture(one.id))[0] != picture:
                values["file_id"] = None
            await self._conn.execute(update(campaigns).where(_C.code == one.id).values(values))

    async def stop(self, campaign_id: str) -> bool:
        """False when it was stopped before."""
        statement = update(campaigns).where(_C.code == campaign_id, _C.active)
        return (await self._conn.execute(statement.values(active=False))).rowcount == 1

    async def picture(self, campaign_id: str) -> tuple[bytes | None, str | None]:
        """Its picture, and Telegram's id of it once it was sent."""
        statement = select(_C.picture, _C.file_id).where(_C.code == campaign_id)
        row = (await self._conn.execute(statement)).first()
        return (None, None) if row is None else (row[0], row[1])

    async def keep_file(self, campaign_id: str, file_id: str | None) -> None:
        """What Telegram calls the picture from now on; None when it no longer has it."""
        here = update(campaigns).where(_C.code == campaign_id)
        await self._conn.execute(here.values(file_id=file_id))

    async def _many(self, statement: Select[*tuple[Any, ...]]) -> list[Campaign]:
        rows = await self._conn.execute(statement)
        return [replace(row[0], version=row[1], active=row[2]) for row in rows]


_CAMPAIGNS = select(_C.campaign, _C.version, _C.active)
