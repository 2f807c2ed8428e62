"""docs/reminders.md is what the code says."""

import re

import pytest

from bot.domain.chats import LANGUAGES
from bot.domain.stages import GRACE_DAYS, KEEP_DAYS
from bot.i18n import words
from tests.docs import REMINDERS
from tests.docs_reminders import SCENES, ZONE, page


def test_the_page_is_as_the_code_makes_it() -> None:
    assert REMINDERS.read_text("utf-8") == page(), "run python -m tests.docs"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_reminder_shouts(language: str) -> None:
    for heading, scene in SCENES:
        text = re.sub(r"<[^>]+>", "", scene(words(language, ZONE)).text)
        assert not re.search(r"[!！]|[A-Z]{6}", text), (heading, text)
        assert len(text) < 700, heading


def test_the_page_has_every_stage() -> None:
    headings = " ".join(heading for heading, _ in SCENES)
    for days in (*GRACE_DAYS, *KEEP_DAYS):
        assert re.search(rf"\b{days} days? before", headings), days
