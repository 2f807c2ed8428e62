"""The catalogues' tool: what it finds in the code, what it keeps, what it complains of."""

from pathlib import Path

import pytest

from tests import catalogues

CODE = """
from bot.i18n import N_, Words, words

TITLE = N_("Title")


def show(say: Words, count: int, old: bool) -> list[str]:
    t = words("zh_Hans", "UTC")
    return [
        say("Hello, <b>{name}</b>", name="x"),
        t.plain("Old" if old else "New"),
        t.n("{n} day", "{n} days", count),
        words("en")("Direct"),
        t(TITLE),
    ]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "views.py").write_text(CODE, "utf-8")
    for language in catalogues.LANGUAGES:
        path = catalogues.path_of(language, tmp_path)
        path.parent.mkdir(parents=True)
        path.write_text('msgid ""\nmsgstr ""\n', "utf-8")
    return tmp_path


def translate(project: Path, language: str, one: str, translation: str) -> None:
    path = catalogues.path_of(language, project)
    text = path.read_text("utf-8")
    for empty in (f'msgid "{one}"\nmsgstr ""', f'msgid_plural "{one}"\nmsgstr[0] ""'):
        text = text.replace(empty, empty[:-1] + translation + '"')
    path.write_text(text, "utf-8")


def test_every_way_to_say_a_text_is_found(project: Path) -> None:
    found = catalogues.extract(project)
    singular = ["Title", "Hello, <b>{name}</b>", "Old", "New", "{n} day", "Direct"]
    assert list(found) == singular
    assert found["{n} day"].many == "{n} days"


def test_update_fills_english_and_leaves_chinese_to_people(project: Path) -> None:
    catalogues.update(project)
    english = catalogues.path_of("en", project).read_text("utf-8")
    assert 'msgstr[1] "{n} days"' in english
    assert [line for line in catalogues.problems(project) if line.startswith("en")] == []
    missing = [line for line in catalogues.problems(project) if line.startswith("zh_Hant")]
    assert len(missing) == 6


def test_what_has_no_words_needs_no_translation(project: Path) -> None:
    code = 't("<b>{title}</b>\\n· {rest}")\nt.n("{n} ⭐", "{n} ⭐", 1)\nt("<i>{n} GB</i>")'
    (project / "bot" / "views.py").write_text(code, "utf-8")
    catalogues.update(project)
    assert catalogues.problems(project) == [
        "zh_Hans: missing '<i>{n} GB</i>' (bot/views.py)",
        "zh_Hant: missing '<i>{n} GB</i>' (bot/views.py)",
    ]


def test_update_keeps_translations_and_changes_nothing_the_second_time(project: Path) -> None:
    catalogues.update(project)
    translate(project, "zh_Hans", "Title", "标题")
    translate(project, "zh_Hans", "{n} days", "{n} 天")
    catalogues.update(project)
    first = catalogues.path_of("zh_Hans", project).read_text("utf-8")
    catalogues.update(project)
    assert catalogues.path_of("zh_Hans", project).read_text("utf-8") == first
    assert 'msgstr "标题"' in first
    assert 'msgstr[0] "{n} 天"' in first


def test_a_text_that_comes_back_finds_its_translation(project: Path) -> None:
    catalogues.update(project)
    translate(project, "zh_Hant", "Title", "標題")
    views = project / "bot" / "views.py"
    views.write_text(CODE.replace('N_("Title")', '"Title"'), "utf-8")
    catalogues.update(project)
    assert '#~ msgid "Title"' in catalogues.path_of("zh_Hant", project).read_text("utf-8")
    assert [p for p in catalogues.problems(project) if "no longer used" in p] == [
        "zh_Hant: no longer used 'Title' (update --prune)"
    ]
    views.write_text(CODE, "utf-8")
    catalogues.update(project)
    assert catalogues.read("zh_Hant", project)["Title"].string == "標題"


def test_prune_drops_what_left_the_code(project: Path) -> None:
    catalogues.update(project)
    (project / "bot" / "views.py").write_text("", "utf-8")
    catalogues.update(project, prune=True)
    assert catalogues.problems(project) == []


@pytest.mark.parametrize(
    ("translation", "complaint"),
    [
        ("你好，<b>{nmae}</b>", "has ['nmae'], the text has ['name']"),
        ("你好，{name}", "has other HTML tags than the text"),
        ("你好，<b>{name</b>", "broken placeholder"),
        ("你好，<b>{name}</b>", None),
    ],
)
def test_a_translation_must_agree_with_its_text(translation: str, complaint: str | None) -> None:
    said = catalogues.disagreement(catalogues.Text("Hello, <b>{name}</b>"), translation)
    assert bool(said) == bool(complaint)
    assert (said or "").startswith(complaint or "")


def test_a_plural_may_leave_its_number_out() -> None:
    text = catalogues.Text("one day left on {sim}", "{n} days left on {sim}")
    assert catalogues.disagreement(text, "one day left on {sim}") is None
    assert catalogues.disagreement(text, "{n} days left") is not None


@pytest.mark.parametrize("code", ['t(f"Hello {name}")', 't("Hello " + name)'])
def test_texts_glued_together_in_the_code_are_refused(project: Path, code: str) -> None:
    (project / "bot" / "views.py").write_text(code, "utf-8")
    with pytest.raises(catalogues.ExtractionError, match=r"views\.py:1"):
        catalogues.extract(project)


def test_one_text_with_two_plurals_is_refused(project: Path) -> None:
    (project / "bot" / "views.py").write_text('t.n("a", "b", 1)\nt("a")', "utf-8")
    with pytest.raises(catalogues.ExtractionError, match="two different plural forms"):
        catalogues.extract(project)
