"""Carriers in the reader's language, and as people write them."""

import pytest

from bot.chat.views.carriers import carrier_meant, carrier_name
from bot.i18n import words


@pytest.mark.parametrize(
    ("language", "name"),
    [("zh_Hans", "中国移动"), ("zh_Hant", "中國移動"), ("en", "China Mobile")],
)
def test_a_carrier_is_named_in_the_readers_language(language: str, name: str) -> None:
    assert carrier_name(words(language), "China Mobile") == name
    assert carrier_name(words(language), "Smart") == "Smart"


def test_a_chinese_name_means_the_carrier_of_plans_and_rules() -> None:
    assert carrier_meant("中国联通") == "China Unicom"
    assert carrier_meant("電信") == "China Telecom"
    assert carrier_meant("我的小卡") == "我的小卡"
