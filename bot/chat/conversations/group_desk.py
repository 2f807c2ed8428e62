"""The operators' side of groups: who may post, and paying out what posts earned (F42, F44).

    /groups ─► all groups ─► one group ─┬► allow, ban, take the permission back
    a new group's note ─────────────────┘► pay out: asked once more

Every decision is one line in the audit log; whoever presses second changes nothing.
"""

from collections.abc import Callable

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.routes import END, ID, NUMBER, on
from bot.chat.screen import Screen
from bot.chat.views import group_desk as views
from bot.chat.views import group_posts, menu
from bot.chat.views import groups as group_views
from bot.chat.views.reasons import because
from bot.domain.campaigns import PostingState
from bot.domain.groups import Approval, Group
from bot.i18n import Html, Words
from bot.services.desk import NotOperator
from bot.services.payouts import How
from bot.services.posting_rules import meant_for
from bot.services.selling import Refused

_LIVE = frozenset({PostingState.ACTIVE, PostingState.PAUSED, PostingState.HELD})


async def _operator(context: Context) -> bool:
    """Whether one of the shop's people asks; anybody else gets the ordinary menu."""
    if context.me.id in context.shop.operators:
        return True
    await context.show(menu.lost(context.t))
    return False


async def all_of(update: Update, context: Context) -> int:
    """Every group."""
    if await _operator(context):
        groups = await context.shop.grouping.all()
        page = int(context.arguments[0])
        await context.show(views.all_of(context.t, groups, page, context.now))
    return END


async def one(update: Update, context: Context) -> int:
    """One group."""
    if await _operator(context):
        await _show(context, context.arguments[0])
    return END


async def _show(context: Context, group_id: str, note: Html | None = None) -> None:
    async with context.shop.store.read() as tx:
        group = await tx.groups.get(group_id)
        if group is None:
            await context.show(group_views.unknown(context.t))
            return
        wishes = await tx.posts.postings_of(group.id)
        posts = [post.id for wish in wishes for post in await tx.posts.of_posting(wish.id)]
        facts = views.Facts(
            group=group,
            adder=await tx.chats.get(group.added_by) if group.added_by is not None else None,
            counts=group_posts.added((await tx.posts.counts(posts)).values()),
            posts=len(posts),
            going_on=sum(wish.state in _LIVE for wish in wishes),
            campaigns=[c for c in await tx.campaigns.all() if meant_for(c, group)],
            accounts=[
                (one, await tx.chats.get(one.by)) for one in await tx.earnings.accounts(group.id)
            ],
        )
    await context.show(views.one(context.t, facts, note))


async def _decide(context: Context, approval: Approval) -> int:
    try:
        group = await context.shop.grouping.decide(context.arguments[0], approval, context.me.id)
    except NotOperator:
        await context.show(menu.lost(context.t))
        return END
    if group is None:
        await context.show(group_views.unknown(context.t))
    else:
        await _show(context, group.id, views.done(context.t, approval))
    return END


async def allow(update: Update, context: Context) -> int:
    """It may post."""
    return await _decide(context, Approval.ALLOWED)


async def ask_ban(update: Update, context: Context) -> int:
    """Really?"""
    return await _ask(context, views.ask_ban)


async def ask_wait(update: Update, context: Context) -> int:
    """Really?"""
    return await _ask(context, views.ask_wait)


async def _ask(context: Context, question: Callable[[Words, Group], Screen]) -> int:
    if not await _operator(context):
        return END
    async with context.shop.store.read() as tx:
        group = await tx.groups.get(context.arguments[0])
    t = context.t
    await context.show(question(t, group) if group is not None else group_views.unknown(t))
    return END


async def ban(update: Update, context: Context) -> int:
    """It may not, and what is out ends."""
    return await _decide(context, Approval.BANNED)


async def wait(update: Update, context: Context) -> int:
    """It may not for now."""
    return await _decide(context, Approval.WAITING)


# ---- paying out --------------------------------------------------------------------------


async def owed(update: Update, context: Context) -> int:
    """What one person's posts earned there, and how it can be paid out."""
    if not await _operator(context):
        return END
    group_id, by = context.arguments
    async with context.shop.store.read() as tx:
        group = await tx.groups.get(group_id)
        found = await tx.earnings.accounts(group_id, int(by))
        person = await tx.chats.get(int(by))
    if group is None or not found or found[0].empty:
        await _show(context, group_id, because(context.t, "nothing_waits"))
        return END
    ways = context.shop.payouts.ways(found[0])
    await context.show(views.pay_out(context.t, group, found[0], person, ways))
    return END


async def pay_out(update: Update, context: Context) -> int:
    """Pay it out, if it is still what was looked at."""
    group_id, by, rows, how = context.arguments
    try:
        paid = await context.shop.payouts.pay_out(
            group_id, int(by), int(rows), How(how), context.me.id
        )
    except NotOperator:
        await context.show(menu.lost(context.t))
        return END
    except Refused as refused:
        await _show(context, group_id, because(context.t, refused.reason))
        return END
    await _show(context, group_id, views.paid_out(context.t, paid))
    return END


_HOW = ":(?:" + "|".join(How) + ")"

ENTRY = [
    on("gdesk", all_of, NUMBER),
    on("gd", one, ID),
    on("gdallowed", allow, ID),
    on("gdban", ask_ban, ID),
    on("gdbanned", ban, ID),
    on("gdwait", ask_wait, ID),
    on("gdwaiting", wait, ID),
    on("gdowed", owed, ID + NUMBER),
    on("gdpay!", pay_out, ID + NUMBER + NUMBER + _HOW),
]
