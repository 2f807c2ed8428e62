"""Who may go on with a group in the private chat: its admins, by Telegram's own word."""

from bot.chat.context import Context
from bot.chat.screen import button
from bot.chat.views import groups as views
from bot.domain.groups import Group
from bot.ports import RoomsUnavailable


async def admin_of(context: Context, group_id: str, *, fresh: bool = False) -> Group | None:
    """The group, if the person is an admin of it; else they are told. Asked of Telegram at most
    five minutes ago, or now when it has to be `fresh`."""
    t, store = context.t, context.shop.store
    async with store.read() as tx:
        group = await tx.groups.get(group_id)
    if group is None:
        await context.show(views.unknown(t))
        return None
    try:
        rights = await context.shop.rooms.rights(group.chat_id, fresh=fresh)
    except RoomsUnavailable:
        again = button(t.plain("Try again"), "group", group.id)
        await context.show(views.away(t, again))
        return None
    if rights is not None and context.me.id not in rights.admins:
        await context.show(views.not_admin(t))
        return None
    async with store.read() as tx:
        group = await tx.groups.get(group_id) or group
        # Where the bot is no more nobody can be asked: who was an admin then is believed.
        known = await tx.groups.of_admin(context.me.id) if rights is None else [group]
    if all(one.id != group.id for one in known):
        await context.show(views.not_admin(t))
        return None
    return group
