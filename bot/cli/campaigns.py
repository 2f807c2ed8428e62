"""`xuka campaigns`: what groups may post, as a file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.domain.campaigns import Campaign
    from bot.domain.posters import Poster
    from bot.services.campaign_files import CampaignFiles, Diff

campaigns = typer.Typer(help="Campaigns that groups post, as a file.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A YAML file.", exists=True, dir_okay=False)]


@campaigns.command("check")
def check_campaigns(file: File) -> None:
    """Say what is wrong with a campaign file, and what applying it would change."""
    _tell(asyncio.run(_file(file, apply=False)), "would be")


@campaigns.command("apply")
def apply_campaigns(file: File) -> None:
    """Make the file the shop's campaigns; those that are not in it are stopped."""
    _tell(asyncio.run(_file(file, apply=True)), "now")


@campaigns.command("list")
def list_campaigns() -> None:
    """Every campaign with its promo, who may post it, and its open posts."""

    async def work() -> "list[tuple[Campaign, int]]":
        async with _files() as (files, _):
            return await files.listed()

    found = asyncio.run(work())
    for one, posts in found:
        state = "running" if one.active else "stopped"
        groups = f"{len(one.groups)} groups" if one.groups else "every allowed group"
        typer.echo(f"{one.id}: {state}, promo {one.promo}, {groups}, {_earns(one)}, {posts} open")
    if not found:
        typer.echo("There are no campaigns. See `xuka campaigns apply`.")


@campaigns.command("stop")
def stop_campaign(name: Annotated[str, typer.Argument(help="Its id in the file.")]) -> None:
    """No further post of it from now on; the bot closes those that are open."""

    async def work() -> None:
        async with _files() as (files, actor):
            await files.stop(name, actor)

    asyncio.run(work())
    typer.echo(f"{name} is stopped. Take it out of the file too, or the next `apply` starts it.")


@asynccontextmanager
async def _files() -> "AsyncIterator[tuple[CampaignFiles, str]]":
    from bot.chat.views.posts import length, post
    from bot.cli.opened import opened
    from bot.services.campaign_files import CampaignFiles

    async with opened() as shop:
        name, now = shop.settings.shop.name, shop.clock.now()

        def long(poster: "Poster") -> int:
            return length(post(poster, name, "", now).text)

        yield CampaignFiles(shop.store, shop.clock, long), shop.actor


async def _file(file: Path, *, apply: bool) -> "Diff":
    async with _files() as (files, actor):
        read = await files.read(file)
        return await (files.apply(read, actor) if apply else files.check(read))


def _tell(diff: "Diff", when: str) -> None:
    for campaign in diff.new:
        typer.echo(f"+ {campaign.id}: new, promo {campaign.promo}, {_earns(campaign)}")
    for change in diff.changed:
        for name, (before, after) in change.fields.items():
            typer.echo(f"~ {change.campaign.id}: {name} {_shown(before)} → {_shown(after)}")
    for campaign in diff.stopped:
        typer.echo(f"- {campaign.id}: stopped")
    counts = f"{len(diff.new)} new, {len(diff.changed)} changed, "
    counts += f"{len(diff.stopped)} stopped, {diff.unchanged} unchanged"
    typer.echo(f"The campaigns {when}: {counts}." if not diff.empty else "Nothing changes.")


def _earns(campaign: "Campaign") -> str:
    if campaign.earns_points:
        return f"earns {campaign.earns_points} points"
    return f"earns {campaign.earns_percent} %" if campaign.earns_percent else "earns nothing"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {text}" for name, text in value.items())
    return "none" if value is None else str(value)
