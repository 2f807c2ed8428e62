"""What a reminder can be about: the stages, their codes in the ledger and their urgency."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

GRACE_DAYS = (3, 1)  # F30: days before the grace period ends
KEEP_DAYS = (30, 7, 3, 1)  # F30: days before the keep-number deadline


class StageKind(StrEnum):
    """What a reminder is about; the value begins its code in the ledger."""

    EXPIRY = "expiry"
    KEEP = "keep"
    GRACE_STARTED = "grace-started"
    GRACE = "grace"
    LOST = "lost"
    DATA_LOW = "data"
    USED_UP = "used-up"


_NUMBERED = frozenset({StageKind.EXPIRY, StageKind.KEEP, StageKind.GRACE, StageKind.DATA_LOW})


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the reminders. `number` is days before the event, or per cent of the data."""

    kind: StageKind
    number: int | None = None

    def __post_init__(self) -> None:
        if (self.kind in _NUMBERED) != (self.number is not None):
            raise ValueError(f"wrong number for a stage {self.kind}: {self.number}")

    @property
    def code(self) -> str:
        """Its stable name in the ledger: "expiry-7", "grace-started", "data-20"."""
        return self.kind.value if self.number is None else f"{self.kind}-{self.number}"

    @classmethod
    def parse(cls, code: str) -> "Stage":
        """The stage of a code. Raises ValueError for any other text, a snooze's code too."""
        kind, _, number = code.rpartition("-")
        if number.isascii() and number.isdigit() and kind in _NUMBERED:
            return cls(StageKind(kind), int(number))
        return cls(StageKind(code))

    @property
    def urgency(self) -> tuple[int, float]:
        """Greater is more urgent. Data stages rank among the days before expiry."""
        return _urgency(self.kind, float(self.number or 0))

    @property
    def last_day(self) -> bool:
        """Whether it may break quiet hours where the customer allows that (F31)."""
        return self.code in ("expiry-0", "keep-1", "grace-1")

    @property
    def ahead(self) -> bool:
        """Whether it counts the days before an event, and is as true at another hour of its day."""
        return self.kind in (StageKind.EXPIRY, StageKind.KEEP, StageKind.GRACE)

    @property
    def of_data(self) -> bool:
        """Whether it comes from a reading of the data, not from a date."""
        return self.kind in (StageKind.DATA_LOW, StageKind.USED_UP)


@lru_cache(maxsize=1024)
def _urgency(kind: StageKind, number: float) -> tuple[int, float]:
    match kind:
        case StageKind.EXPIRY:
            return (0, -number)
        case StageKind.KEEP:  # a number is more than a validity that ends the same day
            return (0, 0.25 - number)
        case StageKind.USED_UP:
            return (0, -0.5)  # after the expiry day, before the day ahead of it
        case StageKind.DATA_LOW:
            return (0, -1.5) if number == 10 else (0, -3.5)
        case StageKind.GRACE_STARTED:
            return (1, -float("inf"))
        case StageKind.GRACE:
            return (1, -number)
        case StageKind.LOST:
            return (2, 0.0)


LOW = Stage(StageKind.DATA_LOW, 20)
VERY_LOW = Stage(StageKind.DATA_LOW, 10)
USED_UP = Stage(StageKind.USED_UP)
GRACE_STARTED, LOST = Stage(StageKind.GRACE_STARTED), Stage(StageKind.LOST)


@lru_cache(maxsize=1024)
def stage_or_none(code: str) -> Stage | None:
    """The ledger also holds snoozes, and may hold stages that a newer version wrote."""
    try:
        return Stage.parse(code)
    except ValueError:
        return None


def parsed(codes: Iterable[str]) -> list[Stage]:
    """The stages among some codes."""
    return [stage for stage in map(stage_or_none, codes) if stage is not None]
