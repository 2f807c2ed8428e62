"""Telegram's limits hold exactly, in any window, across restarts; answers first, nobody last
for ever. All in counted nanoseconds: nothing here waits."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ports import Place
from bot.services.limits import (
    AHEAD,
    ANSWER,
    BURST,
    CHAT_BURST,
    PAID_PER_SECOND,
    PATIENCE,
    SECOND,
    Bucket,
    Gate,
    Limits,
    Waiter,
)

REMINDER, BROADCAST = 40, 70
GROUP = -100


THIRTY = -(-SECOND // 30)


def fits(before: list[int], moment: int, interval: int, burst: int) -> bool:
    """Never more than rate × time + burst, in any window that ends with this moment."""
    count = len(before)
    return all(
        count - first + 1 <= burst + (moment - begin) // interval
        for first, begin in enumerate(before)
    )


def keeps(moments: list[int], interval: int, burst: int) -> bool:
    """The same for any window at all, its ends included."""
    return all(fits(moments[:end], at, interval, burst) for end, at in enumerate(moments))


@dataclass
class Street:
    """A gate, a clock moved by hand, and what went through when."""

    limits: Limits = field(default_factory=Limits)
    started: int = 0
    at: int = 0
    waiting: list[Waiter] = field(default_factory=list)
    gone: list[tuple[int, Waiter]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate = Gate(self.limits, now=lambda: self.at, started=self.started)
        self.number = 0

    def come(self, rank: int, chat_id: int | None, *, edit: bool = False,
             paid: bool = False) -> Waiter:  # fmt: skip
        """Somebody begins to wait."""
        self.number += 1
        one = Waiter(rank, self.number, chat_id, edit, paid)
        self.waiting.append(one)
        return one

    def live(self, span: int) -> None:
        """Let time pass, each one let in as soon as that may be."""
        end = self.at + span
        while True:
            admitted, wait = self.gate.admit(self.at, self.waiting)
            self.gone += [(self.at, one) for one in admitted]
            if wait is None or self.at + wait > end:
                break
            assert wait > 0
            self.at += wait
        self.at = end

    def moments(self, chat_id: int | None = None, *, paid: bool = False) -> list[int]:
        """When messages went out, to one chat or all."""
        return [
            at for at, one in self.gone
            if one.paid is paid and (chat_id is None or one.chat_id == chat_id)
        ]  # fmt: skip


# ---- one bucket ----------------------------------------------------------------------------


@given(
    interval=st.integers(1, 10**9),
    burst=st.integers(1, 12),
    steps=st.lists(st.integers(0, 10**9), min_size=1, max_size=40),
    empty=st.booleans(),
)
def test_a_bucket_is_exact(interval: int, burst: int, steps: list[int], empty: bool) -> None:
    """Never too much in any window, and never a wait a nanosecond longer than need be."""
    bucket, now = Bucket(interval, burst, 0, empty=empty), 0
    taken = [0] * burst if empty else []
    for step in steps:
        now += step
        wait = bucket.wait(now)
        assert fits(taken, now + wait, interval, burst)
        if wait:
            assert not fits(taken, now + wait - 1, interval, burst)
        now += wait
        assert bucket.wait(now) == 0
        bucket.take(now)
        taken.append(now)


@given(
    interval=st.integers(1, 10**9),
    burst=st.integers(1, 12),
    counts=st.lists(st.integers(0, 5), max_size=20),
    count=st.integers(1, 12),
)
def test_a_bucket_tells_ahead_when_several_will_be_there(
    interval: int, burst: int, counts: list[int], count: int
) -> None:
    """As long as they are taken as soon as they come."""
    bucket, now = Bucket(interval, burst, 0), 0
    for many in counts:
        for _ in range(many):
            now += bucket.wait(now)
            bucket.take(now)
        now += interval // 3
    last = now + bucket.wait(now, count)
    for _ in range(count):
        now += bucket.wait(now)
        bucket.take(now)
    assert now == last


# ---- the gate ------------------------------------------------------------------------------

CALLS = st.lists(
    st.tuples(
        st.integers(0, SECOND // 2),
        st.sampled_from([ANSWER, 10, REMINDER, BROADCAST]),
        st.one_of(st.integers(1, 3), st.integers(100, 130), st.just(GROUP)),
        st.booleans(),
    ),
    max_size=60,
)


@given(calls=CALLS, per_second=st.integers(1, 30))
def test_no_window_ever_holds_too_many(
    calls: list[tuple[int, int, int, bool]], per_second: int
) -> None:
    street = Street(Limits(per_second))
    for pause, rank, chat_id, edit in calls:
        street.live(pause)
        street.come(rank, chat_id, edit=edit)
    street.live(1000 * SECOND)
    assert len(street.gone) == len(calls)
    assert keeps(street.moments(), -(-SECOND // per_second), min(BURST, per_second))
    assert keeps(street.moments(GROUP), 3 * SECOND, 1)
    sent = [(at, one) for at, one in street.gone if not one.edit and one.chat_id != GROUP]
    for chat in {one.chat_id for _, one in sent}:
        here = [(at, one.rank) for at, one in sent if one.chat_id == chat]
        assert keeps([at for at, _ in here], SECOND, CHAT_BURST)
        for (before, _), (at, rank) in pairwise(here):
            assert rank == ANSWER or at - before >= SECOND


@given(calls=CALLS, uptime=st.integers(0, 5 * SECOND))
def test_a_restart_bursts_over_no_limit(
    calls: list[tuple[int, int, int, bool]], uptime: int
) -> None:
    """Two processes, one after the other: together they keep what one would have."""
    first = Street(at=100 * SECOND)
    for pause, rank, chat_id, edit in calls:
        first.live(pause)
        first.come(rank, chat_id, edit=edit)
    first.live(uptime)
    second = Street(started=first.at, at=first.at)
    for one in first.waiting:
        second.come(one.rank, one.chat_id, edit=one.edit)
    second.live(1000 * SECOND)
    assert keeps(first.moments() + second.moments(), THIRTY, BURST)
    assert keeps(first.moments(GROUP) + second.moments(GROUP), 3 * SECOND, 1)
    for chat in (1, 2, 3):
        both = [at for at, one in (*first.gone, *second.gone)
                if one.chat_id == chat and not one.edit]  # fmt: skip
        assert keeps(both, SECOND, CHAT_BURST)


def test_a_flood_goes_out_at_full_speed() -> None:
    street = Street(at=10 * SECOND)
    for number in range(1800 + BURST):
        street.come(BROADCAST, 1000 + number)
    street.live(60 * SECOND)
    assert len(street.gone) in (1799 + BURST, 1800 + BURST)
    assert keeps(street.moments()[:200], THIRTY, BURST)


def test_an_answer_waits_for_no_flood() -> None:
    street = Street(at=10 * SECOND)
    for number in range(300):
        street.come(BROADCAST, 1000 + number)
    for number in range(20):
        street.live(SECOND // 5 + 7_000_000)
        begin = street.at
        street.come(ANSWER, 1 + number)
        street.live(SECOND // 5)
        [at] = [at for at, one in street.gone if one.chat_id == 1 + number]
        assert at - begin <= SECOND // 5


def test_every_rank_gets_its_turns() -> None:
    """Answers alone would fill all of it, for a minute: the others move on all the same."""
    street = Street(at=10 * SECOND)
    for number in range(100):
        street.come(REMINDER, 10_000 + number)
        street.come(BROADCAST, 20_000 + number)
    for number in range(60 * 40):
        street.come(ANSWER, 1 + number)
        street.live(SECOND // 40)
    counts = Counter(one.rank for _, one in street.gone)
    assert counts[ANSWER] >= 1500
    assert counts[REMINDER] >= 50
    assert counts[BROADCAST] >= 50


def test_those_of_one_rank_go_in_the_order_they_came() -> None:
    street = Street(at=10 * SECOND)
    waiters = [street.come(REMINDER, 100 + number) for number in range(90)]
    street.live(5 * SECOND)
    assert [one for _, one in street.gone] == waiters


def test_paid_broadcasts_have_a_limit_of_their_own() -> None:
    street = Street(Limits(paid=True), at=10 * SECOND)
    for number in range(3000):
        street.come(BROADCAST, 1000 + number, paid=True)
    for number in range(60):
        street.come(REMINDER, 1 + number)
    street.live(3 * SECOND)
    assert len(street.moments(paid=True)) == 3000
    assert keeps(street.moments(paid=True)[:500], SECOND // PAID_PER_SECOND, 100)
    assert len(street.moments()) == 60


# ---- Telegram's wishes ---------------------------------------------------------------------


def test_a_chat_that_must_wait_holds_up_no_other() -> None:
    street = Street(at=10 * SECOND)
    street.gate.refused(1, 3)
    street.come(REMINDER, 1)
    street.come(REMINDER, 2)
    street.live(2 * SECOND)
    assert [one.chat_id for _, one in street.gone] == [2]
    assert street.gate.busy()[1] == SECOND
    street.live(SECOND)
    assert [one.chat_id for _, one in street.gone] == [2, 1]
    assert street.gate.held() == 0


def test_when_many_must_wait_all_do() -> None:
    street = Street(at=10 * SECOND)
    for chat_id in (1, 2, 3):
        street.gate.refused(chat_id, 3)
    assert street.gate.held() == 3 * SECOND
    street.come(ANSWER, 9)
    street.live(3 * SECOND - 1)
    assert street.gone == []
    street.live(1)
    assert len(street.gone) == 1


def test_three_who_waited_one_after_the_other_stop_nobody() -> None:
    street = Street(at=10 * SECOND)
    for chat_id in (1, 2, 3, 4):
        street.gate.refused(chat_id, 1)
        street.live(SECOND)
    assert street.gate.held() == 0


# ---- places --------------------------------------------------------------------------------


async def test_who_would_wait_too_long_is_told_so() -> None:
    street = Street(Limits(limited=False), at=10 * SECOND)
    street.gate.refused(1, 60)
    assert await street.gate.turn(1) == 60 * SECOND > PATIENCE
    assert await street.gate.turn(2) == 0
    for chat_id in (3, 4):
        street.gate.refused(chat_id, 60)
    assert await street.gate.turn(2) == 60 * SECOND
    assert await street.gate.places(5, REMINDER) == []


async def test_places_are_there_ahead_of_their_tokens() -> None:
    """What is claimed for a place takes its time, and yet not a token of a second is lost."""
    street = Street(at=10 * SECOND)
    sent: list[int] = []
    claimed: list[tuple[int, Place]] = []
    for _ in range(4000):
        if street.gate.admit(street.at, [Waiter(REMINDER, 0)])[0]:
            claimed.append((street.at + 90_000_000, Place(REMINDER)))
        ready = [each for each in claimed if each[0] <= street.at]
        for each in ready:
            one = Waiter(REMINDER, 0, 10_000 + len(sent), place=each[1])
            if street.gate.admit(street.at, [one])[0]:
                claimed.remove(each)
                sent.append(street.at)
        assert len(claimed) <= BURST + AHEAD // THIRTY
        street.at += 5_000_000
    assert keeps(sent, THIRTY, BURST)
    assert len(sent) >= 30 * 20 - BURST


async def test_a_place_that_is_not_used_goes_back() -> None:
    street = Street(at=10 * SECOND)
    for _ in range(20):
        places = await street.gate.places(32, REMINDER)
        assert len(places) == BURST + AHEAD // THIRTY
        assert await street.gate.turn(1000, edit=True, place=places[0]) == 0
        street.gate.put_back(places)  # the used one, too: that changes nothing
        street.at += SECOND


@pytest.mark.parametrize("limited", [True, False])
async def test_places_come_together_where_there_are_some(limited: bool) -> None:
    street = Street(Limits(limited=limited), at=10 * SECOND)
    places = await street.gate.places(32, REMINDER)
    assert len(places) == (BURST + AHEAD // THIRTY if limited else 32)
    assert not any(place.used for place in places)
