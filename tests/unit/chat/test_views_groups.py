"""Times and standings of groups in words; what is said in a group names nobody."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from bot.chat.screen import Screen
from bot.chat.views import audience, group_desk, group_posts, groups, posting
from bot.domain.broadcasts import Broadcast, BroadcastState
from bot.domain.campaigns import Campaign, PostCounts, Repeat, Timing
from bot.domain.groups import Account, Approval, Group, Standing
from bot.domain.money import Money
from bot.i18n import words
from bot.services.posting_rules import Choice
from tests.unit.store.samples import NOW, chat

EN, ZH, HANT = words("en"), words("zh_Hans"), words("zh_Hant")
GROUP = Group(
    "g1", -100, "supergroup", "SIM <talk>", Standing.MEMBER, True, Approval.ALLOWED, "en",
    "Europe/Berlin",
)  # fmt: skip
CAMPAIGN = Campaign(
    "spring", 1, "spring", ("p",), {"en": "Spring", "zh_Hans": "春天"}, {"en": "{after}"},
    earns_percent=Decimal("7.5"),
)  # fmt: skip


def at(repeat: Repeat, **more: object) -> Timing:
    return replace(Timing(repeat, time(20, 5), "Asia/Shanghai"), **more)  # type: ignore[arg-type]


def test_however_many_groups_they_fit_into_what_telegram_takes() -> None:
    many = [replace(GROUP, id=f"g{n}", title="SIM talk " * 12) for n in range(123)]
    reached = set[str]()
    for page in range(13):
        screen = groups.mine(EN, many, "https://t.me/x", operator=True, page=page)
        assert len(screen.text) < 4096
        assert sum(len(row) for row in screen.rows) <= 100
        reached |= {str(one.data) for row in screen.rows for one in row}
    assert {f"group:{one.id}" for one in many} <= reached
    assert "gmine:13" not in reached
    news = audience.ask(EN, Broadcast("b", 1, 9, BroadcastState.DRAFT, NOW), "grp", [], many)
    assert len(news.rows) <= 100
    assert any(one.label == many[-1].title for row in news.rows for one in row)


def test_what_a_refund_took_below_zero_is_not_called_earned() -> None:
    money = (Money(-250, "EUR"), Money(120, "USD"))
    account = Account("g1", 7, -5, money, rows=3, paid_out=1)
    text = group_posts.numbers(EN, GROUP, PostCounts(), 1, [account]).text
    assert "You have earned $1.20; our shop pays it out." in text
    less = replace(account, money=money[:1])
    text = group_posts.numbers(EN, GROUP, PostCounts(), 1, [less]).text
    assert "Nothing is to be paid out" in text


@pytest.mark.parametrize(
    ("timing", "english", "chinese"),
    [
        (None, "now", "现在"),
        (
            at(Repeat.WEEKLY, weekdays=(3, 0)),
            "every Mon, Thu at 20:05 (Shanghai)", "每周一、周四 20:05（上海）",
        ),
        (
            at(Repeat.MONTHLY, day=5),
            "on day 5 of each month at 20:05 (Shanghai)", "每月 5 日 20:05（上海）",
        ),
        (
            at(Repeat.MONTHLY, day=31),
            "on the last day of each month at 20:05 (Shanghai)", "每月最后一天 20:05（上海）",
        ),
        (
            at(Repeat.DATES, dates=(date(NOW.year, 12, 9), date(NOW.year, 12, 3))),
            "3 Dec, 9 Dec at 20:05 (Shanghai)", "12月3日、12月9日 20:05（上海）",
        ),
    ],
)  # fmt: skip
def test_a_timing_in_words(timing: Timing | None, english: str, chinese: str) -> None:
    assert posting.when(EN, timing, NOW) == english
    assert posting.when(ZH, timing, NOW) == chinese


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "can post"),
        ({"approval": Approval.WAITING}, "waits for our shop's yes"),
        ({"approval": Approval.BANNED, "standing": Standing.OUT}, "closed by our shop"),
        ({"standing": Standing.OUT}, "I am not in it any more"),
        ({"can_post": False}, "I may not write there"),
    ],
)
def test_what_a_group_can_do_and_what_to_do_about_it(
    changes: dict[str, object], state: str
) -> None:
    group = replace(GROUP, **changes)  # type: ignore[arg-type]
    assert groups.state_of(EN, group) == state
    assert (groups.cannot(EN, group) is None) == group.sells
    offered = [b.data for row in groups.home(EN, group, 0).rows for b in row]
    assert ("gpost:g1" in offered) == group.sells


def test_a_title_is_escaped_and_shown_in_the_readers_language_or_the_nearest() -> None:
    screen = posting.offers(HANT, GROUP, [Choice(CAMPAIGN, 3)], NOW)
    assert "SIM &lt;talk&gt;" in screen.text
    assert "春天" in screen.text
    assert "7.5" in screen.text
    assert posting.named(EN, CAMPAIGN.title) == "Spring"


def test_an_offer_that_waits_says_until_when() -> None:
    choice = Choice(CAMPAIGN, None, "cooldown", NOW + timedelta(hours=3))
    shown = posting.offers(EN, GROUP, [choice], NOW)
    assert EN.moment(NOW + timedelta(hours=3)) in shown.text


def test_outdated_news_of_a_decision_is_dropped() -> None:
    assert groups.told(EN, GROUP, "allowed") is not None
    assert groups.told(EN, GROUP, "banned") is None
    assert groups.told(EN, replace(GROUP, approval=Approval.BANNED), "allowed") is None


def test_a_day_in_the_middle_of_the_next_year_says_so() -> None:
    later = at(Repeat.ONCE, dates=(date(NOW.year + 1, 6, 1),))
    assert str(NOW.year + 1) in posting.when(EN, later, datetime(NOW.year, 6, 1, tzinfo=EN.zone))


def desk(**changes: object) -> Screen:
    """The operators' view of the group."""
    group = replace(GROUP, **changes)  # type: ignore[arg-type]
    return group_desk.one(EN, group_desk.Facts(group, chat(), PostCounts(), 0, 0, (), ()))


def test_what_ends_posts_for_good_is_asked_once_more() -> None:
    """Taking the permission back does, as a ban does; what ends nothing is not asked."""
    allowed = [b.data for row in desk().rows for b in row]
    assert {"gdban:g1", "gdwait:g1"} <= set(allowed)
    assert not {"gdbanned:g1", "gdwaiting:g1"} & set(allowed)
    new = [b.data for row in desk(approval=Approval.WAITING).rows for b in row]
    assert {"gdallowed:g1", "gdbanned:g1"} <= set(new)
    asked = group_desk.ask_wait(EN, GROUP)
    assert [b.data for row in asked.rows for b in row] == ["gdwaiting:g1", "gd:g1"]


def test_who_is_named_may_be_who_asked_and_not_who_added_the_bot() -> None:
    assert "Added by, or first to ask: Alice" in desk().text
    assert "Added by, or first to ask: Alice" in group_desk.asked(EN, GROUP, chat()).text
