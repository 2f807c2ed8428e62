"""What a fresh demo begins with."""

from pathlib import Path
from typing import Any

from bot.chat.pictures.facts import plot_facts
from bot.demo.esim_access_state import demo_state
from bot.demo.seed import seed
from bot.demo.tryout import EN, ZH
from bot.domain.pace import Use, pace
from bot.domain.sims import Reading, Sim, SimState, Source, Tracking
from bot.i18n import words
from bot.ports import SupplierUnavailable
from bot.services.sims import Sims
from bot.store import Database
from tests.unit.services.house import PEPPER, HandClock, Supplier
from tests.unit.store.samples import NOW, days

T = words("en")


class StandIn(Supplier):
    """Reads the profiles that the demo's eSIM Access begins with."""

    async def snapshot(self, sim: Sim) -> Reading:
        profile = demo_state(NOW).profile(sim.supplier_ref or "")
        if profile is None:
            raise SupplierUnavailable("unknown")
        now = self.clock.now()
        return Reading(
            Source.SUPPLIER, now, now, SimState.ACTIVE, expiry=profile.expires_at,
            data_total=profile.volume(), data_used=profile.used,
        )  # fmt: skip


async def test_a_fresh_demo_has_weeks_of_use_to_show(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'demo.db'}")
    clock = HandClock()
    carriers: Any = {"esim_access": StandIn(clock)}
    try:
        await seed(database, clock, Sims(database, clock, carriers, PEPPER, ()), PEPPER)
        async with database.read() as tx:
            owned = [*await tx.sims.owned(ZH), *await tx.sims.owned(EN)]
            managed = [one for one in owned if one.tracking is Tracking.MANAGED]
            histories = [await tx.sims.history(one.id, days(-30)) for one in managed]
    finally:
        await database.close()
    assert len(managed) == 2
    uses = []
    for one, history in zip(managed, histories, strict=True):
        assert one.reading == history[-1]  # the supplier's own word is the newest
        assert history[0].as_of <= days(-17)
        used = [reading.data_used or 0 for reading in history]
        assert used == sorted(used)
        found = pace(history, one.expiry, NOW)
        assert found is not None
        uses.append(found.use)
        assert plot_facts(T, one, history, found, NOW) is not None
    assert uses == [Use.LIGHT, Use.HEAVY]  # one advice each
