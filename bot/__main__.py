"""`xuka`: the command line. What a command needs is imported when it runs, so help is fast."""

from pathlib import Path
from typing import Annotated

import typer

from bot import __version__
from bot.cli.campaigns import campaigns
from bot.cli.goods import codes, plans, sims, vouchers
from bot.cli.promos import promos
from bot.cli.rules import rules

app = typer.Typer(
    name="xuka",
    help="Xuka (续卡) keeps prepaid SIMs and eSIMs alive through Telegram.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(plans, name="plans")
app.add_typer(sims, name="sims")
app.add_typer(codes, name="codes")
app.add_typer(vouchers, name="vouchers")
app.add_typer(promos, name="promos")
app.add_typer(campaigns, name="campaigns")
app.add_typer(rules, name="rules")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"xuka {__version__}")
        raise typer.Exit


@app.callback()
def xuka(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Settings come from the environment and from `.env`; `xuka check` tells what is missing."""


@app.command()
def run() -> None:
    """Run the bot until Ctrl-C or SIGTERM."""
    from bot.config import load

    settings = load()
    from bot import app as bot

    bot.run(settings)


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the chat page; 0 takes a free one.")] = 0,
    home: Annotated[
        Path | None, typer.Option(help="Folder of its files; without it they are thrown away.")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin with an empty world.")] = False,
) -> None:
    """Try everything in a browser: no token, no account, no outside address."""
    from bot.demo import host

    host.main(port=port, home=home, browser=not no_browser, fresh=fresh)


@app.command()
def check(
    offline: Annotated[
        bool, typer.Option("--offline", help="Only what is installed; no settings needed.")
    ] = False,
) -> None:
    """Say what works and what to do about the rest; ends with 1 when something does not."""
    from bot.cli.check import main as check_all

    if not check_all(offline=offline):
        raise typer.Exit(1)


@app.command()
def carriers() -> None:
    """List the suppliers: what each can do, and what to set for those that are not on."""
    from bot.cli.carriers import main as list_carriers

    list_carriers()


@app.command()
def payments() -> None:
    """List the ways to pay: what each can do, and what to set for those that are not on."""
    from bot.cli.payments import main as list_payments

    list_payments()


@app.command()
def reconcile(
    since: Annotated[
        str | None, typer.Option(help="A day (2026-11-01) or a span (7d); three days without.")
    ] = None,
) -> None:
    """Compare the providers' lists with our books; ends with 1 when something is left to do."""
    from bot.cli import reconcile as books

    if not books.main(books.parsed(since)):
        raise typer.Exit(1)


def main() -> None:
    """Entry point: expected failures end with a sentence and status 1, never a traceback."""
    try:
        app()
    except Exception as error:
        from bot.cli.trouble import explained

        if not explained(error):
            raise
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
