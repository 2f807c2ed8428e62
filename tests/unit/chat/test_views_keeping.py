"""Rules, deadlines and phones in words: every pack in every language, buttons that fit."""

import importlib
import pkgutil
import re
from dataclasses import replace
from datetime import date
from enum import IntEnum

import pytest
from telegram.constants import MessageLimit

from bot.carriers.rules import packs
from bot.chat import conversations
from bot.chat.application import conversation
from bot.chat.screen import Screen
from bot.chat.views import devices as device_views
from bot.chat.views import keeping as views
from bot.chat.views import reminders as reminder_views
from bot.domain.devices import Remark, Verdict, check
from bot.domain.rules import Activity, Overridden, Override, effective
from bot.domain.sims import KeepRule, Source
from bot.domain.stages import Stage
from bot.i18n import words
from bot.ports import ActivityRow
from tests.unit.store.samples import NOW, days, managed, sim

T = words("en")
TODAY = date(2026, 11, 20)
LINE = sim("0123456789abcdef0123456789abcdef", carrier="Acme", msisdn="+447712345678", rule=None)


def verbs(screen: Screen) -> list[str]:
    """The data of a screen's buttons."""
    return [one.data or "" for row in screen.rows for one in row]


def screens(language: str, code: str) -> list[Screen]:
    """All that is shown of one pack."""
    t = words(language, "Asia/Shanghai")
    pack = packs()[code]
    said = Overridden(code, Override(grace_days=9, balance_code="*1#", note="<u>"), "cli:a", NOW)
    used = ActivityRow(LINE.id, Activity.SMS, TODAY, None, NOW)
    found = []
    for override in (None, said):
        rule = effective(pack.name, pack, override)
        assert rule is not None
        kept = replace(LINE, keep_deadline=days(90), expiry=None)
        found += [
            views.how_to_keep(t, kept, rule, [rule], used, NOW),
            views.ask_used(t, LINE, rule, TODAY, TODAY, NOW),
            views.offer(t, "<b>", [rule, rule], 123456789),
            views.ask_since(t, "<b>", rule, 123456789, TODAY, NOW),
            views.ask_paid(
                t, "<b>", views.paid_rows(t, rule, "useof", LINE.id, "plan", "20261120"),
                "used", LINE.id,
            ),
        ]  # fmt: skip
        card = views.on_card(t, kept, rule, NOW)
        assert card is not None
        found.append(card)
    return found


@pytest.mark.parametrize("language", ["en", "zh_Hans", "zh_Hant"])
@pytest.mark.parametrize("code", sorted(packs()))
def test_every_pack_can_be_shown_and_every_button_is_handled(code: str, language: str) -> None:
    patterns = [h.pattern for h in conversation().entry_points if hasattr(h, "pattern")]
    for screen in screens(language, code):
        assert len(screen.text) <= MessageLimit.MAX_TEXT_LENGTH
        assert "<u>" not in screen.text
        for data in verbs(screen):
            assert len(data.encode()) <= 64
            assert any(re.match(pattern, data) for pattern in patterns), data


def test_our_shops_word_is_told_as_such_beside_the_packs() -> None:
    said = Overridden("smart", Override(grace_days=90), "cli:ann", NOW)
    rule = effective("Smart", packs()["smart"], said)
    text = views.how_to_keep(T, LINE, rule, [], None, NOW).text
    assert "still be saved for 90 days · our shop" in text
    assert "elsewhere: 120 days · official" in text
    assert "elsewhere: 180 days" in text


def test_a_managed_esim_without_a_rule_has_no_such_line() -> None:
    assert views.on_card(T, managed(owner_id=1), None, NOW) is None
    own = views.on_card(T, LINE, None, NOW)
    assert own is not None
    assert own.text == ""


def test_a_rule_without_a_use_asks_for_one() -> None:
    rule = effective("giffgaff", packs()["giffgaff"], None)
    card = views.on_card(T, replace(LINE, expiry=None), rule, NOW)
    assert card is not None
    assert "not known until you tell me" in card.text


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        ("giffgaff", Activity.SMS, "Deadline 30 Nov → <b>18 Feb 2027</b>"),
        ("smart", Activity.SMS, "doesn't keep the number"),
        ("boom_mobile", Activity.CALL, "I don't know a rule"),
    ],
)
def test_what_an_activity_changes_is_said(code: str, kind: Activity, told: str) -> None:
    rule = effective("x", packs()[code], None)
    line = replace(LINE, expiry=None, keep_deadline=days(90))
    assert told in views.recorded(T, line, rule, kind, days(10), NOW)


def test_nobody_knows_whether_a_call_keeps_it() -> None:
    rule = effective("x", None, None, KeepRule(90))
    assert "I don't know whether" in views.recorded(T, LINE, rule, Activity.CALL, None, NOW)


def test_a_reminder_of_a_number_offers_its_use_and_the_cheapest_way() -> None:
    line = replace(LINE, expiry=None, keep_deadline=days(7), deadline_source=Source.RULE)
    rule = effective("", packs()["ee_uk"], None)
    shown = reminder_views.reminder(
        T, line, Stage.parse("keep-7"), None, NOW, after_expiry=True, rule=rule
    )
    assert shown.text.endswith("Without me: send one SMS from this SIM, to any number.")
    assert "use it by 27 Nov 12:00 (7 days left)" in shown.text
    assert verbs(shown)[0] == f"used:{line.id}"
    passed = replace(line, keep_deadline=days(-1))
    shown = reminder_views.reminder(
        T, passed, Stage.parse("grace-started"), None, NOW, after_expiry=True
    )
    assert "deadline has passed" in shown.text


@pytest.mark.parametrize("remark", list(Remark))
def test_every_remark_about_a_phone_has_words(remark: Remark) -> None:
    shown = device_views.verdict(T, "<b>x", Verdict(check("iphone 13").answer, "m", remark, 1, "s"))
    assert "&lt;b&gt;x" in shown.text


def test_no_two_questions_share_a_state() -> None:
    states = [
        state.value
        for module in pkgutil.iter_modules(conversations.__path__)
        for name, kind in vars(
            importlib.import_module(f"{conversations.__name__}.{module.name}")
        ).items()
        if isinstance(kind, type) and issubclass(kind, IntEnum) and kind is not IntEnum
        and kind.__module__.endswith(module.name) and name == kind.__name__
        for state in kind
    ]  # fmt: skip
    assert len(states) == len(set(states)) > 10
