"""Prices for who comes from a group's post: what holds, what is credited, and its limits."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from bot.domain.campaigns import PostState
from bot.domain.groups import Approval
from bot.domain.orders import OrderState
from bot.services.promos import Asked, Wish, posted_misfit
from bot.services.selling import Refused
from tests.unit.services.group_house import (
    CAMPAIGN,
    GROUP,
    POST,
    ask,
    campaign,
    group_house,
    post,
    posted,
)
from tests.unit.services.promo_house import (
    CROWD,
    at_once,
    buy,
    crowd,
    promo,
    put,
    saves,
    usd,
    used,
)
from tests.unit.services.sale_house import S, Shop
from tests.unit.store.samples import ALICE, BOB, NOW, PLAN, chat, days, managed

MANY = 200


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with group_house(tmp_path) as found:
        yield found


async def why(shop: Shop, person: int = ALICE, post_id: str = POST) -> str | None:
    """Why the post gives them nothing."""
    async with shop.database.read() as tx:
        sim = "m1" if person == ALICE else f"s{person}"
        wish = Wish(post=post_id)
        asked = Asked(person, sim, PLAN, usd(1290), wish, shop.clock.now())
        return await posted_misfit(tx, asked)


# ---- the price -----------------------------------------------------------------------------


async def test_a_posted_promo_holds_from_its_post_only(shop: Shop) -> None:
    made = await ask(shop)
    assert (made.due, made.post_id) == (usd(1161), POST)
    assert await why(shop) is None
    alone = await ask(shop, post_id=None)
    assert (alone.due, alone.post_id) == (usd(1290), None)
    await put(shop, posted(code="SPRING"))
    with pytest.raises(Refused, match="promo_unknown"):
        await ask(shop, post_id=None, code="SPRING")


async def test_the_order_and_every_fresh_price_keep_the_post(shop: Shop) -> None:
    await put(shop, posted(), promo("extra", code="EXTRA", percent=Decimal(5)))
    made = await ask(shop)
    async with shop.database.read() as tx:
        line = await tx.sims.get("m1")
    assert line is not None
    again = await shop.checkout.again(made, line, 5, Wish())
    assert (again.due, again.post_id) == (usd(1161), POST)
    with pytest.raises(Refused, match="promo_worse"):
        await shop.checkout.again(made, line, 6, Wish("EXTRA"))
    assert (await shop.checkout.place(again.id, ALICE, 1)).post_id == POST


async def test_the_post_is_credited_where_another_offer_saves_more(shop: Shop) -> None:
    await put(shop, posted(), saves("alone", 1000, 500))
    made = await ask(shop)
    assert (made.due, made.post_id) == (usd(790), POST)


@pytest.mark.parametrize("state", [PostState.ENDED, PostState.FAILED])
async def test_a_post_that_ended_gives_nothing(shop: Shop, state: PostState) -> None:
    await post(shop, "other", state=state)
    made = await ask(shop, post_id="other")
    assert (made.due, made.post_id) == (usd(1290), None)
    assert await why(shop, post_id="other") == "promo_over"
    assert (await ask(shop, post_id="nonsense")).due == usd(1290)


async def test_a_plan_that_the_campaign_does_not_show_is_sold_as_always(shop: Shop) -> None:
    await campaign(shop, plans=("another",))
    assert (await ask(shop)).due == usd(1290)
    assert await why(shop) == "promo_over"


async def test_another_campaigns_promo_does_not_hold(shop: Shop) -> None:
    await put(shop, posted(), posted(id="summer", percent=CAMPAIGN.earns_percent * 10))
    assert (await ask(shop)).due == usd(1161)


async def test_what_the_operator_stops_is_not_sold_at_a_price_shown_before(shop: Shop) -> None:
    made = await ask(shop)
    async with shop.database.write() as tx:
        await tx.groups.set(GROUP, approval=Approval.BANNED)
    assert (await ask(shop)).due == usd(1290)
    with pytest.raises(Refused, match="promo_gone"):
        await shop.checkout.place(made.id, ALICE, 1)
    async with shop.database.write() as tx:
        await tx.groups.set(GROUP, approval=Approval.ALLOWED)
        await tx.campaigns.stop(CAMPAIGN.id)
    with pytest.raises(Refused, match="promo_gone"):
        await shop.checkout.place(made.id, ALICE, 1)
    assert await used(shop) == 0


async def test_a_price_shown_before_the_admin_withdrew_is_honoured(shop: Shop) -> None:
    made = await ask(shop)
    async with shop.database.write() as tx:
        await tx.posts.move(POST, PostState.POSTED, PostState.ENDED, "withdrawn", NOW)
    assert (await shop.checkout.place(made.id, ALICE, 1)).due == usd(1161)


async def test_who_is_banned_gets_no_offers(shop: Shop) -> None:
    await put(shop, posted(), promo("extra", code="EXTRA"), saves("small", 1000, 1))
    made = await ask(shop)
    async with shop.database.write() as tx:
        assert await tx.promos.ban(ALICE, NOW)
        assert not await tx.promos.ban(ALICE, NOW)
        assert await tx.promos.bans() == [(ALICE, NOW)]
    assert (await ask(shop)).due == usd(1290)
    assert await why(shop) == "promo_banned"
    with pytest.raises(Refused, match="promo_banned"):
        await ask(shop, code="EXTRA")
    with pytest.raises(Refused, match="promo_gone"):
        await shop.checkout.place(made.id, ALICE, 1)
    async with shop.database.write() as tx:
        assert await tx.promos.unban(ALICE)
    assert (await ask(shop)).due == usd(1161)


# ---- limits --------------------------------------------------------------------------------


async def test_200_at_once_never_get_one_place_too_many(shop: Shop) -> None:
    await put(shop, posted(total=10))
    quotes = [await ask(shop, person) for person in await crowd(shop, MANY)]
    orders, refused = await at_once(shop, quotes)
    assert (len(orders), set(refused)) == (10, {"promo_gone"})
    assert len(refused) == MANY - 10
    assert await used(shop) == 10
    assert await why(shop) == "promo_gone"
    async with shop.database.read() as tx:
        assert len(await tx.orders.in_states([S.AWAITING_PAYMENT])) == 10


async def test_a_persons_own_limit_holds_over_50_sims_at_once(shop: Shop) -> None:
    await put(shop, posted(per_user=2))
    async with shop.database.write() as tx:
        for n in range(CROWD):
            await tx.sims.add(managed(f"a{n}", ALICE, iccid=f"89852000000000{n:04}", expiry=days(9),
                                      grace_end=None))  # fmt: skip
    quotes = [await ask(shop, sim=f"a{n}") for n in range(CROWD)]
    orders, refused = await at_once(shop, quotes)
    assert (len(orders), set(refused)) == (2, {"promo_gone"})
    assert await why(shop) == "promo_used"


async def test_the_last_place_comes_back_and_its_posts_are_looked_at(shop: Shop) -> None:
    await put(shop, posted(total=1))
    placed = await shop.checkout.place((await ask(shop)).id, ALICE, 1)
    async with shop.database.write() as tx:
        [found] = await tx.posts.to_look_at(shop.clock.now(), 9)
        assert found.id == POST
        await tx.posts.set(POST, look_at=None)
    await shop.paying.cancel(placed.id, ALICE)
    assert await used(shop) == 0
    async with shop.database.read() as tx:
        assert await tx.posts.to_look_at(shop.clock.now(), 9)


async def test_new_customers_are_so_many_in_24_hours_at_most(shop: Shop) -> None:
    await campaign(shop, new_per_day=2)
    people = (await crowd(shop))[:4]
    quotes = [await ask(shop, person) for person in people]
    orders, refused = await at_once(shop, quotes)
    assert (len(orders), refused) == (2, ["promo_gone"] * 2)
    late = next(one for one in people if one not in {order.chat_id for order in orders})
    assert await why(shop, late) == "promo_today"
    assert await why(shop, orders[0].chat_id) is None, "the one who is counted already"
    shop.clock.advance(hours=24, minutes=1)
    assert await why(shop, late) is None


async def test_who_bought_before_is_no_new_customer_of_that_limit(shop: Shop) -> None:
    await campaign(shop, new_per_day=0)
    assert await why(shop) == "promo_today"
    await buy(shop, await ask(shop, post_id=None))
    assert await why(shop) is None


async def test_a_sim_that_anybody_renewed_is_not_new(shop: Shop) -> None:
    await put(shop, posted(new_user=True))
    early = await ask(shop)
    assert early.due == usd(1161)
    async with shop.database.write() as tx:
        await tx.chats.add(chat(BOB))
        await tx.chats.add(chat(9999))
        await tx.sims.add(managed("mine", ALICE, iccid="8985200000000000777", expiry=days(9),
                                  grace_end=None))  # fmt: skip
        await tx.sims.update("m1", 1, msisdn="+85250001234")
    done = await buy(shop, await ask(shop, post_id=None, sim="mine"), "c9")
    assert done.state is OrderState.FULFILLED
    async with shop.database.write() as tx:
        # It goes to somebody who never paid: it was renewed all the same.
        line = await tx.sims.get("mine")
        assert line is not None
        await tx.sims.update("mine", line.version, owner_id=9999)
        assert not await tx.promos.bought(9999)
        assert await tx.promos.renewed("mine")
        assert not await tx.promos.renewed("mine", done.id)
        assert not await tx.promos.renewed("m1")
    made = await shop.checkout.quote(9999, line, PLAN, None, 77, Wish(post=POST))
    assert made.due == usd(1290)
