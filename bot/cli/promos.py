"""`xuka promos`: what the shop takes off its prices, as a file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.domain.promos import Promo
    from bot.services.promo_files import Diff, PromoFiles

promos = typer.Typer(help="Promos, as a file.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A YAML or CSV file.", exists=True, dir_okay=False)]


@promos.command("check")
def check_promos(file: File) -> None:
    """Say what is wrong with a promo file, and what applying it would change."""
    _tell(asyncio.run(_file(file, apply=False)), "would be")


@promos.command("apply")
def apply_promos(file: File) -> None:
    """Make the file the shop's promos; those that are not in it are stopped."""
    _tell(asyncio.run(_file(file, apply=True)), "now")


@promos.command("list")
def list_promos() -> None:
    """Every promo with what it gives, how often it was used, and whether it runs."""

    async def work() -> "list[tuple[Promo, int]]":
        async with _files() as (files, _):
            return await files.listed()

    found = asyncio.run(work())
    for promo, used in found:
        state = "running" if promo.active else "stopped"
        of = f" of {promo.total}" if promo.total is not None else ""
        code = f"code {promo.code}" if promo.code is not None else "by itself"
        code = "from posts" if promo.posted else code
        typer.echo(f"{promo.id}: {state}, {code}, {_gives(promo)}, used {used}{of}{_when(promo)}")
    if not found:
        typer.echo("There are no promos. See `xuka promos apply`.")


@promos.command("stop")
def stop_promo(name: Annotated[str, typer.Argument(help="Its id in the file.")]) -> None:
    """Give it to no new order from now on; prices already ordered keep it."""

    async def work() -> None:
        async with _files() as (files, actor):
            await files.stop(name, actor)

    asyncio.run(work())
    typer.echo(f"{name} is stopped. Take it out of the file too, or the next `apply` starts it.")


@asynccontextmanager
async def _files() -> "AsyncIterator[tuple[PromoFiles, str]]":
    from bot.cli.opened import opened
    from bot.domain.zones import zone
    from bot.services.promo_files import PromoFiles

    async with opened() as shop:
        yield PromoFiles(shop.store, shop.clock, zone(shop.settings.zone)), shop.actor


async def _file(file: Path, *, apply: bool) -> "Diff":
    async with _files() as (files, actor):
        read = await files.read(file)
        return await (files.apply(read, actor) if apply else files.check(read))


def _tell(diff: "Diff", when: str) -> None:
    for promo in diff.new:
        typer.echo(f"+ {promo.id}: new, {_gives(promo)}")
    for change in diff.changed:
        for name, (before, after) in change.fields.items():
            typer.echo(f"~ {change.promo.id}: {name} {_shown(before)} → {_shown(after)}")
    for promo in diff.stopped:
        typer.echo(f"- {promo.id}: stopped")
    counts = f"{len(diff.new)} new, {len(diff.changed)} changed, "
    counts += f"{len(diff.stopped)} stopped, {diff.unchanged} unchanged"
    typer.echo(f"The promos {when}: {counts}." if not diff.empty else "Nothing changes.")


def _gives(promo: "Promo") -> str:
    parts = []
    if promo.percent:
        parts.append(f"{promo.percent} %")
    parts += [_shown(step) for step in promo.steps]
    parts += [f"{big} for {small}" for small, big in promo.gives.items()]
    if promo.points:
        parts.append(f"{promo.points} points")
    return " and ".join(parts)


def _when(promo: "Promo") -> str:
    start = f", from {promo.starts_at:%Y-%m-%d %H:%M} UTC" if promo.starts_at else ""
    return start + (f", until {promo.ends_at:%Y-%m-%d %H:%M} UTC" if promo.ends_at else "")


def _shown(value: Any) -> str:
    from bot.domain.money import Money
    from bot.domain.promos import Step

    if isinstance(value, Money):
        return f"{value.major} {value.currency}"
    if isinstance(value, Step):
        save = f"{_shown(value.save)} less"
        return f"{save} from {_shown(value.spend)} on" if value.spend.minor else save
    if value is None or value in ((), {}):
        return "nothing"
    if isinstance(value, dict):
        return " / ".join(f"{name}: {text}" for name, text in value.items())
    return ", ".join(map(_shown, value)) if isinstance(value, tuple) else str(value)
