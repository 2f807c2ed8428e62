"""Every word, date, number and currency a person reads (F37).

English message texts are the keys of the gettext catalogues in `locales/`; Babel reads them once
and formats the rest. Arguments are HTML-escaped here, and only here.
"""

import html
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal
from babel.support import NullTranslations, Translations

from bot.domain.chats import LANGUAGES
from bot.domain.money import STARS, Money, decimals

DOMAIN = "xuka"
NAMES = {"zh_Hans": "简体中文", "zh_Hant": "繁體中文", "en": "English"}


class Html(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def N_(message: str) -> str:
    """Mark a text for the catalogues; it is translated where it is shown."""
    return message


def catalogues() -> Path:
    """The folder of the catalogues: inside the wheel, or at the top of a checkout."""
    inside = Path(__file__).parent / "locales"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "locales"


@cache
def _translations(language: str) -> NullTranslations:
    path = catalogues() / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, DOMAIN)


def escape(value: object) -> str:
    """HTML for one argument: `Html` as it is, everything else escaped."""
    return value if isinstance(value, Html) else html.escape(str(value), quote=False)


class Words:
    """Speaks one language. `zone` (IANA) turns the store's UTC into the reader's local time."""

    def __init__(self, language: str, zone: str = "UTC") -> None:
        self.language = language if language in LANGUAGES else "en"
        self.zone = ZoneInfo(zone)
        self.locale = _locale(self.language)
        self._translations = _translations(self.language)

    def __call__(self, message: str, /, **arguments: object) -> Html:
        """The text in this language, with escaped arguments."""
        text = self._translations.gettext(message)
        return Html(text.format(**{name: escape(value) for name, value in arguments.items()}))

    def n(self, one: str, many: str, number: int, /, **arguments: object) -> Html:
        """The plural form for `number`, which is also the argument {n}."""
        text = self._translations.ngettext(one, many, number)
        escaped = {name: escape(value) for name, value in arguments.items()}
        return Html(text.format(n=self.number(number), **escaped))

    def plain(self, message: str, /, **arguments: object) -> str:
        """As `__call__`, unescaped: for buttons, toasts and invoices, which know no HTML."""
        return self._translations.gettext(message).format(**arguments)

    def join(self, parts: Iterable[str]) -> Html:
        """Things side by side: "a, b, c" and 「a、b、c」, escaped as arguments are."""
        return Html((", " if self.language == "en" else "、").join(map(escape, parts)))

    def number(self, value: int | float | Decimal) -> str:
        """A number with this language's separators."""
        return format_decimal(value, locale=self.locale)

    def money(self, money: Money) -> str:
        """An amount with its currency; Stars as ⭐."""
        if money.currency == STARS:
            return f"{self.number(money.minor)} ⭐"
        return self.price(money.major, money.currency)

    def price(self, major: Decimal, currency: str) -> str:
        """A major-unit amount, without decimals it does not need."""
        whole = major == major.to_integral_value() and decimals(currency) > 0
        pattern = self.locale.currency_formats["standard"].pattern
        return format_currency(
            major,
            currency,
            format=pattern.replace(".00", "") if whole else None,
            locale=self.locale,
            currency_digits=not whole,
        )

    def data(self, count: int) -> str:
        """Bytes as GB or MB, counted as suppliers do (1 GB = 1024 MB)."""
        gigabytes = Decimal(count) / (1 << 30)
        if gigabytes >= 1:
            return f"{self.number(round(gigabytes, 2).normalize() + 0)} GB"
        return f"{self.number(round(Decimal(count) / (1 << 20)))} MB"

    def local(self, moment: datetime) -> datetime:
        """The moment in the reader's zone."""
        return moment.astimezone(self.zone)

    def date(self, moment: datetime | date, *, now: datetime | None = None) -> str:
        """A local day: "3 Dec", with the year when it is not the year of `now`."""
        day = self.local(moment).date() if isinstance(moment, datetime) else moment
        year = self.local(now).year if now else None
        if self.language == "en":
            return format_date(day, "d MMM" if day.year == year else "d MMM y", locale=self.locale)
        return format_date(day, "M月d日" if day.year == year else "y年M月d日", locale=self.locale)

    def clock(self, moment: datetime) -> str:
        """A local time of day, 24 hours."""
        return format_time(self.local(moment), "HH:mm", tzinfo=self.zone, locale=self.locale)

    def moment(self, moment: datetime, *, now: datetime | None = None) -> str:
        """A local day and time of day."""
        return f"{self.date(moment, now=now)} {self.clock(moment)}"

    def stamp(self, moment: datetime) -> str:
        """A full local date and time with the offset, for receipts: "2026-12-03 09:00 UTC+8"."""
        local = self.local(moment)
        minutes = int((local.utcoffset() or timedelta(0)).total_seconds()) // 60
        hours, rest = divmod(abs(minutes), 60)
        sign = "-" if minutes < 0 else "+"
        offset = f"{sign}{hours}" + (f":{rest:02d}" if rest else "") if minutes else ""
        return f"{local:%Y-%m-%d %H:%M} UTC{offset}"


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


@lru_cache(maxsize=512)
def words(language: str, zone: str = "UTC") -> Words:
    """The cached speaker of a language in a zone."""
    return Words(language, zone)
