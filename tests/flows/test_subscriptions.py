"""A subscription in Stars as the bot hears of it, when the clock is moved over its end."""

from bot.demo.botapi.models import Invoice
from bot.demo.botapi.payments import _charge as charge_without_asking
from tests.flows.people import Town

PERIOD = 30 * 24 * 3600


async def test_the_bot_hears_of_the_next_charge(place: Town) -> None:
    owner = place.operator
    await owner.say("/start")
    await owner.press("English")
    place.excused = ("charge_without_order", "books_differ")
    world = place.demo.world
    invoice = Invoice("A plan", "every month", "no-such-order", 10, "", "XTR", PERIOD)
    charge_without_asking(world, world.people[place.en.id], invoice)
    await place.advance(days=31)
    await place.idle(15)
    assert len(world.charges) == 2
    assert await owner.count("a reference that no order has") == 2
    assert "2 matters wait" in (await owner.say("/queue"))["text"]
