"""What can be done with a reminder, and with the reminders of one SIM: each way to its end."""

import re
from datetime import timedelta
from pathlib import Path

import httpx

from tests.flows.people import Person, Town, town
from tests.flows.steps import BOOM, RECEIPT, to_invoice
from tests.flows.test_reminders import a_new_line, at, next_told, told, when

PUBLIC = {"XUKA_PUBLIC_URL": "http://127.0.0.1:{bot_port}"}


async def in_english(person: Person) -> None:
    await person.say("/language")
    await person.press("English")


async def taps(place: Town) -> int:
    """Buttons that were tapped so far, Telegram's own payment sheet among them."""
    tapped = [await place.calls(f"answer{one}Query") for one in ("Callback", "PreCheckout")]
    return sum(map(len, tapped))


async def test_three_taps_lead_from_a_reminder_to_what_was_bought_last_time(place: Town) -> None:
    lin = place.zh
    await in_english(lin)
    await to_invoice(lin, "Japan 5 GB", "boom eSIM")
    await lin.pay()
    await lin.find(RECEIPT)
    await place.sleep(days=24)  # nothing of it is due in these weeks
    await place.until(at(28, 1))
    [reminder] = await told(place, lin, "boom")
    assert "expires in 7 days" in reminder.text
    before = await taps(place)
    await lin.press("Renew now")
    assert "Japan 5 GB" in (await lin.last())["text"]
    await lin.press("Pay ")
    assert (await lin.pay())["status"] == "paid"
    assert await taps(place) - before == 3
    assert await lin.count(RECEIPT) == 2
    assert place.topups(BOOM) == 2


async def test_renewed_elsewhere_is_read_from_the_supplier(place: Town) -> None:
    lin = place.zh
    await in_english(lin)
    await place.until(at(4, 1))
    profile = place.demo.supplier.profile(BOOM)
    assert profile is not None
    profile.expires_at += timedelta(days=30)
    await lin.press("Already renewed")
    assert re.search("Valid until.* 4 Apr", (await lin.last())["text"])
    await place.until(at(6, 12))
    assert len(await told(place, lin, "boom")) == 1
    assert await next_told(lin, "boom eSIM") == "28 Mar 09:00"


async def test_snoozed_until_a_day_of_ones_own(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    await place.until(at(3, 9))
    for label in ("Snooze", "On a day I choose"):
        await emma.press(label)
    assert "Write the date" in (await emma.last())["text"]
    await emma.say("2027-03-02")
    await emma.say("2027-03-06")
    noted = (await emma.find("I write again on .*6 Mar 09:00"))["text"]
    assert "The SIM expires before that" in noted
    assert await next_told(emma, "T-Mobile US") == "6 Mar 09:00"
    await place.until(at(6, 9))
    seen = await told(place, emma, "T-Mobile")
    assert when(seen) == ["03-03 09:00", "03-06 09:00"]
    assert "has expired" in seen[-1].text


async def test_a_sim_that_is_no_longer_theirs_is_gone(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    await place.until(at(3, 9))
    await emma.press("Not mine any more")
    await emma.press("Yes, remove")
    await place.until(at(9, 9))
    assert when(await told(place, emma, "T-Mobile")) == ["03-03 09:00"]
    assert "T-Mobile" not in (await emma.say("/sims"))["text"]


async def test_one_sim_is_reminded_of_otherwise_than_the_others(place: Town) -> None:
    emma = place.en
    await a_new_line(emma, "2027-03-04")
    await emma.say("/sims")
    for label in ("China Unicom", "Reminders", "Only for this SIM"):
        await emma.press(label)
    for label in ("18:00", "2 days", "same day", "In a message of its own"):
        await emma.press(label)
    own = (await emma.last())["text"]
    assert "About 18:00" in own
    assert "In a message of its own" in own
    assert await next_told(emma, "China Unicom") == "2 Mar 18:00"
    assert await next_told(emma, "T-Mobile US") == "3 Mar 09:00"
    await place.until(at(4, 20))
    assert when(await told(place, emma, "Unicom")) == ["03-02 18:00", "03-03 18:00"]
    assert when(await told(place, emma, "T-Mobile")) == ["03-03 09:00", "03-04 09:00"]
    assert await told(place, emma, "SIMs need") == []
    await emma.say("/sims")
    for label in ("China Unicom", "Reminders", "Only for this SIM", "As for all my SIMs"):
        await emma.press(label)
    assert "About 09:00" in (await emma.last())["text"]


async def test_an_unpaid_order_holds_the_reminder_back_until_it_lapses(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    await place.until(at(3, 8, 55))
    await to_invoice(emma, "T-Mobile 1 GB", "T-Mobile US")
    await place.until(at(3, 9, 5))
    assert await told(place, emma, "T-Mobile") == []
    await emma.say("/sims")
    await emma.press("T-Mobile US")
    await emma.find("Next reminder: once the renewal under way is finished")
    await place.until(at(3, 9, 30))
    [late] = await told(place, emma, "T-Mobile")
    assert "expires tomorrow" in late.text


async def test_a_transfer_that_the_shop_looks_at_silences(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await emma.say("/renew")
    for label in ("T-Mobile US", "T-Mobile 1 GB", "Bank or QR transfer · ", "I have sent it"):
        await emma.press(label)
    assert "We have your proof" in (await emma.send_file("photo"))["text"]
    await place.until(at(3, 12))
    assert await told(place, emma, "T-Mobile") == [], "who has paid is not told to pay"
    await owner.say("/queue")
    for label in ("待核对的转账", "拒绝", "看不清"):
        await owner.press(label)
    await place.advance(minutes=15)
    [late] = await told(place, emma, "T-Mobile")
    assert "expires tomorrow" in late.text


def dates_in(file: str) -> dict[str, str]:
    """The days of a calendar file by what they are called."""
    events = file.replace("\r\n ", "").split("BEGIN:VEVENT")[1:]
    found = {}
    for event in events:
        [day] = re.findall(r"DTSTART;VALUE=DATE:(\d+)", event)
        [name] = re.findall(r"SUMMARY:(.*?)\r\n", event)
        found[name] = day
    return found


async def link_of(person: Person) -> str:
    """The address that the calendar's screen shows."""
    shown = re.search(r"http://\S+\.ics", (await person.last())["text"])
    assert shown is not None
    return shown[0]


async def test_a_calendar_follows_the_dates_until_its_link_is_ended(tmp_path: Path) -> None:
    async with town(tmp_path, PUBLIC) as place, httpx.AsyncClient(trust_env=False) as web:
        lin = place.zh
        await in_english(lin)
        await lin.say("/reminders")
        await lin.press("Calendar")
        await lin.press("A link that stays up to date")
        link = await link_of(lin)
        first = await web.get(link)
        assert first.headers["content-type"].startswith("text/calendar")
        [(name, day)] = [one for one in dates_in(first.text).items() if "boom" in one[0]]
        assert name.endswith("expires")
        assert day == "20270305"
        await to_invoice(lin, "Japan 5 GB", "boom eSIM")
        await lin.pay()
        await lin.find(RECEIPT)
        assert dates_in((await web.get(link)).text)[name] == "20270404"
        await lin.say("/reminders")
        await lin.press("Calendar")
        await lin.press("New link")
        fresh = await link_of(lin)
        assert [(await web.get(one)).status_code for one in (link, fresh)] == [404, 200]
        await lin.press("End the link")
        assert "no longer works" in (await lin.last())["text"]
        assert (await web.get(fresh)).status_code == 404
