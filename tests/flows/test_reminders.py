"""Reminders: each in its time, once, and none that is not wanted."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.flows.people import START, Person, Town, labels, town
from tests.flows.steps import RECEIPT, to_invoice

_REMINDER = re.compile(
    r"(🗓|⏰|🔴 .*(expired|to save)|⚫️ The|🟡 .*data is|🟠 .*data is|\d+ SIMs? need)"
)


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    """A moment of 2027, UTC."""
    return datetime(2027, month, day, hour, minute, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """A reminder as it was sent: later taps edit the message."""

    text: str
    labels: list[str]
    at: str
    """Month, day and time, UTC."""


async def told(place: Town, person: Person, pattern: str = ".") -> list[Told]:
    """The reminders that came to a person, oldest first."""
    found = []
    for call in await place.calls("sendMessage"):
        asked = call["request"]
        text = re.sub(r"<[^>]+>", "", asked.get("text", ""))
        if int(asked["chat_id"]) != person.id or not _REMINDER.match(text):
            continue
        if call["answer"]["ok"] and re.search(pattern, text):
            shown = call["answer"]["result"]
            moment = datetime.fromtimestamp(shown["date"], UTC)
            found.append(Told(text, labels(shown), f"{moment:%m-%d %H:%M}"))
    return found


def when(reminders: list[Told]) -> list[str]:
    """When they came."""
    return [reminder.at for reminder in reminders]


async def a_new_line(person: Person, day: str, keep: str = "30", grace: str = "10") -> None:
    """A self-tracked line of China Unicom that is valid until a day."""
    await person.say("/add 89860119801234567899")
    await person.press("China Unicom")
    for answer in (day, keep, grace):
        await person.say(answer)
    await person.find("Added")


async def test_a_line_from_a_week_ahead_until_it_is_lost(place: Town) -> None:
    emma = place.en
    await a_new_line(emma, "2027-03-12")
    await place.until(at(26, 12))
    seen = await told(place, emma, "Unicom")
    assert when(seen) == [
        "03-05 08:00",  # 7 days, along with her other SIM, which has expired in the night
        "03-09 09:00", "03-11 09:00", "03-12 09:00",  # 3, 1 days, the same day
        "03-13 08:00",  # expired at midnight: after the quiet hours
        "03-19 09:00", "03-21 09:00",  # 3 and 1 days before the grace period ends
        "03-23 08:00",  # lost
    ]  # fmt: skip
    texts = [m.text for m in seen]
    assert "expires in 7 days" in texts[0]
    assert "expires tomorrow" in texts[2]
    assert "expires today" in texts[3]
    assert "has expired. The number is still yours until" in texts[4]
    assert "to save the number" in texts[5]
    assert "grace period" in texts[7]
    assert "has ended" in texts[7]
    for message in seen[:-1]:
        assert message.labels[0].startswith("Renew ")


async def next_told(emma: Person, sim: str) -> str:
    await emma.say("/sims")
    await emma.press(sim)
    card = (await emma.last())["text"]
    match = re.search(r"Next reminder: (.+)", card)
    assert match is not None, card
    return match[1]


async def test_the_next_reminder_on_the_card_is_what_comes(place: Town) -> None:
    emma = place.en
    expected = ["3 Mar 09:00", "4 Mar 09:00", "5 Mar 08:00", "29 Jun 09:00"]
    for moment in expected[:3]:
        assert await next_told(emma, "T-Mobile US") == moment
        day, clock = moment.split(" Mar ")
        coming = at(int(day), int(clock[:2]))
        before = len(await told(place, emma, "T-Mobile"))
        await place.until(coming - timedelta(minutes=2))
        assert len(await told(place, emma, "T-Mobile")) == before
        await place.until(coming)
        assert len(await told(place, emma, "T-Mobile")) == before + 1
    assert await next_told(emma, "T-Mobile US") == expected[3]


async def test_snooze_stop_and_start_again(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    await place.until(at(3, 9))
    await emma.press("Snooze")
    await emma.press("In 1 day")
    await emma.find("I write again on .*4 Mar 09:00")
    await place.until(at(4, 9))
    assert when(await told(place, emma, "T-Mobile")) == ["03-03 09:00", "03-04 09:00"]
    await emma.press("Stop for this SIM")
    await emma.find("no longer write about this SIM")
    await place.until(at(5, 12))
    assert len(await told(place, emma, "T-Mobile")) == 2
    await emma.press("Start again")
    await emma.find("I write about this SIM again")
    await place.advance(minutes=2)
    late = await told(place, emma, "T-Mobile")
    assert "has expired" in late[-1].text


async def test_already_renewed_silences_a_line(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    await place.until(at(3, 9))
    await emma.press("Already renewed")
    await emma.say("2027-04-10")
    await emma.find("10 Apr")
    await place.until(at(6, 12))
    assert when(await told(place, emma, "T-Mobile")) == ["03-03 09:00"]
    assert await next_told(emma, "T-Mobile US") == "3 Apr 09:00"


async def test_renew_now_leads_to_the_receipt_and_silence(place: Town) -> None:
    lin = place.zh
    await lin.say("/language")
    await lin.press("English")
    await place.until(at(4, 1))
    [reminder] = await told(place, lin, "boom")
    assert [reminder.at] == ["03-04 01:00"], "09:00 in Shanghai"
    assert "can't be topped up after it expires" in reminder.text
    await lin.press("Renew now")
    await lin.press("Japan 5 GB")
    await lin.press("Pay ")
    await lin.pay()
    await lin.find(RECEIPT)
    await place.until(at(9, 1))
    assert len(await told(place, lin, "boom")) == 1
    assert await next_told(lin, "boom eSIM") == "28 Mar 09:00"


async def test_a_running_payment_silences_the_reminder(place: Town) -> None:
    emma, owner = place.en, place.operator
    await owner.say("/start")
    await to_invoice(emma, "T-Mobile 1 GB", "T-Mobile US")
    await emma.pay()
    await place.until(at(3, 12))
    assert await told(place, emma, "T-Mobile") == []


async def test_an_expired_esim_can_no_longer_be_topped_up(place: Town) -> None:
    lin = place.zh
    await lin.say("/language")
    await lin.press("English")
    await place.until(at(6, 3))
    expired = (await told(place, lin, "boom"))[-1]
    assert "has expired" in expired.text
    assert "can't be topped up any more" in expired.text
    assert "Renew now" not in expired.labels
    await lin.say("/sims")
    await lin.press("boom eSIM")
    await lin.press("Renew")
    shown = await lin.last()
    assert "tops up only before expiry" in shown["text"]
    assert not any("Japan" in text for text in labels(shown))


async def test_changed_settings_change_what_comes(place: Town) -> None:
    emma = place.en
    await emma.say("/reminders")
    await emma.press("✓ 1 day")
    await emma.press("2 days")
    await emma.press("Hour")
    await emma.say("18:00")
    await emma.find("✓ I write at about 18:00")
    await emma.press("Quiet hours")
    await emma.say("19-8")
    await emma.find("Quiet from 19:00 to 08:00")
    await emma.press("Time zone")
    await emma.say("Tokyo")
    await emma.press("Tokyo")
    await emma.find("Your time: ")
    # 4 March stays the last day, now of Tokyo; 18:00 there is 09:00 UTC.
    assert await next_told(emma, "T-Mobile US") == "4 Mar 18:00"
    await place.until(at(5, 12))
    assert when(await told(place, emma, "T-Mobile")) == ["03-04 09:00", "03-04 23:00"]
    await emma.say("/reminders")
    await emma.press("Turn off all")
    await emma.find("Reminders are off")
    await emma.press("Turn on")


async def test_quiet_hours_are_quiet_unless_the_last_day_may_wake(tmp_path: Path) -> None:
    async with town(tmp_path, start=START) as place:
        emma = place.en
        await emma.say("/reminders")
        await emma.press("Quiet hours")
        await emma.say("00:00-23:59")
        await emma.press("On the last day you may wake me")
        await place.until(at(6, 1))
        seen = when(await told(place, emma, "T-Mobile"))
        assert "03-04 09:00" in seen
        assert all(one.endswith(("23:59", "09:00")) for one in seen), seen


async def test_several_sims_at_once_come_as_one_digest(place: Town) -> None:
    emma = place.en
    await a_new_line(emma, "2027-03-04")
    await place.until(at(3, 12))
    [digest] = await told(place, emma, "2 SIMs need you")
    assert "T-Mobile" in digest.text
    assert "Unicom" in digest.text
    assert sum("Renew " in text for text in digest.labels) == 2
    assert await told(place, emma, "expires tomorrow") == [digest]


async def test_after_five_days_of_downtime_only_the_most_urgent_comes(place: Town) -> None:
    emma = place.en
    await a_new_line(emma, "2027-03-06")
    await place.sleep(days=5)
    seen = await told(place, emma, ".")
    assert len(seen) == 1
    assert "need you" in seen[0].text, "one message for both lines"
    assert seen[0].text.count("has expired") == 2
    await place.advance(hours=20)
    assert len(await told(place, emma, ".")) == 1


async def test_a_blocked_bot_waits_and_goes_on(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    await emma.block()
    await place.until(at(4, 12))
    assert await told(place, emma, "T-Mobile") == []
    await emma.block(on=False)
    await place.advance(minutes=2)
    await place.until(at(5, 12))
    seen = await told(place, emma, "T-Mobile")
    assert "has expired" in seen[-1].text
    assert len(seen) == len({m.text for m in seen})
