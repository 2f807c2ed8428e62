"""The operator's side: what waits for a person, every button that settles it, letters."""

from dataclasses import replace

import pytest

from bot.demo.botapi.models import Invoice
from bot.demo.botapi.payments import _charge as charge_without_asking
from tests.flows.people import Person, Town
from tests.flows.steps import RECEIPT, US_CARD, to_invoice

STOCK_ICCID = "89852041000000003276"


async def at_the_desk(place: Town) -> Person:
    """The operator, in English."""
    owner = place.operator
    await owner.say("/start")
    await owner.press("English")
    return owner


async def an_unknown_top_up(place: Town) -> None:
    """Emma has paid, the top-up's answer was lost, and the supplier does not know it."""
    await place.fault("esim_access.drop_before_accept", times=1)
    await to_invoice(place.en)
    await place.en.pay()
    await place.en.find("never buy twice")
    await place.advance(minutes=40)
    await place.en.find("Someone at our shop is looking at it")


async def pays_a_wrong_amount(place: Town, stars: int) -> None:
    await to_invoice(place.en)
    stored = place.demo.world.message(place.en.id, (await place.en.invoices())[-1])
    assert stored is not None
    assert stored.invoice is not None
    emma = place.demo.world.people[place.en.id]
    charge_without_asking(place.demo.world, emma, replace(stored.invoice, amount=stars))
    await place.en.idle()


async def test_the_queue_is_for_operators_only(place: Town) -> None:
    emma, owner = place.en, await at_the_desk(place)
    answer = await emma.say("/queue")
    assert "did not understand" in answer["text"]
    assert "queue" not in await emma.commands()
    assert "Nothing waits for a person" in (await owner.say("/queue"))["text"]
    assert "queue" in await owner.commands()


async def test_what_the_supplier_does_not_know_is_bought_again(place: Town) -> None:
    owner = await at_the_desk(place)
    await an_unknown_top_up(place)
    assert place.topups(US_CARD) == 0
    await owner.find("the supplier does not know it")
    await owner.press("Open")
    await owner.press("Buy it again")
    assert place.topups(US_CARD) == 0, "it is asked about first"
    again = place.data_of(owner, "Yes: Buy it again")
    desk = (await owner.last())["message_id"]
    await owner.press("Yes: Buy it again")
    await place.en.find(RECEIPT)
    answer = await place.tap(owner, desk, again)
    assert answer is not None
    assert "Already settled: Buy it again" in answer["text"]
    assert place.topups(US_CARD) == place.kept() == 1


async def test_what_the_supplier_does_not_know_is_refunded(place: Town) -> None:
    owner = await at_the_desk(place)
    await an_unknown_top_up(place)
    await owner.say("/queue")
    await owner.press("Top-up not certain")
    await owner.press("Refund")
    await owner.press("Back")
    await owner.press("Refund")
    await owner.press("Yes: Refund")
    await place.en.find("went back to where you paid from")
    assert place.topups(US_CARD) == place.kept() == 0
    assert "Nothing waits" in (await owner.say("/queue"))["text"]


async def test_the_supplier_is_asked_once_more(place: Town) -> None:
    owner = await at_the_desk(place)
    await an_unknown_top_up(place)
    await owner.say("/queue")
    await owner.press("Top-up not certain")
    await owner.press("Ask once more")
    await place.en.find("never buy twice")
    await place.advance(minutes=40)
    await owner.say("/queue")
    await owner.press("Top-up not certain")
    await owner.press("Done: it arrived")
    await place.en.find("Renewed")
    assert place.topups(US_CARD) == 0
    assert place.kept() == 1


async def test_a_top_up_by_hand_and_a_second_press(place: Town) -> None:
    emma, owner = place.en, await at_the_desk(place)
    await to_invoice(emma, "T-Mobile 1 GB", "T-Mobile US")
    await emma.pay()
    await owner.find("waits for you to top it up by hand")
    await owner.press("Open")
    first = await owner.find("Number: \\+13055550142")
    done = place.data_of(owner, "Done: it arrived")
    await owner.press("Done: it arrived")
    receipt = await emma.find("Renewed by our shop")
    assert "2027年" not in receipt["text"]
    answer = await place.tap(owner, first["message_id"], done)
    assert answer is not None
    assert "Already settled: Done: it arrived" in answer["text"]
    [(one,)] = place.rows("select count(*) from audit where action like 'desk%'")
    assert one == 1


async def test_a_wrong_amount_is_held_and_accepted(place: Town) -> None:
    owner = await at_the_desk(place)
    await pays_a_wrong_amount(place, 600)
    await place.en.find("Someone at our shop is looking at it")
    assert place.topups(US_CARD) == 0
    await owner.say("/queue")
    await owner.press("Wrong amount")
    await owner.find("Asked 655 ⭐, received 600 ⭐")
    await owner.press("Accept this amount")
    await place.en.find(RECEIPT)
    assert place.topups(US_CARD) == place.kept() == 1


async def test_a_wrong_amount_is_refunded(place: Town) -> None:
    owner = await at_the_desk(place)
    await pays_a_wrong_amount(place, 1)
    await owner.say("/queue")
    await owner.press("Wrong amount")
    await owner.press("Refund")
    await owner.press("Yes: Refund")
    await place.en.find("went back")
    assert place.topups(US_CARD) == place.kept() == 0


async def test_a_charge_that_fits_no_order_is_told(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await at_the_desk(place)
    place.excused = ("charge_without_order",)
    world = place.demo.world
    # Telegram's own charge ids are longer than a button's data may be.
    monkeypatch.setattr("bot.demo.botapi.payments.secrets.token_urlsafe", lambda _: "x" * 104)
    invoice = Invoice("A plan", "of another bot", "no-such-order", 10, "")
    charge_without_asking(world, world.people[place.en.id], invoice)
    await place.en.idle()
    await owner.find("a reference that no order has")
    [charge_id] = world.charges
    await owner.press("Open")
    await owner.find(charge_id)
    await owner.press("Done: I saw to it")
    await owner.find("Nothing waits for a person")


async def test_a_claim_is_approved_or_declined(place: Town) -> None:
    sam, hant, owner = place.stranger, place.hant, await at_the_desk(place)
    for person in (sam, hant):
        await person.say("/start")
        await person.press("English")
        await person.say(STOCK_ICCID)
        await person.find("is from our shop")
        assert await person.count("Europe") == 0
        await person.press("No code: ask our shop")
        await person.find("I have asked our shop")
    assert "2 matters wait" in (await owner.say("/queue"))["text"]
    await owner.press("Claim")
    assert "Customer: " in (await owner.last())["text"]
    await owner.press("It is theirs")
    await owner.press("Claim")
    await owner.find("belongs to someone else")
    await owner.press("Decline")
    winners = [person for person in (sam, hant) if await person.count("confirmed that")]
    losers = [person for person in (sam, hant) if await person.count("could not confirm")]
    assert len(winners) == len(losers) == 1
    await winners[0].press("Show this SIM")
    await winners[0].find("Waiting for activation")
    assert "no SIM here yet" in (await losers[0].say("/sims"))["text"]


async def test_a_question_and_its_answer(place: Town) -> None:
    emma, owner = place.en, await at_the_desk(place)
    await emma.say("/support")
    await emma.say("My <b>eSIM</b> & phone don't agree")
    await emma.find("is with our shop")
    letter = await owner.find("Emma writes:")
    assert "My <b>eSIM</b> & phone don't agree" in letter["text"]
    await owner.press("Answer")
    await owner.say("Restart it, please <3")
    await owner.find("on its way")
    answer = await emma.find("Our shop answers:")
    assert "Restart it, please <3" in answer["text"]
    await emma.press("Write back")
    await emma.say("Thank you")
    assert "Thank you" in (await owner.last())["text"]
    # What is written without being asked for is no letter.
    await emma.say("and another thing")
    assert "another thing" not in (await owner.last())["text"]


async def test_a_picture_reaches_the_shop_and_the_answer_may_be_one(place: Town) -> None:
    emma, owner = place.en, await at_the_desk(place)
    await emma.say("/support")
    for kind in ("photo", "document"):
        await emma.send_file(kind, "See <here>")
        await emma.find("Your picture is passed on")
        letter = await owner.last()
        assert kind in letter
        assert "Emma writes:" in letter["caption"]
        assert "See <here>" in letter["caption"]
    await owner.press("Answer")
    await owner.send_file("photo")
    await owner.say("Tap there")
    found = [one for one in await emma.from_bot() if "Our shop answers:" in one.get("caption", "")]
    assert "photo" in found[-1]
    assert "Tap there" in (await emma.find("Tap there"))["text"]
