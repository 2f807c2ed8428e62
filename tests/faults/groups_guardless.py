"""The groups' guards, each to be taken out of the bot: `python -m tests.faults groups --without
GUARD`. A harness that finds nothing proves little until it has been seen to find something.

What stands here takes the place of the bot's own code.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from sqlalchemy import update
from telegram import Message, Update

from bot.chat.context import Context
from bot.chat.group import commands
from bot.chat.screen import Screen
from bot.domain import campaigns
from bot.domain.campaigns import Post, Posting
from bot.domain.groups import Approval, Group
from bot.ports import Rights, Tx
from bot.services import outbox, posting_rules
from bot.services.looks import Looks
from bot.services.turns import Turns
from bot.store.posts import PostRows
from bot.store.promos import PromoRows
from bot.store.tables import promos
from bot.store.tables.groups import postings

Patch = tuple[Any, str, Any]

# ---- at most once ------------------------------------------------------------------------------

_add, _plan, _turns = PostRows.add, PostRows.plan, count(1_000_000)
_decide = Turns._decide


async def _as_seen(self: Turns, tx: Tx, seen: Posting, rights: Rights | None) -> None:
    """Whoever finds a posting due posts it, even if another has meanwhile."""
    rows: Any = tx.posts
    back = {"state": seen.state, "turn": seen.turn, "next_at": seen.next_at, "reason": seen.reason}
    await rows._conn.execute(update(postings).where(postings.c.id == seen.id).values(back))
    await _decide(self, tx, seen, rights)


async def _add_another(self: PostRows, post: Post) -> bool:
    """A turn has as many posts as are made of it."""
    return await _add(self, post) or await _add(self, replace(post, turn=next(_turns)))


async def _not_planned(self: PostRows, update_id: int) -> Posting | None:
    """No update has saved anything yet."""
    return None


async def _plan_again(self: PostRows, posting: Posting, update_id: int | None) -> Posting:
    """Each time it comes, an update saves another posting."""
    return await _plan(self, posting, None)


# ---- rights ------------------------------------------------------------------------------------


async def _as_planned(self: Turns, tx: Tx, seen: Posting, rights: Rights | None) -> None:
    """Whoever planned it may still post it."""
    known = Rights(frozenset({seen.by}), posts=True, pins=True, is_admin=True)
    await _decide(self, tx, seen, known)


async def _anybody(*_: Any) -> bool:
    return True


_proven, _barred = commands._proven, posting_rules.barred


async def _any_chat(update: Update, context: Context, message: Message) -> bool:
    """Any chat that speaks is taken for the group itself."""
    return message.sender_chat is not None or await _proven(update, context, message)


def _for_anybody(group: Group, rights: Rights | None, by: int) -> str | None:
    """Whoever asks is an admin."""
    if rights is not None:
        rights = replace(rights, admins=rights.admins | {by})
    return _barred(group, rights, by)


def _anywhere(group: Group, rights: Rights | None, by: int) -> str | None:
    """Every group is allowed."""
    return _barred(replace(group, approval=Approval.ALLOWED), rights, by)


# ---- privacy -----------------------------------------------------------------------------------

_send, _answered_there = Context.send, commands._answered_there
_here: ContextVar[int | None] = ContextVar("here", default=None)


async def _answered_here(update: Update, context: Context, name: str) -> bool:
    """A command of the private chat is answered where it was written."""
    chat = update.effective_chat
    token = _here.set(chat.id if chat is not None else None)
    try:
        return await _answered_there(update, context, name)
    finally:
        _here.reset(token)


async def _send_here(self: Context, screen: Screen) -> int | None:
    chat_id = _here.get()
    if chat_id is None:
        return await _send(self, screen)
    sent = await self.bot.send_message(chat_id, screen.text, parse_mode="HTML")
    return sent.message_id


# ---- limits and ends ---------------------------------------------------------------------------


async def _place_for_all(self: PromoRows, promo_id: str) -> bool:
    """There is always one place more."""
    one_more = update(promos).where(promos.c.code == promo_id).values(used=promos.c.used + 1)
    await self._conn.execute(one_more)
    return True


async def _never_too_often(*_: Any) -> tuple[None, None]:
    return None, None


async def _unseen(self: Looks, post_id: str) -> None:
    """Nobody looks after a post that is out."""
    async with self._store.write() as tx:
        await tx.posts.set(post_id, look_at=None)


def _winter(day: date, clock: time, tz: ZoneInfo) -> datetime:
    """The clocks never change."""
    offset = datetime(day.year, 1, 15, tzinfo=tz).utcoffset()
    assert offset is not None
    return (datetime.combine(day, clock) - offset).replace(tzinfo=UTC)


GUARDS: Mapping[str, Sequence[Patch]] = {
    "claim": [(Turns, "_decide", _as_seen), (PostRows, "add", _add_another)],
    "replay": [(PostRows, "planned", _not_planned), (PostRows, "plan", _plan_again)],
    "once": [(outbox, "_AT_MOST_ONCE", frozenset())],
    "fresh": [(Turns, "_decide", _as_planned)],
    "proof": [(commands, "_proven", _anybody)],
    "voice": [(commands, "_proven", _any_chat)],
    "rights": [(posting_rules, "barred", _for_anybody)],
    "allowed": [(posting_rules, "barred", _anywhere)],
    "private": [(commands, "_answered_there", _answered_here), (Context, "send", _send_here)],
    "places": [(PromoRows, "_count", _place_for_all)],
    "often": [(posting_rules, "too_often", _never_too_often)],
    "closing": [(Looks, "_look", _unseen)],
    "zone": [(campaigns, "at_local", _winter)],
}
"""What is put in the place of the bot's own."""


@contextmanager
def without(guard: str | None) -> Iterator[None]:
    """One guard taken out for a while, in this process; None takes none. Raises KeyError."""
    with ExitStack() as out:
        for where, name, instead in GUARDS[guard] if guard is not None else ():
            out.enter_context(patch.object(where, name, instead))
        yield
