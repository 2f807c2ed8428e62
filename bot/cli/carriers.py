"""`xuka carriers`: which suppliers there are, what each can do, and which are switched on."""

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bot.carriers.manual import Manual
from bot.carriers.registry import ADAPTERS
from bot.config import Settings, SettingsError, load
from bot.ports import Capabilities

_WORDS = {
    "by_hand": "a person tops up, from /queue",
    "reads": "reads a SIM's state, data and validity",
    "numbers": "tops up any phone number and names its carrier",
    "after_expiry": "tops up after expiry",
    "finds": "finds a top-up by our reference",
    "unique_refs": "buys one reference once",
    "reverses": "may take a top-up back",
    "webhooks": "calls us",
    "extends": "keeps data left over until the new date",
}


def main() -> None:
    """Print the table. Raises SettingsError when a supplier's settings are wrong."""
    settings = settings_of()
    table = Table(title="suppliers", title_justify="left")
    table.add_column("supplier", no_wrap=True)
    table.add_column("switched on", overflow="fold")
    table.add_column("what it can do", overflow="fold")
    for name, adapter in ADAPTERS.items():
        on = getattr(settings, name) is not None
        state = "[green]yes[/]" if on else f"no; set {' and '.join(keys_of(name))}"
        table.add_row(name, state, told(adapter.capabilities))
    table.add_row(Manual.name, "[green]always[/]", told(Manual.capabilities))
    Console().print(table)


class _WithoutToken(Settings):
    bot_token: SecretStr = SecretStr("0:none-yet")


def settings_of() -> Settings:
    """The settings, also before there is a bot: suppliers and ways to pay are chosen early."""
    try:
        return load()
    except SettingsError as error:
        for name, text in error.problems:
            if name != "XUKA_BOT_TOKEN" or not text.startswith("missing"):
                raise
        return _WithoutToken()


def told(can: Capabilities) -> str:
    """What is declared, in words."""
    return ", ".join(words for name, words in _WORDS.items() if getattr(can, name))


def keys_of(name: str) -> list[str]:
    """The environment variables without which a supplier can't be switched on."""
    fields = ADAPTERS[name].settings.model_fields.items()
    return [f"XUKA_{name}__{field}".upper() for field, info in fields if info.is_required()]
