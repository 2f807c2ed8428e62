"""The operator's promo file: mistakes by line, the comparison, applying, stopping."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.demo.seed import PLANS, SUPPLIERS
from bot.domain.money import Money
from bot.domain.promos import Kind, Step
from bot.services.catalogue import read_plans
from bot.services.files import FileRefused
from bot.services.promo_files import PromoFiles, PromoRefused, read_promos
from bot.store import Database
from tests.unit.services.house import HandClock, opened
from tests.unit.services.promo_house import BIG
from tests.unit.store.samples import PLAN

ZONE = ZoneInfo("Asia/Shanghai")
CATALOGUE = [PLAN, BIG]
DEMO = PLANS.with_name("promos.yaml")

FILE = """\
promos:
  - {id: spring, code: spring-10, title: Spring, percent: 10, at_most: 5 USD,
     starts: 2027-03-01, ends: 2027-03-31, total: 100, per_user: 1, points: 5}
  - {id: full, title: Full, stacks: true, carriers: [boom eSIM],
     steps: [{spend: 10 USD, save: 1 USD}, {spend: 20 USD, save: 3 USD}]}
  - {id: gift, code: GIFT, title: Gift, new_user: true, gives: {boom-30d-5gb: boom-30d-10gb}}
  - {id: less, title: Less, save: 2 USD, plans: "boom-30d-5gb, boom-30d-10gb"}
  - {id: more, title: More, points: 50}
"""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path) as found:
        async with found.write() as tx:
            await tx.catalogue.apply(CATALOGUE)
        yield found


def write(tmp_path: Path, text: str, name: str = "promos.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def problems(path: Path) -> list[tuple[int, str, str, str]]:
    with pytest.raises(FileRefused) as refused:
        read_promos(path, ZONE, CATALOGUE)
    return [(one.line, one.row, one.field, one.text) for one in refused.value.problems]


def test_a_file_says_what_each_promo_gives_and_when(tmp_path: Path) -> None:
    spring, full, gift, less, more = read_promos(write(tmp_path, FILE), ZONE, CATALOGUE)
    assert (spring.kind, spring.code, spring.percent) == (Kind.PERCENT, "SPRING10", Decimal(10))
    assert spring.starts_at == datetime(2027, 2, 28, 16, tzinfo=UTC)
    assert spring.ends_at == datetime(2027, 3, 31, 16, tzinfo=UTC), "the last day is a whole day"
    assert (full.kind, full.stacks, len(full.steps)) == (Kind.SAVE, True, 2)
    assert (gift.kind, gift.new_user, gift.per_user) == (Kind.PLAN, True, 1)
    assert less.steps == (Step(Money(0, "USD"), Money(200, "USD")),)
    assert less.plans == (PLAN.code, BIG.code)
    assert (more.kind, more.points) == (Kind.POINTS, 50)


@pytest.mark.parametrize(
    ("line", "field", "text"),
    [
        ("percent: 100", "percent", "less than 100"),
        ("percent: 10, save: 1 USD", "", "set one of"),
        ("per_user: 2", "", "gives nothing"),
        ("save: 1 USD, at_most: 1 USD", "", "at_most goes with percent"),
        ("save: 1 USD, code: A-1", "", "three letters or digits"),
        ("save: 1 USD, code: ABC, stacks: true", "", "without a code"),
        ("save: 1 USD, starts: 2027-03-02, ends: 2027-03-01", "", "ends before it starts"),
        ("steps: [{spend: 5 USD, save: 5 USD}]", "steps.0", "less than spend"),
        ("steps: [{spend: 5 USD, save: 1 CNY}]", "steps.0", "one currency"),
        ("save: 1 USD, plans: [nope]", "plans", "no plan of the catalogue"),
        ("save: 1 USD, carriers: [Nobody]", "carriers", "no carrier of the catalogue"),
        ("gives: {boom-30d-5gb: nope}", "gives", "no plan of the catalogue"),
        ("gives: {boom-30d-10gb: boom-30d-5gb}", "gives", "no less"),
        ("save: 1 USD, percentage: 1", "percentage", "there is no such field"),
        ("save: 1 dollar", "save", "like 4.50 USD"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, line: str, field: str, text: str) -> None:
    found = problems(write(tmp_path, f"promos:\n  - {{id: one, title: One, {line}}}\n"))
    assert [(number, row, at) for number, row, at, _ in found] == [(2, "one", field)]
    assert text in found[0][3]


def test_two_promos_cannot_have_one_code(tmp_path: Path) -> None:
    rows = "".join(
        f"  - {{id: {name}, title: T, points: 5, code: {code}}}\n"
        for name, code in (("a", "SPRING10"), ("b", "spring-10"))
    )
    assert problems(write(tmp_path, f"promos:\n{rows}")) == [
        (3, "b", "code", "a has this code already")
    ]


def test_a_table_does_as_well(tmp_path: Path) -> None:
    text = "id,title.en,title.zh_Hans,title.zh_Hant,code,percent,plans\n"
    text += 'spring,Spring,春季,春季,SPRING,10,"boom-30d-5gb, boom-30d-10gb"\n'
    [one] = read_promos(write(tmp_path, text, "promos.csv"), ZONE, CATALOGUE)
    assert (one.code, one.plans) == ("SPRING", (PLAN.code, BIG.code))


async def test_applying_says_what_changes_and_stops_the_rest(
    database: Database, tmp_path: Path
) -> None:
    files = PromoFiles(database, HandClock(), ZONE)
    path = write(tmp_path, FILE)
    read = await files.read(path)
    assert len((await files.check(read)).new) == 5
    await files.apply(read, "cli:me")
    assert (await files.check(read)).empty
    changed = [replace(read[0], percent=Decimal(20)), *read[1:3]]
    diff = await files.apply(changed, "cli:me")
    assert [(one.promo.id, one.fields) for one in diff.changed] == [
        ("spring", {"percent": (Decimal(10), Decimal(20))})
    ]
    assert [one.id for one in diff.stopped] == ["less", "more"]
    assert [(one.id, one.active) for one, _ in await files.listed()][-2:] == [
        ("less", False), ("more", False),
    ]  # fmt: skip
    back = await files.check(read)
    assert back.changed[-1].fields == {"active": (False, True)}
    async with database.read() as tx:
        assert [row.action for row in await tx.audit.latest(9)] == ["promos_applied"] * 2


async def test_a_promo_is_stopped_by_its_name(database: Database, tmp_path: Path) -> None:
    files = PromoFiles(database, HandClock(), ZONE)
    await files.apply(await files.read(write(tmp_path, FILE)), "cli:me")
    await files.stop("spring", "cli:me")
    with pytest.raises(PromoRefused, match="spring: no such promo is running"):
        await files.stop("spring", "cli:me")


def test_the_demos_file_is_in_order() -> None:
    found = read_promos(DEMO, ZONE, read_plans(PLANS, SUPPLIERS))
    assert {one.kind for one in found} >= {Kind.PERCENT, Kind.SAVE, Kind.PLAN}
    assert any(one.stacks for one in found)
    assert any(one.new_user for one in found)


def test_the_example_for_operators_is_in_order_and_shows_every_kind() -> None:
    deploy = Path(__file__).parents[3] / "deploy"
    plans = read_plans(deploy / "plans.example.yaml", SUPPLIERS)
    found = read_promos(deploy / "promos.example.yaml", ZONE, plans)
    assert {one.kind for one in found} == set(Kind)
