"""`xuka carriers`, and what `xuka check` says of each supplier: all four, against stand-ins."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.applications import Starlette

from bot.carriers.registry import ADAPTERS
from bot.cli import carriers, check
from bot.config import Settings, SettingsError, load
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.demo.suppliers import Suppliers
from bot.ports import Capabilities
from tests.contract.botapi_server import serving


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, a token, no other settings."""
    for name in list(os.environ):
        if name.startswith("XUKA_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


@dataclass
class Row:
    """The suppliers' stand-ins, and the settings that lead to them."""

    faults: FaultBoard
    settings: Settings


@pytest_asyncio.fixture
async def row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Row]:
    faults, clock = FaultBoard(), WorldClock()
    suppliers = Suppliers.load(tmp_path, datetime.now(UTC))
    routes = suppliers.routes(clock, faults, CallLog(clock))
    async with serving(Starlette(routes=list(routes))) as address:
        monkeypatch.setenv("XUKA_BOT_TOKEN", "1:token")
        for name, value in suppliers.settings(address).items():
            monkeypatch.setenv(name, value)
        yield Row(faults, load())


async def lines(settings: Settings) -> dict[str, check.Line]:
    return {line.name: line for line in await check._suppliers(settings)}


async def test_each_configured_supplier_is_asked_for_its_wallet(row: Row) -> None:
    found = await lines(row.settings)
    assert set(found) == {*ADAPTERS, "manual"}
    for name in ADAPTERS:
        assert found[name].state is check.State.OK, found[name]
        assert "balance" in found[name].text


@pytest.mark.parametrize("name", ADAPTERS)
async def test_wrong_keys_are_named_with_the_cure(
    name: str, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = carriers.keys_of(name)[-1]
    monkeypatch.setenv(key, "wrong-key")
    found = await lines(load())
    assert found[name].state is check.State.FAIL
    assert key in found[name].text
    assert "wrong-key" not in found[name].text
    others = [line.state for other, line in found.items() if other != name]
    assert others == [check.State.OK] * len(ADAPTERS)


@pytest.mark.parametrize("name", ADAPTERS)
async def test_an_address_without_an_answer_is_named(
    name: str, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"XUKA_{name.upper()}__BASE_URL", "http://127.0.0.1:9/v2")
    monkeypatch.setenv("XUKA_RELOADLY__AUTH_URL", "http://127.0.0.1:9/v2")
    found = await lines(load())
    assert found[name].state is check.State.FAIL
    assert "is http://127.0.0.1:9/v2 reachable from here?" in found[name].text


@pytest.mark.parametrize("name", ADAPTERS)
async def test_a_supplier_in_trouble_is_told_from_our_own_mistakes(name: str, row: Row) -> None:
    row.faults.set(f"{name}.http_500", on=True)
    line = (await lines(row.settings))[name]
    assert line.state is check.State.FAIL
    assert "its service may be down" in line.text


def test_carriers_are_listed_without_any_settings(capsys: pytest.CaptureFixture[str]) -> None:
    carriers.main()
    said = capsys.readouterr().out
    for name in (*ADAPTERS, "manual"):
        assert name in said
    assert "XUKA_DINGCONNECT__API_KEY" in said
    assert "XUKA_AIRALO__CLIENT_ID and XUKA_AIRALO__CLIENT_SECRET" in said


def test_a_configured_one_is_said_to_be_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XUKA_DINGCONNECT__API_KEY", "secret-key")
    carriers.main()
    said = capsys.readouterr().out
    assert "XUKA_DINGCONNECT__API_KEY" not in said
    assert "secret-key" not in said
    assert "yes" in said


def test_half_a_section_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUKA_AIRALO__CLIENT_ID", "id")
    with pytest.raises(SettingsError, match="XUKA_AIRALO__CLIENT_SECRET"):
        carriers.main()


def test_every_capability_has_its_words() -> None:
    declared = {field.name for field in fields(Capabilities)} - {"slowest"}
    assert declared == set(carriers._WORDS)
