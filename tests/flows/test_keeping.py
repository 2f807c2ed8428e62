"""Keeping a number alive: the rule that a new SIM follows, its use, its deadline, its phone."""

import re

from tests.flows.people import Person, Town, labels

UK = "+44 7712 345678"
IMEI = "490154203237518"


async def add(person: Person, number: str, carrier: str) -> None:
    """A new number of a carrier, up to what is known of it."""
    await person.say("/add")
    await person.say(number)
    if "Is this right" in (await person.last())["text"]:
        await person.press("Yes, it is right")
    await person.say(carrier)


async def test_a_known_carriers_rule_is_offered_followed_and_reminded_of(place: Town) -> None:
    sam = place.stranger
    await sam.say("/start")
    await add(sam, UK, "giffgaff")
    offer = (await sam.find("I know a rule"))["text"]
    assert "At least once in 180 days" in offer
    assert "official" in offer
    await sam.press("Use this rule")
    await sam.say("2026-09-08")
    card = (await sam.find("Keep-number deadline: 7 Mar, 5 days left"))["text"]
    assert "official" in card
    assert "Next reminder: 4 Mar" in card
    await sam.press("How to keep it")
    assert "giffgaff's own page on recycling numbers" in (await sam.last())["text"]
    await place.advance(days=3)
    told = (await sam.find("giffgaff.*use it by 7 Mar"))["text"]
    assert "Cheapest way known: an SMS for £0.30 every 180 days" in told
    await sam.press("I used it today")
    await sam.press("Sent an SMS")
    moved = (await sam.find("✅ Noted: Sent an SMS"))["text"]
    assert "Deadline 7 Mar → 1 Sep" in moved
    assert "Next reminder: 2 Aug" in moved


async def test_reports_that_differ_are_both_shown_and_the_shorter_counts(place: Town) -> None:
    emma = place.en
    await add(emma, "+63 917 555 1234", "Smart")
    offer = (await emma.find("I know a rule"))["text"]
    assert "it can still be saved for 120 days" in offer
    assert "another report: 180 days" in offer
    await emma.press("Use this rule")
    await emma.press("30 days ago")
    card = (await emma.find("✅ Added"))["text"]
    assert "Keep-number deadline: 31 Jan 2028" in card
    assert "Then grace until 30 May 2028" in card
    await emma.press("I used it today")
    await emma.press("Made a call")
    assert "doesn't keep the number" in (await emma.last())["text"]


async def test_what_was_paid_decides_for_how_long(place: Town) -> None:
    emma = place.en
    await add(emma, "+1 202 555 0143", "AT&T US")
    await emma.press("Use this rule")
    await emma.press("today")
    assert [label for label in labels(await emma.last()) if "·" in label] == [
        "$10 or more · 30 days", "$25 or more · 90 days", "$100 or more · 365 days",
    ]  # fmt: skip
    await emma.press("$100 or more")
    await emma.find("Keep-number deadline: 1 Mar 2028")


async def test_a_carrier_with_two_kinds_asks_which_and_ones_own_rule_is_taken(place: Town) -> None:
    emma = place.en
    await add(emma, "+1 202 555 0143", "Tello")
    assert {"Tello pay-as-you-go", "Tello plan"} < set(labels(await emma.last()))
    await emma.press("No, I enter my own")
    await emma.press("30 days ·")
    await emma.press("90 days")
    await emma.press("No grace period")
    await emma.find("✅ Added")
    await emma.press("How to keep it")
    shown = (await emma.last())["text"]
    assert "At least once in 90 days · your own" in shown
    await emma.press("Follow the rule: Tello plan")
    await emma.press("How to keep it")
    assert "At least once in 30 days" in (await emma.last())["text"]


async def test_an_unknown_carrier_says_so(place: Town) -> None:
    emma = place.en
    await add(emma, UK, "Nobody Mobile")
    assert "until which day is it valid" in (await emma.last())["text"]
    await emma.press("I don't know")
    await emma.press("I don't know")
    await emma.press("How to keep it")
    assert "know a rule for Nobody Mobile" in (await emma.last())["text"]
    await emma.press("‹ Back")
    await emma.press("I used it today")
    await emma.press("On another day")
    assert "still to come" in (await emma.say("tomorrow"))["text"]
    await emma.say("3 days ago")
    await emma.press("Topped up")
    assert "know a rule for this number" in (await emma.last())["text"]


async def test_will_my_phone_do_esim(place: Town) -> None:
    emma = place.en
    await emma.say("/help")
    await emma.press("Will my phone do eSIM?")
    assert re.search("❌.*iPhone X", (await emma.say("iPhone X"))["text"])
    answer = (await emma.say("iPhone 13"))["text"]
    assert re.search("✅.*iPhone 13", answer)
    assert "mainland China" in answer
    assert "I don't know" in (await emma.say("Nokia <3310>"))["text"]
    await emma.say("/add")
    assert "Will my phone do eSIM?" in labels(await emma.last())


async def test_the_phone_of_a_sim_is_noted_and_its_imei_hidden(place: Town) -> None:
    emma = place.en
    await emma.say("/sims")
    await emma.press("T-Mobile US")
    await emma.press("More")
    await emma.press("Phone")
    assert "That is no IMEI" in (await emma.say(IMEI[:-1] + "9"))["text"]
    shown = (await emma.say(f"{IMEI[:8]} {IMEI[8:]}"))["text"]
    assert "4901••••7518" in shown
    await emma.press("Phone")
    assert "iPhone 13" in (await emma.say("iPhone 13"))["text"]
    [(device, imei)] = place.rows("select device, imei from sims where device is not null")
    assert "iPhone" not in device  # sealed, as the IMEI is
    assert "490154203237518" not in imei
    await emma.press("Phone")
    await emma.press("Forget the phone")
    assert place.rows("select device from sims where device is not null") == []
