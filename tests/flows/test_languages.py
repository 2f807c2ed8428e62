"""Three languages, the command menus in each, and groups, where nothing private is shown."""

import re

from tests.flows.people import GROUP, Town, labels, until
from tests.flows.steps import to_invoice


async def test_everybody_is_greeted_in_their_telegrams_language(place: Town) -> None:
    assert (await place.hant.say("/start"))["text"].startswith("林家豪，您好")
    assert "Hello Sam." in (await place.stranger.say("/start"))["text"]
    greeting = await place.admin.say("/start")
    assert "国强" in greeting["text"]
    assert labels(greeting)[:3] == ["简体中文", "繁體中文", "English"]


async def test_one_tap_changes_every_word_and_the_menu(place: Town) -> None:
    hant = place.hant
    await hant.say("/start")
    menus = {}
    for language, word in (
        ("简体中文", "做什么"),
        ("繁體中文", "麼"),
        ("English", "What can I"),
    ):
        await hant.say("/language")
        await hant.press(language)
        shown = await hant.last()
        assert word in shown["text"], shown["text"]
        menus[language] = await hant.commands()
    assert len({menu["renew"] for menu in menus.values()}) == 3
    assert menus["English"]["renew"] == "Renew a SIM"
    assert set(menus["English"]) == set(menus["简体中文"])
    # The next message of the bot's own accord speaks it too.
    await hant.say("/orders")
    assert "You have no orders yet" in (await hant.last())["text"]


async def _menus_told(place: Town) -> bool:
    return len(await place.calls("setMyCommands")) == 4


async def test_before_anybody_chose_the_menu_follows_telegram(place: Town) -> None:
    # The menu is told to Telegram in the background, after the start.
    await until(lambda: _menus_told(place))
    english, chinese = await place.stranger.commands(), await place.admin.commands()
    assert english["renew"] == "Renew a SIM"
    assert chinese["renew"] != english["renew"]
    assert {"start", "renew", "cancel", "terms", "privacy", "paysupport", "support"} <= set(english)
    assert "queue" not in english


async def test_every_screen_of_the_menu_answers_in_every_language(place: Town) -> None:
    emma = place.en
    for language in ("简体中文", "繁體中文", "English"):
        await emma.say("/language")
        await emma.press(language)
        for command in await emma.commands():
            answer = await emma.say(f"/{command}")
            assert answer["text"], command
            said = answer["text"].replace("续卡", "")
            assert bool(re.search("[一-鿿]", said)) == (language != "English"), said


async def test_a_group_never_sees_anything_private(place: Town) -> None:
    emma = place.en
    await to_invoice(emma)
    for text in ("/sims", "/renew@xuka_demo_bot", "/orders", "/start order", "/queue"):
        await emma.post("messages", {"text": text}, GROUP)
    await emma.idle()
    # She is told once, and has her answers where nobody else reads them.
    [told] = [m for m in await emma.messages(GROUP) if m.get("from", {}).get("is_bot")]
    assert told["text"] == "I have written to you privately."
    assert labels(told) == ["Open our chat"]
    await emma.find("US Data Card ·2195")
    opened = await emma.post(
        "press", {"message_id": told["message_id"], "text": "Open our chat"}, GROUP
    )
    await emma.post("start", {"payload": opened["start"]})
    await emma.idle()
    await emma.find("Waiting for your payment")
    # Small talk is not the bot's business, nor are other bots' commands.
    for text in ("hello everybody", "/ban@other_bot", "/weather"):
        await emma.post("messages", {"text": text}, GROUP)
    await emma.idle()
    assert len([m for m in await emma.messages(GROUP) if m["from"]["is_bot"]]) == 1


async def test_a_person_who_never_wrote_is_met_in_the_group(place: Town) -> None:
    admin = place.admin
    await admin.post("messages", {"text": "/renew"}, GROUP)
    await admin.idle()
    [told] = [m for m in await admin.messages(GROUP) if m["from"]["is_bot"]]
    assert "私" in told["text"]
    assert await admin.from_bot() == []
