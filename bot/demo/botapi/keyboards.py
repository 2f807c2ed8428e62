"""Keyboards under and beside messages, checked as Telegram checks them."""

from __future__ import annotations

from typing import Any

from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.html import normal_url
from bot.demo.botapi.models import Json

CALLBACK_DATA_LIMIT = 64
BUTTON_LIMIT = 100
_ACTIONS = ("url", "callback_data", "copy_text", "pay")
_STYLES = ("danger", "success", "primary")


def read_markup(markup: Any, *, invoice: bool = False) -> tuple[Json | None, Json | None]:
    """The inline keyboard (shown with the message) or else the reply keyboard change, if any.

    ApiError 400 for anything Telegram, or this stand-in, does not take.
    """
    if markup is None:
        return None, None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        return _inline(markup, invoice=invoice), None
    if "keyboard" in markup:
        return None, _reply(markup)
    if markup.get("remove_keyboard") is True or markup.get("force_reply") is True:
        return None, markup
    if not markup:
        return None, None
    raise bad_request("reply markup must be one of the four known kinds")


def _rows(rows: Any, field: str) -> list[list[Any]]:
    if not isinstance(rows, list):
        raise bad_request(f'can\'t parse reply keyboard markup: Field "{field}" must be an Array')
    for row in rows:
        if not isinstance(row, list):
            raise bad_request("can't parse reply keyboard markup: expected an Array of Buttons")
    if sum(len(row) for row in rows) > BUTTON_LIMIT:
        raise bad_request("reply markup is too long")
    return [row for row in rows if row]


def _inline(markup: Json, *, invoice: bool) -> Json | None:
    if markup.keys() - {"inline_keyboard"}:
        raise bad_request("can't parse inline keyboard markup: unknown field")
    rows = [
        [_button(button) for button in row]
        for row in _rows(markup["inline_keyboard"], "inline_keyboard")
    ]
    pay = [(r, c) for r, row in enumerate(rows) for c, b in enumerate(row) if "pay" in b]
    if (pay and (not invoice or pay != [(0, 0)])) or (invoice and rows and not pay):
        raise bad_request("BUTTON_TYPE_INVALID")
    return {"inline_keyboard": rows} if rows else None


def _button(button: Any) -> Json:
    wrong = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad_request(wrong + "expected an Object")
    text = button.get("text")
    if text is None:
        raise bad_request(wrong + 'Can\'t find field "text"')
    if not isinstance(text, str):
        raise bad_request(wrong + 'Field "text" must be of type String')
    if not text.strip():
        raise bad_request("BUTTON_TEXT_EMPTY")
    unknown = button.keys() - {"text", "style", *_ACTIONS}
    if unknown:
        raise bad_request(f"{wrong}the stand-in does not know {sorted(unknown)}")
    if button.get("style", "primary") not in _STYLES:
        raise bad_request("BUTTON_STYLE_INVALID")
    actions = [name for name in _ACTIONS if button.get(name) not in (None, "", False)]
    if not actions:
        raise bad_request(wrong + "Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad_request(wrong + "exactly one action must be given")
    return {**button, actions[0]: _action(actions[0], button[actions[0]])}


def _action(name: str, value: Any) -> Any:
    if name == "callback_data":
        if not isinstance(value, str) or len(value.encode()) > CALLBACK_DATA_LIMIT:
            raise bad_request("BUTTON_DATA_INVALID")
    elif name == "url":
        url = normal_url(value) if isinstance(value, str) else None
        if url is None:
            raise bad_request(f"inline keyboard button URL '{value}' is invalid: Wrong HTTP URL")
        return url
    elif name == "copy_text":
        copied = value.get("text") if isinstance(value, dict) else None
        if not isinstance(copied, str) or not 1 <= len(copied) <= 256:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")
    elif value is not True:
        raise bad_request("BUTTON_TYPE_INVALID")
    return value


def _reply(markup: Json) -> Json:
    known = {
        "keyboard",
        "is_persistent",
        "resize_keyboard",
        "one_time_keyboard",
        "input_field_placeholder",
        "selective",
    }
    if markup.keys() - known:
        raise bad_request(
            f"the stand-in does not know {sorted(markup.keys() - known)} in a keyboard"
        )
    rows = []
    for row in _rows(markup["keyboard"], "keyboard"):
        labels = [{"text": button} if isinstance(button, str) else button for button in row]
        for button in labels:
            if not isinstance(button, dict) or not isinstance(button.get("text"), str):
                raise bad_request("can't parse keyboard button: Can't find field \"text\"")
            if button.keys() - {"text", "style"}:
                raise bad_request("the stand-in knows only text buttons in a reply keyboard")
        rows.append(labels)
    return {**markup, "keyboard": rows}


def find_button(markup: Json | None, label: str) -> Json | None:
    """The first inline button with this text."""
    for button in buttons(markup):
        if button["text"] == label:
            return button
    return None


def buttons(markup: Json | None) -> list[Json]:
    """All inline buttons, row by row."""
    return [button for row in (markup or {}).get("inline_keyboard", []) for button in row]
