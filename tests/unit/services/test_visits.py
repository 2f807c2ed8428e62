"""Who comes from a post: what it offers them, for which SIM, and what is counted."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.campaigns import PostState
from bot.domain.plans import OpenAmount
from bot.services.visits import Fit, Offer, Visits
from tests.unit.services.group_house import POST, ask, campaign, group_house, posted
from tests.unit.services.promo_house import BIG, buy, put, usd
from tests.unit.services.sale_house import Shop
from tests.unit.store.samples import ALICE, BOB, NOW, PLAN, chat, days, managed, sim


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with group_house(tmp_path) as found:
        yield found


def visits(shop: Shop) -> Visits:
    return Visits(shop.database, shop.clock, shop.checkout)


async def offer(shop: Shop, person: int = ALICE) -> Offer:
    found = await visits(shop).offer(POST, person, "en")
    assert found is not None
    return found


async def fits(shop: Shop, person: int = ALICE) -> list[Fit]:
    return await visits(shop).fitting(await offer(shop, person), person)


async def test_one_sim_takes_the_offers_plans_the_foremost_first(shop: Shop) -> None:
    [fit] = await fits(shop)
    assert (fit.sim.id, [plan.code for plan in fit.plans]) == ("m1", [PLAN.code, BIG.code])
    [after] = [line.after for line in (await offer(shop)).poster.lines][:1]
    assert after == usd(1161)


async def test_sims_of_other_carriers_and_of_other_people_are_left_out(shop: Shop) -> None:
    async with shop.database.write() as tx:
        await tx.chats.add(chat(BOB))
        await tx.sims.add(sim("smart", ALICE))
        await tx.sims.add(managed("bobs", BOB, iccid="8985200000000000012", grace_end=None))
    assert [fit.sim.id for fit in await fits(shop)] == ["m1"]
    assert [fit.sim.id for fit in await fits(shop, BOB)] == ["bobs"]


async def test_a_sim_that_can_not_be_topped_up_any_more_is_left_out(shop: Shop) -> None:
    shop.clock.at = days(20)
    expects = shop.seller.capabilities.after_expiry
    assert bool(await fits(shop)) is expects


async def test_why_the_promo_gives_nothing_for_a_sim(shop: Shop) -> None:
    await put(shop, posted(new_user=True))
    await buy(shop, await ask(shop, post_id=None))
    [fit] = await fits(shop)
    assert (fit.plans, fit.why) == ((), "promo_new_only")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ends_at": days(0)}, "promo_over"),
        ({"starts_at": days(1)}, "promo_early"),
        ({"active": False}, "promo_over"),
        ({"total": 0}, "promo_gone"),
    ],
)
async def test_why_an_offer_can_not_be_bought(
    shop: Shop, changes: dict[str, object], why: str
) -> None:
    await put(shop, posted(**changes))
    assert (await offer(shop)).why == why


async def test_why_not_for_this_person_or_today(shop: Shop) -> None:
    await campaign(shop, new_per_day=0)
    assert (await offer(shop)).why == "promo_today"
    async with shop.database.write() as tx:
        await tx.promos.ban(ALICE, NOW)
    assert (await offer(shop)).why == "promo_banned"
    async with shop.database.write() as tx:
        await tx.posts.move(POST, PostState.POSTED, PostState.ENDED, "withdrawn", NOW)
    assert (await offer(shop)).why == "promo_over"
    assert await visits(shop).offer("nonsense", ALICE, "en") is None


async def test_the_last_place_is_not_gone_for_who_holds_it(shop: Shop) -> None:
    await put(shop, posted(total=1))
    await shop.checkout.place((await ask(shop)).id, ALICE, 1)
    assert (await offer(shop)).why is None
    [fit] = await fits(shop)
    assert fit.why is None
    assert (await offer(shop, BOB)).why == "promo_gone"


async def test_the_first_visit_and_the_first_price_count(shop: Shop) -> None:
    desk = visits(shop)
    for post_id in (POST, POST, "nonsense"):
        await desk.come(post_id, ALICE)
    for made in (await ask(shop), await ask(shop), await ask(shop, post_id=None)):
        await desk.quoted(made)
    async with shop.database.read() as tx:
        counts = (await tx.posts.counts([POST]))[POST]
    assert (counts.opened, counts.quoted, counts.paid) == (1, 1, 0)


async def test_a_price_from_a_post_leads_to_the_offers_other_plans(shop: Shop) -> None:
    desk = visits(shop)
    async with shop.database.read() as tx:
        line = await tx.sims.get("m1")
    assert line is not None
    made = await ask(shop)
    assert [(n, plan.code) for n, plan in await desk.others(made, line, "en")] == [(1, BIG.code)]
    assert await desk.others(await ask(shop, post_id=None), line, "en") == ()
    await put(shop, posted(total=0))
    assert await desk.others(made, line, "en") == ()


async def test_an_open_amount_is_offered_where_its_most_reaches_the_promo(shop: Shop) -> None:
    any_amount = replace(
        PLAN, code="any", supplier_code="any", price=None,
        open_amount=OpenAmount(usd(500), usd(5000), usd(500)),
    )  # fmt: skip
    async with shop.database.write() as tx:
        await tx.catalogue.apply([any_amount])
    await campaign(shop, plans=("any",))
    await put(shop, posted(min_spend=usd(2000)))
    [fit] = await fits(shop)
    assert [plan.code for plan in fit.plans] == ["any"]
    await put(shop, posted(min_spend=usd(6000)))
    [fit] = await fits(shop)
    assert fit.why == "promo_too_little"
