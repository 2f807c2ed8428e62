"""The shop's campaigns as the operator's file (F42): checked, compared, then applied as a whole.

campaigns:
  - id: spring-groups
    promo: spring-group            # of the promo file, with `posted: true`: window, places, limits
    plans: [us-month-5, us-season]
    title: {en: Spring in our groups, zh_Hans: 群友春季优惠, zh_Hant: 群友春季優惠}
    texts: {en: "{plan} for {after} instead of {before}.", zh_Hans: …, zh_Hant: …}
    picture: spring.png            # beside this file; left out: none
    groups: [-1001234567890]       # chat ids; left out: every group that you allowed
    most_posts: 3                  # so many in one group
    within_days: 7                 # within so many days,
    cooldown_hours: 12             # and so long between any two
    earns_points: 50               # or earns_percent: 5, of each delivered order
    new_per_day: 20                # people who never bought before, in 24 hours

Texts may name {plan} {before} {after} {saving} {places} {until} {shop}.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.domain.campaigns import MOST_EXTRA, PLACEHOLDERS, Campaign, unknown_placeholders
from bot.domain.chats import LANGUAGES
from bot.domain.plans import Plan
from bot.domain.posters import Poster, line
from bot.domain.promos import Kind, Promo, delivers, misfit
from bot.ports import AuditRow, Clock, Store, Tx
from bot.services.catalogue import Words
from bot.services.files import FileRefused, Problem, Row, read_rows
from bot.services.promo_files import Count, Names, PromoRefused

MOST_BYTES = 10 << 20
"""As large as a photo may be in Telegram."""
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_LONGEST_CAPTION, _LONGEST_TEXT = 1024, 4096
_MANY = 9999
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Length = Callable[[Poster], int]
"""How long Telegram finds a poster's text."""


class CampaignRow(BaseModel):
    """One campaign as the operator writes it."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]
    promo: str
    plans: Annotated[Names, Field(min_length=1, max_length=6)]
    title: Words
    texts: Words
    picture: Annotated[str, Field(pattern=r"^[\w.-]+\.(png|jpg|jpeg)$")] | None = None
    groups: tuple[int, ...] = ()
    most_posts: Count = 3
    within_days: Annotated[int, Field(ge=1, le=366)] = 7
    cooldown_hours: Annotated[int, Field(ge=0, le=24 * 31)] = 12
    earns_points: Annotated[int, Field(ge=0)] = 0
    earns_percent: Annotated[Decimal, Field(ge=0, lt=100)] = Decimal(0)
    new_per_day: Count | None = None

    @model_validator(mode="after")
    def _whole(self) -> "CampaignRow":
        if self.earns_points and self.earns_percent:
            raise ValueError("set earns_points or earns_percent, not both")
        return self

    def campaign(self) -> Campaign:
        """The campaign as groups post it."""
        return Campaign(
            id=self.id,
            version=1,
            promo=self.promo,
            plans=self.plans,
            title=self.title.model_dump(),
            texts=self.texts.model_dump(),
            picture=self.picture,
            groups=self.groups,
            most_posts=self.most_posts,
            within=timedelta(days=self.within_days),
            cooldown=timedelta(hours=self.cooldown_hours),
            earns_points=self.earns_points,
            earns_percent=self.earns_percent,
            new_per_day=self.new_per_day,
        )


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a campaign may name: promos and plans that the shop has now."""

    promos: Mapping[str, Promo]
    plans: Mapping[str, Plan]


@dataclass(frozen=True, slots=True)
class Read:
    """A campaign file: the campaigns, and their pictures by campaign."""

    campaigns: tuple[Campaign, ...]
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def read_campaigns(path: Path, shelf: Shelf, length: Length) -> Read:
    """The campaigns of a file, compared with what the shop has. Raises FileRefused naming every
    mistake, OSError."""
    rows = read_rows(path, "campaigns", CampaignRow, ("id",))
    pictures: dict[str, bytes] = {}
    problems: list[Problem] = []
    for row in rows:
        found = [
            *_wrong_words(row),
            *_wrong_goods(row, shelf),
            *_wrong_picture(row, path, pictures),
        ]
        found = found or list(_too_long(row, shelf, length))
        problems += [Problem(row.line, row.value.id, name, text) for name, text in found]
    if problems:
        raise FileRefused(path, sorted(problems, key=lambda problem: problem.line))
    return Read(tuple(row.value.campaign() for row in rows), pictures)


Wrong = list[tuple[str, str]]
"""Mistakes: the field, and what is wrong with it."""


def _wrong_words(row: Row[CampaignRow]) -> Wrong:
    found = []
    for language, text in row.value.texts.model_dump().items():
        named = ", ".join(f"{{{name}}}" for name in unknown_placeholders(text))
        known = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        if named:
            found.append(
                (f"texts.{language}", f"{named}: there is no such placeholder, but {known}")
            )
        elif text.count("{") != text.count("}"):
            found.append((f"texts.{language}", "a brace is left over"))
    return found


def _wrong_goods(row: Row[CampaignRow], shelf: Shelf) -> Wrong:
    """Promos and plans that the shop does not have, and plans that the promo gives nothing for."""
    one, promo = row.value, shelf.promos.get(row.value.promo)
    found = []
    if promo is None:
        found.append(("promo", f"{one.promo} is no running promo; see `xuka promos list`"))
    elif not promo.posted:
        found.append(("promo", f"{one.promo} needs `posted: true` in the promo file"))
    for code in one.plans:
        plan = shelf.plans.get(code)
        if plan is None:
            found.append(("plans", f"{code} is no plan of the catalogue"))
        elif promo is not None and not _gives(promo, plan):
            found.append(("plans", f"{one.promo} gives nothing for {code}"))
    return found


def _gives(promo: Promo, plan: Plan) -> bool:
    """Whether the promo fits the plan at any time."""
    price = plan.price or (plan.open_amount.maximum if plan.open_amount is not None else None)
    always = replace(promo, starts_at=None, ends_at=None)
    return price is not None and misfit(always, plan, price, _EPOCH) is None


def _wrong_picture(row: Row[CampaignRow], path: Path, pictures: dict[str, bytes]) -> Wrong:
    """Reads the picture into `pictures`."""
    name = row.value.picture
    if name is None:
        return []
    try:
        data = path.with_name(name).read_bytes()
    except OSError:
        return [("picture", f"{name} is not beside this file")]
    if not data.startswith(_PICTURES):
        return [("picture", f"{name} is no PNG or JPEG picture")]
    if len(data) > MOST_BYTES:
        return [("picture", f"{name} is larger than 10 MB, which Telegram does not take")]
    pictures[row.value.id] = data
    return []


def _too_long(row: Row[CampaignRow], shelf: Shelf, length: Length) -> Wrong:
    """Everything filled in, in one language and in two, with an admin's longest sentence."""
    one, promo = row.value, shelf.promos[row.value.promo]
    most = _LONGEST_TEXT if one.picture is None else _LONGEST_CAPTION
    both = [(language, "en") for language in LANGUAGES if language != "en"]
    for languages in chain(((language,) for language in LANGUAGES), both):
        poster = Poster(
            one.id, 1, languages, "America/New_York", one.title.model_dump(),
            one.texts.model_dump(), tuple(_lines(one, promo, shelf)), promo.percent, promo.points,
            promo.total or _MANY, promo.ends_at, 0 if promo.ends_at is not None else None,
            "x" * MOST_EXTRA,
        )  # fmt: skip
        takes = length(poster)
        if takes > most:
            voice = " and ".join(languages)
            text = f"takes {takes} characters in {voice} with everything filled in; {most} fit"
            return [("texts", text)]
    return []


def _lines(one: CampaignRow, promo: Promo, shelf: Shelf) -> Any:
    for code in one.plans:
        plan, bigger = shelf.plans[code], shelf.plans.get(promo.gives.get(code, ""))
        given = bigger is not None and promo.kind is Kind.PLAN and delivers(plan, bigger)
        yield line(plan, promo, bigger if given else None)


@dataclass(frozen=True, slots=True)
class Change:
    """A campaign that would be another; `fields` by name: before, after."""

    campaign: Campaign
    fields: dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Diff:
    """What applying a file would do."""

    new: tuple[Campaign, ...]
    changed: tuple[Change, ...]
    stopped: tuple[Campaign, ...]
    unchanged: int

    @property
    def empty(self) -> bool:
        """Whether it would do nothing."""
        return not (self.new or self.changed or self.stopped)


class CampaignFiles:
    """The shop's campaigns."""

    def __init__(self, store: Store, clock: Clock, length: Length) -> None:
        self._store = store
        self._clock = clock
        self._length = length

    async def read(self, path: Path) -> Read:
        """A file, compared with promos and catalogue as they are. Raises FileRefused, OSError."""
        async with self._store.read() as tx:
            promos = {promo.id: promo for promo in await tx.promos.all()}
            plans = {plan.code: plan for plan in await tx.catalogue.all()}
        return read_campaigns(path, Shelf(promos, plans), self._length)

    async def check(self, read: Read) -> Diff:
        """What `apply` would change; nothing is."""
        async with self._store.read() as tx:
            return await _diff(tx, read)

    async def apply(self, read: Read, actor: str) -> Diff:
        """Make these the campaigns; the others are stopped, and their posts end. Open posts of a
        changed one follow it."""
        now = self._clock.now()
        async with self._store.write() as tx:
            diff = await _diff(tx, read)
            await tx.campaigns.apply(read.campaigns, read.pictures)
            changed = [change.campaign.id for change in diff.changed]
            stopped = [campaign.id for campaign in diff.stopped]
            for campaign_id in (*changed, *stopped):
                await tx.posts.touch(now, campaign_id=campaign_id)
            details = {"new": [one.id for one in diff.new], "changed": changed, "stopped": stopped}
            await tx.audit.add(AuditRow(now, actor, "campaigns_applied", "campaigns", details))
        return diff

    async def stop(self, campaign_id: str, actor: str) -> None:
        """No further post of it, and those that are open end. Raises PromoRefused."""
        now = self._clock.now()
        async with self._store.write() as tx:
            if not await tx.campaigns.stop(campaign_id):
                text = f"{campaign_id}: no such campaign is running; see `xuka campaigns list`"
                raise PromoRefused(text)
            await tx.posts.touch(now, campaign_id=campaign_id)
            await tx.audit.add(AuditRow(now, actor, "campaign_stopped", campaign_id, {}))

    async def listed(self) -> list[tuple[Campaign, int]]:
        """Every campaign, stopped ones last, each with its open posts."""
        async with self._store.read() as tx:
            found = await tx.campaigns.all(active=False)
            counts = {one.id: len(await tx.posts.open_of(one.id)) for one in found}
        return [(one, counts[one.id]) for one in sorted(found, key=lambda one: not one.active)]


async def _diff(tx: Tx, read: Read) -> Diff:
    known = {one.id: one for one in await tx.campaigns.all(active=False)}
    new, changed, same = [], [], 0
    for campaign in read.campaigns:
        old = known.pop(campaign.id, None)
        if old is None:
            new.append(campaign)
            continue
        found = _fields(old, campaign)
        if (await tx.campaigns.picture(old.id))[0] != read.pictures.get(campaign.id):
            found.setdefault("picture", (old.picture, f"{campaign.picture} (another one)"))
        if found:
            changed.append(Change(campaign, found))
        else:
            same += 1
    gone = tuple(one for one in known.values() if one.active)
    return Diff(tuple(new), tuple(changed), gone, same)


def _fields(old: Campaign, new: Campaign) -> dict[str, tuple[Any, Any]]:
    names = [each.name for each in fields(Campaign) if each.name != "version"]
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
