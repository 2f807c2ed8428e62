"""Will a phone do eSIM? (F7) A table of what is known, each row with its source.

`data/esim_devices.csv` is read from the top: the first pattern that a model's name has decides.
A pattern looks at small letters and digits only, "+" being "plus". What no row has is unknown,
which is no "no".
"""

import csv
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files

from bot.domain.identify import plain


class Answer(StrEnum):
    """Whether a phone does eSIM."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Remark(StrEnum):
    """What has to be said with an answer; the views turn it into words."""

    MADE_FOR_CHINA = "made_for_china"
    """Yes, but not those made for mainland China nor most of Hong Kong and Macao."""
    MAINLAND_TOO = "mainland_too"
    MAINLAND = "mainland"
    """No, because it was made for mainland China."""
    HONG_KONG = "hong_kong"
    """It depends on the model, of those made for Hong Kong and Macao."""
    WHICH_SE = "which_se"
    CELLULAR = "cellular"
    PIXEL3 = "pixel3"
    FI_ONLY = "fi_only"
    BY_COUNTRY = "by_country"
    ABROAD_ONLY = "abroad_only"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`model` is the table's name of what was recognised ("Apple iPhone XS / XR and later"), None
    when nothing was; `since` the year of the first of them, `source` who says so."""

    answer: Answer
    model: str | None = None
    remark: Remark | None = None
    since: int | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    pattern: re.Pattern[str]
    verdict: Verdict


_BRANDS = (
    (r"苹果(?:手机|手機)?|蘋果(?:手機)?|\bapple\b", "iphone"),
    (r"三星", "samsung"), (r"谷歌|\bgoogle\b", "pixel"), (r"华为|華為", "huawei"),
    (r"小米", "xiaomi"), (r"荣耀|榮耀", "honor"), (r"索尼", "sony"),
    (r"摩托罗拉|摩托羅拉", "motorola"),
)  # fmt: skip
_MAINLAND = re.compile(r"国行|國行|大陆|大陸|内地|內地|中国|中國|\bchina\b|\bmainland\b")
_HONG_KONG = re.compile(r"港版|香港|澳门|澳門|\bhong ?kong\b|\bhk\b|\bmaca[ou]\b")
_SIZE = re.compile(r"\b\d+ ?(?:gb|tb|g)\b")


def check(text: str) -> Verdict:
    """What is known of the phone that a text names."""
    lower = _SIZE.sub(" ", plain(text).lower().replace("+", "plus"))
    name = _name(lower)
    for row in _rows():
        if row.pattern.search(name):
            return _for_market(row.verdict, lower)
    return Verdict(Answer.UNKNOWN)


def _name(lower: str) -> str:
    """Small letters and digits; a brand in Chinese as its phones are called."""
    for brand, word in _BRANDS:
        known = any(line in lower for line in ("iphone", "ipad")) if word == "iphone" else False
        known = known or (word == "pixel" and word in lower)
        lower = re.sub(brand, " " if known else word, lower)
    return re.sub(r"[^a-z0-9第一二三代]", "", lower)


def _for_market(verdict: Verdict, lower: str) -> Verdict:
    """Where the text says for which country it was made."""
    if verdict.answer is not Answer.YES:
        return verdict
    made_for_china = verdict.remark in (Remark.MADE_FOR_CHINA, Remark.ABROAD_ONLY)
    if made_for_china and _MAINLAND.search(lower):
        return replace(verdict, answer=Answer.NO, remark=Remark.MAINLAND)
    if verdict.remark is Remark.MADE_FOR_CHINA and _HONG_KONG.search(lower):
        return replace(verdict, answer=Answer.UNKNOWN, remark=Remark.HONG_KONG)
    return verdict


@cache
def _rows() -> tuple[_Row, ...]:
    text = files("bot.domain").joinpath("data", "esim_devices.csv").read_text("utf-8")
    return tuple(
        _Row(
            re.compile(row["pattern"]),
            Verdict(
                Answer(row["esim"]),
                row["model"] if row["model"].startswith(row["brand"])
                else f"{row['brand']} {row['model']}",
                Remark(row["note"]) if row["note"] else None,
                int(row["since"]) if row["since"] else None,
                row["source"],
            ),
        )
        for row in csv.DictReader(text.splitlines())
    )  # fmt: skip
