"""A keep-number rule in words: each fact short, its sources named once."""

from html import unescape

import pytest

from bot.carriers.rules import packs
from bot.chat.views import keeping
from bot.domain.rules import Rule, effective
from bot.domain.sims import KeepRule, Source
from bot.i18n import words
from tests.unit.store.samples import NOW, sim

T = words("en")
LANGUAGES = ("en", "zh_Hans", "zh_Hant")


def rule(code: str) -> Rule:
    """A pack's rule as nobody has changed it."""
    pack = packs()[code]
    found = effective(pack.carrier, pack, None)
    assert found is not None
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", sorted(packs()))
def test_a_source_is_named_once_on_a_screen(language: str, code: str) -> None:
    t, one = words(language), rule(code)
    assert one.pack is not None
    whole = unescape(keeping.how_to_keep(t, sim(carrier=one.name), one, [one], None, NOW).text)
    facts, heading, named = whole.partition(t("<b>Sources</b>"))
    listed = named.strip().split("\n")
    assert heading
    assert len(listed) == len(set(listed))
    for report in one.pack.intervals:
        assert any(evidence.source[language] in named for evidence in report.said_by)
    for lapse in one.pack.lapses:
        for evidence in lapse.said_by:
            assert f"· {evidence.source[language]}" not in facts
    assert "\n\n\n" not in whole


def test_each_fact_bears_a_word_of_its_confidence() -> None:
    text = keeping.how_to_keep(T, sim(), rule("smart"), [], None, NOW).text
    assert "At least once in 365 days · official" in text
    assert "• another report: 180 days · collected (the shorter counts)" in text
    assert "• after 180 days: the number is lost · collected" in text
    assert "• Smart's own pages · official" in text.partition("<b>Sources</b>")[2]


def test_an_owners_own_rule_has_no_sources() -> None:
    own = effective("Acme", None, None, KeepRule(90, 30, Source.CUSTOMER))
    text = keeping.how_to_keep(T, sim(), own, [], None, NOW).text
    assert "At least once in 90 days · your own" in text
    assert "Sources" not in text


def test_chinese_lists_have_chinese_separators() -> None:
    text = keeping.offer(words("zh_Hans"), "giffgaff", [rule("giffgaff")], 1).text
    assert "打电话、发短信、用流量" in text
    assert ", " not in text
