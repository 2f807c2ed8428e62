"""Places of a campaign, and the posts that tell of them: looked at when one was taken or freed."""

from datetime import datetime

from bot.domain.promos import Promo
from bot.ports import Tx


async def places(tx: Tx, promo: Promo | None) -> int | None:
    """How many orders it still holds for; None where it has no limit."""
    if promo is None or promo.total is None:
        return None
    return max(promo.total - (await tx.promos.used()).get(promo.id, 0), 0)


async def posts_touched(tx: Tx, promo_id: str, now: datetime) -> None:
    """A place of this promo was taken or freed: its posts show another number now."""
    promo = await tx.promos.get(promo_id)
    if promo is None or not promo.posted or promo.total is None:
        return
    for campaign in await tx.campaigns.all(active=False):
        if campaign.promo == promo_id:
            await tx.posts.touch(now, campaign_id=campaign.id)


async def all_touched(tx: Tx, now: datetime) -> None:
    """Promos or plans are others now: posts show other prices, or end."""
    for campaign in await tx.campaigns.all(active=False):
        await tx.posts.touch(now, campaign_id=campaign.id)
