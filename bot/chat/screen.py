"""A screen: what one message shows and the buttons below it. Pure data, made by the views."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.i18n import Html

_MOST_DATA = 64
"""Bytes Telegram allows in a button's data."""


@dataclass(frozen=True, slots=True)
class Button:
    """`data` is a verb and its arguments: ids of stored rows and versions, never amounts due."""

    label: str
    data: str | None = None
    url: str | None = None


def button(label: str, verb: str, *arguments: object) -> Button:
    """A button that calls the handler of `verb`. Raises ValueError when its data is too long."""
    data = ":".join([verb, *(str(argument) for argument in arguments)])
    if len(data.encode()) > _MOST_DATA:
        raise ValueError(f"button data too long: {data}")
    return Button(label, data)


Rows = Sequence[Sequence[Button]]


@dataclass(frozen=True, slots=True)
class Screen:
    """Text (HTML) and rows of buttons."""

    text: Html
    rows: Rows = field(default_factory=tuple)

    @property
    def markup(self) -> InlineKeyboardMarkup | None:
        """The buttons as Telegram wants them; None when there are none."""
        if not self.rows:
            return None
        return InlineKeyboardMarkup(
            [
                [InlineKeyboardButton(b.label, callback_data=b.data, url=b.url) for b in row]
                for row in self.rows
                if row
            ]
        )


def grid(buttons: Sequence[Button], columns: int = 2) -> list[list[Button]]:
    """Buttons in rows of `columns`."""
    return [list(buttons[i : i + columns]) for i in range(0, len(buttons), columns)]


def lines(*parts: str | None) -> Html:
    """The parts that are there, one a line; an empty string makes an empty line."""
    return Html("\n".join(part for part in parts if part is not None))
