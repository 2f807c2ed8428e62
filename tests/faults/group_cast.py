"""Who lives in one case of the groups' fault harness: people with private data that nobody else
may read (canaries), their groups and channels, a campaign."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from PIL import Image

from bot.demo.botapi.models import BOT_ID, Person
from bot.demo.botapi.rooms import Group as Room
from bot.demo.botapi.topics import furnish
from bot.domain.campaigns import Campaign
from bot.domain.chats import Chat, Preferences
from bot.domain.ledger import Entry, EntryKind, Posting
from bot.domain.money import Money
from bot.domain.orders import OrderState
from bot.domain.promos import Kind, Promo
from bot.domain.sales import Method, Saved
from bot.domain.sims import Sim
from tests.faults.group_town import House
from tests.unit.services.house import OPERATOR
from tests.unit.store.samples import PLAN, managed, order, quote, reading

ROLES = ("owner", "admin", "hidden", "member", "buyer", "quiet", "stranger")
"""Administrators are the first three, of whom the third writes anonymously; the quiet member never
opened the private chat, the stranger is in no group."""
ADMINS = ROLES[:3]
KINDS = ("supergroup", "forum", "channel", "group")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Shanghai")
_LANGUAGES = {"en": "en", "zh-hans": "zh_Hans", "zh-hant": "zh_Hant"}
_PICTURE = BytesIO()
Image.new("RGB", (64, 40), (20, 90, 160)).save(_PICTURE, "PNG")
PICTURE = _PICTURE.getvalue()


def letters(number: int) -> str:
    """Five letters for a number, so that no canary is a part of another one."""
    found = ""
    for _ in range(5):
        number, digit = divmod(number, 20)
        found = "bcdfghjkmnpqrstvwxyz"[digit] + found
    return found


@dataclass(frozen=True, slots=True)
class Canary:
    """Something private of one person: its exact words, or a number however it is written."""

    person_id: int
    what: str
    text: str


@dataclass(slots=True)
class Cast:
    """Everybody and everything of one case. `room` is where posts go."""

    number: int
    people: dict[str, Person]
    room: Room
    elsewhere: Room
    """A channel that the member owns, and speaks as."""
    discussion: Room | None
    campaign: Campaign
    promo: Promo
    zone: str
    canaries: list[Canary] = field(default_factory=list)
    sims: dict[str, Sim] = field(default_factory=dict)
    group_id: str = ""
    """Our own name of the room, once the bot was let in."""

    def person(self, role: str) -> Person:
        """Who plays it."""
        return self.people[role]

    @property
    def rooms(self) -> list[Room]:
        """Where the bot and people meet."""
        return [self.room, *([self.discussion] if self.discussion else [])]


def _people(number: int, rng: random.Random) -> Iterator[tuple[str, Person]]:
    for n, role in enumerate(ROLES):
        word = letters(number * len(ROLES) + n)
        language = rng.choice(sorted(_LANGUAGES))
        yield role, Person(
            50_000 + number * 20 + n, f"Qy{word} Wr{word}", language, role, f"zu{word}",
            started=role != "quiet",
        )  # fmt: skip


def _room(number: int, kind: str, people: dict[str, Person], rng: random.Random) -> Room:
    ranks = dict.fromkeys(ADMINS, "administrator") | {"owner": "creator"}
    members = {
        people[role].id: ranks.get(role, "member") for role in ROLES if role != "stranger"
    } | {OPERATOR: "member"}
    chat_id = -4_000_000 - number if kind == "group" else -1_009_000_000_000 + number * 10
    made = Room(
        chat_id, {"forum": "supergroup"}.get(kind, kind), f"Square {number}", members,
        f"square_{number}" if rng.random() < 0.3 and kind != "group" else None,
        is_forum=kind == "forum",
    )  # fmt: skip
    if kind in ("supergroup", "forum"):
        made.anonymous.append(people["hidden"].id)
    return made


def _offer(number: int, kind: str, rng: random.Random, now: datetime) -> tuple[Campaign, Promo]:
    name = f"offer{number}"
    promo = Promo(
        name, 1, Kind.PERCENT, {"en": "Ten percent", "zh_Hans": "九折"}, percent=Decimal(10),
        total=rng.choice([2, 3, 5]) if kind == "sold_out" else rng.choice([None, 40]),
        per_user=rng.choice([None, 1, 2]), posted=True,
        ends_at=now + timedelta(days=rng.choice([40, 60])),
    )  # fmt: skip
    words = {"en": "{plan}: {after}, was {before}. Until {until}.", "zh_Hans": "{plan}，{after}"}
    often = 50 if kind != "often" else rng.choice([1, 2])
    campaign = Campaign(
        name, 1, name, (PLAN.code,), {"en": f"Offer {number}", "zh_Hans": f"优惠 {number}"}, words,
        "offer.png" if rng.random() < 0.5 else None, most_posts=often,
        cooldown=timedelta(hours=6) if kind == "often" else timedelta(0),
        earns_points=rng.choice([0, 50]),
    )  # fmt: skip
    return campaign, promo


def cast(place: House, number: int, kind: str, rng: random.Random) -> Cast:
    """The people and rooms of a case, in Telegram; the bot knows none of them yet."""
    people = dict(_people(number, rng))
    form = rng.choice(["group"] if kind == "migrates" else KINDS)
    if kind == "channels":
        form = "channel"
    room = _room(number, form, people, rng)
    own = Room(-1_008_000_000_000 + number * 10, "channel", f"Own {number}",
               {people["member"].id: "creator"})  # fmt: skip
    discussion = None
    if form == "channel" and rng.random() < 0.7:
        ranks = room.members | {BOT_ID: "administrator"}
        discussion = Room(-1_007_000_000_000 + number * 10, "supergroup", f"Talk {number}", ranks,
                          linked=room.id)  # fmt: skip
        room.linked = discussion.id
    world = place.world
    world.people |= {person.id: person for person in people.values()}
    world.people.setdefault(OPERATOR, Person(OPERATOR, "Owen", "en", "operator", started=True))
    people["operator"] = world.people[OPERATOR]
    world.groups |= {one.id: one for one in (room, own, discussion) if one is not None}
    if room.is_forum:
        furnish(world, room, ("Deals", "Help"))
    offer = _offer(number, kind, rng, place.clock.now())
    return Cast(number, people, room, own, discussion, *offer, rng.choice(ZONES))


# ---- what the bot knows of them -----------------------------------------------------------


async def move_in(place: House, who: Cast, rng: random.Random) -> None:
    """Everybody has a SIM, an order, a wallet; the campaign is on."""
    now = place.clock.now()
    place.promos = [*place.promos, who.promo]
    place.campaigns = [who.campaign]
    picture = {who.campaign.id: PICTURE} if who.campaign.picture else {}
    async with place.database.write() as tx:
        await tx.promos.apply(place.promos)
        await tx.campaigns.apply(place.campaigns, picture)
        for n, role in enumerate(ROLES):
            if role != "quiet":
                await _settle_in(tx, who, role, who.number * len(ROLES) + n, now, rng)


async def _settle_in(
    tx: Any, who: Cast, role: str, number: int, now: datetime, rng: random.Random
) -> None:
    person, word = who.person(role), letters(number)
    language = _LANGUAGES[person.language_code]
    zone = rng.choice(ZONES)
    first = person.name.split()[0]
    await tx.chats.add(
        Chat(person.id, "private", language, True, Preferences(zone=zone), first,
             person.username, created_at=now)
    )  # fmt: skip
    line = managed(
        f"sim{word}", person.id, nickname=f"Nk{word}", iccid=f"8985200{number:07d}47395",
        msisdn=f"+4477009{number:06d}", activation_code=f"LPA:1$rsp.{word}.example$AC{word}",
        expiry=now + timedelta(days=10), created_at=now, supplier_ref=f"ref{word}",
        reading=reading(as_of=now, taken_at=now, expiry=now + timedelta(days=10)),
    )  # fmt: skip
    await tx.sims.add(line)
    who.sims[role] = line
    await _history(tx, person.id, line, f"or{word}", now)
    mail = f"kv{word}@example.org"
    await tx.saved.keep(Saved(f"sv{word}", person.id, Method.PAYPAL, f"tok{word}", mail, now))
    filled = Money(3_000_000 + number * 101, "USD")
    out = Money(-filled.minor, "USD")
    moved = (Posting(f"wallet:{person.id}", filled), Posting("taken:stars", out))
    await tx.ledger.post(Entry(f"fill{word}", EntryKind.TOPUP, now, moved))
    who.canaries += [
        Canary(person.id, what, text)
        for what, text in {
            "name": first, "last name": f"Wr{word}", "username": person.username or "",
            "nickname": f"Nk{word}", "SIM": line.id, "ICCID": line.iccid or "",
            "number": (line.msisdn or "")[1:], "activation code": f"AC{word}",
            "order": f"or{word}", "receipt": f"ch{word}", "e-mail": mail,
            "wallet": f"{filled.minor // 100}.{filled.minor % 100:02d}",
        }.items()
    ]  # fmt: skip


async def _history(tx: Any, chat_id: int, line: Sim, name: str, now: datetime) -> None:
    """An order of last month, delivered."""
    past = now - timedelta(days=20)
    price = replace(quote(f"q{name}"), chat_id=chat_id, sim_id=line.id, created_at=past,
                    expires_at=past + timedelta(minutes=15))  # fmt: skip
    await tx.quotes.add(price, None)
    await tx.orders.add(
        order(name, price.id, chat_id=chat_id, sim_id=line.id, state=OrderState.FULFILLED,
              created_at=past, paid_at=past, fulfilled_at=past, expires_at=price.expires_at,
              charge=Money(993, "XTR"), method=Method.STARS, due=Money(1290, "USD"))
    )  # fmt: skip
