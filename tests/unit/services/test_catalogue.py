"""The operator's files: what is wrong is named, what is right becomes the catalogue or stock."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.codes import digest
from bot.domain.money import Money
from bot.domain.plans import OpenAmount
from bot.domain.sims import SimForm, Tracking
from bot.ports import Resolved, SupplierUnavailable
from bot.services.catalogue import Catalogue, read_plans
from bot.services.files import FileRefused
from bot.services.stock import CODE_LASTS, Stock, StockRefused
from bot.store import Database
from tests.unit.services.house import PEPPER, HandClock, Supplier, by_hand, fresh, opened
from tests.unit.store.samples import ALICE, NOW, OPEN_PLAN, PLAN, days, sim

SUPPLIERS = ("esim_access", "manual")
ICCID = "89852022000000000015"

GOOD = """\
plans:
  - code: boom-30d-5gb
    carrier: boom eSIM
    supplier: esim_access
    supplier_code: TOPUP_5
    name: {en: "5 GB, 30 days", zh_Hans: "5 GB 30 天", zh_Hant: "5 GB 30 天"}
    days: 30
    price: 12.90 USD
    data: 5 GB
    max_cost: 8 USD
    roaming: [NO, JP]
  - code: us-unlimited
    carrier: US data
    supplier: manual
    name: Unlimited
    days: 365
    price: 200 USD
    data: unlimited
    unlimited_after: 1.5 GB
    speed_after: 512 kbit/s
  - code: smart-any
    carrier: Smart
    name: Any amount
    days: 365
    amount: {min: 50 PHP, max: 1000 PHP, step: 50 PHP}
"""


def written(folder: Path, text: str, name: str = "plans.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def problems(path: Path) -> list[tuple[int, str, str, str]]:
    with pytest.raises(FileRefused) as refused:
        read_plans(path, SUPPLIERS)
    return [(p.line, p.row, p.field, p.text) for p in refused.value.problems]


# ---- plan files ----------------------------------------------------------------------------


def test_a_good_file_is_read(tmp_path: Path) -> None:
    boom, unlimited, smart = read_plans(written(tmp_path, GOOD), SUPPLIERS)
    assert (boom.price, boom.max_cost) == (Money(1290, "USD"), Money(800, "USD"))
    assert (boom.data, boom.roaming) == (5 << 30, ("NO", "JP"))
    assert boom.name["zh_Hans"] == "5 GB 30 天"
    assert (unlimited.unlimited, unlimited.data) == (True, 3 << 29)
    assert smart.open_amount == OpenAmount(
        Money(5000, "PHP"), Money(100_000, "PHP"), Money(5000, "PHP")
    )
    assert (smart.supplier, smart.supplier_code) == ("manual", "smart-any")
    assert smart.name == dict.fromkeys(("en", "zh_Hans", "zh_Hant"), "Any amount")


def test_the_same_as_a_table(tmp_path: Path) -> None:
    table = (
        "\ufeffcode,carrier,supplier,supplier_code,name.en,name.zh_Hans,name.zh_Hant,days,price,"
        "amount.min,amount.max,amount.step,data,unlimited_after,speed_after,max_cost,roaming\r\n"
        'boom-30d-5gb,boom eSIM,esim_access,TOPUP_5,"5 GB, 30 days",5 GB 30 天,5 GB 30 天,30,'
        "12.90 USD,,,,5 GB,,,8 USD,NO JP\r\n"
        "us-unlimited,US data,manual,,Unlimited,Unlimited,Unlimited,365,200 USD,,,,unlimited,"
        "1.5 GB,512 kbit/s,,\r\n"
        ",,,\r\n"
        "smart-any,Smart,,,Any amount,Any amount,Any amount,365,,50 PHP,1000 PHP,50 PHP\r\n"
    )
    from_table = read_plans(written(tmp_path, table, "plans.csv"), SUPPLIERS)
    assert from_table == read_plans(written(tmp_path, GOOD), SUPPLIERS)


@pytest.mark.parametrize(
    ("old", "new", "line", "row", "field", "says"),
    [
        ("price: 12.90 USD", "price: 12,90", 8, "boom-30d-5gb", "price", "like 4.50 USD"),
        ("price: 12.90 USD", "price: 0 USD", 8, "boom-30d-5gb", "price", "more than nothing"),
        ("12.90 USD", "12.905 USD", 8, "boom-30d-5gb", "price", "decimals"),
        ("price: 200 USD", "prise: 200 USD", 17, "us-unlimited", "prise", "no such field"),
        ("days: 30\n", "days: soon\n", 7, "boom-30d-5gb", "days", "valid integer"),
        ("data: 5 GB", "data: lots", 9, "boom-30d-5gb", "data", "unlimited"),
        ("[NO, JP]", "[NO, Japan]", 11, "boom-30d-5gb", "roaming.1", "pattern"),
        (", zh_Hant: \"5 GB 30 天\"", "", 6, "boom-30d-5gb", "name.zh_Hant", "is missing"),
        ("carrier: Smart", "carrier:", 22, "smart-any", "carrier", "is missing"),
        ("max: 1000 PHP", "max: 1010 PHP", 25, "smart-any", "amount", "whole number of steps"),
        ("max: 1000 PHP", "max: 10 PHP", 25, "smart-any", "amount", "less than min"),
        ("step: 50 PHP", "step: 50 USD", 25, "smart-any", "amount", "one currency"),
        ("amount: {", "price: 5 PHP\n    amount: {", 21, "smart-any", "", "either a price"),
        ("supplier: esim_access", "supplier: esimaccess", 2, "boom-30d-5gb", "supplier", "manual"),
        ("    supplier_code: TOPUP_5\n", "", 2, "boom-30d-5gb", "", "supplier_code is missing"),
        ("    data: unlimited\n", "", 12, "us-unlimited", "", "unlimited_after goes with"),
        ("smart-any", "boom-30d-5gb", 21, "boom-30d-5gb", "code", "already, on line 2"),
        ("code: smart-any", "code: smart any", 21, "smart any", "code", "pattern"),
        ("carrier: Smart", "carrier: Smart\n    carrier: Smart", 23, "", "carrier", "twice"),
        ("plans:", "plan:", 1, "", "plans", "begin with"),
        ("days: 365\n    amount: {", "days: 365\n  amount: {", 25, "", "", "not YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_line_plan_and_field(
    tmp_path: Path, old: str, new: str, line: int, row: str, field: str, says: str
) -> None:
    assert old in GOOD
    found = problems(written(tmp_path, GOOD.replace(old, new, 1)))
    assert [one[1:3] for one in found] == [(row, field)]
    assert says in found[0][3]
    assert found[0][0] == line


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("12.90 USD", "much").replace("days: 365", "days: -1")
    assert [one[2] for one in problems(written(tmp_path, text))] == ["price", "days", "days"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begin with"),
        ("plans: []", "there are none"),
        ("- a\n- b", "begin with"),
        ("plans:\n  - just words", "dictionary"),
        ("plans: {a: b}", "begin with"),
        ("plans: [", "not YAML"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str, says: str) -> None:
    assert says in problems(written(tmp_path, text))[0][3]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there are none"),
        ("code,carrier\na,b,c\n", "more fields"),
        ('code,carrier\n"a,b\n', "not CSV"),
        ("name,name.en\nx,y\n", "names both"),
    ],
)
def test_a_broken_table_is_refused(tmp_path: Path, text: str, says: str) -> None:
    assert says in problems(written(tmp_path, text, "plans.csv"))[0][3]


def test_a_file_in_another_encoding_says_how_to_save_it(tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    path.write_bytes("code,carrier\nx,中国移动\n".encode("gbk"))
    assert problems(path) == [(1, "", "", "save the file as UTF-8")]


# ---- the catalogue -------------------------------------------------------------------------


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path) as database:
        yield database


async def test_a_file_is_compared_and_then_applied(store: Database, tmp_path: Path) -> None:
    catalogue = Catalogue(store, HandClock())
    first = read_plans(written(tmp_path, GOOD), SUPPLIERS)
    assert len((await catalogue.check(first)).new) == 3
    async with store.read() as tx:
        assert await tx.catalogue.all() == []
    await catalogue.apply(first, "cli")
    assert (await catalogue.check(first)).empty

    text = GOOD.replace("12.90 USD", "13.90 USD")
    second = read_plans(written(tmp_path, text), SUPPLIERS)[:2]
    diff = await catalogue.apply(second, "cli")
    [change] = diff.changed
    assert change.fields == {"price": (Money(1290, "USD"), Money(1390, "USD"))}
    assert [plan.code for plan in diff.switched_off] == ["smart-any"]
    assert (diff.new, diff.unchanged) == ((), 1)
    async with store.read() as tx:
        assert [(plan.code, plan.version) for plan in await tx.catalogue.all()] == [
            ("boom-30d-5gb", 2),
            ("us-unlimited", 1),
        ]
        [row, _] = await tx.audit.latest(2)
    assert row.details["changed"] == ["boom-30d-5gb"]

    again = await catalogue.apply(read_plans(written(tmp_path, text), SUPPLIERS), "cli")
    assert again.changed[0].fields == {"active": (False, True)}


# ---- SIMs ----------------------------------------------------------------------------------

SIMS = f"""\
sims:
  - {{iccid: {ICCID}, supplier: esim_access, supplier_ref: T1, carrier: boom eSIM, country: HK}}
  - {{msisdn: "+63 918 123 4567", supplier: manual, carrier: Smart, country: PH, form: card}}
"""


@pytest.fixture
def supplier() -> Supplier:
    return Supplier(HandClock())


@pytest.fixture
def stock(store: Database, supplier: Supplier) -> Stock:
    person = by_hand(supplier.clock)
    carriers = {supplier.name: supplier, person.name: person}
    return Stock(store, supplier.clock, carriers, PEPPER)


async def test_sims_come_into_stock_with_a_code_each(
    store: Database, stock: Stock, tmp_path: Path
) -> None:
    done = await stock.import_sims(written(tmp_path, SIMS, "sims.yaml"), "cli")
    boom, smart = done.new
    assert (boom.sim.iccid, boom.sim.owner_id, boom.sim.tracking) == (ICCID, None, Tracking.MANAGED)
    assert (smart.sim.msisdn, smart.sim.form) == ("+639181234567", SimForm.CARD)
    assert boom.code != smart.code
    async with store.read() as tx:
        found = await tx.claims.sim_of_code(digest(boom.code, PEPPER.encode()), NOW)
        assert found == boom.sim.id
        over = NOW + CODE_LASTS
        assert await tx.claims.sim_of_code(digest(boom.code, PEPPER.encode()), over) is None
        assert boom.code not in str(await tx.audit.latest(5))


async def test_a_second_import_changes_nothing(stock: Stock, tmp_path: Path) -> None:
    path = written(tmp_path, SIMS, "sims.yaml")
    first = await stock.import_sims(path, "cli")
    again = await stock.import_sims(path, "cli")
    assert again.new == ()
    assert [known.id for known in again.known] == [coded.sim.id for coded in first.new]


async def test_a_missing_reference_is_asked_of_the_supplier(
    stock: Stock, supplier: Supplier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = f"iccid,supplier,carrier\n{ICCID},esim_access,boom eSIM\n"
    path = written(tmp_path, table, "sims.csv")
    with pytest.raises(FileRefused) as refused:
        await stock.import_sims(path, "cli")
    assert "does not know" in refused.value.problems[0].text

    async def down(**_: object) -> Resolved | None:
        raise SupplierUnavailable("timeout")

    monkeypatch.setattr(supplier, "resolve", down)
    with pytest.raises(FileRefused) as refused:
        await stock.import_sims(path, "cli")
    assert "timeout" in refused.value.problems[0].text

    async def found(**_: object) -> Resolved | None:
        return Resolved("T9", ICCID, None, "LPA:1$rsp.example.com$A-1", fresh())

    monkeypatch.setattr(supplier, "resolve", found)
    [coded] = (await stock.import_sims(path, "cli")).new
    assert coded.sim.supplier_ref == "T9"
    assert coded.sim.activation_code == "LPA:1$rsp.example.com$A-1"


@pytest.mark.parametrize(
    ("row", "field", "says"),
    [
        ("{iccid: 12, supplier: manual, carrier: x}", "iccid", "it looks like 8985"),
        ("{msisdn: hello, supplier: manual, carrier: x}", "msisdn", "it looks like +63"),
        (f"{{iccid: {ICCID}, supplier: manual}}", "carrier", "is missing"),
        (f"{{iccid: {ICCID}, supplier: nobody, carrier: x}}", "supplier", "not switched on"),
        (f"{{iccid: {ICCID}, supplier: manual, carrier: x, form: chip}}", "form", "card"),
        ("{supplier: manual, carrier: x}", "", "an iccid or an msisdn"),
    ],
)
async def test_a_wrong_sim_is_named(
    store: Database, stock: Stock, tmp_path: Path, row: str, field: str, says: str
) -> None:
    path = written(tmp_path, f"{SIMS}  - {row}\n".replace(ICCID, "89852022000000000023", 1))
    with pytest.raises(FileRefused) as refused:
        await stock.import_sims(path, "cli")
    [problem] = refused.value.problems
    assert (problem.line, problem.field) == (4, field)
    assert says in problem.text
    async with store.read() as tx:
        assert await tx.sims.stock(iccid="89852022000000000023", msisdn=None) is None


async def test_a_new_code_is_made_by_id_iccid_or_number(stock: Stock, tmp_path: Path) -> None:
    done = await stock.import_sims(written(tmp_path, SIMS, "sims.yaml"), "cli")
    ids = [coded.sim.id for coded in done.new]
    coded = await stock.new_codes([ids[0], "8985 2022 0000 0000 0015", "+639181234567"], "cli")
    assert [one.sim.id for one in coded] == [ids[0], ids[0], ids[1]]
    assert len({one.code for one in coded}) == 3


async def test_no_code_is_made_for_a_customers_own_sim(store: Database, stock: Stock) -> None:
    async with store.write() as tx:
        await tx.sims.add(sim("s1", ALICE, iccid=ICCID))
    for name in ("s1", ICCID, "nothing"):
        with pytest.raises(StockRefused, match="no SIM of this shop"):
            await stock.new_codes([name], "cli")


# ---- vouchers ------------------------------------------------------------------------------


async def test_vouchers_are_for_a_plan_or_a_value(store: Database, stock: Stock) -> None:
    async with store.write() as tx:
        await tx.catalogue.apply([PLAN, OPEN_PLAN])
    issued = await stock.new_vouchers(
        3, plan_code=PLAN.code, expires_at=days(30), batch="b1", actor="cli"
    )
    assert len({one.code for one in issued}) == 3
    assert {(one.voucher.value, one.voucher.plan_code) for one in issued} == {
        (PLAN.price, PLAN.code)
    }
    [valued] = await stock.new_vouchers(
        1, value=Money(10_000, "PHP"), expires_at=None, batch="b2", actor="cli"
    )
    async with store.read() as tx:
        found = await tx.vouchers.find(digest(valued.code.lower(), PEPPER.encode()))
    assert found == valued.voucher
    assert valued.code.endswith(valued.voucher.hint)


@pytest.mark.parametrize(
    ("count", "value", "plan", "ends", "says"),
    [
        (0, Money(1, "USD"), None, None, "1 to"),
        (1, None, None, None, "either a value or a plan"),
        (1, Money(1, "USD"), PLAN.code, None, "either a value or a plan"),
        (1, None, "none", None, "no plan none"),
        (1, None, OPEN_PLAN.code, None, "open amount"),
        (1, Money(1, "USD"), None, NOW - timedelta(days=1), "expired already"),
    ],
)
async def test_vouchers_that_make_no_sense_are_refused(
    store: Database, stock: Stock, count: int, value: Money | None, plan: str | None,
    ends: datetime | None, says: str,
) -> None:  # fmt: skip
    async with store.write() as tx:
        await tx.catalogue.apply([OPEN_PLAN])
    with pytest.raises(StockRefused, match=says):
        await stock.new_vouchers(
            count,
            value=value,
            plan_code=plan,
            expires_at=ends,
            batch="b",
            actor="cli",
        )
