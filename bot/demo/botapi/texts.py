"""Texts and captions of a call: parsed, checked against Telegram's lengths, with entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.botapi.entities import CAPTION_LIMIT, TEXT_LIMIT, check_given, tidy, utf16_len
from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.html import parse_html
from bot.demo.botapi.models import Json
from bot.demo.botapi.params import Params, boolean, string, structure

if TYPE_CHECKING:
    from bot.demo.world import World

TEXT = {
    "text": string,
    "parse_mode": string,
    "entities": structure,
    "link_preview_options": structure,
}
CAPTION = {
    "caption": string,
    "parse_mode": string,
    "caption_entities": structure,
}
PHOTO_CAPTION = {**CAPTION, "show_caption_above_media": boolean}
_PREVIEW_FIELDS = {
    "is_disabled",
    "url",
    "prefer_small_media",
    "prefer_large_media",
    "show_above_text",
}


def parse(
    world: World, text: str, mode: str, given: object, *, empty: str
) -> tuple[str, list[Json]]:
    """Plain text and entities of what the bot sent; ApiError 400 with Telegram's reasons.

    `empty` is the error for a text that is empty after parsing ("" allows it).
    """
    entities: list[Json] = []
    if mode.lower() == "html":
        text, entities = parse_html(text)
        entities = [_resolved(world, entity) for entity in entities]
    elif mode:
        raise bad_request("unsupported parse_mode")
    elif given is not None:
        entities = check_given(text, given)
    if "\r" in text:
        text = text.replace("\r", "")
    text, entities = tidy(text, entities)
    if not text and empty:
        raise bad_request(empty)
    return text, [entity for entity in entities if entity["type"]]


def _resolved(world: World, entity: Json) -> Json:
    """A mention by tg://user?id= with its user; plain text when Telegram knows no such user."""
    user_id = entity.pop("user_id", None)
    if user_id is None:
        return entity
    person = world.people.get(user_id)
    return entity | ({"user": person.user} if person else {"type": ""})


def text_content(world: World, params: Params) -> Json:
    """The part of a Message that shows a text."""
    text, entities = parse(
        world,
        params.get("text", ""),
        params.get("parse_mode", ""),
        params.get("entities"),
        empty="message text is empty",
    )
    if utf16_len(text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    content: Json = {"text": text}
    if entities:
        content["entities"] = entities
    if preview := params.get("link_preview_options"):
        if not isinstance(preview, dict) or preview.keys() - _PREVIEW_FIELDS:
            raise bad_request("can't parse LinkPreviewOptions")
        content["link_preview_options"] = preview
    return content


def caption_content(world: World, params: Params) -> Json:
    """The part of a Message that shows a caption, {} for none."""
    text, entities = parse(
        world,
        params.get("caption", ""),
        params.get("parse_mode", ""),
        params.get("caption_entities"),
        empty="",
    )
    if utf16_len(text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    content: Json = {"caption": text} if text else {}
    if entities:
        content["caption_entities"] = entities
    if text and params.get("show_caption_above_media"):
        content["show_caption_above_media"] = True
    return content
