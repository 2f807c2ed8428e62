"""How a stand-in's memory is kept beside the bot's database: one JSON file for each."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

S = TypeVar("S", bound=BaseModel)


def file_name(kind: type[BaseModel]) -> str:
    """Of the file that holds it, in a demo's home."""
    return f"{kind.__name__}.json"


def kept(home: Path, kind: type[S], fresh: Callable[[], S]) -> S:
    """As it was kept in `home`, or a fresh one."""
    path = home / file_name(kind)
    return kind.model_validate_json(path.read_text("utf-8")) if path.exists() else fresh()


def keep(home: Path, state: BaseModel) -> None:
    """Write it to `home`."""
    (home / file_name(type(state))).write_text(state.model_dump_json(), "utf-8")
