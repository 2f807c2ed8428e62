"""A kept card that is kept no longer: charged no more at once, deleted there for certain."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.renewals import AgreementState
from bot.domain.sales import Method
from bot.services.privacy import Privacy
from bot.services.removing import Removing
from bot.services.selling import Refused
from tests.unit.services.renewal_house import RenewalShop, renewal_house
from tests.unit.store.samples import ALICE, BOB, days


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[RenewalShop]:
    async with renewal_house(tmp_path) as shop:
        yield shop


def removing(shop: RenewalShop) -> Removing:
    return Removing(shop.database, shop.clock, {Method.CARD: shop.bank})


async def left(shop: RenewalShop) -> int:
    """What is still to be deleted."""
    async with shop.database.read() as tx:
        return len(await tx.removals.due(days(1000), 100))


async def test_its_customer_removes_it_and_what_it_pays_for_stops(shop: RenewalShop) -> None:
    agreement = await shop.agree()
    desk = removing(shop)
    [card] = await desk.kept(ALICE)
    assert [one.id for one in await desk.charged(card)] == [agreement.id]
    await desk.remove(card.id, ALICE)
    assert await desk.kept(ALICE) == []
    assert (await shop.agreement(agreement.id)).state is AgreementState.CANCELLED
    await desk.worker.run()
    assert shop.bank.forgotten == ["tok"]
    await shop.until(days(20))
    assert shop.bank.charges == {}
    async with shop.database.read() as tx:
        found = await tx.saved.get(card.id)
    assert found is not None
    assert found.token == "", "the provider's key is not kept"
    assert await left(shop) == 0


async def test_somebody_elses_is_not_removed_and_a_removed_one_not_again(shop: RenewalShop) -> None:
    card, desk = await shop.keep_card(), removing(shop)
    with pytest.raises(Refused, match="unknown"):
        await desk.remove(card.id, BOB)
    with pytest.raises(Refused, match="unknown"):
        await desk.remove("nothing", ALICE)
    await desk.remove(card.id, ALICE)
    with pytest.raises(Refused, match="unknown"):
        await desk.remove(card.id, ALICE)
    assert await left(shop) == 1


async def test_another_agreement_goes_on(shop: RenewalShop) -> None:
    card = await shop.keep_card()
    await shop.fill(10_000)
    agreement = await shop.agree(Method.WALLET)
    await removing(shop).remove(card.id, ALICE)
    assert (await shop.agreement(agreement.id)).state is AgreementState.ACTIVE


@pytest.mark.parametrize("trouble", ["away", "lost", "defect", "off"])
async def test_it_is_asked_for_until_the_provider_has_said_so(
    shop: RenewalShop, trouble: str
) -> None:
    card, desk = await shop.keep_card(), removing(shop)
    await desk.remove(card.id, ALICE)
    shop.bank.away = 3 if trouble == "away" else 0
    shop.bank.mute = 3 if trouble == "lost" else 0
    shop.bank.fails_with = ValueError("a defect") if trouble == "defect" else None
    tried = desk if trouble != "off" else Removing(shop.database, shop.clock, {})
    for _ in range(3):
        due = await desk.next_due()
        assert due is not None
        shop.clock.at = max(due, shop.clock.at)
        await tried.worker.run()
        assert await left(shop) == 1
    shop.bank.fails_with = None
    shop.clock.at += timedelta(days=1)
    await removing(shop).worker.run()  # of the next process
    assert set(shop.bank.forgotten) == {"tok"}
    assert await left(shop) == 0
    assert await desk.next_due() is None


async def test_who_is_forgotten_has_no_card_at_the_provider(shop: RenewalShop) -> None:
    await shop.keep_card()
    await Privacy(shop.database, shop.clock, ()).forget(ALICE, 1)
    async with shop.database.read() as tx:
        assert await tx.saved.get("s1") is None
    await removing(shop).worker.run()
    assert shop.bank.forgotten == ["tok"]
    assert await left(shop) == 0


async def test_the_same_card_can_be_kept_again(shop: RenewalShop) -> None:
    card, desk = await shop.keep_card(), removing(shop)
    await desk.remove(card.id, ALICE)
    async with shop.database.write() as tx:
        again = await tx.saved.keep(replace(card, id="s2"))
    assert [one.id for one in await desk.kept(ALICE)] == [again.id] == ["s2"]
