"""Dates and lengths of time as people type them, in English and Chinese.

`parse_day` and `parse_days` never guess: what could mean two dates is refused with a reason, so
that a number is not lost to a swapped day and month.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum

from bot.domain.identify import plain

MOST_YEARS = 10
"""Dates further away than this, and longer lengths, are taken for slips of the finger."""


class DayProblem(StrEnum):
    """Why a text is no date or no length; the views turn it into words and an example."""

    EMPTY = "empty"
    NOT_UNDERSTOOD = "not_understood"
    AMBIGUOUS = "ambiguous"
    """Day and month could be swapped, or the year has two digits."""
    NO_SUCH_DAY = "no_such_day"
    TOO_FAR = "too_far"


class _Refused(Exception):
    def __init__(self, problem: DayProblem) -> None:
        super().__init__(problem)
        self.problem = problem


_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_UNIT = r"(?P<unit>天|days?|d|周|个?星期|个?礼拜|weeks?|w|个?月|months?|mo|年|years?|yrs?|y)"
_COUNT = r"(?P<count>\d{1,4})\s*"
_WORDS = {
    "today": 0, "now": 0, "今天": 0, "今日": 0, "今晚": 0, "tonight": 0,
    "tomorrow": 1, "明天": 1, "明日": 1, "听日": 1,
    "day after tomorrow": 2, "the day after tomorrow": 2, "后天": 2, "后日": 2, "大后天": 3,
    "yesterday": -1, "昨天": -1, "昨日": -1, "寻日": -1,
    "day before yesterday": -2, "the day before yesterday": -2, "前天": -2, "前日": -2,
}  # fmt: skip
_END_OF_MONTH = {"月底", "本月底", "这个月底", "end of month", "end of the month"}
_NAMED_YEARS = {"今年": 0, "明年": 1, "后年": 2, "去年": -1}

# Traditional forms and spellings that mean the same as what the patterns below know.
_SAME = str.maketrans("後個週號過內禮聽尋這為為", "后个周号过内礼听寻这为为")
_PREFIX = re.compile(
    r"^(?:(?:it\s+)?(?:expires?|until|till|by|on|the|valid)\b|有效期|到期日?|截止|至|到|为|是|:|\s)+"
)
_SUFFIX = re.compile(r"(?:\s+\d{1,2}:\d{2}(?::\d{2})?|到期|截止|[\s.。!?]+)$")
_NUMERALS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}


def parse_day(text: str, today: date, *, past: bool = False) -> date | DayProblem:
    """The day a text means, seen from `today` (both local to the customer).

    A date without a year is the next one from today on; with `past`, the latest one up to today.
    All-numeric dates need the year first, or a part that can only be the day; dots put the day
    first (3.12.2026).
    """
    cleaned = _cleaned(text)
    if not cleaned:
        return DayProblem.EMPTY
    if cleaned in _WORDS:
        return today + timedelta(days=_WORDS[cleaned])
    if cleaned in _END_OF_MONTH:
        return today.replace(day=monthrange(today.year, today.month)[1])
    try:
        for pattern, read in _DAY_FORMS:
            match = pattern.fullmatch(cleaned)
            if match is not None:
                return _near(read(match, today, past), today)
    except _Refused as refused:
        return refused.problem
    except ValueError:
        return DayProblem.NO_SUCH_DAY
    return DayProblem.NOT_UNDERSTOOD


def parse_days(text: str) -> int | DayProblem:
    """A length in days: "365", "365 天", "1 年" (365), "6 months" (180), "2 weeks", "none" (0).

    A month counts 30 days and a year 365: rather a day too early than a number lost.
    """
    cleaned = _cleaned(text)
    if not cleaned:
        return DayProblem.EMPTY
    if cleaned in {"none", "no", "无", "没有", "无宽限期", "没有宽限期"}:
        return 0
    match = re.fullmatch(rf"{_COUNT}(?:{_UNIT}|日)?", cleaned)
    if match is None:
        return DayProblem.NOT_UNDERSTOOD
    count, months, days = int(match["count"]), *_unit(match["unit"] or "天")
    years, rest = divmod(count * months, 12)
    total = years * 365 + rest * 30 + count * days
    return total if total <= MOST_YEARS * 366 else DayProblem.TOO_FAR


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


# ---- cleaning ----------------------------------------------------------------------------


def _cleaned(text: str) -> str:
    lower = plain(text).lower().translate(_SAME)
    lower = re.sub(r"[零〇一二两兩三四五六七八九十廿]+", _numeral, lower)
    lower = lower.replace("half a year", "6 months").replace("半年", "6个月")
    lower = re.sub(r"\b(?:an?|one)(?= (?:day|week|month|year))", "1", lower)
    lower = re.sub(r"\s+", " ", lower)
    return _SUFFIX.sub("", _PREFIX.sub("", lower)).strip()


def _numeral(match: re.Match[str]) -> str:
    """A Chinese number up to 99 (三十一, 廿三), or digits read one by one (二〇二六)."""
    text = match[0].replace("廿", "二十")
    if text.count("十") > 1:
        return match[0]
    tens, ten, units = text.partition("十")
    if ten:
        return str(10 * _NUMERALS.get(tens, 1) + _NUMERALS.get(units, 0))
    return "".join(str(_NUMERALS[character]) for character in text)


def _unit(unit: str) -> tuple[int, int]:
    """A unit as months and days."""
    if unit.startswith(("年", "y")):
        return (12, 0)
    if unit.startswith("mo") or unit.endswith("月"):
        return (1, 0)
    return (0, 1) if unit.startswith(("天", "d")) else (0, 7)


# ---- the forms of a day ------------------------------------------------------------------


def _near(day: date, today: date) -> date:
    if abs(day.year - today.year) > MOST_YEARS:
        raise _Refused(DayProblem.TOO_FAR)
    return day


def _without_year(month: int, day: int, today: date, past: bool) -> date:
    """The nearest such day on the right side of today; 29 February may be years away."""
    if not 1 <= day <= monthrange(2000, month)[1]:
        raise _Refused(DayProblem.NO_SUCH_DAY)
    step = -1 if past else 1
    for year in range(today.year, today.year + 9 * step, step):
        if day > monthrange(year, month)[1]:
            continue
        found = date(year, month, day)
        if found == today or (found < today) == past:
            return found
    raise _Refused(DayProblem.NO_SUCH_DAY)


def _year_first(match: re.Match[str], today: date, past: bool) -> date:
    return date(int(match["y"]), int(match["m"]), int(match["d"]))


def _chinese(match: re.Match[str], today: date, past: bool) -> date:
    month, day = int(match["m"]), int(match["d"])
    if match["year"]:
        return date(today.year + _NAMED_YEARS[match["year"]], month, day)
    return _without_year(month, day, today, past)


def _day_of_month(match: re.Match[str], today: date, past: bool) -> date:
    day, which = int(match["d"]), match["which"]
    if which:
        return add_months(today.replace(day=1), 1 if which.startswith("下") else 0).replace(day=day)
    for months in range(3):
        first = add_months(today.replace(day=1), -months if past else months)
        if day > monthrange(first.year, first.month)[1]:
            continue
        found = first.replace(day=day)
        if found == today or (found < today) == past:
            return found
    raise _Refused(DayProblem.NO_SUCH_DAY)


def _named_month(match: re.Match[str], today: date, past: bool) -> date:
    month, day = _MONTHS.index(match["name"][:3]) + 1, int(match["d"])
    if not match["y"]:
        return _without_year(month, day, today, past)
    year = int(match["y"])
    return date(year + 2000 if year < 100 else year, month, day)


def _day_and_month(first: int, second: int, dots_with_year: bool = False) -> tuple[int, int]:
    """Which of two numbers is the day; refused when both could be."""
    if dots_with_year or first == second or first > 12:
        return first, second
    if second > 12:
        return second, first
    raise _Refused(DayProblem.AMBIGUOUS)


def _numeric(match: re.Match[str], today: date, past: bool) -> date:
    dots = match["sign"] == "."
    day, month = _day_and_month(int(match["a"]), int(match["b"]), dots_with_year=dots)
    return date(int(match["y"]), month, day)


def _numeric_without_year(match: re.Match[str], today: date, past: bool) -> date:
    day, month = _day_and_month(int(match["a"]), int(match["b"]))
    return _without_year(month, day, today, past)


def _two_digit_year(match: re.Match[str], today: date, past: bool) -> date:
    raise _Refused(DayProblem.AMBIGUOUS)


def _later(match: re.Match[str], today: date, past: bool) -> date:
    return _shifted(match, today, 1)


def _ago(match: re.Match[str], today: date, past: bool) -> date:
    return _shifted(match, today, -1)


def _shifted(match: re.Match[str], today: date, sign: int) -> date:
    count, months, days = int(match["count"]), *_unit(match["unit"] or "天")
    if count * (months * 30 + days) > MOST_YEARS * 366:
        raise _Refused(DayProblem.TOO_FAR)
    return add_months(today, sign * count * months) + timedelta(days=sign * count * days)


_Form = Callable[[re.Match[str], date, bool], date]
_DAY_FORMS: tuple[tuple[re.Pattern[str], _Form], ...] = tuple(
    (re.compile(pattern), form)
    for pattern, form in (
        (r"(?P<y>\d{4}) ?[-/.年 ] ?(?P<m>\d{1,2}) ?[-/.月 ] ?(?P<d>\d{1,2}) ?[日号]?", _year_first),
        (r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})", _year_first),
        (r"(?P<year>[今明后去]年)? ?(?P<m>\d{1,2}) ?月 ?(?P<d>\d{1,2}) ?[日号]?", _chinese),
        (r"(?P<which>本月|这个月|下个?月)? ?(?P<d>\d{1,2}) ?[日号]", _day_of_month),
        (
            rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[ \-/.]?(?:of )?{_MONTH}[ ,\-/.]*"
            r"(?P<y>\d{4}|\d\d)?",
            _named_month,
        ),
        (
            rf"{_MONTH}[ \-/.]?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:[ ,]+(?P<y>\d{{4}}))?",
            _named_month,
        ),
        (r"(?P<a>\d{1,2})(?P<sign>[-/.])(?P<b>\d{1,2})(?P=sign)(?P<y>\d{4})", _numeric),
        (r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})", _numeric_without_year),
        (r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2}", _two_digit_year),
        (r"\+ ?(?P<count>\d{1,4}) ?(?P<unit>天|days?|d)?", _later),
        (rf"(?:in|再?过)? ?{_COUNT}{_UNIT} ?(?:later|from now|以?之?后|内)?", _later),
        (r"(?:再?过)? ?(?P<count>\d{1,4}) ?(?P<unit>)日以?之?后", _later),
        (rf"{_COUNT}{_UNIT} ?(?:ago|以?之?前)", _ago),
    )
)
