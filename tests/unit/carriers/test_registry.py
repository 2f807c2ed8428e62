"""The list of suppliers."""

from datetime import UTC, datetime

import pytest

from bot.carriers.esim_access import EsimAccess, EsimAccessSettings
from bot.carriers.manual import Manual
from bot.carriers.registry import ADAPTERS, build


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


def settings() -> EsimAccessSettings:
    return EsimAccessSettings.model_validate({"access_code": "a", "secret_key": "b"})


async def test_a_section_switches_a_supplier_on() -> None:
    carriers = build({"esim_access": settings()}, Now())
    assert isinstance(carriers["esim_access"], EsimAccess)
    assert {name: carrier.name for name, carrier in carriers.items()} == {
        "manual": "manual",
        "esim_access": "esim_access",
    }
    for carrier in carriers.values():
        await carrier.close()


def test_manual_needs_no_settings() -> None:
    carriers = build({"esim_access": None}, Now())
    assert list(carriers) == ["manual"]
    assert isinstance(carriers["manual"], Manual)


def test_an_unknown_section_is_named() -> None:
    with pytest.raises(KeyError, match="nobody"):
        build({"nobody": settings()}, Now())


def test_each_name_is_its_adapters() -> None:
    assert ADAPTERS["esim_access"].settings is EsimAccessSettings
