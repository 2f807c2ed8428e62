"""Who may post what, where, how often (F42): the rules of a posting, and the proofs for them.

Nobody is an admin by what we remember: Telegram is asked at each decisive step.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.campaigns import (
    MOST_EXTRA,
    POSTING,
    Campaign,
    Post,
    PostState,
    Repeat,
    Timing,
)
from bot.domain.groups import Approval, Group, Standing
from bot.ports import Rights, Tx
from bot.services.posters import Offered, offered_now

MOST_POSTINGS = 20
"""Postings of one group that still go on."""
_LONG_NUMBER = re.compile(r"(?:\d[ \u00a0()-]{0,2}){11,}")
"""Eleven digits with no more between two of them than people write in numbers."""
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
SOON = timedelta(minutes=1)
"""When to try again what Telegram could not be asked about."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an admin wants posted. `timing` is None for now; `thread_id` a forum's topic."""

    group_id: str
    by: int
    campaign_id: str
    languages: tuple[str, ...]
    extra: str | None = None
    picture: bool = True
    thread_id: int | None = None
    timing: Timing | None = None
    pin: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A campaign that a group may post by its operator's will. `why` it can't now: campaign_early,
    campaign_gone, cap_reached, cooldown; `until` (UTC) is when that passes, where it is known."""

    campaign: Campaign
    places: int | None
    why: str | None = None
    until: datetime | None = None


async def choices(tx: Tx, group: Group, now: datetime) -> list[Choice]:
    """Every running campaign of a group, those that can be posted now first."""
    found = []
    for campaign in await tx.campaigns.all():
        if not meant_for(campaign, group):
            continue
        offered = await offered_now(tx, campaign, now)
        if offered.why in ("campaign_over", "campaign_stopped"):
            continue
        starts = offered.promo.starts_at if offered.promo is not None else None
        why, until = offered.why, starts if offered.why == "campaign_early" else None
        if why is None:
            why, until = await too_often(tx, campaign, group, now)
        found.append(Choice(campaign, offered.places, why, until))
    return sorted(found, key=lambda one: one.why is not None)


def meant_for(campaign: Campaign, group: Group) -> bool:
    """Whether the operator lets this group post it."""
    named = {group.chat_id, group.former_id} & set(campaign.groups)
    return bool(named) or not campaign.groups


async def too_often(
    tx: Tx, campaign: Campaign, group: Group, now: datetime
) -> tuple[str | None, datetime | None]:
    """Why another post of it in this group would be one too many, and when that passes."""
    since = now - max(campaign.within, campaign.cooldown)
    made = [post for post in await tx.posts.of_group(group.id, since) if _counts(post, campaign)]
    within = [post for post in made if post.created_at > now - campaign.within]
    if len(within) >= campaign.most_posts:
        oldest = within[campaign.most_posts - 1]
        return "cap_reached", oldest.created_at + campaign.within
    rested = max((post.created_at for post in made), default=None)
    if rested is not None and rested + campaign.cooldown > now:
        return "cooldown", rested + campaign.cooldown
    return None, None


def _counts(post: Post, campaign: Campaign) -> bool:
    return post.campaign_id == campaign.id and post.state is not PostState.FAILED


def barred(group: Group, rights: Rights | None, by: int) -> str | None:
    """Why this person can't post there: not_admin, group_waiting, group_banned, cannot_post,
    bot_out."""
    if rights is None:
        return "bot_out"
    if by not in rights.admins:
        return "not_admin"
    if group.approval is Approval.BANNED:
        return "group_banned"
    if group.approval is Approval.WAITING:
        return "group_waiting"
    return None if rights.posts else "cannot_post"


async def barred_person(tx: Tx, by: int) -> str | None:
    """Why this person posts nowhere: person_banned, by the operator."""
    return "person_banned" if await tx.promos.banned(by) else None


async def noted(tx: Tx, group: Group, rights: Rights | None) -> Group:
    """Write down what Telegram said of us in a group. The row stays ours until the end of the
    transaction: who decides about a group at the same time waits. The group as it is then: who
    decided just before is not overlooked."""
    if rights is None:
        await tx.groups.set(group.id, standing=Standing.OUT, can_post=False)
    else:
        standing = Standing.ADMIN if rights.is_admin else Standing.MEMBER
        await tx.groups.set(group.id, standing=standing, can_post=rights.posts)
        await tx.groups.admins(group.id, sorted(rights.admins))
    return await tx.groups.get(group.id) or group


async def why_not_now(
    tx: Tx, offered: Offered, group: Group, thread_id: int | None, now: datetime
) -> str | None:
    """Why it can't be posted at this moment, whoever asks: campaign_…, topic_closed, cap_reached,
    cooldown."""
    if not meant_for(offered.campaign, group):
        return "campaign_stopped"
    if offered.why is not None:
        return offered.why
    for topic in await tx.groups.topics(group.id) if thread_id is not None else ():
        if topic.id == thread_id and topic.closed:
            return "topic_closed"
    why, _ = await too_often(tx, offered.campaign, group, now)
    return why


def why_not_then(offered: Offered, group: Group, at: datetime) -> str | None:
    """Why it can't be planned for that moment: campaign_over, campaign_stopped, campaign_early,
    ends_before."""
    promo = offered.promo
    if not meant_for(offered.campaign, group) or offered.why == "campaign_stopped":
        return "campaign_stopped"
    if promo is not None and promo.ends_at is not None and at >= promo.ends_at:
        return "campaign_over" if offered.why == "campaign_over" else "ends_before"
    if promo is not None and promo.starts_at is not None and at < promo.starts_at:
        return "campaign_early"
    return None


def said(extra: str | None) -> str | None:
    """An admin's sentence without what is around it; None for an empty one."""
    return " ".join((extra or "").split()) or None


def unfit(extra: str | None) -> str | None:
    """Why an admin's sentence can't stand in a group: extra_too_long, or extra_private where it
    has a number as long as a phone's or a card's (F43)."""
    if extra is not None and len(extra) > MOST_EXTRA:
        return "extra_too_long"
    return "extra_private" if _LONG_NUMBER.search(_DATE.sub(" / ", extra or "")) else None


def once(moment: datetime, zone: str) -> Timing:
    """At one moment, by the wall clock of the zone."""
    local = moment.astimezone(ZoneInfo(zone))
    return Timing(Repeat.ONCE, local.time(), zone, (local.date(),))


async def too_many(tx: Tx, group: Group) -> str | None:
    """Why no further posting can be planned there: too_many."""
    going_on = [one for one in await tx.posts.postings_of(group.id) if POSTING[one.state]]
    return "too_many" if len(going_on) > MOST_POSTINGS else None
