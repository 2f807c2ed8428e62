"""What people of the groups' fault harness say and tap, by the dozen."""

from typing import TYPE_CHECKING

from telegram.ext import ConversationHandler

from bot.chat import application
from bot.demo.botapi.rooms import Group as Room
from bot.domain.campaigns import Timing
from tests.faults.group_cast import ADMINS, ROLES

if TYPE_CHECKING:
    from tests.faults.group_acts import Acts

_MORE = ("promo", "start", "help", "groups", "nonsense", "sims@xuka_demo_bot", "sims@other_bot")
_FIND = 0.3
"""How often a command names somebody's private data."""
_WHERE = ("sims", "orders", "wallet", "points", "reminders", "groups", "privacy")
_ANYBODY = (*ROLES, "operator")
_SWITCHES = ("gpicture", "gpinit", "glg", "gtop", "gext")


def _names(played: "Acts") -> list[str]:
    """Every command that the bot knows, anywhere."""
    handlers = played.place.process.bot.app.handlers[0]
    private = [one for one in handlers if isinstance(one, ConversationHandler)]
    return sorted({*(name for one in private for name in application.commands_of(one)), *_MORE})


async def commands(played: "Acts", many: int) -> None:
    """All sorts of people send all sorts of commands all over the place."""
    rng, names = played.rng, _names(played)
    for n in range(many):
        if n % 3 == 0:  # who was just answered is answered again
            played.place.clock.advance(400)
        role, room = played.someone(_ANYBODY), rng.choice(played.who.rooms)
        text = "/" + rng.choice(names)
        if rng.random() < _FIND:
            text += " " + rng.choice(played.who.canaries).text
        where: dict[str, object] = {}
        if room.is_forum and rng.random() < 0.7:
            where["thread_id"] = rng.choice(list(room.topics))
        if role == "member" and room.type == "supergroup" and rng.random() < 0.3:
            where["as_chat"] = played.who.elsewhere.id
        if await played.say(role, text, room, **where):
            played.report.count(f"commands: {played.room.type} by {_voice(role, where)}")


def _voice(role: str, where: dict[str, object]) -> str:
    if "as_chat" in where:
        return "another channel"
    return "anonymous admin" if role == "hidden" else "admin" if role in ADMINS else "others"


async def writes(played: "Acts") -> None:
    """People write what is private themselves: their ICCIDs, their numbers."""
    for role in ("member", "buyer", "admin"):
        line = played.who.sims[role]
        played.place.clock.advance(400)
        for text in (line.iccid, line.activation_code, line.msisdn):
            await played.say(role, text or "", played.room)
        for one in played.bots(played.room.id)[:1]:
            await played.say(role, "What is left?", played.room, reply_to=one.message_id)


async def tour(played: "Acts", role: str) -> None:
    """Somebody looks at what is theirs, so that there are buttons with private data."""
    for name in _WHERE:
        await played.say(role, f"/{name}")
    for _ in range(8):
        found = played.buttons(role)
        if found:
            stored, data = played.rng.choice(found[:12])
            await played.press(role, stored, data)


async def forged(played: "Acts", many: int) -> None:
    """Taps on the bot's messages in groups, by anybody, with the data of anybody's buttons; and
    the same in private."""
    rng = played.rng
    seen = ("member", "admin", "owner", "operator")
    known = [data for role in seen for _, data in played.buttons(role)[:60]]
    group_id = played.who.group_id
    known += ["sims", "orders", "wallet", f"group:{group_id}", f"gpost:{group_id}",
              f"gpick:{group_id}:{played.who.campaign.id}"]  # fmt: skip
    rooms: list[Room] = played.who.rooms
    for _ in range(many):
        role = played.someone([role for role in _ANYBODY if role != "quiet"])
        shown = played.bots(rng.choice(rooms).id)
        if rng.random() < 0.3:
            shown = played.bots(played.who.person(role).id)
        if shown:
            await played.press(role, rng.choice(shown[:5]), rng.choice(known))
            played.report.count("taps of anybody")


async def plan_by_taps(played: "Acts", role: str, timing: Timing | None) -> None:
    """From the offers to a post: the offer, some switches, when, done."""
    await played.tap(role, "gpick")
    for verb in played.rng.sample(_SWITCHES, played.rng.choice([0, 1, 2])):
        if not await played.tap(role, verb):
            continue
        if verb == "glg":
            await played.tap(role, "glgs")
        elif verb == "gtop":
            await played.tap(role, "gtops")
        elif verb == "gext":
            await played.say(role, "Ours since <i>years</i> & years")
    if timing is not None:
        await played.tap(role, "gwhen")
        await played.tap(role, "gw", timing.repeat.value)
        await played.tap(role, "gwd")
        await played.tap(role, "gwn")
        await played.tap(role, "gwc")
    if await played.tap(role, "gnow"):
        played.report.count("posts by taps")
