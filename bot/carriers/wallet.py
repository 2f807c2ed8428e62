"""The balance at a supplier below which the operators are told, as settings write it."""

import re
from typing import Annotated

from pydantic import AfterValidator

from bot.domain.money import Money

_FORM = re.compile(r"(\d+(?:\.\d+)?) ?([A-Z]{3})")


def threshold(text: str) -> Money:
    """ "20 USD" as Money; nothing is below "0 USD". Raises ValueError with an example."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError("write an amount and its currency, like 20 USD")
    return Money.of(found[1], found[2])


def _checked(text: str) -> str:
    threshold(text)
    return text


LowWallet = Annotated[str, AfterValidator(_checked)]
"""A setting that `threshold` reads."""
DEFAULT = "20 USD"
