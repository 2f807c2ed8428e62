"""News to many, put into words when their turn comes: from the store's present truth."""

from bot.chat.screen import Screen
from bot.chat.views import broadcasts as views
from bot.chat.views import shop_news
from bot.domain.broadcasts import Broadcast, BroadcastState
from bot.domain.chats import Chat
from bot.i18n import words
from bot.ports import Clock, Notice, Tx


async def news_of(tx: Tx, chat: Chat, notice: Notice) -> tuple[Broadcast, Screen] | None:
    """The news for one person; None when it was stopped, or they want none any more."""
    t = words(chat.language, chat.preferences.zone)
    if "broadcast_id" in notice.data:  # for the one who writes it, to look at
        one = await tx.broadcasts.get(notice.data["broadcast_id"])
        screen = shop_news.message(one, t) if one is not None else None
        return None if one is None or screen is None else (one, screen)
    mine = await tx.broadcasts.recipient(notice.data["recipient_id"])
    one = await tx.broadcasts.get(mine.broadcast_id) if mine is not None else None
    if mine is None or one is None or one.state is BroadcastState.STOPPED:
        return None
    if chat.blocked_at is not None or not chat.preferences.news:
        return None
    screen = shop_news.message(one, t, mine.id)
    return (one, screen) if screen is not None else None


async def progress_of(
    tx: Tx, chat: Chat, notice: Notice, clock: Clock
) -> tuple[Broadcast, Screen] | None:
    """How far it is, for the operator who began it."""
    one = await tx.broadcasts.get(notice.data["broadcast_id"])
    if one is None:
        return None
    report = await tx.broadcasts.report(one.id)
    t = words(chat.language, chat.preferences.zone)
    return one, views.card(t, one, report, clock.now())
