"""Adding a SIM: by every identifier, with proof or without, from anywhere in the chat."""

from tests.flows.people import Person, Town, labels

EUROPE, EUROPE_CODE = "89852041000000003276", "XUKS-3F7K-9M2P-Q4TD"
LINS, LINS_CODE = "89852041000000001015", "XUKS-J2B3-C4D5-E6F7"
MOBILE, UNICOM, TELECOM = "898600B1192000000019", "89860119801234567899", "89860317245600000012"
ACTIVATION = "LPA:1$rsp.demo.example$XK-7F3K-2M9P"


async def a_newcomer(place: Town) -> Person:
    """Sam, in English."""
    await place.stranger.say("/start")
    await place.stranger.press("English")
    return place.stranger


async def test_a_sim_of_the_shop_is_proved_by_its_code(place: Town) -> None:
    sam = await a_newcomer(place)
    asked = await sam.say("8985 2041 0000 0000 3276")
    assert "is from our shop" in asked["text"]
    assert "boom" not in asked["text"]
    await sam.say("what code?")
    await sam.find("That doesn't look like a claim code")
    await sam.say("XUKS-AAAA-BBBB-CCC2")
    await sam.find("not right, or it was used before")
    await sam.say("xuks 3f7k 9m2p q4td")
    card = await sam.find("From now on I read it from the supplier")
    assert "boom eSIM ·3276" in card["text"]
    assert "Waiting for activation" in card["text"]
    again = await sam.say(EUROPE)
    assert "You have this SIM already" in again["text"]
    hant = place.hant
    await hant.say("/start")
    await hant.press("English")
    await hant.say(EUROPE)
    await hant.say(EUROPE_CODE)
    await hant.find("not right, or it was used before")


async def test_the_code_alone_is_enough(place: Town) -> None:
    sam = await a_newcomer(place)
    await sam.say(EUROPE_CODE)
    await sam.find("From now on I read it from the supplier")


async def test_after_five_wrong_codes_an_hour_must_pass(place: Town) -> None:
    sam = await a_newcomer(place)
    await sam.say(EUROPE)
    for number in range(4):
        await sam.say(f"XUKS-AAAA-BBBB-CCC{number}")
        assert "not right" in (await sam.last())["text"]
    await sam.say("XUKS-AAAA-BBBB-CCC5")
    await sam.find("Too many wrong codes. You can try again at .*11:00")
    await sam.say(EUROPE_CODE)
    await sam.find("Too many wrong codes")
    await place.advance(minutes=58)
    await sam.say(EUROPE_CODE)
    assert "Too many wrong codes" in (await sam.last())["text"]
    await place.advance(minutes=3)
    await sam.say(EUROPE)
    await sam.say(EUROPE_CODE)
    await sam.find("From now on I read it from the supplier")


async def test_somebody_elses_sim_looks_like_any_other(place: Town) -> None:
    sam = await a_newcomer(place)
    theirs = await sam.say(LINS)
    stock = await sam.say(EUROPE)
    assert theirs["text"].replace("1015", "") == stock["text"].replace("3276", "")
    assert labels(theirs) == labels(stock)
    await sam.say(LINS)
    await sam.say(LINS_CODE)
    assert "not right, or it was used before" in (await sam.last())["text"]
    assert "no SIM here yet" in (await sam.say("/sims"))["text"]


async def test_a_self_tracked_sim_with_typed_dates(place: Town) -> None:
    sam = await a_newcomer(place)
    await sam.say("/add")
    await sam.say(UNICOM)
    await sam.press("China Unicom")
    await sam.say("31/31/2027")
    await sam.find("I can't read that|That date doesn't exist")
    await sam.say("2020-01-01")
    assert "?" in (await sam.last())["text"]
    await sam.say("/add " + UNICOM)
    await sam.press("China Unicom")
    await sam.say("1 June 2027")
    await sam.say("3 months")
    await sam.say("30")
    card = await sam.find("Added")
    for part in ("Valid until 1 Jun 23:59", "91 days left", "grace until 1 Jul", "25 May 09:00"):
        assert part in card["text"], part
    assert "Is it 18:00 where you are" in card["text"]
    await sam.press("Yes, it is 18:00")
    await sam.find("Your time: .*Shanghai|Your time: .*18:0")


async def test_the_three_operators_of_china_are_told_apart(place: Town) -> None:
    sam = await a_newcomer(place)
    for iccid, carrier in ((UNICOM, "China Unicom"), (TELECOM, "China Telecom")):
        asked = await sam.say(iccid)
        assert carrier in labels(asked)[0]
        assert "its ICCIDs start like this" in asked["text"]
    asked = await sam.say(MOBILE)
    assert "Is this correct?" in asked["text"]
    await sam.press("No, write again")
    await sam.say(MOBILE)
    await sam.press("Yes, it is correct")
    assert "China Mobile" in labels(await sam.last())[0]
    await sam.press("China Mobile")
    await sam.press("I don't know")
    await sam.press("I don't know")
    await sam.find("Tell me its date when you know it")


async def test_a_doubtful_iccid_is_asked_about_once(place: Town) -> None:
    sam = await a_newcomer(place)
    await sam.say("89860119801234567898")
    await sam.find("Its check digit is missing or does not fit")
    await sam.press("Yes, it is correct")
    await sam.find("Which carrier is it")


async def test_an_activation_code_and_a_carrier_by_name(place: Town) -> None:
    sam = await a_newcomer(place)
    await sam.say("LPA:1$rsp.demo.example")
    await sam.find("not complete")
    await sam.say(ACTIVATION)
    await sam.say("LPA:1$rsp.demo.example")
    assert "not complete" in (await sam.last())["text"], "it is no carrier's name"
    await sam.say(ACTIVATION)
    await sam.say("giffgaff")
    assert "giffgaff ·2M9P" in (await sam.last())["text"]


async def test_a_number_without_its_country(place: Town) -> None:
    sam = await a_newcomer(place)
    asked = await sam.say("13800138000")
    assert "Which country" in asked["text"]
    await sam.press("+86 138 0013 8000")
    await sam.find("Which carrier is it")
    await sam.say("+999 12345678")
    await sam.find("I don't know that country code")
    await sam.say("12345678901234567890123456")
    assert "too long" in (await sam.last())["text"]


async def test_a_sims_number_is_understood_anywhere(place: Town) -> None:
    emma = place.en

    async def voucher() -> None:
        await emma.say("/renew")
        for label in ("US Data Card", "USA 5 GB", "Use a voucher"):
            await emma.press(label)

    async def hour() -> None:
        await emma.say("/reminders")
        await emma.press("Hour")

    async def dates() -> None:
        await emma.say("/sims")
        await emma.press("T-Mobile US")
        await emma.press("Change dates")

    for ask in (voucher, hour, dates):
        await ask()
        assert "Which carrier is it" in (await emma.say(UNICOM))["text"], ask
        await emma.say("/cancel")
        assert "Which carrier is it" in (await emma.say(ACTIVATION))["text"], ask
        await emma.say("/cancel")
    await emma.say("/sims")
    for label in ("T-Mobile US", "More", "Rename"):
        await emma.press(label)
    assert UNICOM in (await emma.say(UNICOM))["text"]
    await emma.find(f"{UNICOM} ·0142")
