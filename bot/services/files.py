"""The operator's files, YAML or CSV, read row by row; a mistake names its line, row and field.

YAML values are read as the words that stand there: `NO` is Norway, `0012` keeps its zeros.
In CSV a dot makes a field of a field: `name.en`, `amount.min`. Empty fields are not given.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)

_DEEPEST = 5
_WORDS = {"missing": "is missing", "extra_forbidden": "there is no such field"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `row` is the row's own name ("boom-30d-5gb"), `field` may be empty."""

    line: int
    row: str
    field: str
    text: str


class FileRefused(Exception):
    """A file that can't be used, with everything that is wrong in it."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        super().__init__(f"{path.name}: {len(problems)} problem(s)")
        self.path = path
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Row(Generic[M]):
    """A valid row and the line it begins on."""

    line: int
    value: M


@dataclass(frozen=True, slots=True)
class _Raw:
    """A row before it is checked; `lines` by path inside the row, () being the row itself."""

    data: object
    lines: Mapping[tuple[str | int, ...], int]

    def line(self, *path: str | int) -> int:
        """The line of a field, or of what it lies in."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def read_rows(path: Path, key: str, model: type[M], names: tuple[str, ...]) -> list[Row[M]]:
    """The file's rows: those under `key` in YAML, all of a CSV. The first of the fields `names`
    that a row has is its name, unique in the file. Raises FileRefused, OSError."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused(path, [Problem(1, "", "", "save the file as UTF-8")]) from None
    problems: list[Problem] = []
    try:
        raw = _csv(text) if path.suffix.lower() == ".csv" else _yaml(text, key)
    except _Unreadable as error:
        raise FileRefused(path, [error.problem]) from None
    rows, seen = [], dict[str, int]()
    for item in raw:
        row = _checked(item, model, names, problems)
        if row is None:
            continue
        label = named(row.value.model_dump(include=set(names)), names)
        if label in seen:
            text_ = f"is there already, on line {seen[label]}"
            problems.append(Problem(row.line, label, names[0], text_))
        seen.setdefault(label, row.line)
        rows.append(row)
    if not rows and not problems:
        problems.append(Problem(1, "", key, "there are none in this file"))
    if problems:
        raise FileRefused(path, sorted(problems, key=lambda problem: problem.line))
    return rows


def named(data: Mapping[str, object], names: tuple[str, ...]) -> str:
    """A row's name: the first of those fields that it has."""
    return next((str(data[name]) for name in names if data.get(name)), "")


def _checked(
    item: _Raw, model: type[M], names: tuple[str, ...], problems: list[Problem]
) -> Row[M] | None:
    label = named(item.data, names) if isinstance(item.data, dict) else ""
    try:
        return Row(item.line(), model.model_validate(item.data))
    except ValidationError as error:
        for found in error.errors():
            field = ".".join(str(part) for part in found["loc"])
            text = _WORDS.get(found["type"], found["msg"].removeprefix("Value error, "))
            problems.append(Problem(item.line(*found["loc"]), label, field, text))
    return None


class _Unreadable(Exception):
    def __init__(self, line: int, text: str, field: str = "") -> None:
        super().__init__(text)
        self.problem = Problem(line, "", field, text)


def _yaml(text: str, key: str) -> list[_Raw]:
    loader = yaml.BaseLoader(text)
    try:
        root = loader.get_single_node()
        data = loader.construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _Unreadable(line, f"not YAML: {error.problem or error.context}") from None
    finally:
        loader.dispose()
    rows = data.get(key) if isinstance(data, dict) else None
    if not isinstance(root, yaml.MappingNode) or not isinstance(rows, list):
        raise _Unreadable(1, f"the file has to begin with `{key}:` and a list under it", key)
    nodes = next(value for name, value in root.value if name.value == key)
    found = []
    for value, node in zip(rows, nodes.value, strict=True):
        lines: dict[tuple[str | int, ...], int] = {(): node.start_mark.line + 1}
        _walk(node, (), lines)
        found.append(_Raw(_given(value), lines))
    return found


def _walk(
    node: yaml.Node, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]
) -> None:
    """The lines of everything inside a node. Raises _Unreadable for a field written twice."""
    if len(path) > _DEEPEST:
        return
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            inside = (*path, str(name.value))
            line = name.start_mark.line + 1
            if inside in lines:
                raise _Unreadable(line, "is written twice", ".".join(map(str, inside)))
            lines[inside] = line
            _walk(value, inside, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[(*path, number)] = value.start_mark.line + 1
            _walk(value, (*path, number), lines)


def _given(value: object) -> object:
    """Without what is empty."""
    if isinstance(value, dict):
        inside = {name: _given(item) for name, item in value.items()}
        return {name: item for name, item in inside.items() if item not in ("", {}, [])}
    if isinstance(value, list):
        return [_given(item) for item in value]
    return value.strip() if isinstance(value, str) else value


def _csv(text: str) -> list[_Raw]:
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        found = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header):
                raise _Unreadable(reader.line_num, "has more fields than the first line names")
            data = _nested(zip(header, cells, strict=False))
            found.append(_Raw(_given(data), {(): reader.line_num}))
    except csv.Error as error:
        raise _Unreadable(reader.line_num, f"not CSV: {error}") from None
    return found


def _nested(cells: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`name.en` as a field of the field `name`."""
    row: dict[str, Any] = {}
    for name, cell in cells:
        *outer, last = name.split(".")
        place = row
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise _Unreadable(1, f"the first line names both {part} and {name}", name)
        place[last] = cell
    return row
