"""The one list of suppliers. A new one is a file beside this one and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bot.carriers.airalo import Airalo, AiraloSettings
from bot.carriers.dingconnect import DingConnect, DingConnectSettings
from bot.carriers.esim_access import EsimAccess, EsimAccessSettings
from bot.carriers.manual import Manual
from bot.carriers.reloadly import Reloadly, ReloadlySettings
from bot.ports import Capabilities, Carrier, Clock


@dataclass(frozen=True, slots=True)
class Adapter:
    """A supplier that settings switch on: the model of its section, how to make it, what it can."""

    settings: type[BaseModel]
    make: Callable[[Any, Clock], Carrier]
    capabilities: Capabilities


ADAPTERS: Mapping[str, Adapter] = {
    EsimAccess.name: Adapter(EsimAccessSettings, EsimAccess.from_settings, EsimAccess.capabilities),
    DingConnect.name: Adapter(
        DingConnectSettings, DingConnect.from_settings, DingConnect.capabilities
    ),
    Airalo.name: Adapter(AiraloSettings, Airalo.from_settings, Airalo.capabilities),
    Reloadly.name: Adapter(ReloadlySettings, Reloadly.from_settings, Reloadly.capabilities),
}


def build(sections: Mapping[str, BaseModel | None], clock: Clock) -> dict[str, Carrier]:
    """Every supplier with a section in the settings, and `manual`, which needs none, by name.

    Raises KeyError for a section whose name no adapter has.
    """
    carriers: dict[str, Carrier] = {Manual.name: Manual()}
    for name, section in sections.items():
        if section is not None:
            carriers[name] = ADAPTERS[name].make(section, clock)
    return carriers
