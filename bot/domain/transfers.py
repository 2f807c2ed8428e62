"""Transfers that a customer proves with a picture: references, amounts, what looks the same."""

import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.money import Money

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What references are made of: nothing that looks like something else."""
_LENGTH = 6
_MOST_LOWERED = 99
"""Minor units by which an amount may be lowered to tell it from others."""
_NEAR = 2
"""Bits of 64 in which two pictures of the same screen may differ. Pictures of one app's page look
alike by nature, so more would name strangers'."""
_NUMBER = (6, 64)


class ProofState(StrEnum):
    """What became of a proof."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    REPLACED = "replaced"  # by another picture of the same transfer


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture by what it is: `sha256` of its bytes, `look` of its shades (64 bits as hex).

    `file_id` is Telegram's; `photo` tells a photo from a document.
    """

    file_id: str
    photo: bool
    sha256: str
    look: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A customer's picture of a transfer, for an operator to look at."""

    id: str
    payment_id: str
    chat_id: int
    state: ProofState
    file_id: str
    photo: bool
    sha256: str
    look: str
    created_at: datetime
    number: str | None = None
    """The transaction number, as `normal` makes it."""
    decided_at: datetime | None = None
    reason: str | None = None
    """Why it was declined; a code the views know."""


class Same(StrEnum):
    """What two proofs have in common."""

    PICTURE = "picture"
    LOOKS = "looks"
    NUMBER = "number"


def reference(pick: Callable[[str], str]) -> str:
    """Something short that people can type into a transfer's note; `pick` chooses a letter."""
    return "".join(pick(LETTERS) for _ in range(_LENGTH))


def lowered(total: Money, others: Collection[Money], first: int) -> Money:
    """`total` less some cents, so that no other open transfer has the same amount.

    Counted on from `first`; the total itself when there is no room. Never above the total.
    """
    room = min(_MOST_LOWERED, total.minor - 1)
    for step in range(room):
        amount = Money(total.minor - 1 - (first + step) % room, total.currency)
        if amount not in others:
            return amount
    return total


def normal(number: str) -> str | None:
    """A transaction number as it is compared: capitals and digits alone. None when it is none."""
    plain = unicodedata.normalize("NFKC", number).upper()
    found = "".join(letter for letter in plain if letter.isascii() and letter.isalnum())
    fits = _NUMBER[0] <= len(found) <= _NUMBER[1] and any(c.isdigit() for c in found)
    return found if fits else None


def same(one: Proof, other: Proof) -> Same | None:
    """The strongest thing that proofs of two sales share; None when they share nothing."""
    if _sale(one) == _sale(other):
        return None
    if one.sha256 == other.sha256:
        return Same.PICTURE
    if one.number is not None and one.number == other.number:
        return Same.NUMBER
    apart = (int(one.look, 16) ^ int(other.look, 16)).bit_count()
    return Same.LOOKS if apart <= _NEAR else None


def _sale(proof: Proof) -> str:
    """The order or deposit that it belongs to: a payment's id begins with it."""
    return proof.payment_id.rpartition("-")[0]
