"""`xuka plans`, `sims`, `codes`, `vouchers`: what the operator sells.

Codes are printed once, as CSV on the standard output, so that they can be kept in a file; what
is said about them goes to the standard error.
"""

import asyncio
import csv
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.cli.opened import Opened
    from bot.cli.sheets import Card
    from bot.services.catalogue import Diff
    from bot.services.stock import Coded, Issued

plans = typer.Typer(help="The catalogue, as a file.", no_args_is_help=True)
sims = typer.Typer(help="SIMs of the shop's own stock.", no_args_is_help=True)
codes = typer.Typer(help="Claim codes that prove whose a SIM is.", no_args_is_help=True)
vouchers = typer.Typer(help="Prepaid voucher codes.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A YAML or CSV file.", exists=True, dir_okay=False)]


# ---- plans ---------------------------------------------------------------------------------


@plans.command("check")
def check_plans(file: File) -> None:
    """Say what is wrong with a plan file, and what applying it would change."""
    _tell(asyncio.run(_plans(file, apply=False)), "would be")


@plans.command("apply")
def apply_plans(file: File) -> None:
    """Make the file the catalogue; plans that are not in it are switched off."""
    _tell(asyncio.run(_plans(file, apply=True)), "now")


async def _plans(file: Path, *, apply: bool) -> "Diff":
    from bot.carriers.manual import Manual
    from bot.carriers.registry import ADAPTERS
    from bot.cli.opened import opened
    from bot.services.catalogue import Catalogue, read_plans

    read = read_plans(file, {*ADAPTERS, Manual.name})
    async with opened() as shop:
        catalogue = Catalogue(shop.store, shop.clock)
        return await (catalogue.apply(read, shop.actor) if apply else catalogue.check(read))


def _tell(diff: "Diff", when: str) -> None:
    for plan in diff.new:
        typer.echo(f"+ {plan.code}: new, {_shown(plan.price or plan.open_amount)}")
    for change in diff.changed:
        for name, (before, after) in change.fields.items():
            typer.echo(f"~ {change.plan.code}: {name} {_shown(before)} → {_shown(after)}")
    for plan in diff.switched_off:
        typer.echo(f"- {plan.code}: switched off")
    counts = f"{len(diff.new)} new, {len(diff.changed)} changed, "
    counts += f"{len(diff.switched_off)} switched off, {diff.unchanged} unchanged"
    typer.echo(f"The catalogue {when}: {counts}." if not diff.empty else "Nothing changes.")


def _shown(value: Any) -> str:
    from bot.domain.money import Money
    from bot.domain.plans import OpenAmount

    if isinstance(value, Money):
        return f"{value.major} {value.currency}"
    if isinstance(value, OpenAmount):
        low, high, step = (_shown(part) for part in (value.minimum, value.maximum, value.step))
        return f"{low} to {high} by {step}"
    if value is None or value == ():
        return "nothing"
    if isinstance(value, dict):
        return " / ".join(str(text) for text in value.values())
    return ", ".join(value) if isinstance(value, tuple) else str(value)


# ---- SIMs and their codes ------------------------------------------------------------------


@sims.command("import")
def import_sims(file: File) -> None:
    """Add SIMs to the stock and print a claim code for each new one, this once."""
    from bot.services.stock import Imported

    async def work() -> Imported:
        from bot.cli.opened import opened
        from bot.services.stock import Stock

        async with opened() as shop:
            stock = Stock(shop.store, shop.clock, shop.carriers, shop.settings.pepper)
            return await stock.import_sims(file, shop.actor)

    done = asyncio.run(work())
    _print_codes(done.new)
    known = f", {len(done.known)} were there before" if done.known else ""
    typer.echo(f"{len(done.new)} SIMs added{known}.", err=True)


@codes.command("new")
def new_codes(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="SIM…", help="Ids, ICCIDs or numbers.")
    ] = None,
    iccid: Annotated[list[str] | None, typer.Option(help="An ICCID; may be repeated.")] = None,
) -> None:
    """Print a new claim code for each SIM, this once. Older codes stay valid."""
    wanted = [*(names or []), *(iccid or [])]
    if not wanted:
        raise typer.BadParameter("name at least one SIM")

    async def work() -> "list[Coded]":
        from bot.cli.opened import opened
        from bot.services.stock import Stock

        async with opened() as shop:
            stock = Stock(shop.store, shop.clock, shop.carriers, shop.settings.pepper)
            return await stock.new_codes(wanted, shop.actor)

    _print_codes(asyncio.run(work()))


def _print_codes(coded: "Sequence[Coded]") -> None:
    if coded:
        rows = (
            (one.sim.id, one.sim.iccid, one.sim.msisdn, one.sim.carrier, one.code) for one in coded
        )
        _print(("sim", "iccid", "msisdn", "carrier", "code"), rows)
        typer.echo("These codes are not shown again: keep them with their SIMs.", err=True)


# ---- vouchers ------------------------------------------------------------------------------


@vouchers.command("new")
def new_vouchers(
    count: Annotated[int, typer.Option(help="How many.")],
    value: Annotated[str | None, typer.Option(help='What they are worth: "100 PHP".')] = None,
    plan: Annotated[str | None, typer.Option(help="Or the plan they pay, by its code.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="Last day they can be used: 2027-12-31.")
    ] = None,
    batch: Annotated[str | None, typer.Option(help="A name for them; made when left out.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also write a page to print and cut, as HTML.")
    ] = None,
    bot: Annotated[str | None, typer.Option(help="The bot's @name, for that page.")] = None,
) -> None:
    """Print new voucher codes, this once."""
    from bot.services.ids import new_id

    worth = _money(value) if value is not None else None
    last = _day(expires) if expires is not None else None
    name = batch or new_id(6)
    if sheet is not None:
        _must_be_new(sheet)

    async def work() -> "tuple[list[Card], str]":
        from bot.cli.opened import opened
        from bot.domain.zones import day_end, zone
        from bot.services.stock import Stock

        async with opened() as shop:
            stock = Stock(shop.store, shop.clock, shop.carriers, shop.settings.pepper)
            issued = await stock.new_vouchers(
                count,
                value=worth,
                plan_code=plan,
                expires_at=day_end(last, zone(shop.settings.zone)) if last else None,
                batch=name,
                actor=shop.actor,
            )
            return await _cards(shop, issued), shop.settings.shop.name

    cards, shop_name = asyncio.run(work())
    rows = ((one.code, _shown(one.value), plan or "", last or "", name) for one in cards)
    _print(("code", "value", "plan", "last_day", "batch"), rows)
    if sheet is not None:
        _write_sheet(sheet, cards, shop_name, bot, last)
    typer.echo("These codes are not shown again.", err=True)


def _must_be_new(sheet: Path) -> None:
    """A sheet holds codes that nothing shows again: none is written over, none is lost."""
    if sheet.exists() or not sheet.parent.is_dir():
        hint = "--sheet"
        raise typer.BadParameter(f"{sheet} is there already, or has no folder", param_hint=hint)


async def _cards(shop: "Opened", issued: "Sequence[Issued]") -> "list[Card]":
    """What a printed voucher says: the plan by its name, where it is for one."""
    from bot.cli.sheets import Card

    async with shop.store.read() as tx:
        plans = {one.code: one.name for one in await tx.catalogue.all()}
    cards = []
    for one in issued:
        names = plans.get(one.voucher.plan_code or "", {})
        plan = " / ".join(names[lang] for lang in ("zh_Hans", "en") if lang in names)
        cards.append(Card(one.code, one.voucher.value, plan or one.voucher.plan_code))
    return cards


def _write_sheet(
    file: Path, cards: "Sequence[Card]", shop: str, bot: str | None, last: date | None
) -> None:
    from bot.cli.sheets import sheet

    file.touch(mode=0o600)  # the codes are money
    file.write_text(sheet(cards, shop, bot, last), "utf-8")
    typer.echo(f"To print: open {file} in a browser.", err=True)


def _money(text: str) -> Any:
    from bot.services.catalogue import money

    try:
        return money(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: {error}", param_hint="--value") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write a day like 2027-12-31", param_hint="--expires") from None


def _print(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    sys.stdout.flush()
