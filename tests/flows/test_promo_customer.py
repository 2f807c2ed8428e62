"""From a group's post to a renewal: the right SIM and plan, the promo applied, counted."""

import json
from typing import Any

from bot.demo.cast import CLUB_ID as CLUB
from tests.flows.people import GROUP, Message, Person, Town, labels
from tests.flows.steps import BOOM, RECEIPT

POSTER = 1003
AIRALO_CODE, EUROPE_CODE = "XUKS-D6A3-T8K2-C9RW", "XUKS-3F7K-9M2P-Q4TD"


async def posted(
    town: Town, campaign: str = "travel", *, room: int = GROUP, by: int = POSTER, key: str = "w1"
) -> str:
    """An admin's posting comes due, and the bot posts it; the id of the post."""
    [(group,)] = town.rows("SELECT id FROM groups WHERE chat_id = ?", room)
    now, day = f"{town.now:%Y-%m-%d %H:%M:%S}.000000", f"{town.now:%Y-%m-%d}"
    timing = {"repeat": "once", "clock": "10:00:00", "zone": "UTC", "dates": [day],
              "weekdays": [], "day": 1}  # fmt: skip
    town.change(
        "INSERT INTO group_postings (id, campaign_id, group_id, by, languages, timing, state,"
        " created_at, picture, pin, next_at, turn) VALUES (?, ?, ?, ?, ?, ?, 'active', ?, 0, 0, ?,"
        " 0)",
        key, campaign, group, by, '["zh_Hans","en"]', json.dumps(timing), now, now,
    )  # fmt: skip
    await town.advance(minutes=2)
    await town.idle(15)
    [(post_id, state)] = town.rows("SELECT id, state FROM posts WHERE posting_id = ?", key)
    assert state == "posted"
    return str(post_id)


async def in_group(town: Town, room: int = GROUP) -> Message:
    """The newest post in the group."""
    found = [m for m in await town.admin.messages(room) if m.get("from", {}).get("is_bot")]
    return found[-1]


async def come(person: Person, town: Town, room: int = GROUP) -> Message:
    """The post's button is tapped, and START in the private chat."""
    message = await in_group(town, room)
    [label] = labels(message)
    body = {"message_id": message["message_id"], "text": label}
    answer = await person.post("press", body, room)
    await person.post("start", {"payload": answer["start"]})
    await person.idle()
    return await person.last()


def counts(town: Town, post_id: str) -> tuple[int, int, int]:
    """Opened, quoted, orders paid."""
    [(opened, quoted)] = town.rows(
        "SELECT count(*), count(quoted_at) FROM post_visits WHERE post_id = ?", post_id
    )
    [(paid,)] = town.rows(
        "SELECT count(*) FROM orders WHERE post_id = ? AND paid_at IS NOT NULL", post_id
    )
    return opened, quoted, paid


def earned(town: Town) -> list[tuple[Any, ...]]:
    """Everything that was earned and taken back."""
    return town.rows("SELECT kind, by, points, money_minor FROM earnings ORDER BY seq")


async def test_from_the_post_to_a_verified_renewal(place: Town) -> None:
    post_id, emma = await posted(place), place.en
    taps = 2  # the post's button, and START
    screen = await come(emma, place)
    while "Your price" not in screen["text"]:
        await emma.press("US Data Card")
        screen, taps = await emma.last(), taps + 1
    assert "15 % off for this group: −$1.27" in screen["text"]
    assert "To pay: $7.23" in screen["text"]
    await emma.press("Pay ")
    assert (await emma.pay())["status"] == "paid"
    taps += 2
    await emma.find(RECEIPT)
    assert taps < 6
    assert counts(place, post_id) == (1, 1, 1)
    assert earned(place) == [("earned", POSTER, 0, 36)]


async def test_a_new_customer_adds_a_sim_and_comes_back_to_the_offer(place: Town) -> None:
    post_id, grace = await posted(place, room=CLUB), Person(place.http, 1008)
    screen = await come(grace, place, CLUB)
    assert "Add your SIM first" in screen["text"]
    assert "It is for US Data Card, boom eSIM." in screen["text"]
    assert counts(place, post_id) == (1, 0, 0)
    await place.kill()
    await grace.press("Add a SIM")
    await grace.say("/cancel")
    await grace.say(AIRALO_CODE)
    await grace.find("takes the offer you came for")
    await grace.press("Show my price")
    price = await grace.find("Your price")
    assert "15 % off for this group" in price["text"]
    assert counts(place, post_id) == (1, 1, 0)
    await grace.say("/add " + EUROPE_CODE)
    assert await grace.count("takes the offer you came for") == 0, "they were shown it"


async def test_several_sims_and_the_offers_other_plans(place: Town) -> None:
    post_id, emma = await posted(place), place.en
    await emma.say(AIRALO_CODE)
    screen = await come(emma, place)
    assert "Which SIM shall I renew?" in screen["text"]
    assert "USA 5 GB · 30 days: $8.50\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}$7.23" in screen["text"]
    await emma.press("US Data Card ·2195")
    assert "Your price" in (await emma.last())["text"]
    assert counts(place, post_id) == (1, 1, 0)


async def test_a_new_customers_gift_in_chinese_once(place: Town) -> None:
    await posted(place, "upgrade")
    lin = place.zh
    screen = await come(lin, place)
    assert "新客首单：1 GB 升级为 5 GB" in screen["text"]
    assert "日本 5 GB · 30 天" in screen["text"]
    await lin.press("支付")
    assert (await lin.pay())["status"] == "paid"
    await lin.find("已续费")
    assert place.topups(BOOM) == 1
    assert earned(place) == [("earned", POSTER, 100, None)]
    screen = await come(lin, place)
    assert "首单流量翻五倍" in screen["text"]
    assert "仅限首次续费" in screen["text"]


async def test_what_ended_is_sold_out_or_never_was_says_so_kindly(place: Town) -> None:
    post_id, emma = await posted(place), place.en
    link = (await in_group(place))["reply_markup"]["inline_keyboard"][0][0]["url"]
    assert link.endswith(f"start=p{post_id}")
    place.change("UPDATE promos SET used = 30 WHERE code = 'group-travel'")
    assert "All places of this offer are taken" in (await come(emma, place))["text"]
    place.change("UPDATE promos SET used = 0 WHERE code = 'group-travel'")
    place.change("UPDATE posts SET state = 'ended' WHERE id = ?", post_id)
    assert "This offer has ended" in (await come(emma, place))["text"]
    await emma.post("start", {"payload": "pnosuchpost"})
    await emma.idle()
    await emma.find("I don't know this offer any more")
    await emma.press("Renew")
    assert "Which SIM shall I renew?" in (await emma.last())["text"]
    assert counts(place, post_id) == (1, 0, 0)


async def test_an_old_price_leads_back_to_the_offer(place: Town) -> None:
    post_id, emma = await posted(place), place.en
    await come(emma, place)
    await place.advance(minutes=16)
    await emma.press("Pay ")
    assert not await emma.invoices()
    await emma.press("Show the offer")
    assert "To pay: $7.23" in (await emma.last())["text"]
    await emma.press("I have a code")
    assert "saves" in (await emma.say("SPRING10"))["text"], "the offer saves more"
    await emma.press("Back")
    await emma.press("Pay ")
    await emma.pay()
    await emma.find(RECEIPT)
    assert counts(place, post_id) == (1, 1, 1)


async def test_who_is_given_no_offers_pays_the_usual_price(place: Town) -> None:
    await posted(place)
    emma, owner = place.en, place.operator
    await owner.say("/language")
    await owner.press("English")
    await owner.say("/find 2195")
    await owner.press("Close offers to them")
    await owner.press("Yes, close them")
    screen = await come(emma, place)
    assert "Our offers are not open to you" in screen["text"]
    await emma.press("Renew")
    await emma.press("US Data Card ·2195")
    await emma.press("USA 5 GB · 30")
    assert "15 % off" not in (await emma.last())["text"]
    await owner.press("Open offers to them again")
    assert "To pay: $7.23" in (await come(emma, place))["text"]
    acts = place.rows("SELECT action FROM audit WHERE action LIKE 'offers_%' ORDER BY seq")
    assert acts == [("offers_closed",), ("offers_opened",)]


async def test_nothing_private_is_said_in_the_group(place: Town) -> None:
    post_id, emma = await posted(place), place.en
    await come(emma, place)
    await emma.press("Pay ")
    await emma.pay()
    await emma.find(RECEIPT)
    await place.advance(minutes=5)
    shown = [m for m in await place.admin.messages(GROUP) if m.get("from", {}).get("is_bot")]
    said = json.dumps([m.get("text") or m.get("caption") for m in shown], ensure_ascii=False)
    for private in ("2195", "XK-", "Emma", str(emma.id)):
        assert private not in said, private
    assert "29 places left" in said
    assert counts(place, post_id) == (1, 1, 1)
