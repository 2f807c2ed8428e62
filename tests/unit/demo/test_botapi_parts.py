"""The stand-in's parts alone: keyboards, limits, the queue, pictures, clock, faults, the log."""

from __future__ import annotations

import asyncio
import struct
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.demo.botapi import limits
from bot.demo.botapi.errors import ApiError
from bot.demo.botapi.events import EventHub
from bot.demo.botapi.files import image_size
from bot.demo.botapi.keyboards import buttons, find_button, read_markup
from bot.demo.botapi.limits import Limiter
from bot.demo.botapi.updates import UpdateQueue
from bot.demo.calls import HIDDEN, CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard


def inline(*row: dict[str, Any]) -> dict[str, Any]:
    return {"inline_keyboard": [list(row)]}


GO = {"text": "Go", "callback_data": "go"}


class TestKeyboards:
    @pytest.mark.parametrize(
        ("markup", "reason"),
        [
            ([], "object expected as reply markup"),
            ({"inline": []}, "reply markup must be one of the four known kinds"),
            ({"inline_keyboard": {}}, 'Field "inline_keyboard" must be an Array'),
            ({"inline_keyboard": [GO]}, "expected an Array of Buttons"),
            (inline({"callback_data": "x"}), 'Can\'t find field "text"'),
            (inline({"text": 5, "callback_data": "x"}), 'Field "text" must be of type String'),
            (inline({"text": " ", "callback_data": "x"}), "BUTTON_TEXT_EMPTY"),
            (inline({"text": "x"}), "Text buttons are unallowed in the inline keyboard"),
            (inline({"text": "x", "callback_data": ""}), "Text buttons are unallowed"),
            (inline({"text": "x", "callback_data": "a" * 65}), "BUTTON_DATA_INVALID"),
            (inline({**GO, "url": "example.com"}), "exactly one action"),
            (inline({"text": "x", "url": "nope"}), "URL 'nope' is invalid: Wrong HTTP URL"),
            (inline({"text": "x", "web_app": {"url": "x"}}), "the stand-in does not know"),
            (inline({**GO, "style": "pink"}), "BUTTON_STYLE_INVALID"),
            (inline({"text": "x", "copy_text": {"text": ""}}), "BUTTON_COPY_TEXT_INVALID"),
            (inline({"text": "x", "pay": True}), "BUTTON_TYPE_INVALID"),
            (inline(*[GO] * 101), "reply markup is too long"),
            ({"keyboard": [[{"text": "x", "request_contact": True}]]}, "only text buttons"),
            ({"keyboard": [[{}]]}, 'Can\'t find field "text"'),
            ({"keyboard": [], "sticky": True}, "does not know ['sticky']"),
        ],
    )
    def test_refusals(self, markup: Any, reason: str) -> None:
        with pytest.raises(ApiError) as caught:
            read_markup(markup)
        assert reason in caught.value.description

    def test_what_is_taken(self) -> None:
        shown, beside = read_markup(inline(GO, {"text": "Web", "url": "example.com"}))
        assert beside is None
        assert find_button(shown, "Web") == {"text": "Web", "url": "http://example.com/"}
        assert find_button(shown, "Stop") is None
        assert [button["text"] for button in buttons(shown)] == ["Go", "Web"]
        assert read_markup({"inline_keyboard": []}) == (None, None)
        assert read_markup({"remove_keyboard": True}) == (None, {"remove_keyboard": True})
        assert read_markup({}) == (None, None)


class TestLimits:
    @pytest.fixture
    def now(self) -> list[float]:
        """Real time, held still and moved by hand."""
        return [1000.0]

    @pytest.fixture
    def limiter(self, now: list[float]) -> Limiter:
        return Limiter(seconds=lambda: now[0])

    def sent(self, limiter: Limiter, chat_id: int, **how: bool) -> int:
        """How many messages go through before the first refusal."""
        count = 0
        while True:
            try:
                limiter.spend(chat_id, **how)
            except ApiError:
                return count
            count += 1

    def test_one_chat(self, limiter: Limiter, now: list[float]) -> None:
        assert self.sent(limiter, 1) == 5
        now[0] += 1
        assert self.sent(limiter, 1) == 1

    def test_one_group_in_a_minute(self, limiter: Limiter, now: list[float]) -> None:
        count = 0
        for _ in range(60):
            count += self.sent(limiter, -1)
            now[0] += 1
        assert 20 <= count <= 40
        now[0] += 3
        assert self.sent(limiter, -1) <= 2
        with pytest.raises(ApiError) as caught:
            limiter.spend(-1)
        assert 1 <= caught.value.parameters["retry_after"] <= 3
        limiter.spend(1)

    def test_all_chats_together(self, limiter: Limiter, now: list[float]) -> None:
        for chat_id in range(1, 31):
            limiter.spend(chat_id)
        with pytest.raises(ApiError, match="Too Many Requests: retry after 1"):
            limiter.spend(31)
        limiter.spend(31, paid=True)
        now[0] += 1
        for chat_id in range(41, 71):
            limiter.spend(chat_id)

    def test_a_refusal_costs_nothing(self, limiter: Limiter, now: list[float]) -> None:
        self.sent(limiter, 1)
        for _ in range(100):
            assert self.sent(limiter, 1) == 0
        assert self.sent(limiter, 2) == 5

    def test_old_chats_are_forgotten(self, limiter: Limiter, now: list[float]) -> None:
        limiter._overall.capacity = limiter._overall.tokens = 1e9
        for chat_id in range(1, limits.KEEP_BUCKETS + 1):
            limiter.spend(chat_id)
        now[0] += 61
        limiter.spend(limits.KEEP_BUCKETS + 1)
        assert len(limiter._chats) == 1


class TestQueue:
    async def test_updates_wait_and_ids_rise(self) -> None:
        queue = UpdateQueue(WorldClock(), first_id=10)
        queue.add("message", {"n": 1})
        queue.add("message", {"n": 2})
        assert queue.add("chat_member", {}) is None
        fetched = await queue.fetch(0, 1, 0, None)
        assert fetched == [{"update_id": 10, "message": {"n": 1}}]
        assert await queue.fetch(11, 100, 0, None) == [{"update_id": 11, "message": {"n": 2}}]
        assert await queue.fetch(12, 100, 0.01, None) == []

    async def test_a_wait_leaves_nothing_behind(self) -> None:
        queue = UpdateQueue(WorldClock())
        for _ in range(3):
            await queue.changed(0.001)
        assert queue._waiters == []

    async def test_queries_age_faster(self) -> None:
        clock = WorldClock()
        queue = UpdateQueue(clock)
        for kind in ("callback_query", "message", "pre_checkout_query"):
            queue.add(kind, {})
        clock.advance(151)
        queue.expire()
        assert [update.kind for update in queue.pending] == ["message"]
        clock.advance(24 * 3600)
        queue.expire()
        assert not queue.pending


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(8) + struct.pack(">II", 40, 30), (40, 30)),
        (b"GIF89a" + struct.pack("<HH", 5, 6), (5, 6)),
        (b"RIFF....WEBPVP8X" + bytes(8) + b"\x27\0\0\x1d\0\0", (40, 30)),
        (b"RIFF....WEBPVP8 " + bytes(10) + struct.pack("<HH", 40, 30), (40, 30)),
        (b"RIFF....WEBPVP8L" + bytes(5) + struct.pack("<I", 39 | 29 << 14), (40, 30)),
        (
            b"\xff\xd8\xff\xe0\x00\x04\0\0\xff\xc0\x00\x11\x08"
            + struct.pack(">HH", 30, 40)
            + b"\3",
            (40, 30),
        ),
        (b"\xff\xd8\xff", None),
        (b"%PDF", None),
        (b"", None),
    ],
)
def test_sizes_of_pictures(data: bytes, size: tuple[int, int] | None) -> None:
    assert image_size(data) == size


def test_the_clock_only_moves_forward() -> None:
    clock = WorldClock(60)
    ahead = (clock.now() - datetime.now(UTC)).total_seconds()
    assert ahead == pytest.approx(60, abs=1)
    clock.advance(5)
    assert clock.offset == 65
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_faults_strike_for_good_or_by_number() -> None:
    board = FaultBoard()
    board.register("a", "A", "甲", "…")
    assert [board.take("a"), board.take("unknown")] == [False, False]
    board.set("a", times=2)
    board.register("a", "again", "又", "…")
    assert [board.take("a") for _ in range(3)] == [True, True, False]
    board.set("a", on=True)
    assert board.is_set("a")
    assert board.take("a")
    assert board.take("a")
    board.clear()
    assert not board.is_set("a")
    with pytest.raises(KeyError):
        board.set("unknown", on=True)
    with pytest.raises(ValueError, match="negative"):
        board.set("a", times=-1)


def test_the_log_keeps_the_latest_without_secrets() -> None:
    log = CallLog(WorldClock(), size=2)
    heard: list[int] = []
    log.listeners.append(lambda call: heard.append(call.id))
    request = {"secret_token": "s", "list": [{"RT-AccessCode": "s", "iccid": "89"}]}
    for _ in range(3):
        log.add(to="x", method="m", request=request, answer={}, status=200, ms=1.0)
    assert heard == [1, 2, 3]
    assert [call.id for call in log.after()] == [2, 3]
    kept = log.after(2)[0].as_dict()
    assert kept["request"] == {
        "secret_token": HIDDEN,
        "list": [{"RT-AccessCode": HIDDEN, "iccid": "89"}],
    }
    assert datetime.fromisoformat(kept["time"]).tzinfo is not None


async def test_a_slow_listener_loses_the_oldest() -> None:
    hub = EventHub(backlog=2)
    hub.emit("nobody hears")
    with hub.subscribe() as queue:
        assert hub.listening
        for number in range(3):
            hub.emit("n", number=number)
        assert [queue.get_nowait(), queue.get_nowait()] == [
            {"type": "n", "number": 1},
            {"type": "n", "number": 2},
        ]
        hub.close()
        assert await asyncio.wait_for(queue.get(), 1) is None
    assert not hub.listening
