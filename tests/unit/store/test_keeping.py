"""Activities and the operator's rules in the store."""

from datetime import date, timedelta

from bot.domain.rules import Activity, Overridden, Override
from bot.domain.sims import KeepRule, Source
from bot.ports import ActivityRow
from bot.store import Database
from tests.unit.store.samples import NOW, chat, days, populate, sim

DAY = date(2026, 11, 20)


async def test_an_activity_is_one_a_kind_and_day_and_the_latest_comes_first(db: Database) -> None:
    await populate(db)
    sms = ActivityRow("sim-a", Activity.SMS, DAY, None, NOW)
    call = ActivityRow("sim-a", Activity.CALL, DAY + timedelta(days=1), None, NOW)
    paid = ActivityRow("sim-a", Activity.TOP_UP, DAY - timedelta(days=9), 365, NOW)
    async with db.write() as tx:
        for row in (sms, call, paid):
            assert await tx.activities.add(row)
        assert not await tx.activities.add(sms)
        assert await tx.activities.of("sim-a") == [call, sms, paid]
        assert await tx.activities.of("sim-b") == []
        assert await tx.activities.remove("sim-a", Activity.SMS, DAY)
        assert not await tx.activities.remove("sim-a", Activity.SMS, DAY)
    async with db.read() as tx:
        assert await tx.activities.of("sim-a") == [call, paid]


async def test_an_operators_rule_is_replaced_and_removed(db: Database) -> None:
    first = Overridden("smart", Override(grace_days=120), "cli:ann", NOW)
    whole = Override(30, 5, (Activity.SMS, Activity.PLAN), "*123#", "Ask us.")
    second = Overridden("smart", whole, "cli:bob", days(1))
    other = Overridden("dito", Override(interval_days=60), "cli:ann", NOW)
    async with db.write() as tx:
        await tx.rules.set(first)
        await tx.rules.set(second)
        await tx.rules.set(other)
    async with db.write() as tx:
        assert await tx.rules.get("smart") == second
        assert await tx.rules.get("globe") is None
        assert await tx.rules.all() == [other, second]
        assert await tx.rules.remove("smart")
        assert not await tx.rules.remove("smart")
    async with db.read() as tx:
        assert await tx.rules.all() == [other]


async def test_a_sim_keeps_its_deadline_its_rules_source_and_its_phone(db: Database) -> None:
    kept = sim(
        "s1", rule=KeepRule(180, None, Source.RULE, "giffgaff"), keep_deadline=days(90),
        deadline_source=Source.RULE, device="iPhone 13", imei="490154203237518",
    )  # fmt: skip
    async with db.write() as tx:
        await tx.chats.add(chat())
        await tx.sims.add(kept)
        assert await tx.sims.update("s1", 1, deadline_source=Source.OPERATOR, imei=None)
    async with db.read() as tx:
        found = await tx.sims.get("s1")
    assert found is not None
    assert found.rule == kept.rule
    assert (found.keep_deadline, found.deadline_source) == (days(90), Source.OPERATOR)
    assert (found.device, found.imei) == ("iPhone 13", None)


async def test_lines_that_follow_a_rule_are_found_for_a_recount(db: Database) -> None:
    async with db.write() as tx:
        await tx.chats.add(chat())
        await tx.sims.add(sim("ruled", iccid="1"))
        await tx.sims.add(sim("dated", iccid="2", rule=None, keep_deadline=days(3)))
        await tx.sims.add(sim("plain", iccid="3", rule=None))
        await tx.sims.add(sim("gone", iccid="4", removed_at=NOW))
    async with db.read() as tx:
        assert [found.id for found in await tx.sims.kept()] == ["ruled", "dated"]
