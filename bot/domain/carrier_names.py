"""What others call a carrier, as our catalogue calls it.

`data/carrier_names.csv` holds suppliers' and number tables' names, each with its source. A name
means a carrier only in its country: "China Mobile" in Hong Kong is another company.
"""

import csv
from functools import cache
from importlib.resources import files


@cache
def _names() -> dict[tuple[str, str], str]:
    text = files("bot.domain").joinpath("data", "carrier_names.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {(row["name"].casefold(), row["country"]): row["carrier"] for row in rows}


def our_name(name: str, country: str | None) -> str:
    """A carrier's name in our spelling; unchanged when the table does not know it.

    `country` is an ISO 3166 code.
    """
    plain = " ".join(name.split())
    return _names().get((plain.casefold(), country or ""), plain)
