"""The house rules: linters, types, layers, texts, and what may stand in the repository.

Each rule is a test of its own, so that one command tells all.
"""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import bot
from tests import catalogues

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

# The brackets keep this file itself out of what it looks for.
NOT_OURS = {
    "a package registry's address": re.compile(
        r"p[y]pi\.org|p[y]thonhosted|regi[s]try\.npmjs|d[e]b\.debian\.org|[d]ocker\.io/|[g]hcr\.io"
    ),
    "a path of somebody's machine": re.compile(
        r"(?<![\w.:/-])/(?:h[o]me|U[s]ers|r[o]ot|w[o]rk|f[a]rm)/|[A-Z]:\\U[s]ers"
    ),
    "something left for later": re.compile(r"\b(?:TO[D]O|FIX[M]E)\b"),
}
FUNCTION_LINES = 60
FILE_LINES = 400
VERSIONS = ROOT / "bot" / "store" / "migrations" / "versions"
"""A migration is a record of its day: one list, as long as the schema, never edited again."""


def run(*command: str) -> None:
    """Run one of the tools; its output is the failure's text."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-8000:]}{done.stderr[-2000:]}"


def tracked() -> list[Path]:
    """What git keeps; in a copy without git, everything but what tools leave behind."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        paths = [
            path for path in ROOT.rglob("*") if not re.search(r"/(\.venv|\.\w+_cache)/", f"{path}")
        ]
    return [path for path in paths if path.is_file()]


def text_of(path: Path) -> str:
    """A file's text; nothing for pictures."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def pyproject() -> dict[str, Any]:
    """The section [project]."""
    project: dict[str, Any] = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    return project


def plain(requirement: str) -> str:
    """A requirement's bare name, as installers compare names."""
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-")


def test_ruff_finds_nothing() -> None:
    run(str(BIN / "ruff"), "check", ".")


def test_everything_is_formatted() -> None:
    run(str(BIN / "ruff"), "format", "--check", ".")


def test_mypy_is_content_with_the_bot_and_its_tests() -> None:
    run(sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", "bot", "tests")


def test_imports_go_one_way() -> None:
    run(str(BIN / "lint-imports"), "--no-cache")


def test_the_catalogues_are_complete_and_agree() -> None:
    found = catalogues.problems()
    assert found == [], "run: python -m tests.catalogues update\n" + "\n".join(found)


@pytest.mark.parametrize("what", NOT_OURS)
def test_no_tracked_file_names(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if NOT_OURS[what].search(line)
    ]
    assert found == []


def test_no_settings_or_databases_are_tracked() -> None:
    secret = re.compile(r"^\.env(\..*)?$|\.(db|sqlite|pem|key)$")
    assert [path for path in tracked() if secret.search(path.name)] == []


def test_files_hold_one_thing() -> None:
    kinds = {".py", ".js", ".css", ".html"}
    counts = {
        str(path.relative_to(ROOT)): text_of(path).count("\n")
        for path in tracked()
        if path.is_relative_to(ROOT / "bot") and path.suffix in kinds and path.parent != VERSIONS
    }
    assert {name: count for name, count in counts.items() if count > FILE_LINES} == {}


def test_functions_fit_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1}"
        for path in tracked()
        if path.suffix == ".py" and path.parent != VERSIONS
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


def test_the_version_is_one() -> None:
    newest = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert newest is not None
    assert pyproject()["version"] == bot.__version__ == newest[1]


def test_every_dependency_is_pinned_to_a_version_and_to_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").split()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    project = pyproject()
    extras = project["optional-dependencies"].values()
    wanted = {plain(name) for names in [project["dependencies"], *extras] for name in names}
    assert wanted - {plain(line) for line in lines} == set()


def test_the_readme_has_its_two_commands_each_on_one_line() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    start = "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt"
    assert f"{start} . && .venv/bin/xuka demo" in lines
    assert f"{start} -e '.[test]' && .venv/bin/pytest" in lines
