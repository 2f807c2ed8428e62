"""The rule packs that come along, and what a wrong one is told."""

from pathlib import Path
from typing import Any

import pytest

from bot.carriers.rules import PacksRefused, load, packs, read
from bot.domain.money import Money
from bot.domain.rules import Activity, Confidence, Loss, effective

GOOD = """
carrier: Acme
name: Acme prepaid
country: NO
sources:
  page: {is: Acme's own page, confidence: official, date: 2026-07}
counts: {what: [sms], by: page}
interval: [{days: 180, by: page}]
grace: unknown
lapse: [{what: number_lost, after_days: unknown, by: page}]
balance: [{sms: BAL, to: "0012", by: page}]
cheapest: [{action: sms, pay: 0.30 GBP, every_days: 180, by: page}]
"""


def test_every_row_of_the_collection_is_there() -> None:
    assert set(packs()) == {
        "att_prepaid", "boom_mobile", "china_mobile_8", "china_telecom_8", "china_unicom_8",
        "club_sim", "cmhk_mysim", "cmlink_uk", "ee_uk", "giffgaff", "globe", "h2o_paygo",
        "lyca_uk", "red_pocket_annual", "smart", "tello_paygo", "tello_plan", "three_uk",
        "tmobile_us", "ultra_paygo", "vodafone_uk",
    }  # fmt: skip


def test_smarts_two_reports_of_its_grace_are_both_kept() -> None:
    smart = packs()["smart"]
    assert [(report.days, report.best.confidence) for report in smart.graces] == [
        (120, Confidence.OFFICIAL), (180, Confidence.DATASET),
    ]  # fmt: skip
    rule = effective("Smart", smart, None)
    assert rule is not None
    assert rule.grace is not None
    assert rule.grace.days == 120


def test_nothing_is_guessed_where_nobody_told() -> None:
    boom = packs()["boom_mobile"]
    assert (boom.intervals, boom.graces, boom.lapses, boom.cheapest) == ((), (), (), ())
    assert packs()["china_mobile_8"].intervals == ()
    assert packs()["giffgaff"].lapses[0].after_days is None


def test_every_fact_has_a_source_in_every_language() -> None:
    for pack in packs().values():
        facts: list[Any] = [
            *pack.intervals, *pack.graces, *pack.lapses, *pack.balances, *pack.cheapest,
            *pack.notes,
        ]  # fmt: skip
        for said_by in [pack.counts_by, *(fact.said_by for fact in facts)]:
            assert said_by, pack.code
            for evidence in said_by:
                assert set(evidence.source) == {"en", "zh_Hans", "zh_Hant"}


def test_a_pack_is_read_as_it_stands_there() -> None:
    pack = read("acme.yaml", GOOD)
    assert (pack.code, pack.country, pack.counts) == ("acme", "NO", (Activity.SMS,))
    assert pack.intervals[0].best.date == "2026-07"
    assert pack.balances[0].to == "0012"
    assert pack.cheapest[0].pay == Money(30, "GBP")
    assert pack.lapses[0].what is Loss.NUMBER_LOST


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("grace: unknown\n", "", "grace: is missing; write `unknown`"),
        ("by: page}]\ngrace", "by: pgae}]\ngrace", "interval.0.by: no source is called pgae"),
        ("by: page}]\ngrace", "by: []}]\ngrace", "interval.0.by: name at least one source"),
        ("confidence: official", "confidence: sure", "sources.page.confidence"),
        ("2026-07", "last July", "sources.page.date"),
        ("days: 180, by", "days: half a year, by", "interval.0.days"),
        ("what: [sms]", "what: [telegram]", "counts.what.0"),
        ("country: NO", "country: Norway", "country"),
        ("0.30 GBP", "30p", "cheapest.0.pay: write an amount and its currency"),
        ("sms: BAL, to", "sms: BAL, dial: 1, to", "balance.0: give one of dial"),
        ("country: NO", "country: NO\nunknown_field: 1", "unknown_field: there is no such field"),
        ("counts: {what: [sms], by: page}", "counts: unknown", "worth nothing without what counts"),
        ("grace: unknown", "grace: [{days: 3, at_least: 5 GBP, by: page}]", "does not depend"),
        ("carrier: Acme", "carrier: [", "not YAML"),
    ],
)
def test_a_wrong_pack_is_refused_with_file_and_field(old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(PacksRefused) as refused:
        read("acme.yaml", GOOD.replace(old, new, 1))
    assert all(problem.startswith("acme.yaml:") for problem in refused.value.problems)
    assert any(told in problem for problem in refused.value.problems)


def test_tiers_and_plain_lengths_do_not_mix() -> None:
    mixed = "interval: [{days: 30, by: page}, {days: 90, at_least: 10 GBP, by: page}]"
    with pytest.raises(PacksRefused, match="or none"):
        read("acme.yaml", GOOD.replace("interval: [{days: 180, by: page}]", mixed))


def test_all_problems_of_a_folder_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, "utf-8")
    (tmp_path / "b.yaml").write_text(GOOD, "utf-8")
    (tmp_path / "c.yaml").write_text("just words", "utf-8")
    (tmp_path / "d.yaml").write_text(GOOD.replace("0.30 GBP", "?"), "utf-8")
    (tmp_path / "notes.txt").write_text("not a pack", "utf-8")
    with pytest.raises(PacksRefused) as refused:
        load(tmp_path)
    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "b.yaml", "c.yaml", "d.yaml",
    ]  # fmt: skip
