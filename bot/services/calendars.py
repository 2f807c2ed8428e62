"""The address under which a person's calendar program reads their SIMs' dates: secret, theirs to
change and to end."""

import secrets

from bot.domain.chats import Chat
from bot.domain.sims import Sim
from bot.ports import Store

_BYTES = 24
"""192 bits: nobody finds one by trying."""


async def address(store: Store, chat_id: int, *, fresh: bool = False) -> str:
    """The chat's token, made when there is none; a `fresh` one ends the address before."""
    async with store.write() as tx:
        known = await tx.calendars.token(chat_id)
        if known is not None and not fresh:
            return known
        token = secrets.token_urlsafe(_BYTES)
        await tx.calendars.set(chat_id, token)
    return token


async def known(store: Store, chat_id: int) -> str | None:
    """The chat's token, if it has one."""
    async with store.read() as tx:
        return await tx.calendars.token(chat_id)


async def end(store: Store, chat_id: int) -> None:
    """The address leads nowhere any more."""
    async with store.write() as tx:
        await tx.calendars.set(chat_id, None)


async def read(store: Store, token: str) -> tuple[Chat, list[Sim]] | None:
    """Whose token it is, and their SIMs; None for any other text."""
    async with store.read() as tx:
        chat_id = await tx.calendars.chat_of(token)
        chat = await tx.chats.get(chat_id) if chat_id is not None else None
        if chat is None:
            return None
        return chat, await tx.sims.owned(chat.id)
