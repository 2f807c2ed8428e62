"""Will a phone do eSIM: the table, and how people write their phone."""

import csv
import re
from importlib.resources import files

import pytest

from bot.domain.devices import Answer, Remark, check

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("iPhone 15 Pro Max", YES), ("iphone xs 256GB", YES), ("iPhone XR", YES), ("苹果15", YES),
        ("iPhone12mini", YES), ("iPhone SE 2022", YES), ("iPhone SE (2nd generation)", YES),
        ("iPhone SE 第二代", YES), ("Apple iPhone 11", YES), ("iPhone 17e", YES),
        ("iPhone X", NO), ("iPhone 8 Plus", NO), ("iphone 6s", NO), ("iPhone SE 2016", NO),
        ("iPhone SE", UNKNOWN), ("iPhone", UNKNOWN),
        ("Pixel 7a", YES), ("Google Pixel 3 XL", YES), ("谷歌 Pixel 8", YES), ("pixel 2", NO),
        ("Pixel XL", NO), ("Pixel", UNKNOWN),
        ("Galaxy S20+", YES), ("三星 S23 Ultra", YES), ("Samsung S20", YES),
        ("Galaxy Z Flip5", YES), ("galaxy note 20 ultra", YES), ("Galaxy A54 5G", YES),
        ("Samsung Galaxy S10+", NO),
        ("galaxy note 9", NO), ("Galaxy S21 FE", UNKNOWN), ("Galaxy A13", UNKNOWN),
        ("华为 P40", YES), ("huawei p40 pro+", NO), ("Huawei P40 lite", UNKNOWN),
        ("小米14", YES), ("Xiaomi 13T Pro", YES), ("小米12T Pro", YES),
        ("Xiaomi 13 Ultra", UNKNOWN),
        ("Redmi Note 10", UNKNOWN), ("Redmi 13C", UNKNOWN), ("红米14C", UNKNOWN),
        ("索尼 Xperia 1 V", YES), ("Xperia 10 IV", YES), ("Xperia 10 III Lite", YES),
        ("Xperia 1 III", UNKNOWN), ("Xperia 10 III", UNKNOWN), ("Xperia 1", UNKNOWN),
        ("Moto Razr 2019", YES), ("摩托罗拉 razr 50 Ultra", YES), ("Motorola Razr V3", UNKNOWN),
        ("OPPO Find X5 Pro", YES), ("OPPO Find X5 Lite", UNKNOWN), ("OPPO Find X3", UNKNOWN),
        ("荣耀 Magic5 Pro", YES), ("Honor Magic5 Lite", UNKNOWN), ("Fairphone 5", YES),
        ("Fairphone 3", UNKNOWN),
        ("iPad Air 5", YES), ("Nokia 3310", UNKNOWN), ("", UNKNOWN), ("?", UNKNOWN),
    ],
)  # fmt: skip
def test_phones_as_people_write_them(text: str, answer: Answer) -> None:
    assert check(text).answer is answer


@pytest.mark.parametrize(
    ("text", "answer", "remark"),
    [
        ("国行 iPhone 14", NO, Remark.MAINLAND), ("iPhone 13 China", NO, Remark.MAINLAND),
        ("iPhone 13 港版", UNKNOWN, Remark.HONG_KONG), ("iPhone 11 HK", UNKNOWN, Remark.HONG_KONG),
        ("iPhone Air 国行", YES, Remark.MAINLAND_TOO), ("小米14 国行", NO, Remark.MAINLAND),
        ("iPhone 14", YES, Remark.MADE_FOR_CHINA), ("iPhone X 国行", NO, None),
    ],
)  # fmt: skip
def test_where_it_was_made_for_matters(text: str, answer: Answer, remark: Remark | None) -> None:
    found = check(text)
    assert (found.answer, found.remark) == (answer, remark)


def test_an_answer_names_its_source() -> None:
    found = check("iphone xs")
    assert found.model == "Apple iPhone XS / XR and later"
    assert found.since == 2018
    assert found.source is not None
    assert "HT212780" in found.source


def test_every_row_is_whole() -> None:
    text = files("bot.domain").joinpath("data", "esim_devices.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) > 20
    for row in rows:
        assert None not in row, row
        assert row["source"], row
        re.compile(row["pattern"])
        Answer(row["esim"])
        assert not row["note"] or Remark(row["note"])
