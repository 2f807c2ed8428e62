"""A group's admin, in private: which groups, and how the bot speaks in one (F40).

    /groups, /promo ─► my groups ─► one group ─┬► post an offer (posting.py)
    the button below /promo in a group ────────┤  planned and posted, numbers (group_posts.py)
                                               └► settings ─► language, clock: ZONE

Being an admin is asked of Telegram at each step; what we remember only fills the list.
"""

from enum import IntEnum

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations import posting
from bot.chat.conversations.routes import END, ID, NUMBER, command, on, written
from bot.chat.group.commands import tidy_up
from bot.chat.group.door import admin_of
from bot.chat.views import groups as views
from bot.chat.views import zones
from bot.domain.campaigns import PostingState
from bot.domain.chats import LANGUAGES
from bot.domain.groups import Approval, Group
from bot.domain.zones import is_zone
from bot.i18n import NAMES, Html

_LIVE = frozenset({PostingState.ACTIVE, PostingState.PAUSED, PostingState.HELD})


class MyGroups(IntEnum):
    """What a written text means."""

    ZONE = 140


async def from_link(update: Update, context: Context, rest: str) -> int:
    """The button below /promo in a group: its id, and the topic's after an underscore."""
    group_id, _, thread = rest.partition("_")
    group = await admin_of(context, group_id, fresh=True)
    if group is None:
        return END
    await tidy_up(context, group.chat_id)
    if group.approval is Approval.WAITING:
        await context.shop.grouping.asked(group, context.me.id)
    if not group.sells:
        return await _home(context, group)
    return await posting.begin(context, group, int(thread) if thread.isdecimal() else None)


async def groups(update: Update, context: Context) -> int:
    """The groups where this person was last seen to be an admin."""
    return await _groups(context, 0)


async def more(update: Update, context: Context) -> int:
    """Another page of them."""
    return await _groups(context, int(context.arguments[0]))


async def _groups(context: Context, page: int) -> int:
    async with context.shop.store.read() as tx:
        found = await tx.groups.of_admin(context.me.id)
    link = f"https://t.me/{context.bot.username}"
    operator = context.me.id in context.shop.operators
    await context.show(views.mine(context.t, found, link, operator=operator, page=page))
    return END


async def promo(update: Update, context: Context) -> int:
    """/promo in private: with one group that can post, straight to its offers."""
    async with context.shop.store.read() as tx:
        able = [one for one in await tx.groups.of_admin(context.me.id) if one.sells]
    if len(able) != 1:
        return await groups(update, context)
    group = await admin_of(context, able[0].id)
    return END if group is None else await posting.begin(context, group)


async def group(update: Update, context: Context) -> int:
    """One group."""
    found = await admin_of(context, context.arguments[0])
    return END if found is None else await _home(context, found)


async def _home(context: Context, group: Group, note: Html | None = None) -> int:
    async with context.shop.store.read() as tx:
        wishes = await tx.posts.postings_of(group.id)
    going_on = sum(wish.state in _LIVE for wish in wishes)
    await context.show(views.home(context.t, group, going_on, note))
    return END


# ---- settings ----------------------------------------------------------------------------


async def settings(update: Update, context: Context) -> int:
    """Language and clock of a group."""
    found = await admin_of(context, context.arguments[0])
    if found is not None:
        await context.show(views.settings(context.t, found, context.now))
    return END


async def language(update: Update, context: Context) -> int:
    """A language was tapped."""
    group_id, chosen = context.arguments
    if chosen not in LANGUAGES or await admin_of(context, group_id) is None:
        return END
    await context.shop.grouping.prefer(group_id, language=chosen)
    note = context.t("✓ Offers begin in {language}.", language=NAMES[chosen])
    return await _settings(context, group_id, note)


async def _settings(context: Context, group_id: str, note: Html) -> int:
    async with context.shop.store.read() as tx:
        found = await tx.groups.get(group_id)
    if found is not None:
        await context.show(views.settings(context.t, found, context.now, note))
    return END


async def ask_zone(update: Update, context: Context) -> int:
    """By which clock the group lives."""
    found = await admin_of(context, context.arguments[0])
    if found is None:
        return END
    context.draft["gzone"] = found.id
    offered = dict.fromkeys((found.zone, *zones.COMMON[context.t.language]))
    await context.show(views.ask_zone(context.t, found, list(offered)[: zones.MOST], context.now))
    return MyGroups.ZONE


async def zone_written(update: Update, context: Context) -> int:
    """A city was written: the times there, to be tapped."""
    found = await admin_of(context, str(context.draft.get("gzone", "")))
    if found is None:
        return END
    fitting = zones.find_zones(context.text, context.now)
    problem = None if fitting else views.no_such_city(context.t)
    offered = fitting or list(zones.COMMON[context.t.language][: zones.MOST])
    await context.show(views.ask_zone(context.t, found, offered, context.now, problem))
    return MyGroups.ZONE


async def zone_chosen(update: Update, context: Context) -> int:
    """A zone was tapped."""
    group_id, chosen = context.arguments
    if not is_zone(chosen):
        return await ask_zone(update, context)
    if await admin_of(context, group_id) is None:
        return END
    context.draft.pop("gzone", None)
    await context.shop.grouping.prefer(group_id, zone=chosen)
    label = zones.zone_label(context.t, chosen, context.now)
    return await _settings(context, group_id, context.t("✓ Its clock: {zone}", zone=label))


ENTRY = [
    command("groups", groups),
    command("promo", promo),
    on("groups", groups),
    on("gmine", more, NUMBER),
    on("group", group, ID),
    on("gset", settings, ID),
    on("glang", language, ID + r":\w{2,8}"),
    on("gzone", ask_zone, ID),
    on("gzn", zone_chosen, ID + r":[\w/+-]{1,40}"),
]
STATES = {MyGroups.ZONE: [written(zone_written)]}
