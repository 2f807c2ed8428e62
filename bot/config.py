"""Every setting, typed. Read from the environment and `.env`; a wrong one names itself.

`XUKA_BOT_TOKEN` may also be a file (`XUKA_BOT_TOKEN_FILE`), as container secrets are.
Sections nest with two underscores: `XUKA_ESIM_ACCESS__ACCESS_CODE`.
"""

import difflib
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from json import JSONDecodeError
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from dotenv import dotenv_values
from pydantic import (
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as NotJson

from bot.carriers.airalo import AiraloSettings
from bot.carriers.dingconnect import DingConnectSettings
from bot.carriers.esim_access import EsimAccessSettings
from bot.carriers.reloadly import ReloadlySettings
from bot.domain.sales import Method
from bot.domain.zones import zone
from bot.keys import decoded
from bot.payments.charging import StarsSettings
from bot.payments.epay import EpaySettings
from bot.payments.in_store import TransferSettings, WalletSettings
from bot.payments.paypal import PayPalSettings
from bot.payments.stripe_settings import StripeSettings
from bot.payments.telegram import TelegramSettings

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_HOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FILE = ".env"


class SettingsError(Exception):
    """Settings that can't be used; `problems` are (name, what is wrong and the cure)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in problems))
        self.problems = problems


class VoucherSettings(BaseModel):
    """Voucher codes. `pepper` keys their stored hashes; changing it makes all codes void."""

    enabled: bool = True


class PointsSettings(BaseModel):
    """Points: earned by what is paid, spent on later orders. Off until they are switched on."""

    enabled: bool = False
    earn: dict[str, Decimal] = Field(default_factory=lambda: {"USD": Decimal(10)})
    """By currency: points for one unit of what a plan's price comes to."""
    worth: dict[str, Decimal] = Field(default_factory=lambda: {"USD": Decimal("0.01")})
    """By currency: units that one point pays."""
    months: Annotated[int, Field(ge=1, le=120)] = 12
    """After that many months they expire."""
    most_percent: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(50)
    """How much of an order's price they may pay."""

    @field_validator("earn", "worth")
    @classmethod
    def _amounts_are_of_currencies(cls, table: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, amount in table.items():
            if not re.fullmatch(r"[A-Z]{3}", currency) or not amount > 0:
                raise ValueError("write currencies and amounts above 0, like '{\"USD\": 10}'")
        return table


class RatesSettings(BaseModel):
    """Exchange rates. `table` is the operator's own and comes first; `url` is asked for the rest.

    What the source said longer than `fresh_hours` ago is not quoted.
    """

    table: dict[str, Decimal] = Field(default_factory=dict)
    """ "USD/CNY": how many CNY are charged for one USD."""
    url: AnyHttpUrl | None = None
    fresh_hours: Annotated[int, Field(ge=1, le=24 * 14)] = 24
    margin_percent: Annotated[Decimal, Field(ge=0, le=50)] = Decimal(0)
    """Added to the source's rates."""

    @field_validator("table")
    @classmethod
    def _rates_are_of_pairs(cls, table: dict[str, Decimal]) -> dict[str, Decimal]:
        for pair, rate in table.items():
            if not re.fullmatch(r"[A-Z]{3}/[A-Z]{3}", pair) or not rate > 0:
                raise ValueError("write pairs and rates above 0, like '{\"USD/CNY\": 7.2}'")
        return table


class SendingSettings(BaseModel):
    """How fast the bot may write, by Telegram's limits."""

    per_second: Annotated[int, Field(ge=1, le=30)] = 30
    """Messages overall. Telegram allows 30 a bot; several instances share them."""
    paid_broadcasts: bool = False
    """Pay 0.1 Star for each promo and broadcast, and send up to 1000 a second."""
    limited: bool = True
    """Hold the limits; may be off before a stand-in of Telegram that has none."""


class WebhookSettings(BaseModel):
    """Where Telegram reaches us; without `url` the bot polls."""

    url: AnyHttpUrl | None = None
    secret: SecretStr | None = None

    @model_validator(mode="after")
    def _secret_goes_with_url(self) -> "WebhookSettings":
        if self.url is not None and self.secret is None:
            raise ValueError("XUKA_WEBHOOK__SECRET: missing; it goes with XUKA_WEBHOOK__URL")
        return self

    @field_validator("url")
    @classmethod
    def _telegram_calls_https(cls, url: AnyHttpUrl | None) -> AnyHttpUrl | None:
        if url is not None and url.scheme != "https" and url.host not in LOOPBACK:
            raise ValueError("Telegram calls https:// addresses only")
        return url

    @field_validator("secret")
    @classmethod
    def _telegram_takes_it(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not _HOOK_SECRET.fullmatch(secret.get_secret_value()):
            raise ValueError("may hold letters, digits, _ and - only, at most 256")
        return secret


class ShopSettings(BaseModel):
    """Who sells. Shown on receipts, in /terms and /support."""

    name: str = "Xuka"
    legal_name: str | None = None
    contact: str | None = None
    hotline: str | None = None
    shops: list[str] = Field(default_factory=list)


def _split(value: object) -> object:
    """ "1,2" → [1, 2]: how people write lists in an environment file."""
    if isinstance(value, str):
        return [part for part in value.replace(";", ",").split(",") if part.strip()]
    return [value] if isinstance(value, int) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class Settings(BaseSettings):
    """All settings of `xuka run`."""

    model_config = SettingsConfigDict(
        env_prefix="XUKA_",
        env_nested_delimiter="__",
        env_file=_FILE,
        # Windows' editors begin a file with a mark that would else be part of the first name.
        env_file_encoding="utf-8-sig",
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    bot_token: SecretStr
    bot_token_file: Path | None = None
    telegram_api_url: AnyHttpUrl = AnyHttpUrl("https://api.telegram.org")
    database_url: str = "sqlite+aiosqlite:///xuka.db"
    operator_ids: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_split)] = ()
    secret_key: SecretStr = SecretStr("")
    """Keys the hashes of claim codes and vouchers; by default derived from the bot token."""
    data_key: SecretStr = SecretStr("")
    """Seals what is secret in the database; by default derived from `secret_key`, else the token.

    32 or more random bytes, in hex or base64.
    """
    zone: str = "Asia/Shanghai"
    """Zone of the operators' own dates."""
    listen_host: str = "127.0.0.1"
    listen_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    log_format: Literal["json", "console"] = "json"
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = (
        "INFO"
    )
    public_url: AnyHttpUrl | None = None
    """Where customers' devices reach the bot's web server; by default where Telegram does."""
    webhook: WebhookSettings = WebhookSettings()
    sending: SendingSettings = SendingSettings()
    shop: ShopSettings = ShopSettings()
    methods: Annotated[tuple[Method, ...], NoDecode, BeforeValidator(_split)] = ()
    """The order in which ways to pay are shown; those not named come after."""
    rates: RatesSettings = RatesSettings()
    stars: StarsSettings = StarsSettings()
    voucher: VoucherSettings = VoucherSettings()
    points: PointsSettings = PointsSettings()
    telegram: TelegramSettings | None = None
    stripe: StripeSettings | None = None
    paypal: PayPalSettings | None = None
    epay: EpaySettings | None = None
    wallet: WalletSettings = WalletSettings()
    transfer: TransferSettings = TransferSettings()
    esim_access: EsimAccessSettings | None = None
    reloadly: ReloadlySettings | None = None
    dingconnect: DingConnectSettings | None = None
    airalo: AiraloSettings | None = None
    hooks_secret: SecretStr | None = None
    """Part of the address that suppliers call; without it they can't."""
    demo_clock_url: AnyHttpUrl | None = None
    """Follow the demo's clock; refused with a real Telegram address."""

    @model_validator(mode="before")
    @classmethod
    def _token_from_file(cls, data: dict[str, object]) -> dict[str, object]:
        path = data.get("bot_token_file")
        if path and not data.get("bot_token"):
            try:
                data["bot_token"] = Path(str(path)).read_text("utf-8").strip()
            except OSError as error:
                raise ValueError(f"XUKA_BOT_TOKEN_FILE: {path}: {error.strerror}") from None
            except UnicodeDecodeError:
                raise ValueError(f"XUKA_BOT_TOKEN_FILE: {path} is not a text file") from None
        return data

    @field_validator("bot_token")
    @classmethod
    def _looks_like_a_token(cls, token: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("not a token: one is like 123456:ABC-def; copy it from @BotFather")
        return token

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        zone(name)
        return name

    @field_validator("data_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value():
            decoded(key.get_secret_value())
        return key

    @field_validator("hooks_secret")
    @classmethod
    def _fits_into_an_address(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not re.fullmatch(
            r"[A-Za-z0-9_-]{16,}", secret.get_secret_value()
        ):
            raise ValueError("16 or more letters, digits, _ and - (openssl rand -hex 24)")
        return secret

    @model_validator(mode="after")
    def _demo_clock_is_for_the_demo(self) -> "Settings":
        if self.demo_clock_url is not None and self.telegram_api_url.host not in LOOPBACK:
            raise ValueError(
                "XUKA_DEMO_CLOCK_URL: moves the clock and works only with the demo's Telegram; "
                "unset it"
            )
        return self

    @model_validator(mode="after")
    def _real_telegram_has_limits(self) -> "Settings":
        if not self.sending.limited and self.telegram_api_url.host not in LOOPBACK:
            raise ValueError("XUKA_SENDING__LIMITED: Telegram has limits in any case; unset it")
        return self

    @property
    def pepper(self) -> str:
        """Key of the stored code hashes."""
        return self.secret_key.get_secret_value() or self.bot_token.get_secret_value()

    @property
    def data_keys(self) -> tuple[bytes, ...]:
        """Keys of what is sealed in the database: the present one, then those that may have been
        before it."""
        own = self.data_key.get_secret_value()
        derived = (self.secret_key.get_secret_value(), self.bot_token.get_secret_value())
        keys = (one.encode() for one in derived if one)
        return (decoded(own), *keys) if own else tuple(keys)

    @property
    def data_key_from(self) -> str:
        """The setting that the present key comes from."""
        names = {"XUKA_DATA_KEY": self.data_key, "XUKA_SECRET_KEY": self.secret_key}
        given = [name for name, value in names.items() if value.get_secret_value()]
        return given[0] if given else "XUKA_BOT_TOKEN"


_CURES = {
    "bot_token missing": "missing; get one from @BotFather and set XUKA_BOT_TOKEN",
    "operator_ids": "write Telegram user ids as numbers with commas: XUKA_OPERATOR_IDS=123,456",
    "missing": "missing; this section needs it, or none of its settings",
    "model_type": "has settings of its own, with two underscores: {name}__…",
    "string_pattern_mismatch": "begins with https://",
    "url_parsing": "not an address; one begins with https://",
}


def load() -> Settings:
    """Settings from the environment. Raises SettingsError naming each wrong one and its cure."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError([_problem(item) for item in error.errors()]) from None
    except NotJson as error:
        raise SettingsError([_not_json(error)]) from None
    except UnicodeDecodeError:
        raise SettingsError([(_FILE, "is not a text in UTF-8; save it as such")]) from None


def _problem(item: ErrorDetails) -> tuple[str, str]:
    parts = [part for part in item["loc"] if isinstance(part, str)]
    name = "XUKA_" + "__".join(parts).upper() if parts else "settings"
    text = item["msg"].removeprefix("Value error, ")
    if (named := re.match(r"(XUKA_\w+): ", text)) is not None:
        return named[1], text[named.end() :]
    field, kind = ".".join(parts), item["type"]
    for key in (f"{field} {kind}", field, kind):
        if key in _CURES:
            return name, _CURES[key].format(name=name)
    return name, text


def _not_json(error: NotJson) -> tuple[str, str]:
    """Which setting it was: pydantic-settings names the section alone."""
    wrong = error.__cause__.doc if isinstance(error.__cause__, JSONDecodeError) else None
    names = [name for name, value in _given() if value == wrong]
    text = "a list or table is JSON in single quotes, as in deploy/env.example"
    return " or ".join(names) or "settings", text


def _given() -> Iterator[tuple[str, str | None]]:
    """Every XUKA_ name that is set, and its value; the environment before the file."""
    file = dotenv_values(_FILE, encoding="utf-8-sig")
    for name, value in {**file, **os.environ}.items():
        if name.upper().startswith("XUKA_"):
            yield name.upper(), value


def unknown() -> list[tuple[str, str]]:
    """Names that are set and that nothing reads, misspelt ones mostly, with the nearest right."""
    right = _names(Settings)
    wrong = sorted({name for name, _ in _given()} - right)
    near = {name: difflib.get_close_matches(name, right, 1) for name in wrong}
    return [
        (name, f"no such setting; {f'is {near[name][0]} meant?' if near[name] else 'take it out'}")
        for name in wrong
    ]


def _names(model: type[BaseModel], prefix: str = "XUKA_") -> set[str]:
    names = set()
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        key = prefix + name.upper()
        names |= _names(section, f"{key}__") if section is not None else {key}
    return names


def _section(annotation: Any) -> type[BaseModel] | None:
    """The model behind `Section` or `Section | None`; a list of models is written as JSON."""
    if get_origin(annotation) in (list, tuple, dict):
        return None
    for choice in getattr(annotation, "__args__", (annotation,)):
        if isinstance(choice, type) and issubclass(choice, BaseModel):
            return choice
    return None
