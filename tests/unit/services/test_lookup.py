"""Which carrier a number is of: suppliers first, in our names, and never waiting for long."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from bot.domain.carrier_names import our_name
from bot.domain.iccid_issuers import ISSUERS
from bot.domain.identify import Identified, Kind, Why
from bot.ports import Resolved, SupplierUnavailable
from bot.services import lookup
from bot.services.lookup import candidates
from tests.unit.services.house import HandClock, Supplier

SMART = Identified(Kind.NUMBER, "+639189876543")
AMERICAN = Identified(Kind.NUMBER, "+13055550142")


@dataclass
class Airtime(Supplier):
    """An airtime supplier that says one name of every number, fails, or is slow."""

    says: str | None = None
    country: str | None = None
    trouble: str | None = None
    seconds: float = 0
    numbers: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.capabilities = replace(self.capabilities, reads=False, numbers=True)

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> Resolved | None:
        self.numbers.append(msisdn)
        await asyncio.sleep(self.seconds)
        if self.trouble:
            raise SupplierUnavailable(self.trouble)
        if self.says is None and self.country is None:
            return None
        return Resolved("1", None, msisdn, None, None, self.says, self.country)


def supplier(name: str, says: str | None = None, country: str | None = None) -> Airtime:
    return Airtime(HandClock(), name, says=says, country=country)


async def told(identified: Identified, *suppliers: Supplier) -> list[tuple[str | None, Why]]:
    found = await candidates({one.name: one for one in suppliers}, identified, 0.05)
    return [(one.carrier, one.why) for one in found]


async def test_the_suppliers_word_comes_first_in_our_name() -> None:
    a, b = supplier("a", "Smart Philippines", "PH"), supplier("b", "Smart", "PH")
    assert await told(SMART, a, b) == [("Smart", Why.SUPPLIER)]
    assert a.numbers == b.numbers == [SMART.value]
    one = supplier("a", "T-Mobile USA", "US")
    assert await told(AMERICAN, one) == [("T-Mobile US", Why.SUPPLIER)]


async def test_the_name_that_most_say_comes_first_then_the_number_range() -> None:
    a, b, c = (supplier(n, s, "PH") for n, s in (("a", "Globe"), ("b", "DITO"), ("c", "Dito")))
    assert await told(SMART, a, b, c) == [
        ("DITO", Why.SUPPLIER),
        ("Globe", Why.SUPPLIER),
        ("Smart", Why.NUMBER_RANGE),
    ]


@pytest.mark.parametrize("trouble", ["http_500", "credentials", "busy"])
async def test_a_supplier_in_trouble_leaves_the_number_range(trouble: str) -> None:
    broken = supplier("a")
    broken.trouble = trouble
    assert await told(SMART, broken) == [("Smart", Why.NUMBER_RANGE)]


async def test_a_slow_supplier_is_not_waited_for() -> None:
    slow, quick = supplier("slow", "Globe", "PH"), supplier("quick", "Smart", "PH")
    slow.seconds = 5
    assert await told(SMART, slow, quick) == [("Smart", Why.SUPPLIER)]
    assert lookup.PATIENCE == 3


async def test_a_supplier_that_knows_only_the_country_tells_no_more() -> None:
    found = await candidates({"a": supplier("a", None, "US")}, AMERICAN)
    assert [(one.carrier, one.country, one.why) for one in found] == [(None, "US", Why.SUPPLIER)]
    assert await told(SMART, supplier("a", None, "PH")) == [("Smart", Why.NUMBER_RANGE)]


async def test_only_who_serves_numbers_is_asked_and_only_about_numbers() -> None:
    reader = Supplier(HandClock())
    airtime = supplier("a", "Smart", "PH")
    assert await told(SMART, reader) == [("Smart", Why.NUMBER_RANGE)]
    assert await told(Identified(Kind.ICCID, "89860119801234567899"), airtime) == [
        ("China Unicom", Why.ICCID_ISSUER)
    ]
    assert await told(Identified(Kind.ACTIVATION, "LPA:1$a.example$B"), airtime) == []
    assert airtime.numbers == []


def test_names_are_translated_by_country() -> None:
    assert our_name("china mobile  CHINA", "CN") == "China Mobile"
    assert our_name("China Mobile", "HK") == "China Mobile Hong Kong"
    assert our_name("China Mobile", "CN") == "China Mobile"
    assert our_name("Some Carrier", None) == "Some Carrier"


def test_our_names_are_those_of_the_cards() -> None:
    from bot.carriers.rules import packs
    from bot.domain.carrier_names import _names

    known = {row.carrier for row in ISSUERS} | {pack.carrier for pack in packs().values()}
    assert set(_names().values()) <= known
