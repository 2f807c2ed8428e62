"""Who writes: their chat is known before any handler runs, and forgotten by nobody."""

from telegram import ChatMember, Update
from telegram.constants import ChatType
from telegram.ext import ChatMemberHandler

from bot.chat.context import Context
from bot.domain.chats import Chat, Preferences, language_for
from bot.services.planning import replan_chat

# A first guess of the zone by language; the customer changes it under Reminders.
ZONES = {"zh_Hans": "Asia/Shanghai", "zh_Hant": "Asia/Taipei", "en": "UTC"}


async def meet(update: Update, context: Context) -> None:
    """Load the private chat of this update, or make it; runs before every other handler."""
    context.incoming = update
    user = update.effective_user
    if user is None or user.is_bot or update.pre_checkout_query is not None:
        return  # a pre-checkout question has seconds: nothing is written for it
    chat_id = user.id
    async with context.shop.store.read() as tx:
        chat = await tx.chats.get(chat_id)
    private = update.effective_chat is not None and update.effective_chat.type == ChatType.PRIVATE
    if chat is None:
        if not private:
            return
        chat = await _first_time(update, context)
    elif chat.first_name != user.first_name or chat.username != user.username:
        async with context.shop.store.write() as tx:
            await tx.chats.set_name(chat_id, user.first_name, user.username)
            chat = await tx.chats.get(chat_id) or chat
    if chat.blocked_at is not None and private and update.my_chat_member is None:
        # Somebody who writes has unblocked the bot.
        await _reachable(context, chat_id)
    context.chat = chat


async def _first_time(update: Update, context: Context) -> Chat:
    user = update.effective_user
    assert user is not None  # noqa: S101  meet() checked it
    language = language_for(user.language_code)
    chat = Chat(
        id=user.id,
        kind="private",
        language=language,
        language_chosen=False,
        preferences=Preferences(zone=ZONES[language]),
        first_name=user.first_name,
        username=user.username,
        created_at=context.now,
    )
    async with context.shop.store.write() as tx:
        await tx.chats.add(chat)
    return chat


async def membership(update: Update, context: Context) -> None:
    """The bot was blocked or unblocked: reminders pause, or go on."""
    change = update.my_chat_member
    if change is None or change.chat.type != ChatType.PRIVATE:
        return
    if change.new_chat_member.status == ChatMember.BANNED:
        async with context.shop.store.write() as tx:
            await tx.chats.set_blocked(change.chat.id, context.now)
    else:
        await _reachable(context, change.chat.id)


async def _reachable(context: Context, chat_id: int) -> None:
    async with context.shop.store.write() as tx:
        await tx.chats.set_blocked(chat_id, None)
        await replan_chat(tx, chat_id, context.now)


HANDLERS = (ChatMemberHandler(membership, ChatMemberHandler.MY_CHAT_MEMBER),)
