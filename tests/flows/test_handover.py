"""Handing a SIM over in the chat: Emma has one, Sam is to have it, Mr Lin guesses."""

import re

from tests.flows.people import Person, Town, labels

CODE = re.compile(r"XUKH(?:-[0-9A-Z]{4}){3}")


async def a_newcomer(person: Person) -> Person:
    """Somebody who uses the bot in English."""
    await person.say("/start")
    await person.press("English")
    return person


async def to_code(person: Person, sim: str = "US Data Card") -> str:
    """From /sims to the message that is forwarded; its code."""
    await person.say("/sims")
    for label in (sim, "More", "Hand over", "Make a code"):
        await person.press(label)
    shown = await person.find("hand a SIM over to you")
    assert "Forward the next message" in (await person.find("Forward the next"))["text"]
    found = CODE.search(shown["text"])
    assert found is not None
    return found[0]


async def test_a_sim_goes_from_one_hand_to_another(place: Town) -> None:
    emma, sam = place.en, await a_newcomer(place.stranger)
    code = await to_code(emma)
    await sam.say(code.lower())
    await sam.find("I have asked the owner to confirm")
    assert "no SIM here yet" in (await sam.say("/sims"))["text"]
    asked = await emma.find("wants to take over")
    assert "Sam" in asked["text"]
    assert "US Data Card" in asked["text"]
    await emma.press("Confirm")
    await emma.find("was handed over")
    assert "US Data Card" not in str([labels(m) for m in [await emma.say("/sims")]])
    await sam.find("is yours now")
    await sam.press("Show this SIM")
    card = await sam.last()
    assert "US Data Card" in card["text"]
    assert "no orders yet" in (await sam.say("/orders"))["text"]
    again = await emma.say(code)
    assert "not right" in again["text"]
    [(old, new)] = place.rows("SELECT sim_id, new_sim_id FROM handovers WHERE state = 'done'")
    assert place.rows("SELECT next_reminder_at FROM sims WHERE id = ?", old) == [(None,)]
    [(owner,)] = place.rows("SELECT owner_id FROM sims WHERE id = ?", new)
    assert owner == sam.id


async def test_refused_withdrawn_lapsed_and_ones_own(place: Town) -> None:
    emma, sam = place.en, await a_newcomer(place.stranger)
    code = await to_code(emma)
    await emma.say(code)
    await emma.find("This is your own code")
    await sam.say(code)
    await emma.press("Refuse")
    await emma.find("stays yours")
    await sam.find("did not confirm the hand-over")
    await sam.say(code)
    assert "not right" in (await sam.last())["text"]
    code = await to_code(emma)
    await emma.press("Withdraw the code")
    await emma.find("opens nothing any more")
    await sam.say(code)
    assert "not right" in (await sam.last())["text"]
    code = await to_code(emma)
    await place.advance(hours=24, minutes=1)
    await sam.say(code)
    assert "has expired" in (await sam.last())["text"]
    assert "no SIM here yet" in (await sam.say("/sims"))["text"]


async def test_a_stranger_who_guesses_is_locked(place: Town) -> None:
    emma, sam = place.en, await a_newcomer(place.stranger)
    code = await to_code(emma)
    for number in range(4):
        await sam.say(f"XUKH-AAAA-BBBB-CCC{number}")
        assert "not right" in (await sam.last())["text"]
    await sam.say("XUKH-AAAA-BBBB-CCC5")
    await sam.find("Too many wrong codes")
    await sam.say(code)
    assert "Too many wrong codes" in (await sam.last())["text"]
    hant = await a_newcomer(place.hant)
    await hant.say(code)
    await emma.find("wants to take over")
    # The question that waits comes before any new code.
    await emma.say("/sims")
    for label in ("US Data Card", "More", "Hand over"):
        await emma.press(label)
    assert "Confirm" in str(labels(await emma.last()))
    confirm = place.data_of(emma, "Confirm")
    await place.tap(sam, (await sam.last())["message_id"], confirm)
    assert place.rows("SELECT state FROM handovers") == [("asked",)]
