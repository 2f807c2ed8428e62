"""What is written for one case of the carriers' fault harness: its seed's say in the matter."""

import random
from dataclasses import dataclass
from datetime import timedelta

from bot.demo import airalo, dingconnect_faults, esim_access, reloadly_faults

SPAN = timedelta(hours=96)
"""How long an order is watched after its payment."""

_RARE = frozenset({"slow", "slow_after_success", "accepts_late"})
"""They take real seconds."""
_RETRIED = frozenset({"http_429", "rate_limited", "rate_reset", "busy_900001"})
"""Each makes an adapter wait for a real second or two: never for a whole span."""
_LIKELY = frozenset({"timeout_after_success", "drop_before_accept", "lookup_lags"})
_STANDINGS = frozenset({"echoes_description", "names_no_sim", "discount_pricing", "other_types"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault: from when after the payment (seconds; negative: before), how often or how long."""

    name: str
    after: float
    times: int | None
    lasts: float


@dataclass
class Script:
    """Everything that is written for one case."""

    supplier: str
    troubles: list[Trouble]
    lives: list[int]
    cut: float | None
    """Real seconds after which the first work is cut off."""
    twins: float | None
    """Real seconds after which a second process joins the first one's work."""
    pays: str
    """once, twice, late."""
    looks_after: float | None
    """Seconds an operator lets a matter wait; None: nobody looks."""
    refund_away: int
    refund_mute: int

    @classmethod
    def write(cls, rng: random.Random, supplier: str) -> "Script":
        """One for a supplier."""
        names, weights = _names(supplier)
        count = rng.choices((0, 1, 2, 3, 4), (8, 35, 30, 18, 9))[0]
        many = rng.choices((0, 1, 2, 3), (45, 33, 15, 7))[0]
        return cls(
            supplier,
            [_trouble(rng, name) for name in rng.choices(names, weights, k=count)],
            [_life(rng) for _ in range(many)],
            rng.uniform(0, 0.06) if rng.random() < 0.12 else None,
            rng.uniform(0, 0.06) if rng.random() < 0.12 else None,
            rng.choices(("once", "twice", "late"), (84, 9, 7))[0],
            a_while(rng, 60, 86_400) if rng.random() < 0.85 else None,
            rng.randint(1, 4) if rng.random() < 0.1 else 0,
            rng.randint(1, 2) if rng.random() < 0.1 else 0,
        )


def _life(rng: random.Random) -> int:
    """Steps until a death: half of them end about where a top-up is bought."""
    return rng.randint(12, 34) if rng.random() < 0.5 else int(a_while(rng, 1, 70))


def _names(supplier: str) -> tuple[list[str], list[float]]:
    tables = {
        "esim_access": esim_access.FAULTS,
        "airalo": airalo.FAULTS,
        "reloadly": reloadly_faults.FAULTS,
        "dingconnect": dingconnect_faults.FAULTS,
    }
    names = [row[0] for row in tables[supplier] if not row[0].startswith("webhook_")]
    weights = [0.06 if name in _RARE else 2.5 if name in _LIKELY else 1.0 for name in names]
    return names, weights


def _trouble(rng: random.Random, name: str) -> Trouble:
    moment = rng.random()
    after = 0.0
    if moment < 0.08:
        after = -1.0
    elif moment > 0.78:
        after = a_while(rng, 1, 90_000)
    lasting = name not in _RARE | _RETRIED and rng.random() < 0.25
    lasts = a_while(rng, 20, 30_000) if lasting or name in _STANDINGS else SPAN.total_seconds()
    times = None if lasting else rng.choices((1, 2, 3, 6), (60, 20, 12, 8))[0]
    return Trouble(name, after, times, lasts)


def a_while(rng: random.Random, least: float, most: float) -> float:
    """Seconds, short ones as likely as long ones."""
    return float(least * (most / least) ** rng.random())
