"""A wallet in words: what is held is told apart from what can be spent."""

import pytest

from bot.chat.views import wallet as views
from bot.domain.chats import LANGUAGES
from bot.domain.ledger import EntryKind, Line
from bot.domain.money import Money
from bot.i18n import words
from bot.services.deposits import Purse
from tests.unit.store.samples import NOW


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_held_is_one_line_of_its_own(language: str) -> None:
    t = words(language)
    free, held = Money(500, "USD"), Money(2000, "USD")
    shown = views.purse(t, Purse((free,), (), returnable=False, held=(held,)), NOW).text
    plain = views.purse(t, Purse((free,), (), returnable=False), NOW).text
    more = [line for line in shown.split("\n") if line not in plain.split("\n")]
    assert len(more) == 1
    assert t.money(held) in more[0]


@pytest.mark.parametrize("kind", list(EntryKind))
def test_every_movement_has_words(kind: EntryKind) -> None:
    moved = Line(kind, Money(-2000, "USD"), NOW, "d1")
    assert "−$20" in views.purse(words("en"), Purse((), (moved,), returnable=False), NOW).text
