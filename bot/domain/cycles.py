"""The names under which the ledger keeps what was told of a SIM: one for each thing that can begin
anew.

A renewal, or a correction to another day (in UTC), begins a cycle of the validity; another end of
the grace period one of the stages before it; another keep-number deadline one of its own; another
amount of data one of the data alerts.
"""

from datetime import UTC, datetime

from bot.domain.sims import Sim
from bot.domain.stages import StageKind, stage_or_none
from bot.domain.zones import ceil_minute


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def cycle(sim: Sim) -> str | None:
    """The present validity, named by its expiry's date; None without any date.

    Without an expiry it is that of the keep-number deadline.
    """
    return _day(sim.expiry) if sim.expiry else _keep_cycle(sim)


def _keep_cycle(sim: Sim) -> str | None:
    return f"{StageKind.KEEP}-{_day(sim.keep_deadline)}" if sim.keep_deadline else None


def _grace_cycle(sim: Sim) -> str | None:
    present = cycle(sim)
    if present is None or sim.grace_end is None:
        return present
    return f"{present}-{StageKind.GRACE}-{_day(sim.grace_end)}"


def _data_cycle(sim: Sim) -> str | None:
    present = cycle(sim)
    total = sim.reading.data_total if sim.reading else None
    return (
        present if present is None or total is None else f"{present}-{StageKind.DATA_LOW}-{total}"
    )


def cycles(sim: Sim) -> tuple[str, ...]:
    """All present cycles of a SIM."""
    found = (cycle(sim), _keep_cycle(sim), _grace_cycle(sim), _data_cycle(sim))
    return tuple(dict.fromkeys(name for name in found if name))


def anew(old: Sim, new: Sim) -> bool:
    """Whether one of a SIM's cycles begins with its `new` state."""
    return not set(cycles(new)) <= set(cycles(old))


def cycle_of(sim: Sim, code: str) -> str | None:
    """The present cycle in which the ledger keeps a code."""
    stage = stage_or_none(code)
    if stage is None:
        return cycle(sim)
    if stage.of_data:
        return _data_cycle(sim)
    match stage.kind:
        case StageKind.KEEP:
            return _keep_cycle(sim)
        case StageKind.GRACE | StageKind.LOST:
            return _grace_cycle(sim)
    return cycle(sim)


def snooze_code(sim: Sim) -> str | None:
    """The ledger's code of the SIM's snooze, by the minute it ends."""
    if sim.snoozed_until is None:
        return None
    return f"snooze-{ceil_minute(sim.snoozed_until):%Y-%m-%dT%H:%MZ}"
