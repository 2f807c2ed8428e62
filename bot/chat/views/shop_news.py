"""News from the shop as customers see it: the message, and what follows from its buttons."""

from bot.chat.screen import Button, Screen, button, lines
from bot.domain.broadcasts import Broadcast, text_for
from bot.i18n import Html, Words

TEST = "test"
"""Stands in the buttons for the id of a recipient, where it is only looked at."""


def message(one: Broadcast, t: Words, recipient_id: str = TEST) -> Screen | None:
    """The news in the reader's language, or in the one that comes nearest; None without words.

    Every one has the way out below it.
    """
    found = text_for(one.texts, t.language)
    if found is None:
        return None
    rows: list[list[Button]] = []
    if one.renew:
        rows.append([button(t.plain("🔄 Renew"), "newsgo", recipient_id)])
    rows.append([button(t.plain("🔕 No more news"), "newsoff", recipient_id)])
    return Screen(Html(found[1]), rows)


def no_more(t: Words) -> Screen:
    """They turned news off."""
    text = lines(
        t("🔕 Our shop sends you no more news."),
        t("Reminders, receipts and answers still come. You can turn news on again here, or under "
          "/reminders."),
    )  # fmt: skip
    rows = [[button(t.plain("Send me news again"), "shopnews", 1)],
            [button(t.plain("‹ Menu"), "menu")]]  # fmt: skip
    return Screen(text, rows)
