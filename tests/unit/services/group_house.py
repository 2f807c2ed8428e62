"""A shop whose customers come from a group's posts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.domain.campaigns import (
    Campaign,
    Post,
    Posting,
    PostingState,
    PostState,
    Repeat,
    Timing,
)
from bot.domain.groups import Approval, Group, Standing
from bot.domain.promos import Promo
from bot.domain.quotes import Quote
from bot.services.promos import Wish
from tests.unit.services.promo_house import BIG, promo, promo_house, put
from tests.unit.services.sale_house import Shop
from tests.unit.store.samples import ALICE, BOB, NOW, PLAN

POST, GROUP = "post1", "grp1"

CAMPAIGN = Campaign(
    "spring", 1, "spring", (PLAN.code, BIG.code), {"en": "Spring"}, {"en": "{plan}: {after}"},
    earns_points=50, earns_percent=Decimal(5),
)  # fmt: skip


def posted(**changes: Any) -> Promo:
    """10 % off for who comes from a post."""
    return promo(**{"code": None, "posted": True, **changes})


@asynccontextmanager
async def group_house(folder: Path) -> AsyncIterator[Shop]:
    """An open shop with a campaign that Bob has posted in his group; Alice has a SIM."""
    async with promo_house(folder) as shop:
        await put(shop, posted())
        await settle_in(shop)
        yield shop


async def settle_in(shop: Shop) -> None:
    """The campaign, Bob's group, and his post."""
    group = Group(
        GROUP, -100_555, "supergroup", "SIM talk", Standing.ADMIN, True, Approval.ALLOWED,
        "en", "UTC", added_by=BOB, added_at=NOW,
    )  # fmt: skip
    async with shop.database.write() as tx:
        await tx.campaigns.apply([CAMPAIGN], {})
        await tx.groups.add(group)
    await post(shop)


async def post(shop: Shop, post_id: str = POST, by: int = BOB, **changes: Any) -> Post:
    """One more message in the group."""
    timing = Timing(Repeat.ONCE, time(9), "UTC", (NOW.date(),))
    wish = Posting(
        f"w-{post_id}", CAMPAIGN.id, GROUP, by, ("en",), timing, PostingState.ACTIVE, NOW,
        extra="Our members love it",
    )  # fmt: skip
    made = replace(
        Post(post_id, wish.id, 1, CAMPAIGN.id, GROUP, by, PostState.POSTED, NOW, message_id=7),
        **changes,
    )
    async with shop.database.write() as tx:
        await tx.posts.plan(wish, None)
        assert await tx.posts.add(made)
    return made


async def campaign(shop: Shop, **changes: Any) -> None:
    """The campaign is another one now."""
    async with shop.database.write() as tx:
        await tx.campaigns.apply([replace(CAMPAIGN, **changes)], {})


_TAPS = iter(range(2_000_000, 3_000_000))


async def ask(
    shop: Shop, person: int = ALICE, post_id: str | None = POST, *, sim: str | None = None,
    code: str | None = None,
) -> Quote:  # fmt: skip
    """A price for who comes from a post."""
    async with shop.database.read() as tx:
        line = await tx.sims.get(sim or ("m1" if person == ALICE else f"s{person}"))
    assert line is not None
    wish = Wish(code, post=post_id)
    return await shop.checkout.quote(person, line, PLAN, None, next(_TAPS), wish)
