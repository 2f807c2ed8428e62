"""`xuka payments`: the ways to pay, what each can do, which are on; and how `check` asks them."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bot.config import Settings

if TYPE_CHECKING:
    from bot.domain.quotes import Terms
    from bot.ports import PaymentMethod

_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking a provider."""

    name: str
    well: bool
    text: str


def main() -> None:
    """Print the table. Raises SettingsError when a method's settings are wrong."""
    from bot.cli.carriers import settings_of

    table = Table(title="ways to pay", title_justify="left")
    for title in ("way to pay", "switched on", "charges in", "what it can do"):
        table.add_column(title, overflow="fold")
    for row in _rows(settings_of()):
        table.add_row(*row)
    Console().print(table)


def _rows(settings: Settings) -> list[tuple[str, str, str, str]]:
    from bot.payments.registry import ADAPTERS

    found = []
    on = _switched_on(settings)
    for name, adapter in ADAPTERS.items():
        mine = [one for one in on if one[0] == name]
        for _, method, terms in mine:
            charges = ", ".join(terms.currencies or ("any",))
            found.append((method.method.value, "[green]yes[/]", charges, _told(method)))
        if not mine:
            fields = adapter.settings.model_fields.items()
            keys = [f"XUKA_{name}__{field}".upper() for field, info in fields if info.is_required()]
            needs = " and ".join(keys or [f"XUKA_{name}__ENABLED=true".upper()])
            found.append((name, f"no; set {needs}", "", ""))
    for name, is_on in in_store(settings).items():
        found.append((name, "[green]yes[/]" if is_on else "no", "", "kept in the bot's own books"))
    return found


def _told(method: "PaymentMethod") -> str:
    from bot.ports import Returns, Way

    can = method.capabilities
    words = ["a page behind a link" if can.way is Way.PAGE else "an invoice in the chat"]
    words.append(
        {
            Returns.PART: "returns the whole or a part",
            Returns.WHOLE: "returns the whole",
            Returns.NOTHING: "returns nothing: by hand at the provider",
        }[can.returns]
    )
    more = {
        "tells what became of a payment": can.finds,
        "closes what is not paid": can.cancels,
        "keeps a card for renewals": can.saves,
        "calls us": can.webhooks,
    }
    return ", ".join([*words, *(text for text, able in more.items() if able)])


def in_store(settings: Settings) -> dict[str, bool]:
    """Ways to pay that no provider stands behind."""
    return {
        "wallet": settings.wallet.enabled,
        "transfer": bool(settings.transfer.accounts),
        "voucher": settings.voucher.enabled,
    }


def _switched_on(settings: Settings) -> list[tuple[str, "PaymentMethod", "Terms"]]:
    """Section, method and terms of every provider's way to pay."""
    import telegram

    from bot.app import SystemClock
    from bot.payments.registry import ADAPTERS

    bot, clock, found = telegram.Bot(settings.bot_token.get_secret_value()), SystemClock(), []
    for name, adapter in ADAPTERS.items():
        section = getattr(settings, name)
        if section is not None:
            made = adapter.make(section, clock, bot)
            found += [(name, method, section.terms()) for method in made]
    return found


async def probes(settings: Settings) -> list[Probe]:
    """Ask every provider that lists what it took; one answer for each provider."""
    providers = {
        method.provider: method
        for _, method, _ in _switched_on(settings)
        if method.capabilities.finds and method.provider != "telegram"
    }
    return list(await asyncio.gather(*(_ask(settings, one) for one in providers.values())))


async def _ask(settings: Settings, method: "PaymentMethod") -> Probe:
    from bot.app import SystemClock
    from bot.ports import PaymentUnavailable

    try:
        async with asyncio.timeout(_SECONDS):
            await method.list_since(SystemClock().now() - timedelta(days=1))
    except (PaymentUnavailable, TimeoutError) as error:
        reason = str(error) or "no answer in time"
        text = f"could not be asked ({reason}); look at its keys and at the connection"
        return Probe(method.provider, False, text)
    finally:
        await method.close()
    return Probe(method.provider, True, f"answers; {_hook(settings, method)}")


def _hook(settings: Settings, method: "PaymentMethod") -> str:
    from bot.web.hooks import own_secret

    if not method.capabilities.webhooks:
        return "it does not call us"
    if settings.hooks_secret is None:
        return "it can't call us: payments show when it is asked; set XUKA_HOOKS_SECRET"
    own = own_secret(settings.hooks_secret.get_secret_value(), method.provider)
    return f"it may call us at /hooks/{method.provider}/{own}"
