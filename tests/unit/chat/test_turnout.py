"""The picture of what a group's posts brought: every language, every size of numbers."""

from datetime import timedelta

import pytest

from bot.chat.pictures.turnout import TurnoutFacts, turnout_plot
from bot.chat.views import turnout as views
from bot.domain.campaigns import PostCounts
from bot.domain.groups import Approval, Group, Standing
from bot.domain.turnout import Came, turnout
from bot.domain.zones import zone
from bot.i18n import words
from tests.unit.chat.test_pictures import LANGUAGES, colours, shown
from tests.unit.store.samples import NOW

GROUP = Group("g", -1, "supergroup", "省卡群 SIM Savers 👋 " * 5, Standing.ADMIN, True,
              Approval.ALLOWED, "en", "Asia/Shanghai")  # fmt: skip


def facts(language: str, most: int) -> TurnoutFacts:
    moments = [NOW - timedelta(days=day) for day in range(30) for _ in range(most * day // 29)]
    found = turnout(Came(moments, moments[::2], moments[::5]), NOW, 30, zone(GROUP.zone))
    counts = PostCounts(len(moments), len(moments) // 2, len(moments) // 5)
    return views.facts(words(language, GROUP.zone), GROUP, found, counts, NOW)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_drawn_in_every_language(language: str) -> None:
    image = shown(turnout_plot(facts(language, 12)))
    assert {"#b9d0e3", "#3f6b8c", "#0b7a6f"} <= colours(image)


@pytest.mark.parametrize(
    ("most", "steps"),
    [(1, [0, 1]), (5, [0, 1, 2, 3, 4, 5]), (6, [0, 2, 4, 6]), (11, [0, 5, 10, 15]),
     (26, [0, 10, 20, 30]), (240, [0, 50, 100, 150, 200, 250])],
)  # fmt: skip
def test_the_lines_across_fit_the_numbers(most: int, steps: list[int]) -> None:
    found = facts("en", most)
    assert max(found.bars[0]) == most
    assert [value for value, _ in found.steps] == steps
    turnout_plot(found)


def test_nothing_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="a plot needs"):
        turnout_plot(TurnoutFacts("a", "b", ("", "", ""), ((), (), ()), (), ()))
