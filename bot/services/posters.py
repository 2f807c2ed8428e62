"""Posters from the store: what a campaign's post shows at this moment, and why one has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.campaigns import Campaign, Post, Posting
from bot.domain.groups import Group
from bot.domain.posters import Poster, PosterLine, days_left, line
from bot.domain.promos import Promo, delivers
from bot.ports import Tx
from bot.services.places import places

_ENDS = {"campaign_over": "over", "campaign_stopped": "stopped", "campaign_gone": "gone"}
"""By why a campaign can't be posted: why its posts can't be bought from."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A campaign as it stands now. `why` it can't be posted is None when it can: campaign_over,
    campaign_stopped, campaign_early, campaign_gone."""

    campaign: Campaign
    promo: Promo | None
    lines: tuple[PosterLine, ...]
    places: int | None
    why: str | None = None

    @property
    def ends_at(self) -> datetime | None:
        """The first moment (UTC) at which it is over."""
        return self.promo.ends_at if self.promo is not None else None


async def offered_now(tx: Tx, campaign: Campaign, now: datetime) -> Offered:
    """What the campaign gives at this moment; `why` says so where that is nothing."""
    promo = await tx.promos.get(campaign.promo)
    lines = await _lines(tx, campaign, promo) if promo is not None else ()
    left = await places(tx, promo)
    return Offered(campaign, promo, lines, left, _why(campaign, promo, lines, left, now))


def _why(
    campaign: Campaign,
    promo: Promo | None,
    lines: Sequence[PosterLine],
    left: int | None,
    now: datetime,
) -> str | None:
    if not campaign.active or promo is None or not promo.active or not promo.posted:
        return "campaign_stopped"
    if promo.ends_at is not None and now >= promo.ends_at:
        return "campaign_over"
    if not lines:
        return "campaign_stopped"  # none of its plans is sold any more
    if promo.starts_at is not None and now < promo.starts_at:
        return "campaign_early"
    return "campaign_gone" if left == 0 else None


async def _lines(tx: Tx, campaign: Campaign, promo: Promo) -> tuple[PosterLine, ...]:
    """Its plans that are sold, in the operator's order."""
    found = []
    for code in campaign.plans:
        plan = await tx.catalogue.get(code)
        if plan is None or not plan.active:
            continue
        bigger = await tx.catalogue.get(promo.gives[code]) if code in promo.gives else None
        given = bigger is not None and delivers(plan, bigger)
        found.append(line(plan, promo, bigger if given else None))
    return tuple(found)


def poster_of(
    offered: Offered,
    group: Group,
    languages: tuple[str, ...],
    extra: str | None,
    now: datetime,
    ended: str | None = None,
) -> Poster:
    """The poster of a campaign in a group; one that has ended tells no more than that."""
    campaign, promo = offered.campaign, offered.promo
    why = ended or _ENDS.get(offered.why or "")
    if why is not None or promo is None:
        return Poster(campaign.id, campaign.version, languages, group.zone, campaign.title,
                      ended=why or "stopped")  # fmt: skip
    return Poster(
        campaign_id=campaign.id,
        version=campaign.version,
        languages=languages,
        zone=group.zone,
        title=campaign.title,
        texts=campaign.texts,
        lines=offered.lines,
        percent=promo.percent,
        points=promo.points,
        places=offered.places,
        ends_at=promo.ends_at,
        days_left=days_left(promo.ends_at, now, ZoneInfo(group.zone)),
        extra=extra,
    )


@dataclass(frozen=True, slots=True)
class Showing:
    """A post with all that its text is made of."""

    post: Post
    posting: Posting
    group: Group
    campaign: Campaign
    offered: Offered

    def poster(self, now: datetime) -> Poster:
        """What it shows at this moment."""
        wish = self.posting
        return poster_of(self.offered, self.group, wish.languages, wish.extra, now, self.post.end)


async def showing(tx: Tx, post: Post, now: datetime) -> Showing | None:
    """A post as it stands; None when a part of it is missing."""
    posting = await tx.posts.posting(post.posting_id)
    group = await tx.groups.get(post.group_id)
    campaign = await tx.campaigns.get(post.campaign_id)
    if posting is None or group is None or campaign is None:
        return None
    return Showing(post, posting, group, campaign, await offered_now(tx, campaign, now))
