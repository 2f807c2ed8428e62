"""What did the customer type: an ICCID, a phone number or an eSIM activation code (F1), and
which carrier may it belong to (F2).

Everything is a guess until the customer confirms it: printed ICCIDs lack their check digit,
numbers are ported, and cards are sold under other names.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from phonenumbers import PhoneNumber, ValidationResult

from bot.domain.iccid_issuers import rows_for

ICCID_LENGTHS = range(18, 23)  # F1: 18-22 characters
_LONGEST_NUMBER = 15  # E.164


class Kind(StrEnum):
    """What an identifier is."""

    ICCID = "iccid"
    NUMBER = "number"
    ACTIVATION = "activation"


class Reason(StrEnum):
    """Why an input was not understood; the views turn it into words and an example."""

    EMPTY = "empty"
    BAD_CHARACTERS = "bad_characters"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_89 = "not_89"
    """Too long for a phone number, and an ICCID begins with 89."""
    NEEDS_COUNTRY = "number_needs_country"
    UNKNOWN_COUNTRY = "number_unknown_country"
    NOT_A_NUMBER = "not_a_number"
    ACTIVATION_MALFORMED = "lpa_malformed"
    IMEI = "imei"
    """No SIM's: the number of a phone."""


@dataclass(frozen=True, slots=True)
class Identified:
    """An identifier in its one written form.

    An ICCID without spaces and trailing F, a number in E.164 ("+639181234567"), an activation
    code as `LPA:1$server$matching-id`. `doubtful` asks for an "is this right?": a check digit
    that is missing, wrong or impossible to check, or a number outside the ranges in use.
    """

    kind: Kind
    value: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing was identified. `suggestion` is what was probably meant, when that is clear."""

    reason: Reason
    suggestion: str | None = None


class Why(StrEnum):
    """Where a candidate comes from, best first."""

    SUPPLIER = "supplier"
    """Who sells its top-ups says so."""
    ICCID_ISSUER = "iccid_issuer"
    ICCID_NETWORK = "iccid_network"
    NUMBER_RANGE = "number_range"
    ICCID_COUNTRY = "iccid_country"
    NUMBER_COUNTRY = "number_country"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A carrier the SIM may belong to. `carrier` is None when only the country is known.

    `country` is an ISO 3166 code; `confidence` is "high", "medium" or "low".
    """

    carrier: str | None
    country: str | None
    why: Why
    confidence: str


# What people write before the identifier itself.
_LABEL = re.compile(
    r"^(?:my\s+)?(?:iccid|e?sim(?:\s*card)?|tel|phone|mobile|number|卡号|卡號|手机号码?|手機號碼?"
    r"|电话|電話|号码|號碼)\s*(?:no\.?|number|号|號)?\s*(?:是|is)?\s*[:.#]?\s*",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[\s\-().,/_·]")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_CHINESE_POINTS = {ord("。"): ".", ord("、"): ",", ord("“"): None, ord("”"): None}
_ACTIVATION = re.compile(r"(?:LPA\s*:\s*)?1\s*\$\s*(?P<rest>\S.*)$|LPA\b", re.I | re.S)
_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_TOKEN = re.compile(r"[A-Za-z0-9._+/=-]*")
_OBJECT_ID = re.compile(r"[0-9.]*")


# A name is no sentence: what people write who don't know their carrier, or ask something else.
_TALK = re.compile(
    r"[?!;:。！？]|\b(?:i|my|me|you|it|is|are|the|this|that|don'?t|do|know|idea|sure|unknown|none|what"
    r"|which|why|how|please|help|want|need|have)\b|[我你您它這这是的吗嗎呢吧]|不知|不清楚|不確定|不确定|什么|什麼|怎么|怎麼|没有|沒有",
    re.IGNORECASE,
)
_MOST_WORDS = 4


def carrier_written(text: str, most: int) -> str | None:
    """A carrier's name of at most `most` characters as somebody wrote it; None for what is none:
    without letters, too long, or a sentence."""
    name = " ".join(plain(text).split())
    named = any(c.isalpha() for c in name) and len(name) <= most
    return name if named and len(name.split()) <= _MOST_WORDS and not _TALK.search(name) else None


def plain(text: str) -> str:
    """Full-width characters and Chinese punctuation as ASCII, no invisible characters."""
    narrow = unicodedata.normalize("NFKC", text).translate(_CHINESE_POINTS).translate(_DASHES)
    return "".join(c for c in narrow if unicodedata.category(c) != "Cf").strip()


def identify(text: str, default_region: str | None = None) -> Identified | Problem:
    """What `text` is. `default_region` (ISO 3166) reads numbers written without their country."""
    cleaned = plain(text)
    if not cleaned:
        return Problem(Reason.EMPTY)
    activation = _ACTIVATION.search(cleaned)
    if activation is not None:
        return _activation(activation["rest"] or "")
    compact = _SEPARATORS.sub("", _LABEL.sub("", cleaned)).upper()
    if not compact:
        return Problem(Reason.EMPTY)
    if not re.fullmatch(r"\+?[0-9A-F]+", compact):
        digits = sum(character.isdigit() for character in compact)
        return Problem(Reason.BAD_CHARACTERS if digits > 4 else Reason.NOT_A_NUMBER)
    if not compact.startswith("+") and _looks_like_iccid(compact):
        return _iccid(compact)
    if not compact.lstrip("+").isdigit():
        return Problem(Reason.NOT_A_NUMBER)
    return _number(compact, default_region)


def _looks_like_iccid(compact: str) -> bool:
    if compact.startswith("89"):
        # Shorter ones may be national numbers, e.g. 8 9xx xxx xx xx in Russia.
        return len(compact) > 11
    return len(compact) > _LONGEST_NUMBER + 2  # 00 and a full E.164 number still fit


def _iccid(compact: str) -> Identified | Problem:
    value = compact.rstrip("F")
    if not value.startswith("89"):
        return Problem(Reason.NOT_89)
    if len(value) not in ICCID_LENGTHS:
        short = len(value) < ICCID_LENGTHS.start
        return Problem(Reason.TOO_SHORT if short else Reason.TOO_LONG)
    return Identified(Kind.ICCID, value, doubtful=not _iccid_checks(value))


def _iccid_checks(value: str) -> bool:
    """Whether the check digit is right: the 19th or the last (E.118 has up to 19 digits)."""
    return luhn_ok(value) or (len(value) == 20 and luhn_ok(value[:19]))


def _activation(rest: str) -> Identified | Problem:
    """`1$server$matching-id[$object-id[$1]]` after the leading 1$ (GSMA SGP.22, 4.1)."""
    malformed = Problem(Reason.ACTIVATION_MALFORMED)
    # The code ends at the first space; around its signs there may be some, from a broken line.
    code = re.split(r"[\s,;!)]", re.sub(r"\s*\$\s*", "$", rest), maxsplit=1)[0].rstrip(".")
    server, separator, tail = code.partition("$")
    parts = tail.split("$")
    server = server.lower()
    if not separator or not _HOST.fullmatch(server) or len(parts) > 3:
        return malformed
    token, object_id, confirmation = (*parts, "", "")[:3]
    if not token or not _TOKEN.fullmatch(token) or not _OBJECT_ID.fullmatch(object_id):
        return malformed
    if confirmation not in ("", "1"):
        return malformed
    value = f"LPA:1${server}${token}${object_id}${confirmation}".rstrip("$")
    return Identified(Kind.ACTIVATION, value)


def _number(compact: str, default_region: str | None) -> Identified | Problem:
    if compact.startswith("00") and not compact.startswith("000"):
        compact = "+" + compact[2:]
    international = _parsed("+" + compact.lstrip("+"), None)
    if compact.startswith("+"):
        return _checked(international)
    if default_region is not None:
        national = _parsed(compact, default_region)
        if national is not None and phonenumbers.is_valid_number(national):
            return _checked(national)
        if international is not None and phonenumbers.is_valid_number(international):
            return Identified(Kind.NUMBER, _e164(international), doubtful=True)
        return _checked(national)
    if len(compact) < 5:
        return Problem(Reason.TOO_SHORT)
    if len(compact) > _LONGEST_NUMBER:
        return Problem(Reason.TOO_LONG)
    sure = international is not None and phonenumbers.is_valid_number(international)
    if not sure and imei_ok(compact):
        return Problem(Reason.IMEI)
    meant = _e164(international) if sure and international is not None else None
    return Problem(Reason.NEEDS_COUNTRY, suggestion=meant)


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _checked(number: PhoneNumber | None) -> Identified | Problem:
    if number is None:
        return Problem(Reason.UNKNOWN_COUNTRY)
    possible = phonenumbers.is_possible_number_with_reason(number)
    match possible:
        case ValidationResult.IS_POSSIBLE:
            doubtful = not phonenumbers.is_valid_number(number)
            return Identified(Kind.NUMBER, _e164(number), doubtful)
        case ValidationResult.INVALID_COUNTRY_CODE:
            return Problem(Reason.UNKNOWN_COUNTRY)
        case ValidationResult.TOO_LONG:
            return Problem(Reason.TOO_LONG)
        case _:  # too short, of no length in use, or a local number without its area
            return Problem(Reason.TOO_SHORT)


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# ---- which carrier (F2) ------------------------------------------------------------------


def issuer(iccid: str) -> tuple[Candidate, ...]:
    """Carriers an ICCID may be of, best first; only its country when the issuer is not known."""
    rows = rows_for(iccid)
    if rows:
        return tuple(
            Candidate(
                row.carrier,
                row.country,
                Why.ICCID_ISSUER if row.role == "issuer" else Why.ICCID_NETWORK,
                row.confidence,
            )
            for row in sorted(rows, key=lambda row: row.role != "issuer")
        )
    country = _country_of_iccid(iccid)
    return (Candidate(None, country, Why.ICCID_COUNTRY, "low"),) if country else ()


def _country_of_iccid(iccid: str) -> str | None:
    """The country whose calling code follows the 89; None when several share it."""
    for length in (1, 2, 3):
        code = iccid[2 : 2 + length]
        if not code.isdigit():
            return None
        regions = phonenumbers.region_codes_for_country_code(int(code))
        if regions:
            # +44 names a country and its islands; +1 and +7 are several countries.
            return None if int(code) in (1, 7) or regions[0] == "001" else regions[0]
    return None


def carrier_of_number(e164: str) -> tuple[Candidate, ...]:
    """The carrier a mobile number was given to, by the offline table, or only its country.

    Ported numbers keep their old carrier's name. The table is loaded with the first call: it
    costs 10 MB, so a bot that never asks does not pay for it.
    """
    from phonenumbers import carrier

    number = _parsed(e164, None)
    if number is None:
        return ()
    country = phonenumbers.region_code_for_number(number)
    if country == "001":
        country = None
    name = carrier.name_for_number(number, "en")
    if name:
        return (Candidate(name, country, Why.NUMBER_RANGE, "medium"),)
    return (Candidate(None, country, Why.NUMBER_COUNTRY, "low"),) if country else ()


# ---- check digits ------------------------------------------------------------------------
# python-stdnum has these too, but importing it takes 10 MB and these take ten lines.


def luhn_sum(digits: str) -> int:
    """The Luhn checksum of a string of digits, modulo 10; 0 when its last digit is right."""
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10


def luhn_ok(digits: str) -> bool:
    """Whether the string is all digits and its last one is their Luhn check digit."""
    return digits.isascii() and digits.isdigit() and luhn_sum(digits) == 0


def imei_ok(text: str) -> bool:
    """Whether it is an IMEI: 15 digits, separators aside, the last one right (3GPP TS 23.003)."""
    digits = _SEPARATORS.sub("", plain(text))
    return len(digits) == 15 and luhn_ok(digits)
