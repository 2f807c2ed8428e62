"""A chat and its preferences."""

from dataclasses import dataclass
from datetime import datetime, time

LANGUAGES = ("zh_Hans", "zh_Hant", "en")
DEFAULT_OFFSETS = (7, 3, 1, 0)
FORGOTTEN = -(10**18)
"""Ids from here down stand for people who asked to be forgotten; Telegram has none of them."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """When and how to remind. Times of day are local to `zone` (IANA name).

    `offsets` are the days before expiry on which to remind. Quiet hours run from
    `quiet_start` to `quiet_end` and may cross midnight; equal ends mean none.
    """

    zone: str = "UTC"
    zone_confirmed: bool = False
    hour: int = 9
    quiet_start: time = time(22, 0)
    quiet_end: time = time(8, 0)
    urgent_override: bool = False
    offsets: tuple[int, ...] = DEFAULT_OFFSETS
    on: bool = True
    digest: bool = True
    news: bool = True
    """Whether the shop may send them news, besides what concerns their own SIMs and orders."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A private chat or a group. A private chat's id is the person's id."""

    id: int
    kind: str
    language: str
    language_chosen: bool
    preferences: Preferences
    first_name: str | None = None
    username: str | None = None
    blocked_at: datetime | None = None
    migrated_to: int | None = None
    created_at: datetime | None = None


def forgotten(chat_id: int) -> bool:
    """Whether the id stands for somebody who is not known any more."""
    return chat_id <= FORGOTTEN


def language_for(code: str | None) -> str:
    """Our locale for a Telegram language code; English when it is neither Chinese nor known.

    Traditional for zh-hant, zh-TW, zh-HK, zh-MO; simplified for every other zh.
    """
    tag = (code or "").lower().replace("_", "-")
    if tag.split("-")[0] != "zh":
        return "en"
    traditional = {"zh-hant", "zh-tw", "zh-hk", "zh-mo"}
    return "zh_Hant" if any(tag.startswith(t) for t in traditional) else "zh_Hans"
