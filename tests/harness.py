"""The shape that every harness command shares: seeded, counted, written as JSON."""

import argparse
import json
import multiprocessing
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Report:
    """What a fault harness found. A violation names its case, so that its seed can be replayed."""

    area: str
    seed: int
    cases: int
    counts: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    violations: int = 0

    def count(self, what: str, by: int = 1) -> None:
        """One more of something worth knowing."""
        self.counts[what] = self.counts.get(what, 0) + by

    def violation(self, text: str) -> None:
        """A promise was broken."""
        self.violations += 1
        if len(self.examples) < 20:
            self.examples.append(text)

    def add(self, other: "Report") -> None:
        """What was found in another part of the same run."""
        for what, by in other.counts.items():
            self.count(what, by)
        self.violations += other.violations
        self.examples += other.examples[: 20 - len(self.examples)]


Part = Callable[[range, int, str | None], Report]


def spread(area: str, part: Part, cases: int, seed: int, guard: str | None, *, few: int) -> Report:
    """Run so many cases on every core, in tens, and sum up; `few` are not worth a second
    process."""
    cores = os.cpu_count() or 1
    if cases <= few or cores == 1:
        return part(range(cases), seed, guard)
    tens = -(-cases // 10)
    cuts = [*(min(cases, 10 * (tens * n // cores)) for n in range(cores)), cases]
    ranges = [range(begin, end) for begin, end in pairwise(cuts) if begin < end]
    whole = Report(area, seed, cases)
    with ProcessPoolExecutor(cores, multiprocessing.get_context("spawn")) as pool:
        for run in [pool.submit(part, numbers, seed, guard) for numbers in ranges]:
            found = run.result()
            whole.violations += found.violations
            whole.examples = [*whole.examples, *found.examples][:20]
            for what, many in found.counts.items():
                whole.count(what, many)
    return whole


def faults(areas: Mapping[str, Callable[[int, int, str | None], Report]]) -> None:
    """`python -m tests.faults AREA --cases N --seed S --json FILE`; exits 1 on a violation.

    `--without GUARD` takes a guard of the bot out, to see the harness find what it guards.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("area", choices=sorted(areas))
    parser.add_argument("--cases", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--without", metavar="GUARD")
    given = parser.parse_args()
    report = areas[given.area](given.cases, given.seed, given.without)
    text = json.dumps(
        {
            "area": report.area,
            "seed": report.seed,
            "cases": report.cases,
            "violations": report.violations,
            "counts": dict(sorted(report.counts.items())),
            "examples": report.examples,
        },
        indent=2,
        ensure_ascii=False,
    )
    print(text)
    if given.json:
        given.json.write_text(text + "\n", "utf-8")
    sys.exit(1 if report.violations else 0)


def bench(benches: Mapping[str, Callable[..., dict[str, Any]]]) -> None:
    """`python -m tests.bench NAME --json FILE`; `--sims` is for those that have SIMs."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("name", choices=sorted(benches))
    parser.add_argument("--sims", type=int)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    facts = {
        "name": given.name,
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "results": benches[given.name](**({"sims": given.sims} if given.sims else {})),
    }
    text = json.dumps(facts, indent=2)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", "utf-8")


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
