"""Posting an offer in a group (F40).

    post an offer ─► offer ─► preview ─┬► post it now ─► done
                              ▲        ├► language, topic, picture, pin (a tap each) ─┐
                              │        ├► your sentence: SENTENCE ────────────────────┤
                              │        └► another time (posting_times.py) ────────────┤
                              └───────────────────────────────────────────────────────┘

Everything is preselected, so that an offer and a tap suffice. The preview is a message of its own,
made by the very function that makes the post. What is being prepared is in the draft `posting`;
its token ties the buttons to it, so that those of an earlier one explain themselves.
"""

from contextlib import suppress
from enum import IntEnum
from typing import Any, cast

from pydantic import TypeAdapter
from telegram import Update
from telegram.error import TelegramError

from bot.chat.context import Context
from bot.chat.conversations.routes import END, ID, PLAN, on, written
from bot.chat.group import preview
from bot.chat.group.door import admin_of
from bot.chat.views import groups as group_views
from bot.chat.views import posting as views
from bot.chat.views.posts import why_not
from bot.domain.campaigns import MOST_EXTRA, Timing
from bot.domain.groups import Group
from bot.i18n import Html
from bot.services.ids import new_id
from bot.services.posting_rules import Wish, said, unfit
from bot.services.selling import Refused

Draft = dict[str, Any]
"""group, thread; once an offer is chosen: token, campaign, languages, extra, picture, pin, timing
(see `timing_of`), and the messages on view: preview, photo (whether it is one), controls."""

_TIMING = TypeAdapter(Timing)


class Posting(IntEnum):
    """What a written text means."""

    SENTENCE = 141


# ---- which offer -------------------------------------------------------------------------


async def begin(context: Context, group: Group, thread_id: int | None = None) -> int:
    """The offers of a group; a single one is chosen already."""
    context.draft["posting"] = {"group": group.id, "thread": thread_id}
    choices = await context.shop.postings.offered(group)
    if len(choices) == 1:
        return await _choose(context, group, choices[0].campaign.id)
    await context.show(views.offers(context.t, group, choices, context.now))
    return END


async def offers(update: Update, context: Context) -> int:
    """Post an offer: which one."""
    group = await admin_of(context, context.arguments[0])
    if group is None:
        return END
    if (reason := group_views.cannot(context.t, group)) is not None:
        await context.show(group_views.home(context.t, group, 0, reason))
        return END
    thread = (context.draft.get("posting") or {}).get("thread")
    await _clear(context)
    choices = await context.shop.postings.offered(group)
    context.draft["posting"] = {"group": group.id, "thread": thread}
    await context.show(views.offers(context.t, group, choices, context.now))
    return END


async def pick(update: Update, context: Context) -> int:
    """An offer was tapped."""
    group_id, campaign_id = context.arguments
    group = await admin_of(context, group_id)
    return END if group is None else await _choose(context, group, campaign_id)


async def _choose(context: Context, group: Group, campaign_id: str) -> int:
    async with context.shop.store.read() as tx:
        campaign = await tx.campaigns.get(campaign_id)
        picture, _ = await tx.campaigns.picture(campaign_id)
    if campaign is None or not campaign.active:
        await context.toast(str(why_not(context.t, "campaign_stopped")), alert=True)
        return await begin_anew(context, group)
    before = context.draft.get("posting") or {}
    thread = before.get("thread") if before.get("group") == group.id else None
    known = tuple(campaign.texts)
    context.draft["posting"] = {
        "token": new_id(4),
        "group": group.id,
        "campaign": campaign.id,
        "languages": [group.language if group.language in known else known[0]],
        "extra": None,
        "picture": picture is not None,
        "thread": thread,
        "pin": False,
        "timing": None,
    }
    return await show(context)


async def begin_anew(context: Context, group: Group) -> int:
    """The offers once more."""
    choices = await context.shop.postings.offered(group)
    await context.show(views.offers(context.t, group, choices, context.now))
    return END


# ---- the preview -------------------------------------------------------------------------


def wish_of(context: Context, draft: Draft) -> Wish:
    """What is being prepared."""
    return Wish(
        group_id=draft["group"],
        by=context.me.id,
        campaign_id=draft["campaign"],
        languages=tuple(draft["languages"]),
        extra=draft["extra"],
        picture=draft["picture"],
        thread_id=draft["thread"],
        timing=timing_of(draft["timing"]),
        pin=draft["pin"],
    )


def timing_of(kept: Any) -> Timing | None:
    """A timing as a draft keeps it."""
    return None if kept is None else _TIMING.validate_python(kept, strict=False)


def kept(timing: Timing) -> Any:
    """The same for the draft: plain values."""
    return _TIMING.dump_python(timing, mode="json")


async def show(context: Context, note: Html | None = None) -> int:
    """The preview as it is now, and the controls below it."""
    draft = cast("Draft", context.draft["posting"])
    try:
        look = await preview.look(context, wish_of(context, draft))
    except Refused as refused:
        await context.toast(str(why_not(context.t, refused.reason)), alert=True)
        await context.show(group_views.unknown(context.t))
        return END
    one = await _prepared(context, draft)
    if one is None:
        await context.show(group_views.unknown(context.t))
        return END
    controls = views.controls(context.t, one, context.now, note)
    old = draft.get("preview")
    same_kind = context.query is not None and draft.get("photo") == look.photo
    if same_kind and old is not None and await preview.change(context, old, look):
        await context.show(controls)
        return END
    for message_id in dict.fromkeys((old, draft.get("controls"), context.message_id)):
        if message_id is not None:
            await _delete(context, message_id)
    draft["preview"], draft["photo"] = await preview.send(context, look), look.photo
    await context.toast()
    draft["controls"] = await context.send(controls)
    return END


async def _prepared(context: Context, draft: Draft) -> views.Prepared | None:
    async with context.shop.store.read() as tx:
        group = await tx.groups.get(draft["group"])
        campaign = await tx.campaigns.get(draft["campaign"])
        if group is None or campaign is None:
            return None
        topics = await tx.groups.topics(group.id)
        picture, _ = await tx.campaigns.picture(campaign.id)
    return views.Prepared(
        token=draft["token"],
        group=group,
        campaign=campaign,
        languages=tuple(draft["languages"]),
        topics=topics,
        has_picture=picture is not None,
        extra=draft["extra"],
        picture=draft["picture"],
        thread_id=draft["thread"],
        timing=timing_of(draft["timing"]),
        pin=draft["pin"],
    )


async def _delete(context: Context, message_id: int) -> None:
    """Tidy up a message of ours in the private chat; one that is gone is no trouble."""
    with suppress(TelegramError):
        await context.bot.delete_message(context.me.id, message_id)


async def _clear(context: Context) -> None:
    """The preview has served: what was prepared is posted, or given up."""
    draft = context.draft.pop("posting", None) or {}
    if draft.get("preview") is not None:
        await _delete(context, draft["preview"])


async def drafted(context: Context, token: str) -> Draft | None:
    """What is being prepared, if the button belongs to it; otherwise they are told."""
    draft = context.draft.get("posting")
    if draft is None or draft.get("token") != token:
        await context.toast(context.t.plain("This preview is outdated. Choose anew."), alert=True)
        async with context.shop.store.read() as tx:
            able = await tx.groups.of_admin(context.me.id)
        link = f"https://t.me/{context.bot.username}"
        await context.show(group_views.mine(context.t, able, link))
        return None
    return cast("Draft", draft)


async def again(update: Update, context: Context) -> int:
    """Back to the preview."""
    draft = await drafted(context, context.arguments[0])
    return END if draft is None else await show(context)


# ---- what can be changed -----------------------------------------------------------------


async def ask_language(update: Update, context: Context) -> int:
    """In which languages."""
    draft = await drafted(context, context.arguments[0])
    one = await _prepared(context, draft) if draft is not None else None
    if one is not None:
        await context.show(views.ask_languages(context.t, one))
    return END


async def language(update: Update, context: Context) -> int:
    """A language, or two, were tapped."""
    token, chosen = context.arguments
    draft = await drafted(context, token)
    one = await _prepared(context, draft) if draft is not None else None
    if draft is None or one is None:
        return END
    languages = [code for code in chosen.split("-") if code in one.campaign.texts]
    draft["languages"] = languages or draft["languages"]
    return await show(context)


async def ask_topic(update: Update, context: Context) -> int:
    """In which topic of the forum."""
    draft = await drafted(context, context.arguments[0])
    one = await _prepared(context, draft) if draft is not None else None
    if one is not None:
        await context.show(views.ask_topic(context.t, one))
    return END


async def topic(update: Update, context: Context) -> int:
    """A topic was tapped; 0 stands for General."""
    token, thread = context.arguments
    draft = await drafted(context, token)
    if draft is None:
        return END
    draft["thread"] = int(thread) or None
    return await show(context)


async def switch(update: Update, context: Context) -> int:
    """With the picture or without; pinned or not. A switch carries what it sets."""
    token, value = context.arguments
    draft = await drafted(context, token)
    if draft is None:
        return END
    verb = (context.query.data or "").split(":")[0] if context.query is not None else ""
    draft["picture" if verb == "gpicture" else "pin"] = value == "1"
    return await show(context)


async def ask_sentence(update: Update, context: Context) -> int:
    """A sentence of the admin's own."""
    draft = await drafted(context, context.arguments[0])
    if draft is None:
        return END
    await context.show(views.ask_sentence(context.t, draft["token"], draft["extra"]))
    return Posting.SENTENCE


async def sentence(update: Update, context: Context) -> int:
    """It was written."""
    draft = context.draft.get("posting") or {}
    if "token" not in draft:
        await context.show(group_views.unknown(context.t))
        return END
    extra = said(context.text)
    if (reason := unfit(extra)) is not None:
        problem = why_not(context.t, reason)
        if reason == "extra_too_long":
            problem = context.t("That has {n} characters; at most {most} fit.",
                                n=len(extra or ""), most=MOST_EXTRA)  # fmt: skip
        screen = views.ask_sentence(context.t, draft["token"], draft["extra"], problem)
        await context.show(screen)
        return Posting.SENTENCE
    draft["extra"] = extra
    return await show(context)


async def no_sentence(update: Update, context: Context) -> int:
    """Without one after all."""
    draft = await drafted(context, context.arguments[0])
    if draft is None:
        return END
    draft["extra"] = None
    return await show(context)


# ---- done --------------------------------------------------------------------------------


async def post(update: Update, context: Context) -> int:
    """Post it now, or plan it: the last word is the service's, which asks Telegram anew."""
    draft = await drafted(context, context.arguments[0])
    if draft is None:
        return END
    try:
        done = await context.shop.postings.plan(wish_of(context, draft), context.update_id)
    except Refused as refused:
        await context.toast(str(why_not(context.t, refused.reason)), alert=True)
        return await show(context, why_not(context.t, refused.reason))
    async with context.shop.store.read() as tx:
        group = await tx.groups.get(done.group_id)
    timing = timing_of(draft["timing"])
    await _clear(context)
    if group is not None:
        await context.show(views.planned(context.t, group, timing, done.id, context.now))
    return END


ENTRY = [
    on("gpost", offers, ID),
    on("gpick", pick, ID + PLAN),
    on("gshow", again, ID),
    on("gnow", post, ID),
    on("glg", ask_language, ID),
    on("glgs", language, ID + r":[\w-]{2,20}"),
    on("gtop", ask_topic, ID),
    on("gtops", topic, ID + r":\d{1,12}"),
    on("gpicture", switch, ID + ":[01]"),
    on("gpinit", switch, ID + ":[01]"),
    on("gext", ask_sentence, ID),
    on("gext0", no_sentence, ID),
]
STATES = {Posting.SENTENCE: [written(sentence)]}
