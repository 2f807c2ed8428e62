"""News at the moment they are sent, the report, and the times that operators write."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.chat.broadcasting import news_of, progress_of
from bot.chat.conversations.broadcasts import when_of
from bot.chat.views import broadcasts as views
from bot.chat.views import shop_news
from bot.domain.broadcasts import (
    BROADCAST,
    Broadcast,
    BroadcastState,
    Reached,
    Recipient,
    Report,
    Segment,
    has,
    text_for,
)
from bot.domain.chats import Preferences
from bot.i18n import words
from bot.ports import Notice, Priority
from bot.services import notices
from bot.services.broadcasts import length
from bot.store import Database
from tests.unit.services.house import OPERATOR, HandClock, opened
from tests.unit.store.samples import ALICE, NOW, days, sim

TEXTS = {"en": "Summer <b>week</b> &amp; more", "zh_Hans": "夏日周"}
EN = words("en")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Database]:
    """Alice has news on their way."""
    async with opened(tmp_path) as database:
        async with database.write() as tx:
            one = Broadcast("b1", 1, OPERATOR, BroadcastState.DRAFT, NOW, texts=TEXTS, people=1)
            await tx.broadcasts.add(one, 1)
            await tx.broadcasts.enrol([Recipient("r1", "b1", ALICE, Reached.WAITING, NOW)])
            await tx.broadcasts.queued(["r1"])
            await move(database, tx, BroadcastState.SCHEDULED, BroadcastState.RUNNING)
        yield database


async def move(database: Database, tx: object, *states: BroadcastState) -> None:
    old = BroadcastState.DRAFT
    for new in states:
        assert await tx.broadcasts.move("b1", old, new, "x", NOW, started_at=NOW)  # type: ignore[attr-defined]
        old = new


NEWS = notices.broadcast("r1", ALICE, NOW)


async def shown(shop: Database, notice: Notice = NEWS) -> str | None:
    async with shop.read() as tx:
        chat = await tx.chats.get(notice.chat_id)
        assert chat is not None
        found = await news_of(tx, chat, notice)
    return None if found is None else str(found[1].text)


async def test_news_are_in_the_readers_language_with_the_way_out(shop: Database) -> None:
    assert await shown(shop) == "夏日周"
    async with shop.read() as tx:
        chat = await tx.chats.get(ALICE)
        assert chat is not None
        found = await news_of(tx, chat, NEWS)
    assert found is not None
    assert [[cell.data for cell in row] for row in found[1].rows] == [["newsgo:r1"], ["newsoff:r1"]]


async def test_who_opted_out_after_it_was_queued_gets_nothing(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.chats.set_preferences(ALICE, Preferences(news=False))
    assert await shown(shop) is None


async def test_who_blocked_the_bot_meanwhile_is_not_bothered(shop: Database) -> None:
    async with shop.write() as tx:
        await tx.chats.set_blocked(ALICE, NOW)
    assert await shown(shop) is None


async def test_what_was_stopped_is_not_sent(shop: Database) -> None:
    async with shop.write() as tx:
        assert await tx.broadcasts.move(
            "b1", BroadcastState.RUNNING, BroadcastState.STOPPED, "x", NOW
        )
    assert await shown(shop) is None


async def test_a_test_needs_no_row_and_a_forgotten_one_says_nothing(shop: Database) -> None:
    test = notices.broadcast_test("b1", OPERATOR, 5)
    assert test.priority is Priority.OPERATOR
    assert await shown(shop, test) == "夏日周"
    assert await shown(shop, notices.broadcast("gone", ALICE, NOW)) is None
    assert await shown(shop, notices.broadcast_test("gone", OPERATOR, 5)) is None


async def test_the_progress_tells_the_present_truth(shop: Database) -> None:
    clock, notice = HandClock(), notices.broadcast_progress("b1", OPERATOR, 1)
    async with shop.read() as tx:
        chat = await tx.chats.get(OPERATOR)
        assert chat is not None
        found = await progress_of(tx, chat, notice, clock)
    assert found is not None
    assert "▱▱▱▱▱▱▱▱▱▱ 0／1" in found[1].text


# ---- views -----------------------------------------------------------------------------------


def test_the_bar_is_full_at_the_end_alone() -> None:
    assert views.bar(0, 10) == "▱" * 10
    assert views.bar(999, 1000) == "▰" * 9 + "▱"
    assert views.bar(7, 7) == views.bar(0, 0) == "▰" * 10


@pytest.mark.parametrize("state", [one for one in BROADCAST if one is not BroadcastState.DRAFT])
def test_a_card_offers_what_can_be_done(state: BroadcastState) -> None:
    one = Broadcast("b1", 1, OPERATOR, state, NOW, texts=TEXTS, start_at=NOW, started_at=NOW)
    rows = views.card(EN, one, Report({Reached.SENT: 3}), NOW).rows
    steps = {cell.data.split(":")[0] for row in rows for cell in row if cell.data} - {
        "bc",
        "bclist",
    }
    offered = {
        BroadcastState.SCHEDULED: {"bcback", "bcstop"},
        BroadcastState.RUNNING: {"bcpause", "bcstop"},
        BroadcastState.PAUSED: {"bcresume", "bcstop"},
    }
    assert steps == offered.get(state, set())


def test_a_report_names_what_there_is() -> None:
    one = Broadcast("b1", 1, OPERATOR, BroadcastState.DONE, NOW, texts=TEXTS, started_at=NOW,
                    ended_at=NOW, people=9)  # fmt: skip
    states = {Reached.SENT: 5, Reached.UNSURE: 1, Reached.BLOCKED: 1, Reached.DEACTIVATED: 1,
              Reached.DROPPED: 1}  # fmt: skip
    report = Report(states, clicked=2, left=1, paid=1, amounts={"USD": 850})
    text = views.card(EN, one, report, NOW).text
    for said in ("9 of 9", "Sent: 5", "not arrived: 1", "blocked the bot: 2", "Left out: 1",
                 "Tapped the button: 2", "1 order within 7 days of the tap: $8.50",
                 "Turned news off: 1"):  # fmt: skip
        assert said in text
    assert "Refused" not in text


def test_the_excerpt_is_bare_and_short() -> None:
    one = Broadcast("b1", 1, OPERATOR, BroadcastState.DRAFT, NOW, texts=TEXTS)
    assert views.excerpt(EN, one) == "Summer week & more"
    assert views.excerpt(EN, replace(one, texts={})) == "(no text yet)"
    assert len(views.excerpt(EN, replace(one, texts={"en": "x" * 500}))) == 60


def test_without_words_there_is_no_news() -> None:
    one = Broadcast("b1", 1, OPERATOR, BroadcastState.DRAFT, NOW)
    assert shop_news.message(one, EN) is None


# ---- the domain ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "language", "read"),
    [
        ({"en": "E", "zh_Hans": "S"}, "zh_Hant", "zh_Hans"),
        ({"en": "E", "zh_Hant": "T"}, "zh_Hans", "zh_Hant"),
        ({"en": "E"}, "zh_Hans", "en"),
        ({"zh_Hant": "T"}, "en", "zh_Hant"),
        ({"zh_Hans": "S", "zh_Hant": "T"}, "en", "zh_Hans"),
    ],
)
def test_who_lacks_a_text_reads_the_nearest(
    texts: dict[str, str], language: str, read: str
) -> None:
    assert text_for(texts, language) == (read, texts[read])


def test_a_segment_knows_the_sims_it_is_about() -> None:
    one = sim(carrier="Smart", expiry=days(5))
    assert has(Segment(), one, NOW)
    assert has(Segment(carriers=("Smart",), ends=(0, 7)), one, NOW)
    assert not has(Segment(carriers=("Ultra",)), one, NOW)
    assert not has(Segment(ends=(7, 30)), one, NOW)
    assert not has(Segment(ends=(0, 7)), replace(one, expiry=None), NOW)


def test_length_is_counted_as_telegram_counts() -> None:
    assert length("<b>ab</b> &lt;3") == 5
    assert length("😀") == 2


SHANGHAI = ZoneInfo("Asia/Shanghai")  # 20:00 at NOW
TIMES = [
    ("21:30", datetime(2026, 11, 20, 13, 30, tzinfo=UTC)),
    ("9:05", datetime(2026, 11, 21, 1, 5, tzinfo=UTC)),
    ("21点", datetime(2026, 11, 20, 13, 0, tzinfo=UTC)),
    ("tomorrow 9:00", datetime(2026, 11, 21, 1, 0, tzinfo=UTC)),
    ("明天 9:00", datetime(2026, 11, 21, 1, 0, tzinfo=UTC)),
    ("2026-12-03 19:30", datetime(2026, 12, 3, 11, 30, tzinfo=UTC)),
    ("12月3日 19:30", datetime(2026, 12, 3, 11, 30, tzinfo=UTC)),
    ("3 Dec, 19:30", datetime(2026, 12, 3, 11, 30, tzinfo=UTC)),
    ("2026-11-20 19:00", datetime(2026, 11, 20, 11, 0, tzinfo=UTC)),  # passed: the caller says so
    ("soon", None),
    ("25:00", None),
    ("2026-13-03 19:30", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "moment"), TIMES)
def test_times_are_read_by_the_operators_clock(text: str, moment: datetime | None) -> None:
    assert when_of(text, NOW, SHANGHAI) == moment


def test_an_hour_that_is_left_out_moves_forward() -> None:
    new_york, before = ZoneInfo("America/New_York"), datetime(2027, 3, 14, 6, tzinfo=UTC)
    assert when_of("2:30", before, new_york) == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
