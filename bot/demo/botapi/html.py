"""HTML parse mode: Telegram's tags into entities, with Telegram's errors for anything else.

Tags and nesting rules: https://core.telegram.org/bots/api#html-style. The byte offsets in the
errors count UTF-8 bytes of the text sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.demo.botapi.entities import utf16_len
from bot.demo.botapi.errors import ApiError, bad_request
from bot.demo.botapi.models import Json

_SIMPLE = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "blockquote": "blockquote",
    "code": "code",
    "pre": "pre",
}
_SUPPORTED = frozenset(_SIMPLE) | {"a", "tg-emoji", "tg-time"}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot)(?![A-Za-z]));?")
_SPECIAL = re.compile(r"[<&]")
_NAME = re.compile(r"[^\s>]*")
_ATTRIBUTE = re.compile(r"[^\s=>]*")
_BARE_VALUE = re.compile(r"[A-Za-z0-9.\-_]+")
_USER_LINK = re.compile(r"tg://user\?id=(\d+)$")
_HOST_LINK = re.compile(r"(?i)(?:(https?)://)?([^/\s?#@]+\.[^/\s?#@.]+|[\d.]+:\d+)([/?#]\S*)?$")


def _error(text: str) -> ApiError:
    return bad_request(f"can't parse entities: {text}")


def normal_url(url: str) -> str | None:
    """A link as Telegram stores it (scheme added, bare host with a slash); None if it is none."""
    if url.startswith("tg://"):
        return url
    match = _HOST_LINK.fullmatch(url.strip())
    if match is None:
        return None
    scheme, host, rest = match.groups()
    return f"{(scheme or 'http').lower()}://{host}{rest or '/'}"


@dataclass(slots=True)
class _Open:
    name: str
    start: int
    argument: str = ""


@dataclass(slots=True)
class _Parser:
    source: str
    out: list[str] = field(default_factory=list)
    length: int = 0
    stack: list[_Open] = field(default_factory=list)
    entities: list[Json] = field(default_factory=list)

    def at(self, position: int) -> str:
        return f"at byte offset {len(self.source[:position].encode('utf-8', 'surrogatepass'))}"

    def emit(self, text: str) -> None:
        self.out.append(text)
        self.length += utf16_len(text)

    def run(self) -> None:
        source, position = self.source, 0
        while match := _SPECIAL.search(source, position):
            if match.start() > position:
                self.emit(source[position : match.start()])
            position = match.start()
            if source[position] == "&":
                position = self.character(position)
            elif source.startswith("</", position):
                position = self.end_tag(position)
            else:
                position = self.start_tag(position)
        if position < len(source):
            self.emit(source[position:])
        if self.stack:
            raise _error(f'Can\'t find end tag corresponding to start tag "{self.stack[-1].name}"')

    def character(self, position: int) -> int:
        match = _ENTITY.match(self.source, position)
        if match is None:
            self.emit("&")
            return position + 1
        self.emit(_decoded(match))
        return match.end()

    def start_tag(self, begin: int) -> int:
        source = self.source
        match = _NAME.match(source, begin + 1)
        name = match.group().lower() if match else ""
        position = begin + 1 + len(name)
        if position >= len(source):
            raise _error(f"Unclosed start tag {self.at(begin)}")
        if name not in _SUPPORTED:
            raise _error(f'Unsupported start tag "{name}" {self.at(begin)}')
        attributes: dict[str, str] = {}
        while True:
            while position < len(source) and source[position].isspace():
                position += 1
            if position >= len(source):
                raise _error(f"Unclosed start tag {self.at(begin)}")
            if source[position] == ">":
                break
            position = self.attribute(name, begin, position, attributes)
        self.stack.append(_Open(name, self.length, self.argument(name, attributes, begin)))
        return position + 1

    def attribute(self, tag: str, begin: int, position: int, into: dict[str, str]) -> int:
        source = self.source
        match = _ATTRIBUTE.match(source, position)
        name = match.group().lower() if match else ""
        if not name:
            raise _error(f'Empty attribute name in the tag "{tag}" {self.at(begin)}')
        position += len(name)
        while position < len(source) and source[position].isspace():
            position += 1
        if position >= len(source):
            raise _error(f"Unclosed start tag {self.at(begin)}")
        if source[position] != "=":
            into[name] = ""
            return position
        position += 1
        while position < len(source) and source[position].isspace():
            position += 1
        if position >= len(source):
            raise _error(f"Unclosed start tag {self.at(begin)}")
        quote = source[position]
        if quote in "\"'":
            end = source.find(quote, position + 1)
            if end < 0:
                raise _error(f"Unclosed start tag {self.at(begin)}")
            into[name] = _ENTITY.sub(_decoded, source[position + 1 : end])
            return end + 1
        bare = _BARE_VALUE.match(source, position)
        if bare is None:
            raise _error(f"Unexpected end of name token {self.at(position)}")
        into[name] = bare.group()
        return bare.end()

    def argument(self, name: str, attributes: dict[str, str], begin: int) -> str:
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise _error(f'Tag "span" must have class "tg-spoiler" {self.at(begin)}')
        if name == "a":
            return attributes.get("href", "")
        if name == "code":
            language = attributes.get("class", "")
            return language.removeprefix("language-") if language[:9] == "language-" else ""
        if name == "blockquote":
            return "expandable" if "expandable" in attributes else ""
        if name == "tg-emoji" and not attributes.get("emoji-id", "").isdigit():
            raise _error("Invalid custom emoji identifier specified")
        if name == "tg-time":
            if not attributes.get("unix", "").isdigit():
                raise _error(f"Invalid unix time specified {self.at(begin)}")
            return f"{attributes['unix']} {attributes.get('format', '')}"
        return ""

    def end_tag(self, begin: int) -> int:
        if not self.stack:
            raise _error(f"Unexpected end tag {self.at(begin)}")
        match = _NAME.match(self.source, begin + 2)
        name = match.group().lower() if match else ""
        position = begin + 2 + len(name)
        while position < len(self.source) and self.source[position].isspace():
            position += 1
        if not self.source.startswith(">", position):
            raise _error(f"Unclosed end tag {self.at(begin)}")
        opened = self.stack.pop()
        if name and name != opened.name:
            raise _error(
                f'Unmatched end tag {self.at(begin)}, expected "</{opened.name}>", '
                f'found "</{name}>"'
            )
        if self.length > opened.start:
            self.close(opened)
        return position + 1

    def close(self, opened: _Open) -> None:
        entity: Json = {
            "type": _SIMPLE.get(opened.name, ""),
            "offset": opened.start,
            "length": self.length - opened.start,
        }
        if opened.name == "a":
            link = _link(opened.argument or "".join(self.out)[-entity["length"] :])
            if link is None:
                return
            entity |= link
        elif opened.name == "blockquote" and opened.argument:
            entity["type"] = "expandable_blockquote"
        elif opened.name == "code" and opened.argument:
            entity["language"] = opened.argument
        elif opened.name == "pre" and self.entities:
            inner = self.entities[-1]
            same = all(inner[key] == entity[key] for key in ("offset", "length"))
            if same and inner["type"] == "code":
                entity |= {key: inner[key] for key in ("language",) if key in inner}
                self.entities.pop()
        elif opened.name == "tg-time":
            unix, _, style = opened.argument.partition(" ")
            entity |= {"type": "date_time", "unix_time": int(unix)}
            if style:
                entity["date_time_format"] = style
        elif opened.name == "tg-emoji":
            return  # only bots with a bought username may send custom emoji
        self.entities.append(entity)


def _decoded(match: re.Match[str]) -> str:
    hexadecimal, decimal, named = match.groups()
    if named:
        return _NAMED[named]
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else match.group()


def _link(target: str) -> Json | None:
    user = _USER_LINK.fullmatch(target)
    if user:
        return {"type": "text_mention", "user_id": int(user.group(1))}
    url = normal_url(target)
    return {"type": "text_link", "url": url} if url else None


def parse_html(source: str) -> tuple[str, list[Json]]:
    """The plain text and its entities, in order; ApiError 400 "can't parse entities: …".

    A text_mention carries "user_id" for the caller to resolve.
    """
    if not _SPECIAL.search(source):
        return source, []
    parser = _Parser(source)
    parser.run()
    entities = parser.entities
    for entity in entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    fixed = [entity for entity in entities if entity["type"] in ("code", "pre")]
    if fixed:
        entities = [entity for entity in entities if not _inside(entity, fixed)]
    entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return "".join(parser.out), entities


def _inside(entity: Json, fixed: list[Json]) -> bool:
    """Whether the entity lies in a code block of others: nothing else may be styled there."""
    start, end = entity["offset"], entity["offset"] + entity["length"]
    return any(
        other is not entity
        and other["offset"] <= start
        and end <= other["offset"] + other["length"]
        and (entity["type"] not in ("code", "pre") or other["type"] == "pre")
        for other in fixed
    )
