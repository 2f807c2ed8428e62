"""SIM dates for one's own calendar.

/reminders ─► Calendar ─┬► Send me the file ─► a document
                        └► A link, New link, End the link
"""

import structlog
from telegram import Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter

from bot.chat.context import Context
from bot.chat.conversations.routes import END, on
from bot.chat.views import calendar as views
from bot.i18n import Html, words
from bot.ports import Clock, Store
from bot.services import calendars

log = structlog.get_logger()

PATH = "/calendar/{token}.ics"


async def calendar(update: Update, context: Context) -> int:
    """What there is."""
    await _show(context)
    return END


async def _show(context: Context, note: Html | None = None) -> None:
    base = context.shop.public_url
    token = await calendars.known(context.shop.store, context.me.id) if base else None
    link = f"{base}{PATH.format(token=token)}" if token is not None else None
    await context.show(views.offer(context.t, link, can_link=base is not None, note=note))


async def file(update: Update, context: Context) -> int:
    """The file, as a document."""
    shop, t = context.shop, context.t
    sims = await shop.sims.overview(context.me.id)
    if not any(sim.end for sim in sims):
        await context.toast(views.nothing(t), alert=True)
        return END
    made = views.calendar_file(t, sims, shop.merchant.name, context.now)
    try:
        await context.bot.send_document(
            context.me.id, made.encode(), filename=views.FILE, caption=views.caption(t),
            parse_mode=ParseMode.HTML,
        )  # fmt: skip
    except BadRequest:
        raise
    except (RetryAfter, NetworkError, Forbidden) as error:
        log.info("file_not_sent", reason=type(error).__name__)
        await context.send(views.not_sent(t))
    return END


async def link(update: Update, context: Context) -> int:
    """The address, made when there is none; anew when asked for so."""
    if context.shop.public_url is None:
        await _show(context)
        return END
    anew = context.arguments == ["1"]
    await calendars.address(context.shop.store, context.me.id, fresh=anew)
    await _show(context, views.fresh(context.t) if anew else None)
    return END


async def end(update: Update, context: Context) -> int:
    """No address any more."""
    await calendars.end(context.shop.store, context.me.id)
    await _show(context, views.ended(context.t))
    return END


async def read(store: Store, clock: Clock, shop: str, token: str) -> str | None:
    """What a program that subscribes gets for a token; None when it is nobody's."""
    found = await calendars.read(store, token)
    if found is None:
        return None
    chat, sims = found
    t = words(chat.language, chat.preferences.zone)
    return views.calendar_file(t, sims, shop, clock.now())


ENTRY = [
    on("cal", calendar),
    on("calfile", file),
    on("callink", link, ":[01]"),
    on("calend", end),
]
