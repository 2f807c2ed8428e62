"""What the price says of data not used: only what the supplier promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.views import paying as views
from bot.domain.sims import Reading, SimState, Source
from bot.i18n import words
from tests.unit.store.samples import NOW, managed, quote

STAYS, OWN = "stays until the new date", "keeps its own end date"
READ = Reading(
    source=Source.SUPPLIER,
    as_of=NOW,
    taken_at=NOW,
    state=SimState.ACTIVE,
    expiry=NOW + timedelta(days=3),
    data_total=1000,
    data_used=400,
)


def said(extends: bool | None, *, used: int = 400, days: int = 3, unlimited: bool = False) -> str:
    """The price of a plan for a SIM with these readings."""
    reading = replace(READ, data_used=used)
    sim = replace(managed(), reading=reading, expiry=NOW + timedelta(days=days))
    made = quote()
    made = replace(made, plan=replace(made.plan, data=5000, unlimited=unlimited))
    screen = views.quote(words("en"), made, sim, NOW, extends=extends)
    return screen.text


@pytest.mark.parametrize(("extends", "sentences"), [(True, [STAYS]), (False, [OWN]), (None, [])])
def test_the_supplier_decides_what_is_said(extends: bool | None, sentences: list[str]) -> None:
    text = said(extends)
    assert [one for one in (STAYS, OWN) if one in text] == sentences


def test_an_unlimited_plan_has_no_data_to_add_to() -> None:
    assert STAYS not in said(True, unlimited=True)
    assert OWN in said(False, unlimited=True)


@pytest.mark.parametrize("extends", [True, False])
def test_nothing_is_said_where_nothing_is_left(extends: bool) -> None:
    for text in (said(extends, used=1000), said(extends, days=-1)):
        assert STAYS not in text
        assert OWN not in text
