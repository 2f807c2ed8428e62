"""The gettext catalogues, kept equal to the texts in the code.

`python -m tests.catalogues update` reads every text of `bot/` into the three catalogues and keeps
the translations there are. A text that left the code stays as a `#~` entry, so that it finds its
translation again when it comes back; `--prune` drops those. `check` lists what is missing or
disagrees, and exits 1.

Texts are found in the syntax tree: `t("…")`, `t.plain("…")`, `t.n("one", "many", n)`, `N_("…")`,
where `t` is also any name that the file annotates as `Words` or takes from `words(…)`.
"""

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
LANGUAGES = ("en", "zh_Hans", "zh_Hant")
PLURALS = {
    "en": "nplurals=2; plural=(n != 1);",
    "zh_Hans": "nplurals=1; plural=0;",
    "zh_Hant": "nplurals=1; plural=0;",
}
SINGULAR = frozenset({"t", "N_", "plain"})
PLURAL = "n"
TAG = re.compile(r"</?[a-z-]+")


@dataclass(slots=True)
class Text:
    """One text of the code: `many` is set when it has a plural form."""

    one: str
    many: str | None = None
    files: list[str] = field(default_factory=list)

    @property
    def id(self) -> str | tuple[str, str]:
        """The id as Babel writes it."""
        return self.one if self.many is None else (self.one, self.many)


class ExtractionError(ValueError):
    """A text in the code that no catalogue can hold."""


def _is_words(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation).strip("'").endswith("Words")


def _members(tree: ast.Module) -> set[str]:
    """Attributes, properties and functions that hold or give a `Words`, for every file."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_words(node.returns):
            names.add(node.name)
        if isinstance(node, ast.AnnAssign) and _is_words(node.annotation):
            names.add(ast.unparse(node.target).split(".")[-1])
    return names


def _locals(tree: ast.Module, makers: set[str]) -> set[str]:
    """Parameters and variables of this file that hold a `Words`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and _is_words(node.annotation):
            names.add(node.arg)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call | ast.Await):
            call = node.value.value if isinstance(node.value, ast.Await) else node.value
            if isinstance(call, ast.Call) and _name(call.func) in makers:
                names.update(ast.unparse(target).split(".")[-1] for target in node.targets)
    return names


def _name(node: ast.expr) -> str:
    """The last name of a call's function: `words` for `words`, `a.words` and `words(…)(…)`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return _name(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def _literals(node: ast.expr, where: str) -> list[str]:
    """The texts an argument can be; empty for a variable, whose text is marked with N_."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [] if node.value in ("", *LANGUAGES) else [node.value]
    if isinstance(node, ast.IfExp):
        return _literals(node.body, where) + _literals(node.orelse, where)
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        raise ExtractionError(f"{where}: a text must be one literal with {{placeholders}}")
    return []


def texts_of(tree: ast.Module, file: str, members: set[str]) -> Iterator[Text]:
    """The texts of one file, top to bottom. Raises ExtractionError."""
    singular = SINGULAR | members | _locals(tree, members)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        where, name = f"{file}:{call.lineno}", _name(call.func)
        if name in singular:
            for text in _literals(call.args[0], where):
                yield Text(text, files=[file])
        elif name == PLURAL and len(call.args) == 3:
            ones, manys = _literals(call.args[0], where), _literals(call.args[1], where)
            for one, many in zip(ones, manys, strict=True):
                yield Text(one, many, [file])


def extract(root: Path = ROOT) -> dict[str, Text]:
    """Every text of `bot/` by its singular, in the order of the files. Raises ExtractionError."""
    trees = {
        path.relative_to(root).as_posix(): ast.parse(path.read_text("utf-8"), str(path))
        for path in sorted((root / "bot").rglob("*.py"))
    }
    members = {"words", "Words"}.union(*(_members(tree) for tree in trees.values()))
    found: dict[str, Text] = {}
    for file, tree in trees.items():
        for text in texts_of(tree, file, members):
            known = found.setdefault(text.one, text)
            if known.many != text.many:
                raise ExtractionError(f"{file}: {text.one!r} has two different plural forms")
            if file not in known.files:
                known.files.append(file)
    return found


def path_of(language: str, root: Path = ROOT) -> Path:
    """The catalogue's file."""
    return root / "locales" / language / "LC_MESSAGES" / "xuka.po"


def read(language: str, root: Path = ROOT) -> Catalog:
    """The catalogue as it stands."""
    with path_of(language, root).open("rb") as file:
        return read_po(file, locale=language, domain="xuka")


def _strings(message: Message | None) -> list[str]:
    """The translations of a message, empty ones too."""
    if message is None:
        return []
    string = message.string
    return [string or ""] if isinstance(string, str) or string is None else list(string)


def _words_in(text: Text) -> bool:
    """Whether there is anything to translate beside placeholders and tags."""
    said = "".join(part for part, *_ in Formatter().parse(text.many or text.one))
    return any(letter.isalpha() for letter in re.sub(r"<[^>]*>", "", said))


def _translation(text: Text, known: Message | None, language: str) -> str | tuple[str, ...]:
    """What the merged catalogue says: the old words, else the text itself where it is English or
    has no words in it ("<b>{title}</b>"), else nothing.
    """
    forms = 1 if text.many is None or language != "en" else 2
    old = _strings(known)
    if len(old) != forms or not all(old):
        identity = [text.one] if text.many is None else [text.one, text.many][-forms:]
        old = identity if language == "en" or not _words_in(text) else [""] * forms
    return old[0] if text.many is None else tuple(old)


def _worth_keeping(message: Message) -> bool:
    """Whether somebody's words would be lost with it: it says more than nothing or itself."""
    itself = [message.id] if isinstance(message.id, str) else list(message.id)
    return any(string not in ("", *itself) for string in _strings(message))


def merge(language: str, texts: dict[str, Text], old: Catalog, *, prune: bool) -> str:
    """The new catalogue as PO text: no dates, no line numbers, nothing guessed."""
    known: dict[str, Message] = {}
    for message in [*old.obsolete.values(), *old]:
        if message.id:
            known[message.id if isinstance(message.id, str) else message.id[0]] = message
    new = Catalog(locale=language, domain="xuka")
    for text in texts.values():
        translation = _translation(text, known.get(text.one), language)
        new.add(text.id, translation, [(file, 0) for file in text.files])
    if not prune:
        gone = {one: message for one, message in known.items() if one not in texts}
        new.obsolete.update({one: m for one, m in sorted(gone.items()) if _worth_keeping(m)})
    body = io.BytesIO()
    write_po(body, new, omit_header=True, include_lineno=False, sort_by_file=True, width=0)
    header = (
        'msgid ""\nmsgstr ""\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Language: {language}\\n"\n'
        f'"Plural-Forms: {PLURALS[language]}\\n"\n\n'
    )
    return header + body.getvalue().decode().strip() + "\n"


def update(root: Path = ROOT, *, prune: bool = False) -> None:
    """Bring the catalogues up to the code."""
    texts = extract(root)
    for language in LANGUAGES:
        path = path_of(language, root)
        fresh = path.with_suffix(".new")
        fresh.write_text(merge(language, texts, read(language, root), prune=prune), "utf-8")
        fresh.replace(path)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def disagreement(text: Text, translation: str) -> str | None:
    """Why a translation can't stand for its text; None when it can.

    The number of a plural may be left out ("one day left"), every other argument must be said.
    """
    source = text.one if text.many is None else text.many
    try:
        wanted, given = _placeholders(source), _placeholders(translation)
    except ValueError as error:
        return f"broken placeholder ({error})"
    optional = set() if text.many is None else {"n"}
    if not wanted - optional <= given <= wanted | optional:
        return f"has {sorted(given)}, the text has {sorted(wanted)}"
    if sorted(TAG.findall(source)) != sorted(TAG.findall(translation)):
        return "has other HTML tags than the text"
    return None


def problems(root: Path = ROOT) -> list[str]:
    """Everything `check` complains of, one line each."""
    texts, found = extract(root), []
    for language in LANGUAGES:
        catalogue = read(language, root)
        for text in texts.values():
            message = catalogue.get(text.one)
            strings = _strings(message)
            if message is None or not strings or not all(strings):
                found.append(f"{language}: missing {text.one!r} ({text.files[0]})")
                continue
            if message.fuzzy:
                found.append(f"{language}: fuzzy {text.one!r}")
            for string in strings:
                if why := disagreement(text, string):
                    found.append(f"{language}: {text.one!r}: {string!r} {why}")
        gone = [m.id for m in catalogue if m.id] + list(catalogue.obsolete)
        unused = [one for one in (i if isinstance(i, str) else i[0] for i in gone)
                  if one not in texts]  # fmt: skip
        found += [f"{language}: no longer used {one!r} (update --prune)" for one in unused]
    return found


def main() -> int:
    """The command line; 1 when `check` has something to say."""
    parser = argparse.ArgumentParser(prog="python -m tests.catalogues", description=__doc__)
    parser.add_argument("command", choices=["update", "check"])
    parser.add_argument("--prune", action="store_true", help="drop texts that left the code")
    options = parser.parse_args()
    if options.command == "update":
        update(prune=options.prune)
    found = problems()
    print("\n".join(found) or "the catalogues are complete")
    return 1 if found and options.command == "check" else 0


if __name__ == "__main__":
    sys.exit(main())
