"""Who is an admin of a group, and what the bot may do there, as Telegram says (`ports.Rooms`).

Only the list of administrators is asked for: of other members Telegram tells a bot reliably only
where it is an administrator itself. An anonymous administrator stands in the list like any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from telegram import (
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberMember,
    ChatMemberOwner,
    ChatMemberRestricted,
)
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError
from telegram.ext import ExtBot

from bot.domain.groups import Standing
from bot.ports import Clock, Store
from bot.ports.groups import Rights, RoomsUnavailable

log = structlog.get_logger()

KEEP = timedelta(minutes=5)
"""How long an answer of Telegram is believed."""
_NOT_THERE = (
    "chat not found", "member list is inaccessible", "not a member", "kicked",
    "group chat was deactivated", "participant_id_invalid", "channel_private",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Answer:
    rights: Rights | None
    at: datetime


class TelegramRooms:
    """Implements `ports.Rooms`; what it is told is stored too, as far as others need it."""

    def __init__(self, bot: ExtBot[Any], store: Store, clock: Clock) -> None:
        self._bot = bot
        self._store = store
        self._clock = clock
        self._known: dict[int, _Answer] = {}

    async def rights(self, chat_id: int, *, fresh: bool = False) -> Rights | None:
        """See `ports.Rooms`."""
        now = self._clock.now()
        known = self._known.get(chat_id)
        if not fresh and known is not None and now - known.at < KEEP:
            return known.rights
        try:
            rights = await self._ask(chat_id)
        except ChatMigrated as error:
            async with self._store.write() as tx:
                await tx.groups.migrate(chat_id, error.new_chat_id)
            return await self.rights(error.new_chat_id, fresh=True)
        except Forbidden:
            rights = None
        except BadRequest as error:
            if not any(part in error.message.lower() for part in _NOT_THERE):
                raise RoomsUnavailable(error.message) from error
            rights = None
        except TelegramError as error:
            log.info("rights_not_told", reason=type(error).__name__)
            raise RoomsUnavailable(error.message) from error
        self._known = {c: a for c, a in self._known.items() if now - a.at < KEEP}
        self._known[chat_id] = _Answer(rights, now)
        await self._remember(chat_id, rights, known)
        return rights

    async def pin(self, chat_id: int, message_id: int, *, on: bool = True) -> bool:
        """See `ports.Rooms`."""
        try:
            if on:
                return await self._bot.pin_chat_message(
                    chat_id, message_id, disable_notification=True
                )
            return await self._bot.unpin_chat_message(chat_id, message_id)
        except (BadRequest, Forbidden) as error:
            log.info("not_pinned", detail=error.message)
            return False
        except TelegramError as error:
            raise RoomsUnavailable(error.message) from error

    def forget(self, chat_id: int) -> None:
        """Something about the chat has changed: it is asked about anew."""
        self._known.pop(chat_id, None)

    async def _ask(self, chat_id: int) -> Rights | None:
        admins = await self._bot.get_chat_administrators(chat_id)
        me = next((one for one in admins if one.user.id == self._bot.id), None)
        if me is None:
            me = await self._bot.get_chat_member(chat_id, self._bot.id)
        if standing_of(me) is Standing.OUT:
            return None
        return Rights(
            admins=_people(admins),
            posts=may_post(me),
            pins=isinstance(me, ChatMemberAdministrator) and bool(me.can_pin_messages),
            is_admin=isinstance(me, ChatMemberAdministrator | ChatMemberOwner),
        )

    async def _remember(self, chat_id: int, rights: Rights | None, known: _Answer | None) -> None:
        """Store what has changed since Telegram was asked last."""
        if known is not None and known.rights == rights:
            return
        async with self._store.write() as tx:
            group = await tx.groups.by_chat(chat_id)
            if group is None:
                return
            if rights is None:
                await tx.groups.set(group.id, standing=Standing.OUT, can_post=False)
                return
            standing = Standing.ADMIN if rights.is_admin else Standing.MEMBER
            if (group.standing, group.can_post) != (standing, rights.posts):
                await tx.groups.set(group.id, standing=standing, can_post=rights.posts)
            await tx.groups.admins(group.id, sorted(rights.admins))


def _people(admins: Iterable[ChatMember]) -> frozenset[int]:
    return frozenset(one.user.id for one in admins if not one.user.is_bot)


def standing_of(member: ChatMember) -> Standing:
    """What a ChatMember is to us."""
    if isinstance(member, ChatMemberAdministrator | ChatMemberOwner):
        return Standing.ADMIN
    inside = isinstance(member, ChatMemberMember) or (
        isinstance(member, ChatMemberRestricted) and member.is_member
    )
    return Standing.MEMBER if inside else Standing.OUT


def may_post(member: ChatMember) -> bool:
    """Whether the bot may send there: administrators of channels have a right for it, which those
    of groups do not need."""
    if isinstance(member, ChatMemberAdministrator):
        return member.can_post_messages is not False
    if isinstance(member, ChatMemberRestricted):
        return member.is_member and bool(member.can_send_messages)
    return standing_of(member) is not Standing.OUT
