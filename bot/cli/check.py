"""`xuka check`: what works, what does not, and what to do about it."""

import asyncio
import platform
import re
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from bot import __version__
from bot.config import Settings, SettingsError, load, unknown

_SECONDS = 10.0
_SAFE_SQLITE = (3, 51, 3)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


class State(StrEnum):
    """How one thing stands."""

    OK = "ok"
    LOOK = "look"  # it works, but somebody should know
    FAIL = "fail"


_STYLE = {State.OK: "green", State.LOOK: "yellow", State.FAIL: "bold red"}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table; `text` says what was found, and the cure where there is one."""

    name: str
    state: State
    text: str


def main(*, offline: bool) -> bool:
    """Print the table. Whether nothing fails."""
    lines = installed()
    if not offline:
        try:
            settings = load()
        except SettingsError as error:
            lines += [Line(name, State.FAIL, text) for name, text in error.problems]
        else:
            lines += asyncio.run(_live(settings))
        lines += [Line(name, State.LOOK, text) for name, text in unknown()]
    table = Table(title=f"xuka {__version__}", title_justify="left")
    table.add_column("what", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("what to know and do", overflow="fold")
    for line in lines:
        table.add_row(line.name, f"[{_STYLE[line.state]}]{line.state}[/]", _plain(line.text))
    Console().print(table)
    return all(line.state is not State.FAIL for line in lines)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")  # rich would read brackets as styles


# ---- what is installed -----------------------------------------------------------------------


def installed() -> list[Line]:
    """Python, SQLite and the package's own files; needs no settings."""
    return [
        Line("Python", State.OK, platform.python_version()),
        _sqlite(sqlite3.sqlite_version_info),
        _found("time zones", _zones),
        _found("languages", _languages),
        _found("migrations", _migrations),
        _found("carrier data", _carriers),
        _found("rules", _rules),
        _found("pictures", _fonts),
        _found("demo page", _page),
    ]


def _sqlite(version: tuple[int, ...]) -> Line:
    name = ".".join(str(part) for part in version)
    if version >= _SAFE_SQLITE:
        return Line("SQLite", State.OK, name)
    wanted = ".".join(str(part) for part in _SAFE_SQLITE)
    text = (
        f"{name}; before {wanted} two processes that write at the same moment may damage the "
        "file (WAL reset): run one bot per file, and commands beside it one at a time"
    )
    return Line("SQLite", State.LOOK, text)


def _found(name: str, look: Callable[[], str]) -> Line:
    try:
        return Line(name, State.OK, look())
    except Exception as error:
        # Whatever it is, this installation can't do without; the table has to name it.
        text = f"{type(error).__name__}: {error}; install the package again"
        return Line(name, State.FAIL, text)


def _zones() -> str:
    from bot.domain.zones import zone

    zones = ("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Manila", "America/Los_Angeles")
    for name in zones:
        zone(name)
    return f"{zones[0]} and others are known"


def _languages() -> str:
    from bot.domain.chats import LANGUAGES
    from bot.i18n import Words

    for language in LANGUAGES:
        Words(language)
    return ", ".join(LANGUAGES)


def _migrations() -> str:
    from bot.store.db import HEAD

    folder = Path(str(files("bot.store") / "migrations" / "versions"))
    if not any(HEAD in path.name for path in folder.glob("*.py")):
        raise FileNotFoundError(f"revision {HEAD} is missing")
    return f"up to revision {HEAD}"


def _carriers() -> str:
    from bot.domain.iccid_issuers import ISSUERS

    return f"{len(ISSUERS)} ICCID prefixes"


def _rules() -> str:
    from bot.carriers.rules import packs

    return f"{len(packs())} packs that keep numbers alive"


def _fonts() -> str:
    from bot.chat.pictures.fonts import glyphs

    return f"fonts with {len(glyphs())} characters"


def _page() -> str:
    page = files("bot.demo") / "page"
    for name in ("index.html", "app.js", "style.css"):
        if not (page / name).is_file():
            raise FileNotFoundError(f"{name} is missing")
    return "complete"


# ---- what the settings lead to -----------------------------------------------------------------


async def _live(settings: Settings) -> list[Line]:
    parts: Iterable[Any] = await asyncio.gather(
        _store(settings), _telegram(settings), _suppliers(settings), _providers(settings)
    )
    store, telegram, *others = parts
    asked = [line for lines in others for line in lines]
    return [Line("settings", State.OK, "complete"), *_shop(settings), store, *telegram, *asked]


def _shop(settings: Settings) -> list[Line]:
    from bot.payments.registry import ADAPTERS

    lines = []
    if settings.operator_ids:
        count = len(settings.operator_ids)
        lines.append(Line("operators", State.OK, f"{count} from XUKA_OPERATOR_IDS"))
    else:
        text = "nobody sees what waits for a person; set XUKA_OPERATOR_IDS=123,456"
        lines.append(Line("operators", State.LOOK, text))
    methods = [name for name in (*ADAPTERS, "wallet", "transfer", "voucher") if _on(settings, name)]
    if methods:
        lines.append(Line("payment", State.OK, ", ".join(methods)))
    else:
        text = "nothing can be paid; switch one on: XUKA_STARS__ENABLED=true"
        lines.append(Line("payment", State.FAIL, text))
    if not settings.secret_key.get_secret_value():
        text = "from the bot token: a new token would void all codes; set XUKA_SECRET_KEY once"
        lines.append(Line("code hashes", State.LOOK, text))
    return [*lines, _data_key(settings.data_key_from)]


def _data_key(source: str) -> Line:
    if source == "XUKA_DATA_KEY":
        return Line("data key", State.OK, f"{source}; keep a copy of it, apart from your backups")
    text = (
        f"from {source}: without it what is sealed in the store can't be read; set XUKA_DATA_KEY "
        "once (openssl rand -hex 32), the next start seals everything with it"
    )
    return Line("data key", State.LOOK, text)


def _on(settings: Settings, method: str) -> bool:
    """Whether a way to pay is switched on."""
    from bot.cli.payments import in_store

    if method in in_store(settings):
        return in_store(settings)[method]
    section = getattr(settings, method)
    return section is not None and getattr(section, "enabled", True)


async def _providers(settings: Settings) -> list[Line]:
    from bot.cli.payments import probes

    states = {True: State.OK, False: State.FAIL}
    return [Line(probe.name, states[probe.well], probe.text) for probe in await probes(settings)]


async def _store(settings: Settings) -> Line:
    from bot.store import Database, StoreRefused

    file = _sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        text = f"{file} is not there yet; `xuka run` makes it"
        if file.absolute().parent.is_dir():
            return Line("store", State.OK, text)
        text = f"the folder of {file} is not there; make it, or set XUKA_DATABASE_URL"
        return Line("store", State.FAIL, text)
    try:
        database = await Database.open(
            settings.database_url, migrate=False, beside=True, keys=settings.data_keys
        )
    except StoreRefused as error:
        text = str(error)
        new = "revision none" in text
        return Line("store", State.LOOK if new else State.FAIL, text)
    try:
        facts = await database.check()
    finally:
        await database.close()
    text = f"{facts.server} {facts.version}, revision {facts.revision}"
    return Line("store", State.OK, text)


def _sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for anything else."""
    name, _, path = url.partition(":///")
    return Path(path) if name.split("+")[0] == "sqlite" and path else None


async def _telegram(settings: Settings) -> list[Line]:
    base = str(settings.telegram_api_url).rstrip("/")
    root = f"{base}/bot{settings.bot_token.get_secret_value()}"
    # As the bot itself: no proxies from the environment.
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as http:
        try:
            me = (await http.get(f"{root}/getMe")).json()
            hook = (await http.get(f"{root}/getWebhookInfo")).json() if me.get("ok") else {}
        except (httpx.HTTPError, ValueError) as error:
            # The address holds the token: the error's own words are not shown.
            text = f"no answer ({type(error).__name__}); is {base} reachable from here?"
            return [Line("Telegram", State.FAIL, text)]
    if not me.get("ok"):
        text = f"refused the token ({me.get('description')}); copy it again from @BotFather"
        return [Line("Telegram", State.FAIL, text)]
    lines = [Line("Telegram", State.OK, f"@{me['result'].get('username')}")]
    return [*lines, _webhook(settings, hook.get("result", {}))]


def _webhook(settings: Settings, known: dict[str, Any]) -> Line:
    url, secret = settings.webhook.url, settings.webhook.secret
    if url is None or secret is None:
        note = "; the webhook that is set now is removed at the start" if known.get("url") else ""
        return Line("updates", State.OK, f"polling{note}")
    if not _SECRET.fullmatch(secret.get_secret_value()):
        text = "XUKA_WEBHOOK__SECRET may hold letters, digits, _ and - only, at most 256"
        return Line("updates", State.FAIL, text)
    if known.get("url") == str(url) and known.get("last_error_message"):
        text = f"webhook {url}; Telegram said last: {known['last_error_message']}"
        return Line("updates", State.LOOK, text)
    return Line("updates", State.OK, f"webhook {url}")


def cure(name: str, reason: str, settings: Settings) -> str:
    """What to do about a supplier that can't be asked, by the reason its adapter gives."""
    from bot.cli.carriers import keys_of

    section = getattr(settings, name)
    match reason:
        case "credentials":
            names = ", ".join(keys_of(name))
            return f"refused the keys; copy them again from its console: {names}"
        case "not_sent" | "timeout" | "connection_lost":
            return f"no answer ({reason}); is {section.base_url} reachable from here?"
        case "busy":
            return "too many calls for now; try again in a minute"
    text = f"can't be asked ({reason}); its service may be down: try again later"
    return f"{text}, and check XUKA_{name.upper()}__BASE_URL if it stays so"


async def _suppliers(settings: Settings) -> list[Line]:
    from bot.app import SystemClock
    from bot.offer import carriers_of
    from bot.ports import Carrier, SupplierUnavailable

    async def ask(carrier: Carrier) -> Line:
        if carrier.capabilities.by_hand:
            return Line(carrier.name, State.OK, "top-ups are done by hand, from /queue")
        try:
            wallet = await carrier.wallet()
        except SupplierUnavailable as error:
            return Line(carrier.name, State.FAIL, cure(carrier.name, error.reason, settings))
        finally:
            await carrier.close()
        if wallet is None:
            return Line(carrier.name, State.OK, "answers")
        text = f"balance {wallet.major} {wallet.currency}"
        if wallet.minor > 0:
            return Line(carrier.name, State.OK, text)
        return Line(carrier.name, State.LOOK, f"{text}; fill it up, or customers are refused")

    carriers = carriers_of(settings, SystemClock())
    return list(await asyncio.gather(*(ask(carrier) for carrier in carriers.values())))
