"""`xuka reconcile`: providers' lists against our books, now."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.domain.books import Difference, Report

GAPS = {
    "no_order": "a charge that belongs to no order",
    "missing_there": "captured here, not on the provider's list",
    "refund_missing_there": "returned here, not at the provider",
    "unpaid": "fulfilled, and nobody paid for it",
    "stuck": "paid for more than a day ago, and without an end",
    "ledger": "the wallets' books do not add up",
}


def main(since: datetime | None) -> bool:
    """Compare, act, print the report. False when something is left for a person."""
    report = asyncio.run(_run(since))
    for line in _told(report):
        typer.echo(line)
    return report.adds_up and not report.found and not report.away


async def _run(since: datetime | None) -> "Report":
    import telegram

    from bot.chat.request import AiohttpRequest
    from bot.cli.opened import opened
    from bot.offer import PAID_BY, selling_of
    from bot.payments import registry
    from bot.services.reconcile import LOOK_BACK, Reconciliation
    from bot.services.till import Till

    async with opened() as shop:
        settings = shop.settings
        base = str(settings.telegram_api_url).rstrip("/")
        bot = telegram.Bot(
            settings.bot_token.get_secret_value(), f"{base}/bot", request=AiohttpRequest()
        )
        async with bot:
            sections = {name: getattr(settings, name) for name in PAID_BY}
            methods, terms = registry.build(sections, shop.clock, bot)
            selling = selling_of(settings, terms)
            till = Till(shop.store, shop.clock, selling)
            job = Reconciliation(shop.store, shop.clock, methods, selling, till)
            try:
                return await job.run(since or shop.clock.now() - LOOK_BACK)
            finally:
                for method in methods.values():
                    await method.close()


def parsed(since: str | None) -> datetime | None:
    """ "2026-11-01", or "7d" for the last seven days; None for the usual three.

    Raises typer.BadParameter.
    """
    if since is None:
        return None
    if since.endswith("d") and since[:-1].isdigit():
        return datetime.now(UTC) - timedelta(days=int(since[:-1]))
    try:
        return datetime.fromisoformat(since).replace(tzinfo=UTC)
    except ValueError:
        text = "write a day like 2026-11-01, or 7d for the last seven days"
        raise typer.BadParameter(text) from None


def _told(report: "Report") -> list[str]:
    found = [f"Since {report.since:%Y-%m-%d %H:%M} UTC:", ""]
    row = "{:<10} {:<4} {:>12} {:>12} {:>12} {:>12} {:>12}  {}"
    titles = ("method", "", "listed", "captured", "fulfilled", "refunded", "held", "")
    found.append(row.format(*titles))
    for line in report.lines:
        amounts = [line.listed, line.captured, line.fulfilled, line.refunded, line.held]
        shown = [_amount(minor, line.currency) for minor in amounts]
        verdict = "adds up" if line.adds_up else "DOES NOT ADD UP"
        found.append(row.format(line.method, line.currency, *shown, verdict))
    if not report.lines:
        found.append("no money was taken")
    for currency, purses in report.purses.items():
        stands, entered = (_amount(n, currency) for n in (purses.stands, purses.entered))
        verdict = "adds up" if purses.adds_up else "DOES NOT ADD UP"
        found.append(f"wallets {currency}: {stands} stands in them, {entered} entered  {verdict}")
    found.append("")
    if report.captured_late:
        found.append(f"{report.captured_late} charges were taken over that nobody had told of.")
    if report.foreign:
        found.append(f"{report.foreign} charges are of other business of the same account.")
    for method in report.away:
        found.append(f"{method}: the provider could not be asked; try again.")
    found += [_gap(difference) for difference in report.found]
    if not report.found:
        found.append("Nothing waits for a person.")
    return found


def _gap(difference: "Difference") -> str:
    amount = difference.amount
    shown = f", {_amount(amount.minor, amount.currency)} {amount.currency}" if amount else ""
    return f"! {GAPS[difference.gap]}: {difference.subject}{shown} (settle it in /queue)"


def _amount(minor: int | None, currency: str) -> str:
    from bot.domain.money import Money

    return "–" if minor is None else f"{Money(minor, currency).major}"
