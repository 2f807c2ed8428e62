"""Ways that stories in groups begin with."""

from typing import Any

from bot.demo.cast import CLUB_ID, FORUM_ID, GROUP_ID, NEWS_ID, SMALL_GROUP_ID
from tests.flows.people import Message, Person, Town, labels

GROUP, CLUB, FORUM, NEWS, SMALL = GROUP_ID, CLUB_ID, FORUM_ID, NEWS_ID, SMALL_GROUP_ID
TRAVEL = "出境流量 85 折"


async def write(person: Person, chat: int, text: str, **more: Any) -> dict[str, Any]:
    """Write in a group or channel, and wait for what comes of it."""
    said = await person.post("messages", {"text": text, **more}, chat)
    assert "message_id" in said, said
    await person.idle()
    return said


async def from_bot(person: Person, chat: int) -> list[Message]:
    """What the bot has written in a group, as one of its people sees it."""
    return [m for m in await person.messages(chat) if bot_wrote(m)]


def bot_wrote(message: Message) -> bool:
    """In a channel nobody stands in `from`: a post of the bot has a button or its words."""
    sender = message.get("from")
    if sender is not None:
        return bool(sender.get("username") == "xuka_demo_bot")
    return bool(labels(message)) or "📣" in words(message) or "⛔" in words(message)


def words(message: Message) -> str:
    """Text or caption."""
    return str(message.get("text") or message.get("caption") or "")


async def posts(person: Person, chat: int) -> list[Message]:
    """The offers in a group, oldest first."""
    return [m for m in await from_bot(person, chat) if "📣" in words(m) or "⛔" in words(m)]


async def follow(person: Person, chat: int, label: str) -> Message:
    """Tap the bot's newest link in a group and press Start; the bot's answer."""
    for message in reversed(await from_bot(person, chat)):
        for text in labels(message):
            if label in text:
                pressed = await person.post(
                    "press", {"message_id": message["message_id"], "text": text}, chat
                )
                await person.post("start", {"payload": pressed["start"]})
                await person.idle()
                return await person.last()
    raise AssertionError(f"no button {label!r} in the group")


async def prepare(admin: Person, chat: int, offer: str = TRAVEL, **more: Any) -> Message:
    """From /promo in a group to the preview of an offer."""
    await write(admin, chat, "/promo", **more)
    await follow(admin, chat, "选择优惠")
    await admin.press(offer)
    return await admin.last()


async def post_now(admin: Person, chat: int, offer: str = TRAVEL, **more: Any) -> Message:
    """All the way to the post; the message in the group."""
    await prepare(admin, chat, offer, **more)
    await admin.press("现在发布")
    return (await posts(admin, chat))[-1]


async def change(place: Town, by: Person, chat: int, act: str, **body: Any) -> dict[str, Any]:
    """Something else that people do in a group: bot, member, topics, upgrade, pin, delete."""
    answer = await by.post(act, body, chat)
    assert answer.get("ok"), answer
    await by.idle()
    return answer
