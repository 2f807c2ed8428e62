"""`xuka rules`: what keeps numbers alive, by the packs that come along and the operator's word."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.domain.rules import Evidence, Override, Report, Rule, Used
    from bot.services.keeping import Keeping

rules = typer.Typer(help="Rules that keep numbers alive.", no_args_is_help=True)

Carrier = Annotated[str, typer.Argument(help="A rule's code or name, or a carrier.")]


@rules.command("check")
def check_rules(
    file: Annotated[
        Path | None, typer.Argument(help="A file of your own rules.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Say what is wrong with the packs that come along, or with a file of your own rules."""
    from bot.carriers.rules import packs

    if file is None:
        found = packs()
        unknown = sum(not pack.intervals for pack in found.values())
        typer.echo(f"{len(found)} packs are right; {unknown} of them know no interval.")
        return
    from bot.services.keeping import read_rules

    typer.echo(f"{len(read_rules(file))} rules are right.")


@rules.command("show")
def show_rules(
    carrier: Annotated[str | None, typer.Argument(help="One rule; all without.")] = None,
) -> None:
    """Show each rule in force: what counts, how often, the grace, who says so."""
    shown = asyncio.run(_shown(carrier))
    if not shown:
        typer.echo(f"There is no rule of {carrier}.", err=True)
        raise typer.Exit(1)
    for rule in shown:
        _tell(rule, whole=carrier is not None)


@rules.command("set")
def set_rule(
    carrier: Carrier,
    interval_days: Annotated[
        int | None, typer.Option(min=1, max=3660, help="How often the number has to be kept.")
    ] = None,
    grace_days: Annotated[
        int | None, typer.Option(min=0, max=3660, help="How long it can be saved after that.")
    ] = None,
    counts: Annotated[
        str | None, typer.Option(help="What keeps it: call,sms,data,top_up,plan or used.")
    ] = None,
    balance_code: Annotated[str | None, typer.Option(help="What to dial for the balance.")] = None,
    note: Annotated[str | None, typer.Option(help="What customers should know.")] = None,
) -> None:
    """Say it otherwise than the pack; customers see that our shop says so."""
    from pydantic import ValidationError

    from bot.services.keeping import RuleRow

    given = {
        "interval_days": interval_days, "grace_days": grace_days, "counts": counts,
        "balance_code": balance_code, "note": note,
    }  # fmt: skip
    try:
        row = RuleRow.model_validate(
            {"carrier": carrier}
            | {name: value for name, value in given.items() if value is not None}
        )
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"]) from None
    asyncio.run(_say([(carrier, row.override())]))


@rules.command("apply")
def apply_rules(
    file: Annotated[Path, typer.Argument(help="A YAML or CSV file.", exists=True, dir_okay=False)],
) -> None:
    """The same for every rule of a file, which has them under `rules:`."""
    from bot.services.keeping import read_rules

    asyncio.run(_say([(row.carrier, row.override()) for row in read_rules(file)]))


@rules.command("reset")
def reset_rule(carrier: Carrier) -> None:
    """Take your own word back: the pack's rule is in force again."""
    taken = asyncio.run(_unsay(carrier))
    typer.echo("Taken back." if taken else f"Nothing was said of {carrier}.")


@asynccontextmanager
async def _opened() -> "AsyncIterator[tuple[Keeping, str]]":
    """The rules of the shop, and who is at the command line."""
    from bot.carriers.rules import packs
    from bot.cli.opened import opened
    from bot.services.keeping import Keeping

    async with opened() as shop:
        yield Keeping(shop.store, shop.clock, packs()), shop.actor


async def _shown(carrier: str | None) -> "list[Rule]":
    async with _opened() as (keeping, _):
        found = await keeping.all()
        if carrier is None:
            return found
        key, _pack = keeping.named(carrier)
        return [rule for rule in found if _code(rule) == key]


async def _say(said: "list[tuple[str, Override]]") -> None:
    async with _opened() as (keeping, actor):
        for carrier, _ in said:
            keeping.named(carrier)  # all of them or none: a name that is unclear stops here
        for carrier, override in said:
            stored = await keeping.say(carrier, override, actor)
            typer.echo(f"{stored.carrier}: our shop's rule is in force.")


async def _unsay(carrier: str) -> bool:
    async with _opened() as (keeping, actor):
        return await keeping.unsay(carrier, actor)


def _code(rule: "Rule") -> str:
    if rule.pack is not None:
        return rule.pack.code
    return rule.override.carrier if rule.override is not None else rule.name


def _tell(rule: "Rule", *, whole: bool) -> None:
    interval = f"every {_days(rule.interval)}" if rule.interval else "interval unknown"
    grace = f"grace {_days(rule.grace)}" if rule.grace else "grace unknown"
    typer.echo(f"{_code(rule)}: {rule.name}: {interval}; {grace}")
    if not whole:
        return
    typer.echo(f"  what counts: {', '.join(rule.counts or ()) or 'unknown'}")
    pack = rule.pack
    for label, reports in (("interval", pack.intervals), ("grace", pack.graces)) if pack else ():
        for report in reports:
            amount = _amount(report)
            for evidence in report.said_by:
                typer.echo(f"  {label} {report.days} days{amount}: {_said(evidence)}")
    if rule.override is not None:
        at = f"{rule.override.at:%Y-%m-%d}"
        given = {f: v for f, v in asdict(rule.override.fields).items() if v is not None}
        given |= {"counts": " ".join(given["counts"])} if "counts" in given else {}
        shown = ", ".join(f"{name} {value}" for name, value in given.items())
        typer.echo(f"  our shop says: {shown} ({rule.override.by}, {at})")


def _days(used: "Used") -> str:
    if used.report is None:
        return f"{used.days} days (our shop)"
    more = sorted({report.days for report in used.differing} - {used.days})
    also = f"; also reported: {', '.join(map(str, more))}" if more else ""
    return f"{used.days} days ({used.report.best.confidence}{also})"


def _amount(report: "Report") -> str:
    parts = []
    if report.at_least is not None:
        parts.append(f"from {report.at_least.major} {report.at_least.currency}")
    if report.below is not None:
        parts.append(f"below {report.below.major} {report.below.currency}")
    return f" {' '.join(parts)}" if parts else ""


def _said(evidence: "Evidence") -> str:
    parts = [evidence.source["en"], evidence.confidence.value, evidence.date or "undated"]
    return ", ".join([*parts, evidence.url] if evidence.url else parts)
