"""No button and no state means two things: conversations are one handler, whoever wrote them."""

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from enum import IntEnum
from itertools import combinations
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

import bot.chat
from bot.chat.conversations.routes import END

Handler = BaseHandler[Any, Any, Any]

PACKAGES = ("conversations", "group")
"""Folders below bot/chat whose files answer to buttons; one that is not there has none."""
_VERB = re.compile(r"\^([a-z0-9_]+!?)")


def modules() -> Iterator[ModuleType]:
    for folder in pkgutil.iter_modules(bot.chat.__path__):
        if folder.name in PACKAGES:
            package = importlib.import_module(f"bot.chat.{folder.name}")
            yield package
            for file in pkgutil.iter_modules(package.__path__):
                yield importlib.import_module(f"{package.__name__}.{file.name}")


def handlers(module: ModuleType) -> Iterator[Handler]:
    """Those in its own lists and tables, such as ENTRY and STATES."""
    for value in vars(module).values():
        rows = value.values() if isinstance(value, dict) else [value]
        for row in rows:
            for item in row if isinstance(row, list | tuple) else ():
                if isinstance(item, BaseHandler):
                    yield item


HANDLERS: dict[int, tuple[str, Handler]] = {}
"""Each with the file it was first met in: one file may hand its own on to another's lists."""
for _module in modules():
    for _handler in handlers(_module):
        HANDLERS.setdefault(id(_handler), (_module.__name__, _handler))
BUTTONS = [
    (name, handler.pattern)
    for name, handler in HANDLERS.values()
    if isinstance(handler, CallbackQueryHandler) and isinstance(handler.pattern, re.Pattern)
]
STATES = [
    (f"{module.__name__}.{value.__name__}.{state.name}", state.value)
    for module in modules()
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, IntEnum) and value is not IntEnum
    if value.__module__ == module.__name__
    for state in value
]


def test_there_is_something_to_look_at() -> None:
    assert len(BUTTONS) > 100
    assert len(STATES) > 20


def verb(pattern: re.Pattern[str]) -> str:
    found = _VERB.match(pattern.pattern)
    assert found is not None, pattern.pattern
    return found[1]


def test_every_verb_is_one_files() -> None:
    owners: dict[str, set[str]] = {}
    for name, pattern in BUTTONS:
        owners.setdefault(verb(pattern), set()).add(name)
    assert {said: names for said, names in owners.items() if len(names) > 1} == {}


def test_no_pattern_stands_twice() -> None:
    counted = Counter(pattern.pattern for _, pattern in BUTTONS)
    assert [pattern for pattern, times in counted.items() if times > 1] == []


SAME_VERB = [
    pytest.param(one, two, id=f"{one.pattern} {two.pattern}")
    for (_, one), (_, two) in combinations(BUTTONS, 2)
    if verb(one) == verb(two)
]


@pytest.mark.parametrize(("one", "two"), SAME_VERB)
def test_one_tap_has_one_meaning(one: re.Pattern[str], two: re.Pattern[str]) -> None:
    @settings(max_examples=20, derandomize=True, database=None, deadline=None)
    @given(st.one_of(st.from_regex(one), st.from_regex(two)))
    def taps(data: str) -> None:
        assert not (one.fullmatch(data) and two.fullmatch(data)), data

    taps()


def test_every_state_has_a_number_of_its_own() -> None:
    counted = Counter(number for _, number in STATES)
    assert {name: number for name, number in STATES if counted[number] > 1} == {}
    assert END not in counted


def test_every_command_is_one_files() -> None:
    owners: dict[str, list[str]] = {}
    for module, handler in HANDLERS.values():
        for name in handler.commands if isinstance(handler, CommandHandler) else ():
            owners.setdefault(name, []).append(module)
    assert {name: where for name, where in owners.items() if len(where) > 1} == {}
