"""News to many, as an operator writes them and customers get them (F46)."""

import re
from pathlib import Path
from typing import Any

from bot.demo.botapi.models import Person as Citizen
from tests.flows.people import Person, Town, labels, town, until
from tests.flows.steps import US_CARD

ENGLISH, CHINESE = "Our summer week has begun", "夏日优惠周开始了"
CROWD, FIRST = 150, 9_000_000


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
    await owner.say(ENGLISH)
    if chinese:
        await owner.press("简体中文")
        await owner.say(CHINESE)
    return owner


async def send(owner: Person) -> None:
    """From the draft to sending."""
    await owner.press("Preview and send")
    await owner.press("Send now")
    await owner.press("Yes, send it")


async def got(person: Person, text: str) -> int:
    """How many news with that text somebody has, without the previews."""
    found = [m for m in await person.from_bot() if text in (m.get("text") or m.get("caption", ""))]
    return sum(any("news" in label for label in labels(m)) for m in found)


def crowd(place: Town, people: int) -> list[int]:
    """So many people who pressed START once, and read English."""
    ids = list(range(FIRST, FIRST + people))
    for id in ids:
        place.demo.world.people[id] = Citizen(id, f"P{id}", "en", "customer", started=True)
    place.change(
        "insert into chats (id, kind, language, language_chosen, zone, zone_confirmed, hour, "
        "quiet_start, quiet_end, urgent_override, offsets, 'on', digest, wrong_claims) "
        "with recursive n(id) as (select ? union all select id + 1 from n where id + 1 < ?) "
        "select id, 'private', 'en', 1, 'UTC', 1, 9, '00:00:00.000000', '00:00:00.000000', 0, "
        "'[7]', 1, 1, 0 from n",
        FIRST,
        FIRST + people,
    )
    return ids


def arrived(place: Town, ids: list[int]) -> list[int]:
    """Who of them has got how many messages."""
    return [len(place.demo.world.messages.get(id, {})) for id in ids]


def counted(text: str) -> dict[str, int]:
    """The figures of a report."""
    return {what: int(n) for what, n in re.findall(r"(Sent|not arrived|Left out): (\d+)", text)}


# ---- writing and sending -------------------------------------------------------------------


async def test_everybody_gets_it_once_in_their_language(place: Town) -> None:
    owner = await written(place)
    await owner.find("For 3 people")
    await owner.press("Preview and send")
    preview = await owner.find("This is how it looks. It goes to 3 people")
    assert "English: 2" in preview["text"]
    assert "简体中文: 1" in preview["text"]
    await owner.press("Send now")
    await owner.find("Send it to 3 people now")
    await owner.press("Yes, send it")
    assert await place.en.count(ENGLISH) == 1
    assert await place.zh.count(CHINESE) == 1
    report = (await owner.find("News: sent"))["text"]
    assert "▰▰▰▰▰▰▰▰▰▰ 3 of 3" in report
    assert "Sent: 3" in report
    await place.advance(days=1)
    assert await place.en.count(ENGLISH) == 1


async def test_who_lacks_a_text_reads_the_nearest_one(place: Town) -> None:
    await place.hant.say("/start")
    owner = await written(place)
    await owner.press("Preview and send")
    told = (await owner.find("This is how it looks"))["text"]
    assert "繁體中文: 1; they read the text in 简体中文" in told
    await owner.press("Send now")
    await owner.press("Yes, send it")
    assert await place.hant.count(CHINESE) == 1
    assert await place.hant.count(ENGLISH) == 0


async def test_only_operators_see_any_of_it(place: Town) -> None:
    owner = await written(place)
    answer = await place.en.say("/broadcast")
    assert "did not understand" in answer["text"]
    assert "broadcast" not in await place.en.commands()
    message = (await place.en.last())["message_id"]
    await owner.press("Preview and send")
    for label in ("Send now", "Test to me", "Change it"):
        await place.tap(place.en, message, place.data_of(owner, label))
        assert "did not understand" in (await place.en.last())["text"]
    assert await place.en.count(ENGLISH) == 0


async def test_a_test_comes_to_the_one_who_writes_alone(place: Town) -> None:
    owner = await written(place)
    await owner.press("Preview and send")
    before = (await owner.last())["message_id"]
    answer = await owner.press("Test to me")
    assert "on its way to you" in str(answer)
    [test] = await owner.since(before)
    assert test["text"] == ENGLISH
    assert labels(test) == ["🔄 Renew", "🔕 No more news"]
    assert await place.en.count(ENGLISH) == 0


async def test_a_picture_with_its_words(place: Town) -> None:
    owner = await written(place, chinese=False)
    await owner.press("Picture")
    assert "That is no photo" in (await owner.say("here it is"))["text"]
    assert "That is no photo" in (await owner.send_file("document"))["text"]
    await owner.send_file("photo")
    await owner.find("Picture: yes")
    await owner.press("English")
    too_long = (await owner.say("x" * 1001))["text"]
    assert "That is 1,001 characters; 1,000 fit" in too_long
    await owner.say("Look <at> this & that")
    await send(owner)
    news = await place.en.last()
    assert "photo" in news
    assert news["caption"] == "Look <at> this & that"
    assert labels(news) == ["🔄 Renew", "🔕 No more news"]


async def test_what_changed_after_the_last_question_is_asked_again(place: Town) -> None:
    owner = await written(place)
    await owner.press("Preview and send")
    await owner.press("Send now")
    yes = place.data_of(owner, "Yes, send it")
    message = (await owner.last())["message_id"]
    await owner.press("Back")
    await owner.press("Change it")
    await owner.press("English")
    await owner.say("Quite different words")
    answer = await place.tap(owner, message, yes)
    assert answer is not None
    assert "changed since" in answer["text"]
    assert await place.en.count("words") == 0


# ---- whom ----------------------------------------------------------------------------------

WHOM = (
    (("Language", "简体中文 + 繁體"), "1 person", "• Language: 简体中文, 繁體中文"),
    (("Carrier", "Smart"), "1 person", "SIM of Smart"),
    (("Expiry", "ends within 3 days"), "2 people", "SIM ends within 3 days"),
    (("Spent", "Have bought before"), "0 people", "Have bought before"),
    (("Inactive", "30 days"), "0 people", "Paid for nothing for 30 days"),
)


async def test_the_count_follows_the_choice(place: Town) -> None:
    owner = await written(place)
    await owner.press("Who gets it")
    for taps, people, said in WHOM:
        for label in taps:
            await owner.press(label)
        if taps[0] == "Carrier":
            assert "✓ Smart" in labels(await owner.last())
            await owner.press("Back")
        screen = (await owner.last())["text"]
        assert said in screen
        assert f"Now: {people}." in screen
        await owner.press("Everybody")
        assert "Now: 3 people." in (await owner.last())["text"]


async def test_nobody_is_no_audience(place: Town) -> None:
    owner = await written(place)
    await owner.press("Who gets it")
    await owner.press("Spent")
    await owner.press("At least")
    assert "can't read that" in (await owner.say("a lot"))["text"]
    await owner.say("5 USD")
    await owner.find("Spent \\$5 or more")
    await owner.press("Back")
    await owner.press("Preview and send")
    answer = await owner.press("Send now")
    assert "Nobody fits this choice" in str(answer)


# ---- time ----------------------------------------------------------------------------------


async def test_at_a_time_of_the_operators_own_clock(place: Town) -> None:
    owner = await written(place)
    await owner.press("Preview and send")
    await owner.press("At a time")
    assert "can't read that as a time" in (await owner.say("soon"))["text"]
    assert "has passed" in (await owner.say("2027-03-02 17:00"))["text"]
    await owner.say("19:30")  # 18:00 in Shanghai now
    await owner.find("Send it on 2 Mar 19:30, Shanghai time")
    await owner.press("Yes, at that time")
    await owner.find("News: scheduled")
    await place.advance(minutes=80)
    assert await place.en.count(ENGLISH) == 0
    await place.kill()
    await place.advance(minutes=15)
    assert await place.en.count(ENGLISH) == 1
    assert await owner.count("News: sent") == 1


async def test_a_scheduled_one_is_changed_and_stopped(place: Town) -> None:
    owner = await written(place)
    for step in ("Preview and send", "At a time", "19:00", "Yes, at that time", "Change it"):
        await owner.press(step)
    await owner.find("For 3 people")
    for step in ("Preview and send", "At a time", "19:00", "Yes, at that time", "Stop"):
        await owner.press(step)
    await owner.find("Nobody has got it yet, and nobody will")
    await owner.press("Yes, stop it")
    await owner.find("News: stopped")
    await place.advance(hours=20)
    assert await place.en.count(ENGLISH) == 0


async def test_nobody_is_woken(place: Town) -> None:
    owner = await written(place)
    await place.advance(hours=6)  # midnight in China, 16:00 UTC
    await send(owner)
    assert await place.en.count(ENGLISH) == 1
    assert await place.zh.count(CHINESE) == 0
    await place.advance(seconds=10)
    report = (await owner.find("News: being sent"))["text"]
    assert "end of their quiet hours: 2" in report
    await place.advance(hours=9)
    assert await place.zh.count(CHINESE) == 1
    assert "Sent: 3" in (await owner.find("News: sent"))["text"]


# ---- what customers do ---------------------------------------------------------------------


async def test_no_more_news_holds_until_it_is_taken_back(place: Town) -> None:
    emma, owner = place.en, await written(place)
    await send(owner)
    await emma.press("No more news")
    await emma.find("sends you no more news")
    assert await emma.count(ENGLISH) == 1, "the news stays as it came"
    await owner.press("Refresh")
    assert "Turned news off: 1" in (await owner.find("News: sent"))["text"]
    await again(owner)
    await owner.find("For 2 people")
    await send(owner)
    assert await emma.count("Second news") == 0
    assert await place.zh.count("Second news") == 1
    await emma.press("Send me news again")
    await emma.press("No shop news")
    await emma.find("No news from our shop")
    await emma.press("Shop news on")
    await again(owner, "Third news")
    await send(owner)
    assert await emma.count("Third news") == 1


async def again(owner: Person, text: str = "Second news") -> None:
    """Another draft."""
    await owner.say("/broadcast")
    await owner.press("Write news")
    await owner.press("English")
    await owner.say(text)


async def test_who_opts_out_while_it_is_under_way_gets_nothing(place: Town) -> None:
    owner = await written(place)
    await place.zh.say("/start")
    await place.advance(hours=6)
    await send(owner)  # waits for the end of the night in China
    [(recipient,)] = place.rows("select id from recipients where chat_id = ?", place.zh.id)
    await place.zh.say("/reminders")
    message = (await place.zh.last())["message_id"]
    await place.tap(place.zh, message, f"newsoff:{recipient}")
    await place.advance(hours=9)
    assert await place.zh.count(CHINESE) == 0
    report = (await owner.find("News: sent"))["text"]
    assert counted(report) == {"Sent": 2, "Left out": 1}


async def test_from_the_news_to_a_paid_order(place: Town) -> None:
    emma, owner = place.en, await written(place)
    await owner.press("Who gets it")
    await owner.press("Carrier")
    await owner.press("US Data Card")
    await owner.press("Back")
    await owner.press("Back")
    await send(owner)
    assert await emma.count(ENGLISH) == 1
    await emma.press("🔄 Renew")
    await emma.find("Renew .*US Data Card")  # the one SIM that the news were about
    await emma.press("USA 5 GB")
    await emma.press("Pay 655")
    await emma.pay()
    assert place.topups(US_CARD) == place.kept() == 1
    await owner.press("Refresh")
    report = (await owner.find("News: sent"))["text"]
    assert "Tapped the button: 1" in report
    assert "1 order within 7 days of the tap: 655 ⭐" in report


# ---- holding up, crashing ------------------------------------------------------------------


async def begun(place: Town) -> tuple[Person, list[int]]:
    """Half way through a crowd, at Telegram's speed."""
    ids = crowd(place, CROWD)
    owner = await at_the_desk(place)
    await again(owner)
    await owner.press("Preview and send")
    await owner.press("Send now")
    await owner.press("Yes, send it", idle=False)

    async def some() -> bool:
        return sum(arrived(place, ids)) >= 20

    await until(some, 30)
    return owner, ids


async def test_a_pause_holds_and_a_stop_ends_it(tmp_path: Path) -> None:
    async with town(tmp_path, limits=True) as place:
        owner, ids = await begun(place)
        await owner.press("⏸ Pause")
        held = sum(arrived(place, ids))
        assert held < CROWD
        await owner.find("News: paused")
        await place.advance(hours=1)
        assert sum(arrived(place, ids)) == held
        await owner.press("Go on", idle=False)

        async def more() -> bool:
            return sum(arrived(place, ids)) > held + 10

        await until(more, 30)
        await owner.press("⏹ Stop", idle=False)
        await until(lambda: asked(owner))
        await owner.press("Yes, stop it")
        ended = sum(arrived(place, ids))
        report = (await owner.find("News: stopped"))["text"]
        assert ended < CROWD
        assert max(arrived(place, ids)) == 1
        await place.advance(hours=1)
        assert sum(arrived(place, ids)) == ended
        assert counted(report)["Left out"] > 0


async def asked(owner: Person) -> bool:
    return await owner.count("Stop this for good") > 0


async def test_killed_half_way_it_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    async with town(tmp_path, limits=True) as place:
        owner, ids = await begun(place)
        await place.kill()
        assert sum(arrived(place, ids)) < CROWD

        async def over() -> bool:
            return place.rows("select state from broadcasts") == [("done",)]

        await until(over, 60)
        await owner.idle()
        each = arrived(place, ids)
        assert max(each) == 1, "nobody got it twice"
        states: dict[str, Any] = dict(
            place.rows("select state, count(*) from recipients group by state")
        )
        assert set(states) <= {"sent", "ambiguous", "blocked"}
        missed = each.count(0)
        assert missed <= states.get("ambiguous", 0), "who got nothing was being sent to"
        report = (await owner.find("News: sent"))["text"]
        assert counted(report)["Sent"] == states["sent"]
