"""`xuka campaigns` as an operator types it."""

from pathlib import Path

import pytest

from bot.demo.seed import CAMPAIGNS, PLANS, PROMOS
from tests.unit.test_cli import address, desk, shop, xuka

__all__ = ["address", "desk", "shop"]

CATALOGUE = "plans:\n  - {code: smart-50, carrier: Smart, name: Keep it, days: 9, price: 50 PHP}\n"
OFFERS = """\
promos:
  - {id: grp, posted: true, title: For the group, percent: 10, total: 5}
  - {id: all, title: For all, percent: 5}
  - {id: big, posted: true, title: Big, save: 5 PHP, min_spend: 100 PHP}
"""
FILE = """\
campaigns:
  - {id: spring, promo: grp, plans: [smart-50], title: Spring, texts: "{plan} for {after}",
     picture: spring.png, groups: [-1001], earns_percent: 5}
  - {id: other, promo: grp, plans: [smart-50], title: Other, texts: Hello}
"""
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


@pytest.fixture
def sold(shop: None, desk: Path) -> Path:
    (desk / "plans.yaml").write_text(CATALOGUE, "utf-8")
    (desk / "promos.yaml").write_text(OFFERS, "utf-8")
    (desk / "spring.png").write_bytes(PNG)
    assert xuka("plans", "apply", "plans.yaml") == 0
    assert xuka("promos", "apply", "promos.yaml") == 0
    return desk


def test_a_campaign_file_is_checked_applied_listed_and_stopped(
    sold: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sold / "campaigns.yaml").write_text(FILE, "utf-8")
    assert xuka("campaigns", "list") == 0
    assert "There are no campaigns" in capsys.readouterr().out
    assert xuka("campaigns", "check", "campaigns.yaml") == 0
    said = capsys.readouterr().out
    assert "+ spring: new, promo grp, earns 5 %" in said
    assert "would be: 2 new" in said
    assert xuka("campaigns", "apply", "campaigns.yaml") == 0
    assert xuka("campaigns", "apply", "campaigns.yaml") == 0
    assert capsys.readouterr().out.endswith("Nothing changes.\n")
    (sold / "spring.png").write_bytes(PNG + b"1")
    (sold / "campaigns.yaml").write_text(FILE.rsplit("  - {id: other")[0], "utf-8")
    assert xuka("campaigns", "apply", "campaigns.yaml") == 0
    said = capsys.readouterr().out
    assert "~ spring: picture spring.png → spring.png (another one)" in said
    assert "- other: stopped" in said
    assert xuka("campaigns", "stop", "spring") == 0
    assert xuka("campaigns", "list") == 0
    said = capsys.readouterr().out
    assert "spring: stopped, promo grp, 1 groups, earns 5 %, 0 open\n" in said
    assert xuka("campaigns", "stop", "spring") == 1
    assert "spring: no such campaign is running" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{after}", "{price}", "spring texts.en: {price}: there is no such placeholder"),
        ("{after}", "{after", "spring texts.en: a brace is left over"),
        ("promo: grp, plans: [smart-50], title: S", "promo: nope, plans: [smart-50], title: S",
         "spring promo: nope is no running promo"),
        ("promo: grp, plans: [smart-50], title: S", "promo: all, plans: [smart-50], title: S",
         "spring promo: all needs `posted: true`"),
        ("promo: grp, plans: [smart-50], title: S", "promo: big, plans: [smart-50], title: S",
         "spring plans: big gives nothing for smart-50"),
        ("plans: [smart-50], title: S", "plans: [nope], title: S",
         "spring plans: nope is no plan of the catalogue"),
        ("picture: spring.png", "picture: autumn.png",
         "spring picture: autumn.png is not beside this file"),
        ("picture: spring.png", "picture: plans.png", "spring picture: plans.png is no PNG"),
        ("texts: \"{plan}", "texts: \"" + "long " * 150 + "{plan}", "spring texts: takes "),
        ("earns_percent: 5", "earns_percent: 5, earns_points: 9", "not both"),
    ],
)  # fmt: skip
def test_a_wrong_campaign_file_names_line_campaign_and_field(
    sold: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    (sold / "plans.png").write_bytes(b"plans:")
    (sold / "campaigns.yaml").write_text(FILE.replace(old, new), "utf-8")
    assert xuka("campaigns", "apply", "campaigns.yaml") == 1
    said = capsys.readouterr().err
    assert "campaigns.yaml:2: " in said
    assert told in said
    assert "Nothing was changed." in said


def test_a_promo_for_posts_has_no_code(sold: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sold / "promos.yaml").write_text(OFFERS.replace("posted: true,", "posted: true, code: ABCD,"))
    assert xuka("promos", "check", "promos.yaml") == 1
    assert "posted is for promos that no code" in capsys.readouterr().err


def test_the_example_for_operators_is_in_order(
    shop: None, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy = Path(__file__).parents[2] / "deploy"
    promos = (deploy / "promos.example.yaml").read_text("utf-8")
    (desk / "promos.yaml").write_text(promos, "utf-8")
    assert xuka("plans", "apply", str(deploy / "plans.example.yaml")) == 0
    assert xuka("promos", "apply", "promos.yaml") == 0
    assert xuka("campaigns", "check", str(deploy / "campaigns.example.yaml")) == 0
    assert "+ spring: new, promo groups, earns 5 %" in capsys.readouterr().out


def test_the_demos_campaign_file_is_a_good_example(
    shop: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert xuka("plans", "apply", str(PLANS)) == 0
    assert xuka("promos", "apply", str(PROMOS)) == 0
    assert xuka("campaigns", "check", str(CAMPAIGNS)) == 0
    assert "+ travel: new, promo group-travel, earns 5 %" in capsys.readouterr().out
