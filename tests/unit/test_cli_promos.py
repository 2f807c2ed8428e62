"""`xuka promos` as an operator types it."""

from pathlib import Path

import pytest

from bot.demo.seed import PLANS, PROMOS
from tests.unit.test_cli import address, desk, shop, xuka

__all__ = ["address", "desk", "shop"]

FILE = """\
promos:
  - {id: spring, code: SPRING10, title: Spring, percent: 10, total: 5, ends: 2027-12-31}
  - {id: full, title: Full, steps: [{spend: 100 PHP, save: 5 PHP}], points: 3}
"""
CATALOGUE = "plans:\n  - {code: smart-50, carrier: Smart, name: Keep it, days: 9, price: 50 PHP}\n"


@pytest.fixture
def sold(shop: None, desk: Path) -> Path:
    (desk / "plans.yaml").write_text(CATALOGUE, "utf-8")
    assert xuka("plans", "apply", "plans.yaml") == 0
    return desk


def test_a_promo_file_is_checked_applied_listed_and_stopped(
    sold: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sold / "promos.yaml").write_text(FILE, "utf-8")
    assert xuka("promos", "check", "promos.yaml") == 0
    said = capsys.readouterr().out
    assert "+ spring: new, 10 %" in said
    assert "+ full: new, 5.00 PHP less from 100.00 PHP on and 3 points" in said
    assert "would be: 2 new" in said
    assert xuka("promos", "list") == 0
    assert "There are no promos" in capsys.readouterr().out
    assert xuka("promos", "apply", "promos.yaml") == 0
    assert xuka("promos", "apply", "promos.yaml") == 0
    assert capsys.readouterr().out.endswith("Nothing changes.\n")
    assert xuka("promos", "stop", "spring") == 0
    assert xuka("promos", "list") == 0
    said = capsys.readouterr().out
    assert "spring: stopped, code SPRING10, 10 %, used 0 of 5, until 2027-12-31 16:00 UTC\n" in said
    assert "full: running, by itself," in said
    changed = FILE.replace("percent: 10,", "percent: 12.5,").rsplit("  - {id: full")[0]
    (sold / "promos.yaml").write_text(changed, "utf-8")
    assert xuka("promos", "apply", "promos.yaml") == 0
    said = capsys.readouterr().out
    assert "~ spring: percent 10 → 12.5" in said
    assert "- full: stopped" in said


def test_a_wrong_promo_file_names_line_promo_and_field(
    sold: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sold / "promos.yaml").write_text(FILE.replace("points: 3", "plans: [nope]"), "utf-8")
    assert xuka("promos", "apply", "promos.yaml") == 1
    said = capsys.readouterr().err
    assert "promos.yaml:3: full plans: nope is no plan of the catalogue" in said
    assert "Nothing was changed." in said


def test_stopping_what_does_not_run_says_so(sold: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert xuka("promos", "stop", "nobody") == 1
    assert "nobody: no such promo is running" in capsys.readouterr().err


def test_the_demos_promo_file_is_a_good_example(
    shop: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert xuka("plans", "apply", str(PLANS)) == 0
    assert xuka("promos", "check", str(PROMOS)) == 0
    assert "+ welcome: new, boom-jp-month-5 for boom-jp-month-1" in capsys.readouterr().out
