"""HTML parse mode and entities, against what Telegram does with the same texts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.botapi.entities import check_given, find_entities, tidy, utf16_len
from bot.demo.botapi.errors import ApiError
from bot.demo.botapi.html import normal_url, parse_html


def spans(entities: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """(type, offset, length, whatever else)."""
    return [tuple(entity.values()) for entity in entities]


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("plain", "plain", []),
        ("<b>a</b>", "a", [("bold", 0, 1)]),
        ("<STRONG>a</strong>", "a", [("bold", 0, 1)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("x <u>y</u><s>z</s>", "x yz", [("underline", 2, 1), ("strikethrough", 3, 1)]),
        ("<ins>a</ins><del>b</del>", "ab", [("underline", 0, 1), ("strikethrough", 1, 1)]),
        ('<span class="tg-spoiler">s</span>', "s", [("spoiler", 0, 1)]),
        ("<tg-spoiler>s</tg-spoiler>", "s", [("spoiler", 0, 1)]),
        ("😀<b>续卡</b>", "😀续卡", [("bold", 2, 2)]),
        ("&lt;b&gt; &amp; &quot;&#33;&#x4F60;", '<b> & "!你', []),
        ("a & b &nbsp; &lt", "a & b &nbsp; <", []),
        ("<b></b>x", "x", []),
        (
            '<a href="https://example.com/?a=1&amp;b=2">x</a>',
            "x",
            [("text_link", 0, 1, "https://example.com/?a=1&b=2")],
        ),
        ('<a href="not a link">x</a>', "x", []),
        ("<a>example.com</a>", "example.com", [("text_link", 0, 11, "http://example.com/")]),
        ("<a href='tg://user?id=7'>x</a>", "x", [("text_mention", 0, 1, 7)]),
        ("<code>a &lt; b</code>", "a < b", [("code", 0, 5)]),
        ("<pre>a</pre>", "a", [("pre", 0, 1)]),
        (
            '<pre><code class="language-python">x</code></pre>',
            "x",
            [("pre", 0, 1, "python")],
        ),
        ("<code><b>x</b></code>", "x", [("code", 0, 1)]),
        ("<blockquote>q</blockquote>", "q", [("blockquote", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ('<tg-emoji emoji-id="5368">👍</tg-emoji>', "👍", []),
        (
            '<tg-time unix="1795149394" format="d">x</tg-time>',
            "x",
            [("date_time", 0, 1, 1795149394, "d")],
        ),
        ("<b>x</>", "x", [("bold", 0, 1)]),
    ],
)
def test_tags_become_entities(source: str, text: str, expected: list[tuple[Any, ...]]) -> None:
    plain, entities = parse_html(source)
    assert (plain, spans(entities)) == (text, expected)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("续<b>x</i>", 'Unmatched end tag at byte offset 7, expected "</b>", found "</i>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("续 <br/>", 'Unsupported start tag "br/" at byte offset 4'),
        ("1 <3 you>", 'Unsupported start tag "3" at byte offset 2'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a href='x>y</a>", "Unclosed start tag at byte offset 0"),
        ('<a ="x">y</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=?>y</a>", "Unexpected end of name token at byte offset 8"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<tg-emoji>x</tg-emoji>", "Invalid custom emoji identifier specified"),
    ],
)
def test_errors_are_telegrams(source: str, reason: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_html(source)
    assert caught.value.description == f"Bad Request: can't parse entities: {reason}"


@given(st.text())
def test_escaped_text_comes_back(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert parse_html(escaped) == (text, [])


@given(st.text(alphabet="<>/ab&;=\"' 续😀", max_size=30))
def test_anything_is_parsed_or_refused(source: str) -> None:
    try:
        text, entities = parse_html(source)
    except ApiError as error:
        assert error.code == 400  # noqa: PT017
        return
    length = utf16_len(text)
    for entity in entities:
        assert entity["length"] > 0
        assert entity["offset"] + entity["length"] <= length


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing here", []),
        ("/start promo", [("bot_command", 0, 6)]),
        ("续卡 /start@xuka_demo_bot!", [("bot_command", 3, 20)]),
        ("and/or a//b", []),
        ("see https://example.com/a?b=1.", [("url", 4, 25)]),
        ("example.com，好", [("url", 0, 11)]),
        ("😀 @emma_clark", [("mention", 3, 11)]),
        ("a@b.org #deal #1", [("email", 0, 7), ("hashtag", 8, 5)]),
        ("3.5 GB", []),
    ],
)
def test_what_telegram_finds_by_itself(text: str, expected: list[tuple[Any, ...]]) -> None:
    assert spans(find_entities(text)) == expected


def test_texts_are_trimmed_and_entities_move_along() -> None:
    text, entities = tidy("  \n续 /go  ", [{"type": "bold", "offset": 2, "length": 3}])
    assert (text, spans(entities)) == ("续 /go", [("bold", 0, 2), ("bot_command", 2, 3)])


def test_nothing_is_found_inside_code() -> None:
    _, entities = tidy("/go /on", [{"type": "code", "offset": 0, "length": 3}])
    assert spans(entities) == [("code", 0, 3), ("bot_command", 4, 3)]


@pytest.mark.parametrize(
    "given_entities",
    [
        "bold",
        [1],
        [{"type": "bold", "offset": 0}],
        [{"type": "x", "offset": 0, "length": 1}],
        [{"type": "bold", "offset": 2, "length": 5}],
    ],
)
def test_given_entities_are_checked(given_entities: Any) -> None:
    with pytest.raises(ApiError):
        check_given("text", given_entities)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTP://example.com/a", "http://example.com/a"),
        ("t.me/xuka_demo_bot?start=x", "http://t.me/xuka_demo_bot?start=x"),
        ("http://127.0.0.1:8080/pay", "http://127.0.0.1:8080/pay"),
        ("tg://user?id=1", "tg://user?id=1"),
        ("localhost", None),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_links_as_telegram_keeps_them(url: str, expected: str | None) -> None:
    assert normal_url(url) == expected
