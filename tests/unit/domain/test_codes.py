"""Claim and voucher codes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.codes import ALPHABET, digest, grouped, make_code, normalise, same

PEPPER = b"pepper of the tests"


def test_a_code_is_made_of_the_bytes_given() -> None:
    assert make_code(bytes(range(12)), "XUKA") == "XUKA-0123-4567-89AB"
    assert make_code(bytes([31, 32, 255, 0])) == "Z0Z0"
    assert len({make_code(bytes([byte])) for byte in range(256)}) == 32


def test_the_alphabet_has_no_look_alikes() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 32
    assert set("ILOV").isdisjoint(ALPHABET)


def test_a_mark_outside_the_alphabet_is_a_defect() -> None:
    with pytest.raises(ValueError, match="mark"):
        make_code(b"abcd", "LOVE")


@pytest.mark.parametrize(
    "typed",
    [
        "XUKA-7F3K-2M9P-Q01D",
        "xuka7f3k2m9pq01d",
        " xuka 7f3k 2m9p q01d ",
        "ＸＵＫＡ－７Ｆ３Ｋ－２Ｍ９Ｐ－Ｑ０１Ｄ",
        "XUKA—7F3K—2M9P—QOID",
        "XVKA_7F3K_2M9P_QOLD",
        "xuka\u200b-7f3k.2m9p,qo1d",
    ],
)
def test_what_people_make_of_a_code_is_understood(typed: str) -> None:
    assert normalise(typed) == "XUKA7F3K2M9PQ01D"
    assert digest(typed, PEPPER) == digest("XUKA-7F3K-2M9P-Q01D", PEPPER)


@pytest.mark.parametrize("typed", ["", "  ", "你好", "7F3K+2M9P", "XUKA-7F3é"])
def test_what_is_no_code_is_empty(typed: str) -> None:
    assert normalise(typed) == ""


@settings(max_examples=200, derandomize=True, database=None)
@given(st.binary(min_size=4, max_size=20))
def test_every_code_survives_being_typed(random: bytes) -> None:
    code = make_code(random)
    assert normalise(code) == code.replace("-", "")
    assert normalise(code.lower()) == normalise(code)
    assert grouped(normalise(code)) == code


def test_a_digest_depends_on_code_and_pepper_and_shows_neither() -> None:
    one = digest("XUKA-0123", PEPPER)
    assert len(one) == 64
    assert one != digest("XUKA-0124", PEPPER)
    assert one != digest("XUKA-0123", b"another")
    assert same(one, digest("xuka0123", PEPPER))
    assert not same(one, digest("xuka0124", PEPPER))
