"""Finding a time zone by what people type."""

from datetime import UTC, datetime

import pytest

from bot.chat.views import zones
from bot.domain.zones import is_zone
from bot.i18n import words

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("上海", "Asia/Shanghai"),
        ("北京市", "Asia/Shanghai"),
        (" Beijing ", "Asia/Shanghai"),
        ("紐約", "America/New_York"),
        ("纽约", "America/New_York"),
        ("new york time", "America/New_York"),
        ("São Paulo", "America/Sao_Paulo"),
        ("sao paulo", "America/Sao_Paulo"),
        ("菲律宾", "Asia/Manila"),
        ("菲律賓", "Asia/Manila"),
        ("Delhi", "Asia/Kolkata"),
        ("Europe/Zurich", "Europe/Zurich"),
        ("ＨＫ", "Asia/Hong_Kong"),
        ("UTC+8", "Asia/Shanghai"),
        ("gmt −5", "America/New_York"),
        ("+5:30", "Asia/Kolkata"),
        ("san franc", "America/Los_Angeles"),
    ],
)
def test_a_city_country_or_offset_is_found(text: str, zone: str) -> None:
    assert zones.find_zones(text, NOW)[0] == zone


@pytest.mark.parametrize("text", ["", "  ", "blabla", "q", "+99", "?!", "<b>"])
def test_what_is_no_place_finds_nothing(text: str) -> None:
    assert zones.find_zones(text, NOW) == []


def test_a_country_with_many_zones_offers_the_common_ones_first() -> None:
    found = zones.find_zones("USA", NOW)
    assert found[:2] == ["America/New_York", "America/Los_Angeles"]
    assert len(found) == zones.MOST


def test_every_zone_offered_exists_and_fits_a_button() -> None:
    for zone in {*zones._index(), *(z for many in zones.COMMON.values() for z in many)}:
        assert is_zone(zone)
        assert len(f"zn:{zone}") <= 64


def test_the_zone_of_a_country_is_a_guess_only_where_one_can_be_made() -> None:
    assert zones.of_country("PH") == "Asia/Manila"
    assert zones.of_country("US") == "America/New_York"
    assert zones.of_country("FR") == "Europe/Paris"
    assert zones.of_country("KZ") is None
    assert zones.of_country("XX") is None


def test_a_zone_is_named_in_the_readers_language_with_its_time() -> None:
    assert zones.zone_label(words("zh_Hans"), "America/New_York", NOW) == "纽约 · 07:00"
    assert zones.zone_name(words("zh_Hant"), "Asia/Taipei") == "台北"
