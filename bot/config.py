"""Every setting, typed. Read from the environment and `.env`; a wrong one names itself.

`XUKA_BOT_TOKEN` may also be a file (`XUKA_BOT_TOKEN_FILE`), as container secrets are.
Sections nest with two underscores: `XUKA_ESIM_ACCESS__ACCESS_CODE`.
"""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

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
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.carriers.airalo import AiraloSettings
from bot.carriers.dingconnect import DingConnectSettings
from bot.carriers.esim_access import EsimAccessSettings
from bot.carriers.reloadly import ReloadlySettings

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


class SettingsError(Exception):
    """Settings that can't be used; `problems` are (name, what is wrong and the cure)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in problems))
        self.problems = problems


class StarsSettings(BaseModel):
    """Telegram Stars. `rates` are whole Stars per one major unit of a plan's currency."""

    enabled: bool = True
    rates: dict[str, Decimal] = Field(
        default_factory=lambda: {
            "USD": Decimal(77),
            "CNY": Decimal("10.8"),
            "PHP": Decimal("1.4"),
            "EUR": Decimal(84),
        }
    )


class VoucherSettings(BaseModel):
    """Voucher codes. `pepper` keys their stored hashes; changing it makes all codes void."""

    enabled: bool = True


class WebhookSettings(BaseModel):
    """Where Telegram reaches us; without `url` the bot polls."""

    url: AnyHttpUrl | None = None
    secret: SecretStr | None = None

    @model_validator(mode="after")
    def _secret_goes_with_url(self) -> "WebhookSettings":
        if self.url is not None and self.secret is None:
            raise ValueError("set XUKA_WEBHOOK__SECRET too (openssl rand -hex 24)")
        return self


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


class Settings(BaseSettings):
    """All settings of `xuka run`."""

    model_config = SettingsConfigDict(
        env_prefix="XUKA_",
        env_nested_delimiter="__",
        env_file=".env",
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
    zone: str = "Asia/Shanghai"
    """Zone of the operators' own dates."""
    listen_host: str = "127.0.0.1"
    listen_port: int = 8080
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    webhook: WebhookSettings = WebhookSettings()
    shop: ShopSettings = ShopSettings()
    stars: StarsSettings = StarsSettings()
    voucher: VoucherSettings = VoucherSettings()
    esim_access: EsimAccessSettings | None = None
    reloadly: ReloadlySettings | None = None
    dingconnect: DingConnectSettings | None = None
    airalo: AiraloSettings | None = None
    hooks_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
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
                raise ValueError(f"XUKA_BOT_TOKEN_FILE can't be read: {error.strerror}") from None
        return data

    @field_validator("hooks_secret")
    @classmethod
    def _fits_into_an_address(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not re.fullmatch(r"[\w-]+", secret.get_secret_value(), re.ASCII):
            raise ValueError("may hold letters, digits, _ and - only (openssl rand -hex 24)")
        return secret

    @model_validator(mode="after")
    def _demo_clock_is_for_the_demo(self) -> "Settings":
        if self.demo_clock_url is not None and self.telegram_api_url.host not in LOOPBACK:
            raise ValueError(
                "XUKA_DEMO_CLOCK_URL moves the clock and works only with the demo's Telegram; "
                "unset it"
            )
        return self

    @property
    def pepper(self) -> str:
        """Key of the stored code hashes."""
        return self.secret_key.get_secret_value() or self.bot_token.get_secret_value()


_CURES = {
    "bot_token": "missing; get one from @BotFather and set XUKA_BOT_TOKEN",
    "operator_ids": "write Telegram user ids as numbers with commas: XUKA_OPERATOR_IDS=123,456",
}


def load() -> Settings:
    """Settings from the environment. Raises SettingsError naming each wrong one and its cure."""
    try:
        return Settings()
    except ValidationError as error:
        problems = []
        for item in error.errors():
            parts = [str(part) for part in item["loc"]]
            name = "XUKA_" + "__".join(parts).upper() if parts else "settings"
            problems.append((name, _CURES.get(parts[0] if parts else "", item["msg"])))
        raise SettingsError(problems) from None
