"""Arriving: the greeting, the menu, the language, the help texts.

    /start ──► greeting and menu ──► every other conversation
      │            ▲
      ├► language ─┘      /help, /terms, /paysupport, /support: one screen each
      └► the link that opened the chat ──► the conversation of its letter

Nothing here asks for text, so there are no states.
"""

import re
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from telegram import BotCommandScopeChat, Update
from telegram.error import TelegramError

from bot.chat.commands import commands_for
from bot.chat.context import Context
from bot.chat.conversations import landing, my_groups
from bot.chat.conversations.routes import END, command, on
from bot.chat.notices import sale_of
from bot.chat.screen import Screen
from bot.chat.views import help as pages
from bot.chat.views import menu as views
from bot.chat.views.paying import waiting
from bot.domain.chats import LANGUAGES
from bot.domain.renewals import LIVE

_LATEST = 3
"""Orders that /paysupport shows."""
_KEPT = frozenset({"zone_asked", "offer"})
"""Notes that are no answer to what is being asked: /cancel leaves them."""


Link = Callable[[Update, Context, str], Coroutine[Any, Any, int]]
LINKS: Mapping[str, Link] = {"g": my_groups.from_link, "p": landing.from_link}
"""Who answers t.me/<bot>?start=<letter><rest>, by letter; each is given the rest: the id of a
stored row, which may name nothing by now."""
_LINK = re.compile(r"([a-z])([a-z0-9_]{4,48})")


async def deep_link(update: Update, context: Context) -> int | None:
    """Open what the link that started the chat leads to; None when it leads nowhere special."""
    link = _LINK.fullmatch(context.args[0]) if context.args else None
    opens = LINKS.get(link[1]) if link is not None else None
    return None if link is None or opens is None else await opens(update, context, link[2])


async def start(update: Update, context: Context) -> int:
    """Greet; what a link leads to comes first, then an unpaid order (F15)."""
    if (opened := await deep_link(update, context)) is not None:
        return opened
    fresh = not context.me.language_chosen
    order = await context.shop.checkout.open_order(context.me.id)
    if order is not None:
        async with context.shop.store.read() as tx:
            sale = await sale_of(tx, order.id, context.shop.merchant)
        if sale is not None:
            await context.send(waiting(context.t, sale))
            return END
    name = context.me.first_name or ""
    shop, operator = context.shop.merchant.name, context.me.id in context.shop.operators
    async with context.shop.store.read() as tx:
        on = [one for one in await tx.renewals.of_chat(context.me.id) if one.state in LIVE]
        groups = bool(await tx.groups.of_admin(context.me.id))
    greeting = views.greeting(
        context.t, name, shop, fresh=fresh, operator=operator, renewing=len(on), groups=groups
    )
    await context.show(greeting)
    return END


async def menu(update: Update, context: Context) -> int:
    """The main menu."""
    await context.show(views.menu(context.t, context.shop.merchant.name))
    return END


async def language(update: Update, context: Context) -> int:
    """Choose the language; with an argument, take it."""
    chosen = context.arguments[0] if context.arguments else None
    if chosen not in LANGUAGES:
        await context.show(views.languages(context.t))
        return END
    async with context.shop.store.write() as tx:
        await tx.chats.set_language(context.me.id, chosen)
        context.chat = await tx.chats.get(context.me.id)
    await context.show(views.menu(context.t, context.shop.merchant.name))
    # Should this fail, the old menu works as well.
    with suppress(TelegramError):
        # Telegram's own language codes have two letters; the chat's scope tells Hans from Hant.
        await context.bot.set_my_commands(
            commands_for(chosen, operator=context.me.id in context.shop.operators),
            scope=BotCommandScopeChat(context.me.id),
        )
    return END


async def help_page(update: Update, context: Context) -> int:
    """Help, with the questions people ask (F22)."""
    await context.show(pages.faq(context.t, context.arguments[0] if context.arguments else None))
    return END


async def terms(update: Update, context: Context) -> int:
    """/terms."""
    await context.show(pages.terms(context.t, context.shop.merchant))
    return END


async def paysupport(update: Update, context: Context) -> int:
    """/paysupport, which Telegram asks of every bot that takes payments."""
    async with context.shop.store.read() as tx:
        latest = await tx.orders.of_chat(context.me.id, _LATEST)
    await context.show(pages.paysupport(context.t, context.shop.merchant, latest, context.now))
    return END


async def cancel(update: Update, context: Context) -> int:
    """/cancel works everywhere: it ends what is being asked and shows the menu."""
    for name in [name for name in context.draft if name not in _KEPT]:
        del context.draft[name]
    screen = views.menu(context.t, context.shop.merchant.name)
    await context.show(Screen(views.cancelled(context.t, screen.text), screen.rows))
    return END


ENTRY = [
    command("start", start),
    command("menu", menu),
    command("language", language),
    command("help", help_page),
    command("terms", terms),
    command("paysupport", paysupport),
    command("cancel", cancel),
    on("menu", menu),
    on("lang", language, r"(:\w{1,16})?"),
    on("help", help_page, r"(:\w{1,16})?"),
    on("terms", terms),
    on("paysupport", paysupport),
]
