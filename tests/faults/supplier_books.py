"""The four suppliers of the fault harness: fresh lines to sell to, and what they really did.

What a supplier delivered is read from its stand-in's own memory, never from an answer of its API.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.demo.airalo_state import Esim, Held
from bot.demo.esim_access_state import GB, Bought, Profile
from bot.demo.suppliers import Suppliers
from bot.domain.money import Money
from bot.domain.plans import Plan
from bot.domain.sims import Sim, SimForm, Tracking
from tests.unit.store.samples import ALICE, sim


class Standing(StrEnum):
    """What became of one purchase."""

    DELIVERED = "delivered"
    UNDER_WAY = "under_way"
    NOTHING = "nothing"  # failed, or taken back: our money has returned


@dataclass(frozen=True, slots=True)
class Entry:
    """One purchase in a supplier's books, by our reference."""

    ref: str
    standing: Standing


def _plan(
    supplier: str, code: str, days: int, cap: str, delivers: Money | None = None, data: int = 0
) -> Plan:
    return Plan(
        code=f"{supplier}-{code}".replace(":", "-"), version=1, carrier=supplier,
        supplier=supplier, supplier_code=code, name={"en": code}, days=days,
        price=Money(1290, "USD"), data=data or None, max_cost=Money.of(cap, "USD"),
        delivers=delivers,
    )  # fmt: skip


ESIM_ACCESS, AIRALO, RELOADLY, DINGCONNECT = "esim_access", "airalo", "reloadly", "dingconnect"
SUPPLIERS = (ESIM_ACCESS, AIRALO, RELOADLY, DINGCONNECT)
_PESOS, _DOLLARS, _YUAN = Money.of(100, "PHP"), Money.of(10, "USD"), Money.of(50, "CNY")

PROFILE_PLANS = {
    ESIM_ACCESS: (
        _plan(ESIM_ACCESS, "TOPUP_JP_M_1", 30, "1.60", data=GB),
        _plan(ESIM_ACCESS, "TOPUP_JP_D_1", 1, "1.00", data=GB),
    ),
    AIRALO: (
        _plan(AIRALO, "change-30days-1gb-topup", 30, "1.80", data=GB),
        _plan(AIRALO, "change-7days-1gb-topup", 7, "1.70", data=GB),
        _plan(AIRALO, "change-30days-unlimited-topup", 30, "19.00"),
    ),
}
"""What eSIMs are sold. The caps hold today's prices, and no price that a fault has raised."""

NUMBER_PLANS = {
    RELOADLY: (
        ("+63918", 7, _plan(RELOADLY, "423", 30, "2.20", _PESOS)),
        ("+1305555", 4, _plan(RELOADLY, "548", 30, "11.00", _DOLLARS)),
        ("+1212555", 4, _plan(RELOADLY, "1207:15", 30, "16.00")),
        ("+861380013", 4, _plan(RELOADLY, "85:50CNY", 0, "8.00")),
        ("+861300013", 4, _plan(RELOADLY, "86", 0, "9.00", _YUAN)),
        ("+1646555", 4, _plan(RELOADLY, "711:10", 30, "11.00")),
    ),
    DINGCONNECT: (
        ("+63918", 7, _plan(DINGCONNECT, "PH_SM_TopUp", 30, "2.20", _PESOS)),
        ("+63918", 7, _plan(DINGCONNECT, "SMPH0100", 30, "2.20")),
        ("+861380013", 4, _plan(DINGCONNECT, "CMCN0050", 0, "8.20")),
        ("+1305555", 4, _plan(DINGCONNECT, "US_TM_TopUp", 30, "11.00", _DOLLARS)),
        ("+1212555", 4, _plan(DINGCONNECT, "ATUS0025PIN", 30, "25.00")),
    ),
}
"""The beginning of a number, the digits that follow, what it is sold."""

PLANS = [
    *(plan for plans in PROFILE_PLANS.values() for plan in plans),
    *(plan for plans in NUMBER_PLANS.values() for _, _, plan in plans),
]


class Books:
    """The suppliers' memories, as their own bookkeepers see them."""

    def __init__(self, suppliers: Suppliers) -> None:
        self._all = suppliers
        self._lines = 0
        suppliers.esim_access.balance = 10**9
        suppliers.airalo.balance = 10**9
        suppliers.reloadly.balance += 10**7
        suppliers.dingconnect.balance += 10**7

    # ---- lines -------------------------------------------------------------------------------

    def new_line(self, supplier: str, rng: random.Random, now: datetime) -> tuple[Sim, Plan]:
        """A customer's fresh SIM at that supplier, and what they will buy for it."""
        self._lines += 1
        if supplier in NUMBER_PLANS:
            return self._number(supplier, rng, now)
        sold = self._profile if supplier == ESIM_ACCESS else self._esim
        return sold(rng, now), rng.choice(PROFILE_PLANS[supplier])

    def _number(self, supplier: str, rng: random.Random, now: datetime) -> tuple[Sim, Plan]:
        begin, digits, plan = rng.choice(NUMBER_PLANS[supplier])
        line = sim(
            f"line-{self._lines}", ALICE, supplier=supplier,
            msisdn=f"{begin}{self._lines % 10**digits:0{digits}}",
            expiry=now + timedelta(days=rng.choice((-3, 1, 20))), grace_end=None,
        )  # fmt: skip
        return line, plan

    def _profile(self, rng: random.Random, now: datetime) -> Sim:
        """At eSIM Access: active, about to expire, used up, or not yet activated."""
        number = str(26_000_000_000_000 + self._lines)
        kind = rng.choice(("active", "active", "ends", "used_up", "new"))
        waiting = kind == "new"
        minutes = {"ends": rng.randint(2, 60), "new": 60 * 24 * 90}.get(kind, 60 * 24 * 5)
        sold_at = now - timedelta(days=2)
        first = Bought(
            code="JP_3_30", name="Japan 3GB 30Days", volume=3 * GB, days=30, at=sold_at,
            esim_tran_no=number, transaction_id=f"sold-{number}", visible_from=sold_at,
        )  # fmt: skip
        profile = Profile(
            iccid=f"898520410000{self._lines:08}", esim_tran_no=number, order_no=f"B{number}",
            brand="boom eSIM", location="JP", activation_code=f"LPA:1$rsp.example.com${number}",
            status="GOT_RESOURCE" if waiting else "IN_USE",
            expires_at=now + timedelta(minutes=minutes),
            used={"used_up": 3 * GB, "new": 0}.get(kind, GB), bought=[first],
            measured_used=0, measured_at=now,
        )  # fmt: skip
        self._all.esim_access.profiles.append(profile)
        return _esim_of(ESIM_ACCESS, self._lines, number, profile.iccid, profile.expires_at)

    def _esim(self, rng: random.Random, now: datetime) -> Sim:
        """At Airalo: active, expired but in its grace, or not yet activated."""
        operator = next(one for one in self._all.airalo.operators if one.slug == "change")
        kind = rng.choice(("active", "active", "grace", "new"))
        days = {"active": 6, "grace": -5}.get(kind)
        sold_at = now - timedelta(days=20)
        held = Held(package=operator.sold[2], order_id=1, visible_from=sold_at, before=None)
        esim = Esim(
            iccid=f"89012600000{self._lines:08}", brand="US Data Card", operator=operator.slug,
            activation_code=f"LPA:1$lpa.example.com$A{self._lines}", sold_at=sold_at,
            status="NOT_ACTIVE" if days is None else "ACTIVE",
            expires_at=None if days is None
            else (now + timedelta(days=days)).replace(microsecond=0),
            used_mb=0 if days is None else 900, held=[held],
        )  # fmt: skip
        self._all.airalo.esims.append(esim)
        return _esim_of(AIRALO, self._lines, esim.iccid, esim.iccid, esim.expires_at)

    # ---- what was bought ---------------------------------------------------------------------

    def of_order(self, supplier: str, order_id: str, now: datetime) -> list[Entry]:
        """Every purchase that was made for an order: our references begin with its id."""
        entries: dict[str, Callable[[datetime], Iterator[Entry]]] = {
            ESIM_ACCESS: self._of_esim_access,
            AIRALO: self._of_airalo,
            RELOADLY: self._of_reloadly,
            DINGCONNECT: self._of_dingconnect,
        }
        return [one for one in entries[supplier](now) if one.ref.startswith(f"{order_id}-")]

    def _of_esim_access(self, now: datetime) -> Iterator[Entry]:
        for profile in self._all.esim_access.profiles:
            for one in profile.bought:
                yield Entry(one.transaction_id, Standing.DELIVERED)

    def _of_airalo(self, now: datetime) -> Iterator[Entry]:
        for order in self._all.airalo.orders:
            yield Entry(order.note, Standing.DELIVERED)

    def _of_reloadly(self, now: datetime) -> Iterator[Entry]:
        standings = {"SUCCESSFUL": Standing.DELIVERED, "PROCESSING": Standing.UNDER_WAY}
        for one in self._all.reloadly.topups:
            yield Entry(one.ref, standings.get(one.status_at(now), Standing.NOTHING))

    def _of_dingconnect(self, now: datetime) -> Iterator[Entry]:
        for one in self._all.dingconnect.transfers:
            ended = Standing.NOTHING if one.ends_as == "Failed" else Standing.DELIVERED
            yield Entry(one.distributor_ref, ended if now >= one.settles_at else Standing.UNDER_WAY)


def _esim_of(supplier: str, line: int, ref: str, iccid: str, expiry: datetime | None) -> Sim:
    return sim(
        f"line-{line}", ALICE, tracking=Tracking.MANAGED, form=SimForm.ESIM, rule=None,
        carrier=supplier, supplier=supplier, supplier_ref=ref, iccid=iccid, expiry=expiry,
        grace_end=None,
    )  # fmt: skip
