"""What a group's posts brought, as a picture (F44).

a group's numbers ─► Picture (its admin) ─┐
the operator's page of a group ─► Picture ─┴► a photo of its own, or: nobody came yet
"""

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.pictures import send_drawn
from bot.chat.conversations.routes import END, ID, on
from bot.chat.group.door import admin_of
from bot.chat.pictures.turnout import turnout_plot
from bot.chat.views import groups as group_views
from bot.chat.views import menu
from bot.chat.views import turnout as views
from bot.chat.views.group_posts import added
from bot.domain.groups import Group
from bot.domain.turnout import turnout


async def for_admin(update: Update, context: Context) -> int:
    """To an admin of the group; Telegram is asked whether they are one."""
    group = await admin_of(context, context.arguments[0])
    if group is not None:
        await _show(context, group, "gplot", "gcounts")
    return END


async def for_operator(update: Update, context: Context) -> int:
    """To an operator of the shop."""
    if context.me.id not in context.shop.operators:
        await context.show(menu.lost(context.t))
        return END
    async with context.shop.store.read() as tx:
        group = await tx.groups.get(context.arguments[0])
    if group is None:
        await context.show(group_views.unknown(context.t))
    else:
        await _show(context, group, "gdplot", "gd")
    return END


async def _show(context: Context, group: Group, again: str, back: str) -> None:
    t, now = context.t, context.now
    async with context.shop.store.read() as tx:
        # A day more than is shown: the zone's first day begins earlier or later than UTC's.
        came = await tx.posts.came(group.id, now - timedelta(days=views.DAYS + 1))
        wishes = await tx.posts.postings_of(group.id)
        posts = [post.id for wish in wishes for post in await tx.posts.of_posting(wish.id)]
        counts = added((await tx.posts.counts(posts)).values())
    found = turnout(came, now, views.DAYS, ZoneInfo(group.zone))
    if found.empty:
        await context.show(views.nobody(t, group, back))
        return
    facts = views.facts(t, group, found, counts, now)
    below, missed = views.caption(t, group, counts, back), views.not_sent(t, group, again, back)
    await send_drawn(context, partial(turnout_plot, facts), below, missed)


ENTRY = [
    on("gplot", for_admin, ID),
    on("gdplot", for_operator, ID),
]
