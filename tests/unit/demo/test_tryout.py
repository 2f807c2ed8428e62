"""What there is to try in the demo: codes as a real shop makes them, each by a name of its own."""

import re

import pytest

from bot.chat.views import add_sim
from bot.demo.tryout import STOCK, page_facts
from bot.domain.identify import Identified, Kind
from bot.i18n import words
from bot.services.stock import SIM_MARK


def test_the_example_and_the_demos_codes_are_such_as_a_shop_makes() -> None:
    asked = add_sim.ask_code(words("en"), Identified(Kind.ICCID, "8986"), 1, "Wrong.")
    [example] = [code for code in re.findall(r"<code>(.+?)</code>", asked.text) if "-" in code]
    for code in (example, *(one.claim_code for one in STOCK)):
        assert code.startswith(f"{SIM_MARK}-")


@pytest.mark.parametrize("title", ["title_en", "title_zh"])
def test_everything_to_try_has_a_name_of_its_own(title: str) -> None:
    titles = [one[title] for one in page_facts()["try"]]
    assert sorted(set(titles)) == sorted(titles)
