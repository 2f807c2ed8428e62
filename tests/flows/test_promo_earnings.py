"""What a post earned: paid out once and told, taken back with a refund, shown as a picture."""

import pytest

from tests.flows.people import GROUP, Person, Town, labels
from tests.flows.steps import RECEIPT
from tests.flows.test_promo_customer import POSTER, come, counts, earned, in_group, posted


@pytest.fixture
async def sold(place: Town) -> str:
    """Emma has renewed from the admin's post; who posted and who runs the shop read English."""
    for person in (place.admin, place.operator):
        await person.say("/start")
        await person.say("/language")
        await person.press("English")
    post_id = await posted(place)
    await come(place.en, place)
    await place.en.press("Pay ")
    await place.en.pay()
    await place.en.find(RECEIPT)
    return post_id


async def desk(owner: Person) -> None:
    """The operator's page of the group."""
    await owner.say("/groups")
    await owner.press("All groups of the shop")
    await owner.press("SIM Savers")


async def test_the_operator_pays_out_once_and_both_hear_of_it(place: Town, sold: str) -> None:
    owner, admin = place.operator, place.admin
    await desk(owner)
    assert ": $0.36" in (await owner.last())["text"]
    await owner.press("Pay out $0.36")
    page = await owner.last()
    await owner.press("Pay out to the wallet: $0.36")
    assert "Paid out: $0.36" in (await owner.last())["text"]
    await admin.find("has paid out what your posts in 省卡群 SIM Savers earned:\n• \\$0.36 in your")
    [(group,)] = place.rows("SELECT id FROM groups WHERE chat_id = ?", GROUP)
    await place.tap(owner, page["message_id"], f"gdpay!:{group}:{POSTER}:1:wallet")
    await place.advance(minutes=1)
    assert await admin.count("has paid out") == 1
    assert earned(place) == [("earned", POSTER, 0, 36), ("paid_out", POSTER, 0, -36)]
    assert "+$0.36 · earned by your posts" in (await admin.say("/wallet"))["text"]
    assert place.rows("SELECT sum(minor) FROM postings WHERE account = ?", f"wallet:{POSTER}") == [
        (36,)
    ]


async def test_a_refund_takes_the_earning_back_and_frees_the_place(place: Town, sold: str) -> None:
    owner, emma = place.operator, place.en
    await place.advance(minutes=2)
    assert "29 places left" in str(await in_group(place))
    assert counts(place, sold) == (1, 1, 1)
    await emma.press("Ask for a refund")
    await emma.press("It does not work")
    await owner.press("Open")
    await owner.press("Refund")
    await owner.press("Yes: Refund")
    await place.advance(minutes=3)
    await emma.find("went back to where you paid from")
    assert earned(place) == [("earned", POSTER, 0, 36), ("taken_back", POSTER, 0, -36)]
    assert "30 places left" in str(await in_group(place))
    await desk(owner)
    assert "Nothing is to be paid out." in (await owner.last())["text"]
    assert not any("Pay out" in label for label in labels(await owner.last()))
    assert "1 opened · 💬 1 saw a price\n✅ 0 paid" in (await owner.last())["text"]


async def test_its_admin_and_the_operator_see_it_as_a_picture(place: Town, sold: str) -> None:
    owner, admin = place.operator, place.admin
    await desk(owner)
    await owner.press("30 days as a picture")
    shown = (await owner.messages())[-1]
    assert "photo" in shown
    assert "✅ 1 paid" in shown["caption"]
    await admin.say("/groups")
    await admin.press("SIM Savers")
    await admin.press("Numbers")
    assert "$0.36" in (await admin.last())["text"]
    await admin.press("30 days as a picture")
    assert "photo" in (await admin.messages())[-1]
    stranger = place.stranger
    await stranger.say("/start")
    [(group,)] = place.rows("SELECT id FROM groups WHERE chat_id = ?", GROUP)
    for verb in ("gplot", "gdplot"):
        await place.tap(stranger, (await stranger.last())["message_id"], f"{verb}:{group}")
        assert "photo" not in (await stranger.messages())[-1]
