"""The fault board: switches that make a stand-in misbehave, shared by all stand-ins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Fault:
    """One switch: on for good (`on`), or for the next `times` occasions."""

    name: str
    title_en: str
    title_zh: str
    description: str
    on: bool = False
    times: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title_en": self.title_en,
            "title_zh": self.title_zh,
            "description": self.description,
            "on": self.on,
            "times": self.times,
        }


class FaultBoard:
    """All faults by name. A stand-in registers its own and asks `take` at the moment of truth."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def register(self, name: str, title_en: str, title_zh: str, description: str) -> None:
        """Make a fault known; registering the same name again keeps its switch as it is."""
        if name not in self._faults:
            self._faults[name] = Fault(name, title_en, title_zh, description)

    def set(self, name: str, *, on: bool | None = None, times: int | None = None) -> Fault:
        """Switch a fault on or off, or on for the next `times`; KeyError for an unknown name."""
        fault = self._faults[name]
        if on is not None:
            fault.on, fault.times = on, 0
        if times is not None:
            if times < 0:
                raise ValueError("times must not be negative")
            fault.times = times
        return fault

    def take(self, name: str) -> bool:
        """Whether the fault strikes now; a counted fault is used up by one."""
        fault = self._faults.get(name)
        if fault is None:
            return False
        if fault.on:
            return True
        if fault.times > 0:
            fault.times -= 1
            return True
        return False

    def is_set(self, name: str) -> bool:
        """Whether the fault would strike, without using it up."""
        fault = self._faults.get(name)
        return fault is not None and (fault.on or fault.times > 0)

    def clear(self) -> None:
        """Switch every fault off."""
        for fault in self._faults.values():
            fault.on, fault.times = False, 0

    def list(self) -> list[dict[str, Any]]:
        """Every fault with its switch, in the order of registration."""
        return [fault.as_dict() for fault in self._faults.values()]
