"""News to many, as an operator writes them and customers get them (F46)."""

from tests.flows.people import Person, Town


async def at_the_desk(place: Town) -> Person:
    """The operator, in English."""
    owner = place.operator
    await owner.say("/start")
    await owner.press("English")
    return owner


async def written(place: Town, *, chinese: bool = True) -> Person:
    """A draft with its texts; the customers have met the bot."""
    await place.en.say("/start")
    await place.zh.say("/start")
    owner = await at_the_desk(place)
    await owner.say("/broadcast")
    await owner.press("Write news")
    await owner.press("English")
    await owner.say("Our summer week has begun")
    if chinese:
        await owner.press("简体中文")
        await owner.say("夏日优惠周开始了")
    return owner


async def test_everybody_gets_it_once_in_their_language(place: Town) -> None:
    owner = await written(place)
    await owner.find("For 3 people")
    await owner.press("Preview and send")
    await owner.find("Our summer week has begun")
    await owner.press("Send now")
    await owner.find("Send it to 3 people now")
    await owner.press("Yes, send it")
    assert await place.en.count("Our summer week has begun") == 1
    assert await place.zh.count("夏日优惠周开始了") == 1
    report = await owner.find("News: sent")
    assert "▰▰▰▰▰▰▰▰▰▰ 3 of 3" in report["text"]
    assert "Sent: 3" in report["text"]
