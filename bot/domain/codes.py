"""Claim codes and voucher codes: made from random bytes, typed back by people, kept as digests.

The alphabet leaves out I, L, O and V, which people confuse with 1, 0 and U; whoever types one is
understood all the same. Each character carries five bits.
"""

import hmac
import unicodedata
from hashlib import sha256

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTUWXYZ"
GROUP = 4
CODE_LENGTH = 16
"""Characters of a shop's own codes, their mark among them."""
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "V": "U"})


def make_code(random: bytes, mark: str = "") -> str:
    """A code of `mark` and one character per random byte, in groups: `XUKA-7F3K-2M9P-Q4TD`.

    Pure: the caller brings the random bytes (`secrets.token_bytes(12)`). `mark` tells people
    what a code is for; it is written in the same alphabet. Raises ValueError when it is not.
    """
    if any(character not in ALPHABET for character in mark):
        raise ValueError(f"mark {mark!r} has characters that are not in the alphabet")
    return grouped(mark + "".join(ALPHABET[byte % len(ALPHABET)] for byte in random))


def grouped(code: str) -> str:
    """The code as it is shown and printed, in groups of four."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def normalise(text: str) -> str:
    """What a person typed, as the code was made: case, spaces, dashes, full width, O for 0.

    The empty string when a character is left that no code has.
    """
    plain = unicodedata.normalize("NFKC", text).upper().translate(_READ_AS)
    kept = "".join(c for c in plain if unicodedata.category(c)[0] not in "ZPC")
    return kept if all(character in ALPHABET for character in kept) else ""


def digest(code: str, pepper: bytes) -> str:
    """Keyed SHA-256 (HMAC) of the normalised code, hex: the only form in which it is stored."""
    return hmac.new(pepper, normalise(code).encode(), sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two digests are equal, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
