"""When something is posted, and what goes wrong before: for tests of postings."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from typing import Any

from bot.domain.campaigns import Repeat, Timing
from bot.domain.groups import Topic
from tests.unit.services.posting_house import ADMIN, Square
from tests.unit.store.samples import NOW, days

NOON = time(12)


def on(*dates: date, clock: time = NOON, zone: str = "UTC") -> Timing:
    repeat = Repeat.ONCE if len(dates) == 1 else Repeat.DATES
    return Timing(repeat, clock, zone, dates)


def day(count: int) -> date:
    return days(count).date()


def weekly(*weekdays: int, clock: time = NOON, zone: str = "UTC") -> Timing:
    return Timing(Repeat.WEEKLY, clock, zone, weekdays=weekdays)


Prepare = Callable[[Square], Any]


def away(at: Square) -> None:
    at.room.away = True


def rights_are(**changes: Any) -> Prepare:
    def prepare(at: Square) -> None:
        assert at.room.rights is not None
        at.room.rights = replace(at.room.rights, **changes)

    return prepare


def nothing(at: Square) -> None:
    """All is well."""


def bot_out(at: Square) -> None:
    at.room.rights = None


def group_is(**changes: Any) -> Prepare:
    return lambda at: at.set_group(**changes)


def campaign_is(**changes: Any) -> Prepare:
    return lambda at: at.campaign(**changes)


def offer_is(**changes: Any) -> Prepare:
    return lambda at: at.offer(**changes)


async def person_banned(at: Square) -> None:
    async with at.database.write() as tx:
        await tx.promos.ban(ADMIN, NOW)


async def topic_closed(at: Square) -> None:
    async with at.database.write() as tx:
        await tx.groups.topic(Topic("grp1", 7, "Deals", closed=True))


async def sold_off(at: Square) -> None:
    async with at.database.write() as tx:
        await tx.catalogue.apply([])
