"""Looking after what is planned and posted in a group (F40, F44).

    one group ─┬► planned and posted ─► one posting ─┬► pause, go on, pin
               │                                     ├► withdraw: asked once more
               │                                     ├► change the sentence: SENTENCE
               └► numbers                            └► change the time (posting_times.py)

Who may is asked by the service, of Telegram; who planned a posting may always stop it.
"""

from collections.abc import Awaitable
from enum import IntEnum
from typing import Any

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.routes import END, ID, NUMBER, on, written
from bot.chat.group.door import admin_of
from bot.chat.views import group_posts as views
from bot.chat.views import groups as group_views
from bot.chat.views.posts import why_not
from bot.domain.campaigns import MOST_EXTRA, Posting, Timing
from bot.domain.groups import Group
from bot.domain.identify import plain
from bot.i18n import Html
from bot.ports import RoomsUnavailable
from bot.services.posting_rules import said, unfit
from bot.services.selling import Refused

_NONE = frozenset({"-", "–", "—", "none", "无", "無", "不要"})


class GroupPosts(IntEnum):
    """What a written text means."""

    SENTENCE = 144


async def all_of(update: Update, context: Context) -> int:
    """What is planned and posted in a group."""
    group_id, page = context.arguments
    group = await admin_of(context, group_id)
    if group is None:
        return END
    async with context.shop.store.read() as tx:
        wishes = await tx.posts.postings_of(group.id)
        known = {one.id: one for one in await tx.campaigns.all(active=False)}
    found = [(one, known[one.campaign_id]) for one in wishes if one.campaign_id in known]
    await context.show(views.all_of(context.t, group, found, int(page), context.now))
    return END


async def mine(context: Context, posting_id: str) -> tuple[Posting, Group] | None:
    """A posting for who planned it or is an admin of its group; otherwise they are told."""
    async with context.shop.store.read() as tx:
        posting = await tx.posts.posting(posting_id)
        group = await tx.groups.get(posting.group_id) if posting is not None else None
    if posting is None or group is None:
        await context.show(group_views.unknown(context.t))
        return None
    if posting.by == context.me.id:
        return posting, group
    found = await admin_of(context, group.id)
    return None if found is None else (posting, found)


async def wish(update: Update, context: Context) -> int:
    """One posting."""
    return await _show(context, context.arguments[0])


async def _show(context: Context, posting_id: str, note: Html | None = None) -> int:
    one = await _wish(context, posting_id)
    if one is not None:
        await context.show(views.wish(context.t, one, context.now, note))
    return END


async def _wish(context: Context, posting_id: str) -> views.Wish | None:
    found = await mine(context, posting_id)
    if found is None:
        return None
    posting, group = found
    try:
        rights = await context.shop.rooms.rights(group.chat_id)
    except RoomsUnavailable:
        rights = None
    async with context.shop.store.read() as tx:
        campaign = await tx.campaigns.get(posting.campaign_id)
        posts = await tx.posts.of_posting(posting.id)
        counts = await tx.posts.counts([post.id for post in posts])
    if campaign is None:
        await context.show(group_views.unknown(context.t))
        return None
    pins = rights is not None and rights.pins
    return views.Wish(posting, campaign, group, posts, counts, pins)


# ---- what can be done --------------------------------------------------------------------


async def _do(context: Context, posting_id: str, step: Awaitable[Any], note: Html) -> int:
    """Take a step, or tell why it can't be taken."""
    try:
        await step
    except Refused as refused:
        reason = why_not(context.t, refused.reason)
        await context.toast(str(reason), alert=True)
        return await _show(context, posting_id, reason)
    return await _show(context, posting_id, note)


async def pause(update: Update, context: Context) -> int:
    """Nothing more until it goes on."""
    posting_id = context.arguments[0]
    step = context.shop.postings.pause(posting_id, context.me.id)
    return await _do(context, posting_id, step, context.t("⏸ Paused. What is out stays."))


async def resume(update: Update, context: Context) -> int:
    """It goes on."""
    posting_id = context.arguments[0]
    step = context.shop.postings.resume(posting_id, context.me.id)
    return await _do(context, posting_id, step, context.t("▶️ It goes on."))


async def ask_withdraw(update: Update, context: Context) -> int:
    """Really?"""
    one = await _wish(context, context.arguments[0])
    if one is not None:
        await context.show(views.ask_withdraw(context.t, one))
    return END


async def withdraw(update: Update, context: Context) -> int:
    """Yes."""
    posting_id = context.arguments[0]
    step = context.shop.postings.withdraw(posting_id, context.me.id)
    note = context.t("⏹ Withdrawn. What is out says that it has ended.")
    return await _do(context, posting_id, step, note)


async def pin(update: Update, context: Context) -> int:
    """Pin the newest post, or unpin it."""
    post_id, on_ = context.arguments
    async with context.shop.store.read() as tx:
        post = await tx.posts.get(post_id)
    if post is None:
        await context.show(group_views.unknown(context.t))
        return END
    step = context.shop.postings.pin(post_id, context.me.id, on=on_ == "1")
    note = context.t("📌 Pinned.") if on_ == "1" else context.t("✓ Not pinned any more.")
    return await _do(context, post.posting_id, step, note)


async def ask_sentence(update: Update, context: Context) -> int:
    """Another sentence."""
    one = await _wish(context, context.arguments[0])
    if one is None:
        return END
    context.draft["gsay"] = one.posting.id
    await context.show(views.ask_sentence(context.t, one, MOST_EXTRA))
    return GroupPosts.SENTENCE


async def sentence(update: Update, context: Context) -> int:
    """It was written."""
    one = await _wish(context, str(context.draft.get("gsay", "")))
    if one is None:
        return END
    extra = "" if plain(context.text).lower() in _NONE else said(context.text) or ""
    if (reason := unfit(extra)) is not None:
        problem = why_not(context.t, reason)
        await context.show(views.ask_sentence(context.t, one, MOST_EXTRA, problem))
        return GroupPosts.SENTENCE
    context.draft.pop("gsay", None)
    step = context.shop.postings.change(one.posting.id, context.me.id, extra=extra)
    note = context.t("✓ Changed. Posts that are out follow in a moment.")
    return await _do(context, one.posting.id, step, note)


async def set_timing(context: Context, posting_id: str, timing: Timing) -> int:
    """Another time was chosen."""
    step = context.shop.postings.change(posting_id, context.me.id, timing=timing)
    return await _do(context, posting_id, step, context.t("✓ The time is changed."))


# ---- numbers -----------------------------------------------------------------------------


async def numbers(update: Update, context: Context) -> int:
    """What all posts of a group brought."""
    group = await admin_of(context, context.arguments[0])
    if group is None:
        return END
    async with context.shop.store.read() as tx:
        posts = [
            post.id
            for one in await tx.posts.postings_of(group.id)
            for post in await tx.posts.of_posting(one.id)
        ]
        counts = views.added((await tx.posts.counts(posts)).values())
        accounts = await tx.earnings.accounts(group.id, context.me.id)
    await context.show(views.numbers(context.t, group, counts, len(posts), accounts))
    return END


ENTRY = [
    on("gposts", all_of, ID + NUMBER),
    on("gwish", wish, ID),
    on("gpause", pause, ID),
    on("gresume", resume, ID),
    on("gout", ask_withdraw, ID),
    on("gout!", withdraw, ID),
    on("gpin", pin, ID + ":[01]"),
    on("gsay", ask_sentence, ID),
    on("gcounts", numbers, ID),
]
STATES = {GroupPosts.SENTENCE: [written(sentence)]}
