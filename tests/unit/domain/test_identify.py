"""What customers type for a SIM, and whose it may be."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.iccid_issuers import ISSUERS
from bot.domain.identify import (
    Candidate,
    Identified,
    Kind,
    Problem,
    Reason,
    Why,
    carrier_of_number,
    carrier_written,
    identify,
    imei_ok,
    issuer,
    luhn_ok,
)


def iccid_check_digit(body: str) -> str:
    """The one digit that completes an ICCID printed without it (ITU-T E.118: Luhn)."""
    (digit,) = (digit for digit in "0123456789" if luhn_ok(body + digit))
    return digit


GOOD = "8963030012345678901" + iccid_check_digit("8963030012345678901")


@pytest.mark.parametrize(
    "text",
    [
        GOOD, f" {GOOD} ", f"{GOOD}F", f"{GOOD}ff", f"ICCID: {GOOD}", f"iccid：{GOOD}",
        f"卡号{GOOD}",
        f"卡號 是 {GOOD}",
        " ".join(GOOD[at : at + 4] for at in range(0, 20, 4)),
        "-".join(GOOD[at : at + 5] for at in range(0, 20, 5)), f"SIM card number: {GOOD}",
        GOOD.translate({ord(str(d)): chr(0xFF10 + d) for d in range(10)}), f"\u200e{GOOD}\u200e",
    ],
)  # fmt: skip
def test_ways_to_write_an_iccid(text: str) -> None:
    assert identify(text) == Identified(Kind.ICCID, GOOD)


@pytest.mark.parametrize(
    "text",
    [
        "896303001234567890",  # 18 characters: printed without its check digit
        GOOD[:-1] + str((int(GOOD[-1]) + 1) % 10),
        "898600A1B2C3D4E5F601",  # letters, as on China Mobile's cards: no Luhn for those
        "89860012345678901234" + "56",
    ],
)
def test_what_its_check_digit_does_not_prove_is_doubtful_only(text: str) -> None:
    found = identify(text)
    assert isinstance(found, Identified)
    assert found == Identified(Kind.ICCID, text, doubtful=True)


def test_nineteen_digits_and_one_more_are_proved_by_the_nineteenth() -> None:
    nineteen = "891004234814455936" + iccid_check_digit("891004234814455936")
    assert identify(nineteen) == Identified(Kind.ICCID, nineteen)
    assert identify(nineteen + "7") == Identified(Kind.ICCID, nineteen + "7")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.EMPTY), (" \u3000 ", Reason.EMPTY), ("-", Reason.EMPTY),
        ("89630300123", Reason.NEEDS_COUNTRY), ("8963030012345", Reason.TOO_SHORT),
        ("89630300123456789", Reason.TOO_SHORT), (GOOD + "123", Reason.TOO_LONG),
        ("12345678901234567890", Reason.NOT_89), ("8963O300123456789012", Reason.BAD_CHARACTERS),
        ("8963 0300 1234 号 5678", Reason.BAD_CHARACTERS), ("你好", Reason.NOT_A_NUMBER),
        ("hello", Reason.NOT_A_NUMBER), ("deadbeef", Reason.NOT_A_NUMBER),
        ("0918 123 4567", Reason.NEEDS_COUNTRY), ("123", Reason.TOO_SHORT),
        ("1234567890123456", Reason.TOO_LONG), ("+999 1234 5678", Reason.UNKNOWN_COUNTRY),
        ("+86 138", Reason.TOO_SHORT), ("+86 138 0013 8000 1234", Reason.TOO_LONG),
        ("+", Reason.NOT_A_NUMBER), ("++63918", Reason.BAD_CHARACTERS),
        ("LPA:1$smdp.io", Reason.ACTIVATION_MALFORMED), ("LPA:", Reason.ACTIVATION_MALFORMED),
        ("LPA:1$smdp.io$", Reason.ACTIVATION_MALFORMED), ("1$smdp$X", Reason.ACTIVATION_MALFORMED),
        ("LPA:2$smdp.io$X", Reason.ACTIVATION_MALFORMED),
        ("LPA:1$smdp.io$X$1.2$2", Reason.ACTIVATION_MALFORMED),
        ("LPA:1$smdp.io$X$1.2$1$9", Reason.ACTIVATION_MALFORMED),
        ("LPA:1$-bad-.io$X", Reason.ACTIVATION_MALFORMED),
        ("LPA:1$smdp.io$<b>", Reason.ACTIVATION_MALFORMED),
    ],
)  # fmt: skip
def test_bad_input_has_its_reason(text: str, reason: Reason) -> None:
    found = identify(text)
    assert isinstance(found, Problem)
    assert found.reason is reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+63 918 123 4567", "+639181234567"), ("0063-918-123-4567", "+639181234567"),
        ("＋８６ １３８ ００１３ ８０００", "+8613800138000"),
        ("0086 138-0013-8000", "+8613800138000"), ("+1 (202) 555-0123", "+12025550123"),
        ("电话：+852 5123 4567", "+85251234567"), ("+44 7911 123456", "+447911123456"),
    ],
)  # fmt: skip
def test_numbers_of_any_country(text: str, value: str) -> None:
    assert identify(text) == Identified(Kind.NUMBER, value)


def test_a_number_without_country_is_read_by_the_default_region() -> None:
    assert identify("0918 123 4567", "PH") == Identified(Kind.NUMBER, "+639181234567")
    assert identify("138 0013 8000", "CN") == Identified(Kind.NUMBER, "+8613800138000")
    # Another country's number without its plus is likely, not sure.
    assert identify("639181234567", "CN") == Identified(Kind.NUMBER, "+639181234567", doubtful=True)
    assert identify("12", "CN") == Problem(Reason.TOO_SHORT)


def test_without_country_the_likely_number_is_suggested() -> None:
    assert identify("8613800138000") == Problem(Reason.NEEDS_COUNTRY, "+8613800138000")
    assert identify("13800138000") == Problem(Reason.NEEDS_COUNTRY, None)


def test_a_number_outside_the_ranges_in_use_is_doubtful() -> None:
    assert identify("+1 202 055 0123") == Identified(Kind.NUMBER, "+12020550123", doubtful=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("LPA:1$rsp.truphone.com$QRF-SPEEDTEST", "LPA:1$rsp.truphone.com$QRF-SPEEDTEST"),
        ("lpa:1$RSP.example.COM$aBc", "LPA:1$rsp.example.com$aBc"),
        ("1$smdp.io$04386-AGYFT", "LPA:1$smdp.io$04386-AGYFT"),
        ("LPA：１＄smdp。io＄X5", "LPA:1$smdp.io$X5"),
        ("这是我的卡 LPA:1$smdp.io$X5 谢谢", "LPA:1$smdp.io$X5"),
        ("LPA:1$smdp.io$\nX5", "LPA:1$smdp.io$X5"),
        ("LPA:1$smdp.io$X5$1.3.6.1.4.1.31746$1", "LPA:1$smdp.io$X5$1.3.6.1.4.1.31746$1"),
        ("请扫：LPA:1$smdp.io$X5，谢谢。", "LPA:1$smdp.io$X5"),
        ("LPA:1$smdp.io$X5$$1", "LPA:1$smdp.io$X5$$1"),
        ("LPA:1$smdp.io$X5$$", "LPA:1$smdp.io$X5"),
    ],
)
def test_activation_codes(text: str, value: str) -> None:
    assert identify(text) == Identified(Kind.ACTIVATION, value)
    assert identify(value) == Identified(Kind.ACTIVATION, value)


@settings(max_examples=300, derandomize=True, database=None)
@given(st.text(max_size=40) | st.text(alphabet="0189AF+ -$LPA:.x一。", max_size=30))
def test_no_text_breaks_it_and_what_is_found_is_found_again(text: str) -> None:
    found = identify(text, "CN")
    if isinstance(found, Identified):
        again = identify(found.value)
        assert isinstance(again, Identified)
        assert (again.kind, again.value) == (found.kind, found.value)


# ---- carriers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("iccid", "carriers"),
    [
        ("89860012345678901234", ["China Mobile"]), ("89860112345678901234", ["China Unicom"]),
        ("89861112345678901234", ["China Telecom"]), ("89861512345678901234", ["China Broadnet"]),
        ("8963030012345678901", ["Smart"]), ("8963020012345678901", ["Globe"]),
        ("8901260712345678901", ["T-Mobile US"]), ("8901410712345678901", ["AT&T US"]),
        ("8901240112345678901", ["T-Mobile US", "Mint Mobile", "Ultra Mobile"]),
        ("8944110012345678901", ["O2 UK", "giffgaff", "Tesco Mobile"]),
        ("89852121234567890123", ["China Mobile Hong Kong"]),
    ],
)  # fmt: skip
def test_issuers_come_before_who_rides_on_their_network(iccid: str, carriers: list[str]) -> None:
    found = issuer(iccid)
    assert [candidate.carrier for candidate in found] == carriers
    assert found[0].why is Why.ICCID_ISSUER
    assert all(candidate.why is Why.ICCID_NETWORK for candidate in found[1:])


@pytest.mark.parametrize(
    ("iccid", "country"),
    [("8933010012345678901", "FR"), ("8985299912345678901", "HK"), ("8935301", "IE")],
)
def test_an_unknown_issuer_tells_at_least_the_country(iccid: str, country: str) -> None:
    assert issuer(iccid) == (Candidate(None, country, Why.ICCID_COUNTRY, "low"),)


@pytest.mark.parametrize("iccid", ["8901999012345678901", "8988239012345678901", "89", "89AB"])
def test_where_several_countries_share_a_code_nothing_is_claimed(iccid: str) -> None:
    assert issuer(iccid) == ()


def test_every_issuer_row_is_whole_and_no_row_is_there_twice() -> None:
    assert len({(row.prefix, row.carrier) for row in ISSUERS}) == len(ISSUERS)
    for row in ISSUERS:
        assert row.prefix.startswith("89"), row
        assert row.prefix.isdigit(), row
        assert row.role in ("issuer", "network"), row
        assert row.confidence in ("high", "medium"), row
        assert row.source, row
        assert len(row.country) == 2, row


def test_carriers_of_numbers() -> None:
    smart = Candidate("Smart", "PH", Why.NUMBER_RANGE, "medium")
    assert carrier_of_number("+639181234567") == (smart,)
    assert carrier_of_number("+8613800138000")[0].carrier == "China Mobile"
    america = Candidate(None, "US", Why.NUMBER_COUNTRY, "low")
    assert carrier_of_number("+12025550123") == (america,)
    assert carrier_of_number("not a number") == ()
    assert carrier_of_number("+88213300655") == ()


def test_the_large_tables_are_not_loaded_by_importing() -> None:
    code = (
        "import sys, bot.domain.identify as i;"
        "loaded = lambda: [n for n in ('carrier', 'geocoder')"
        " if 'phonenumbers.' + n in sys.modules];"
        "print(loaded()); i.carrier_of_number('+639181234567'); print(loaded())"
    )
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == ["[]", "['carrier']"]


# ---- check digits ------------------------------------------------------------------------


def test_known_check_digits() -> None:
    assert luhn_ok("79927398713")
    assert not luhn_ok("79927398710")
    assert not luhn_ok("")
    assert not luhn_ok("898600A1")
    assert not luhn_ok("١٢٣")
    assert iccid_check_digit("7992739871") == "3"


@settings(max_examples=100, derandomize=True, database=None)
@given(st.from_regex(r"89[0-9]{16}", fullmatch=True))
def test_one_digit_completes_an_iccid(body: str) -> None:
    assert iccid_check_digit(body)


def test_imeis() -> None:
    assert imei_ok("49-015420-323751-8")
    assert imei_ok("490154203237518 ")
    assert not imei_ok("490154203237519")
    assert not imei_ok("49015420323751")
    assert not imei_ok("")


@pytest.mark.parametrize("text", ["490154203237518", "49-015420-323751-8", "490154203237518 "])
def test_an_imei_is_no_number_without_its_country(text: str) -> None:
    assert identify(text) == Problem(Reason.IMEI)
    assert identify(text[:-1] + "9") != Problem(Reason.IMEI)


@pytest.mark.parametrize(
    "text",
    ["giffgaff", "China Mobile Hong Kong", "中華電信", "AT&T", "O2", "H3G 3 Ireland", "T-Mobile"],
)
def test_a_carriers_name_may_be_written(text: str) -> None:
    assert carrier_written(f" {text} ", 30) == text


@pytest.mark.parametrize(
    "text",
    ["", "12", "what?", "I don't know", "i dont know it", "no idea", "我不知道", "不清楚",
     "这是联通的", "It says Orange on the card", "one two three four five",
     "x" * 31],
)  # fmt: skip
def test_a_sentence_is_no_carrier(text: str) -> None:
    assert carrier_written(text, 30) is None
