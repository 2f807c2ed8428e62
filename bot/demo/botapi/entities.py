"""Message entities: lengths as Telegram counts them, entities Telegram finds by itself, limits."""

from __future__ import annotations

import re
from typing import Any

from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.models import Json

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024

_FOUND = re.compile(
    r"""
    (?P<url>(?:https?|tg|ton)://[^\s<>"'，。；）]+
        |(?<![\w@.])(?:[a-z0-9-]+\.)+(?:com|org|net|io|me|cn|hk|tw|us|app|dev|example)\b
         (?:[/?\#][^\s<>"'，。；）]*)?)
    |(?P<email>(?<![\w.+-])[\w.+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,24}\b)
    |(?P<mention>(?<![\w@/])@[a-z][a-z0-9_]{2,31}(?![\w@]))
    |(?P<bot_command>(?<![\w/<>])/[a-z0-9_]{1,64}(?:@[a-z0-9_]{3,32})?(?![\w/]))
    |(?P<hashtag>(?<![\w\#])\#(?=\w*[^\W\d_])\w{1,256})
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MARKS = re.compile(r"[/@#.]")
_NO_FINDING_INSIDE = frozenset({"code", "pre", "text_link", "text_mention", "date_time"})
_FORMATS = {"bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "code", "pre"}
_KNOWN_TYPES = _FORMATS | {
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "text_link",
    "text_mention", "custom_emoji", "date_time", "expandable_blockquote",
}  # fmt: skip


def utf16_len(text: str) -> int:
    """Length in UTF-16 code units, the unit of entity offsets."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def find_entities(text: str) -> list[Json]:
    """Links, mentions, commands, hashtags and e-mail addresses, as Telegram marks them itself."""
    if not _MARKS.search(text):
        return []
    found = []
    for match in _FOUND.finditer(text):
        kind, value = match.lastgroup, match.group()
        if kind == "url":
            value = value.rstrip(".,;:!?)")
        found.append(
            {
                "type": kind,
                "offset": utf16_len(text[: match.start()]),
                "length": utf16_len(value),
            }
        )
    return found


def tidy(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Trim the text as Telegram does, move the entities along, add those found by themselves."""
    stripped = text.strip()
    if entities and stripped != text:
        shift = utf16_len(text[: len(text) - len(text.lstrip())])
        entities = _clip(entities, shift, utf16_len(stripped))
    found = find_entities(stripped)
    if not entities:
        return stripped, found
    taken = [entity for entity in entities if entity["type"] in _NO_FINDING_INSIDE]
    entities = entities + [
        entity for entity in found if not any(_overlap(entity, other) for other in taken)
    ]
    entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return stripped, entities


def _clip(entities: list[Json], shift: int, length: int) -> list[Json]:
    clipped = []
    for entity in entities:
        start = max(entity["offset"] - shift, 0)
        end = min(entity["offset"] - shift + entity["length"], length)
        if end > start:
            clipped.append(entity | {"offset": start, "length": end - start})
    return clipped


def _overlap(one: Json, other: Json) -> bool:
    return bool(
        one["offset"] < other["offset"] + other["length"]
        and other["offset"] < one["offset"] + one["length"]
    )


def check_given(text: str, given: Any) -> list[Json]:
    """Entities that came as a parameter; ApiError 400 for what Telegram cannot parse."""
    if not isinstance(given, list):
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    checked = []
    length = utf16_len(text)
    for entity in given:
        if not isinstance(entity, dict):
            raise bad_request("can't parse MessageEntity: expected an Object")
        for name in ("offset", "length"):
            if not isinstance(entity.get(name), int):
                raise bad_request(f"can't parse MessageEntity: Can't find field \"{name}\"")
        if entity.get("type") not in _KNOWN_TYPES:
            raise bad_request("can't parse MessageEntity: unsupported type specified")
        if entity["offset"] < 0 or entity["offset"] + entity["length"] > length:
            raise bad_request("entity begins or ends outside of the text")
        if entity["length"] > 0:
            checked.append(dict(entity))
    return checked
