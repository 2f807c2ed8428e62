"""Which carriers issue ICCIDs with which prefix, as data with its sources.

A card's ICCID begins with 89, a country's calling code and an issuer number (ITU-T E.118). The
table `data/iccid_issuers.csv` holds the issuers our customers bring, each row with its source and
our confidence in it; `role` says whether the carrier issues the prefix or rides on the issuer's
network. Number porting does not change an ICCID, but a carrier may sell cards of another.
"""

import csv
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class IssuerRow:
    """One row of the table. `country` is an ISO 3166 code."""

    prefix: str
    carrier: str
    country: str
    role: str
    confidence: str
    source: str


def _load() -> tuple[IssuerRow, ...]:
    text = files("bot.domain").joinpath("data", "iccid_issuers.csv").read_text("utf-8")
    return tuple(IssuerRow(**row) for row in csv.DictReader(text.splitlines()))


ISSUERS = _load()


def rows_for(iccid: str) -> tuple[IssuerRow, ...]:
    """Rows whose prefix the ICCID has, longest prefix only, in the table's order."""
    found = [row for row in ISSUERS if iccid.startswith(row.prefix)]
    longest = max((len(row.prefix) for row in found), default=0)
    return tuple(row for row in found if len(row.prefix) == longest)
