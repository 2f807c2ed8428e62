"""The worked example of CONTRIBUTING.md: short, complete, and known to the port."""

import re
from pathlib import Path

from bot.domain.money import Money
from bot.ports import Carrier
from tests.contract.bench_dingconnect import SMART
from tests.contract.bench_example import example_bench
from tests.contract.botapi_server import serving
from tests.contract.carrier_bench import Host
from tests.contract.carrier_table import ADAPTERS
from tests.contract.example_carrier import Tingi

ROOT = Path(__file__).parents[2]
HERE = "tests/contract/example_carrier.py"


def test_it_is_under_150_lines_and_contributing_shows_the_way_to_it() -> None:
    assert (ROOT / HERE).read_text("utf-8").count("\n") < 150
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for name in (HERE, "tests/contract/bench_example.py", "tests/contract/carrier_table.py"):
        assert f"({name})" in guide
        assert (ROOT / name).is_file()


def test_what_contributing_names_is_there() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = re.findall(r"`((?:bot|tests|deploy|docs|locales)/[\w/.]+[\w/])`", guide)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_it_runs_through_the_cases_of_every_carrier() -> None:
    assert ADAPTERS["tingi"].capabilities is Tingi.capabilities


async def test_it_names_the_carrier_of_a_number() -> None:
    host = Host()
    async with serving(host) as address, example_bench(host, address) as bench:
        carrier: Carrier = bench.carrier
        found = await carrier.resolve(iccid=None, msisdn=SMART)
        assert found is not None
        assert (found.carrier, found.country) == ("Smart Philippines", "PH")
        assert await carrier.resolve(iccid=None, msisdn="+85291234567") is None
        assert await carrier.resolve(iccid="89852022000000000015", msisdn=None) is None
        assert await carrier.wallet() == Money.of(100, "USD")
