"""Time zones as cities: named in the reader's language, found by what people type."""

import re
import unicodedata
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location

from bot.domain.chats import LANGUAGES
from bot.i18n import Words

MOST = 8
COMMON = {
    "zh_Hans": ("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo",
                "Asia/Manila", "Europe/London", "America/New_York", "America/Los_Angeles",
                "Australia/Sydney"),
    "zh_Hant": ("Asia/Taipei", "Asia/Hong_Kong", "Asia/Macau", "Asia/Shanghai", "Asia/Singapore",
                "Asia/Tokyo", "Asia/Manila", "Europe/London", "America/New_York",
                "America/Los_Angeles"),
    "en": ("Europe/London", "Europe/Berlin", "America/New_York", "America/Chicago",
           "America/Denver", "America/Los_Angeles", "Asia/Manila", "Asia/Singapore",
           "Asia/Shanghai", "Australia/Sydney"),
}  # fmt: skip
# Cities people live in that no zone is named after.
_CITIES = {
    "Asia/Shanghai": "beijing 北京 guangzhou 广州 廣州 shenzhen 深圳 chengdu 成都 hangzhou 杭州 "
    "wuhan 武汉 武漢 nanjing 南京 tianjin 天津 xian 西安 xiamen 厦门 廈門 suzhou 苏州 蘇州",
    "Asia/Taipei": "kaohsiung 高雄 taichung 台中 臺中 tainan 台南 臺南 臺北",
    "Asia/Manila": "cebu 宿务 宿霧 davao 达沃",
    "Asia/Tokyo": "osaka 大阪 kyoto 京都",
    "America/New_York": "washington 华盛顿 華盛頓 boston 波士顿 波士頓 miami 迈阿密 邁阿密 "
                        "philadelphia 费城 費城 atlanta 亚特兰大 亞特蘭大",
    "America/Chicago": "houston 休斯敦 休士頓 dallas 达拉斯 達拉斯 austin 奥斯汀 奧斯汀",
    "America/Los_Angeles": "seattle 西雅图 西雅圖 sanfrancisco 旧金山 舊金山 三藩市 sandiego "
                           "圣地亚哥 聖地牙哥 lasvegas 拉斯维加斯 拉斯維加斯",
    "Europe/London": "manchester 曼彻斯特 曼徹斯特 birmingham 伯明翰 edinburgh 爱丁堡 愛丁堡",
    "Europe/Berlin": "frankfurt 法兰克福 法蘭克福 munich 慕尼黑 hamburg 汉堡 漢堡",
    "Asia/Kolkata": "mumbai 孟买 孟買 delhi newdelhi 德里 新德里 bangalore 班加罗尔",
    "America/Toronto": "ottawa 渥太华 渥太華 montreal 蒙特利尔",
}  # fmt: skip
_COUNTRIES = {"US": "usa america", "GB": "uk england 英格兰 英格蘭"}
_OFFSET = re.compile(r"(?:utc|gmt)?([+-])(\d{1,2})(?::?(00|15|30|45))?")


def zone_name(t: Words, zone: str) -> str:
    """A zone as its city in the reader's language."""
    return str(get_timezone_location(zone, locale=t.locale, return_city=True))


def zone_label(t: Words, zone: str, now: datetime) -> str:
    """A city and the time on its clocks, by which people know whether it is theirs."""
    return f"{zone_name(t, zone)} · {now.astimezone(ZoneInfo(zone)):%H:%M}"


def find_zones(text: str, now: datetime) -> list[str]:
    """IANA zones a text may mean, best first, at most MOST: a city or country in English or
    Chinese, an IANA name, or an offset such as UTC+8 as it is at `now`."""
    wanted = _key(text)
    if not wanted:
        return []
    offset = _OFFSET.fullmatch(wanted)
    if offset is not None:
        return _by_offset(offset, now)
    exact, begins, holds = [], [], []
    for zone, names in _index().items():
        if wanted in names:
            exact.append(zone)
        elif len(wanted) > 1 and any(name.startswith(wanted) for name in names):
            begins.append(zone)
        elif len(wanted) > 2 and any(wanted in name for name in names):
            holds.append(zone)
    found = exact or begins + holds
    return sorted(found, key=_commonness)[:MOST]


def of_country(country: str) -> str | None:
    """The zone most of a country (ISO 3166) lives in, as far as we know."""
    territories = get_global("zone_territories")
    found = sorted((z for z in _index() if territories[z] == country), key=_commonness)
    known = len(found) == 1 or (found and not _commonness(found[0])[0])
    return found[0] if known else None


def _commonness(zone: str) -> tuple[bool, int]:
    ranked = [zone for zones in COMMON.values() for zone in zones]
    return (zone not in ranked, ranked.index(zone) if zone in ranked else 0)


def _key(text: str) -> str:
    narrow = unicodedata.normalize("NFKD", text).casefold().replace("−", "-")
    spelt = re.sub(r"(市|时间|時間|\btime(?: ?zone)?\b)\s*$", "", narrow.strip())
    return "".join(c for c in spelt if c.isalnum() or c in "+-:/")


@cache
def _index() -> dict[str, frozenset[str]]:
    """Every zone of a place with the names it is found by."""
    known = available_timezones()
    locales = [Locale.parse(language) for language in LANGUAGES]
    index = {}
    for zone, country in get_global("zone_territories").items():
        if zone not in known or country == "001":
            continue
        names = [zone, country, zone.rsplit("/", 1)[-1], *_CITIES.get(zone, "").split()]
        for locale in locales:
            names.append(get_timezone_location(zone, locale=locale, return_city=True))
            names.append(locale.territories.get(country, ""))
        names += _COUNTRIES.get(country, "").split()
        index[zone] = frozenset(key for key in map(_key, names) if key)
    return index


def _by_offset(match: re.Match[str], now: datetime) -> list[str]:
    sign, hours, minutes = match[1], int(match[2]), int(match[3] or 0)
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    zones = sorted(_index(), key=_commonness)
    return [zone for zone in zones if now.astimezone(ZoneInfo(zone)).utcoffset() == offset][:MOST]
