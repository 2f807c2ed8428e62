"""`xuka payments` and what `xuka check` says of providers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner

from bot.__main__ import app
from bot.cli.payments import probes
from bot.config import Settings
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.demo.providers import Providers
from tests.contract.botapi_server import serving


@pytest.fixture
async def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Settings]:
    providers = Providers.load(tmp_path)
    routes = providers.routes(WorldClock(), FaultBoard(), CallLog(WorldClock()))
    async with serving(Starlette(routes=list(routes))) as url:
        for name, value in providers.settings(url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("XUKA_BOT_TOKEN", "1:offline")
        yield Settings()


def test_every_way_to_pay_is_listed_with_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = CliRunner().invoke(app, ["payments"]).output
    for name in ("stars", "telegram", "stripe", "paypal", "epay", "wallet", "transfer", "voucher"):
        assert name in said
    assert "XUKA_STRIPE__SECRET_KEY" in said


async def test_providers_are_asked_and_told_where_they_may_call(settings: Settings) -> None:
    found = {probe.name: probe for probe in await probes(settings)}
    assert {name: probe.well for name, probe in found.items()} == {
        "stripe": True, "paypal": True, "epay": True,
    }  # fmt: skip
    assert "/hooks/stripe/" in found["stripe"].text
    secret = settings.hooks_secret
    assert secret is not None
    assert secret.get_secret_value() not in found["epay"].text


async def test_a_wrong_key_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUKA_STRIPE__SECRET_KEY", "sk_test_wrong")
    found = {probe.name: probe for probe in await probes(Settings())}
    assert not found["stripe"].well
