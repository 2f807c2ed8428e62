"""Structured logs. Secrets and personal data are taken out at the root, whoever logs them."""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

# In an address it stands right behind the word "bot".
_TOKEN = re.compile(r"(?<!\d)\d{6,}:[A-Za-z0-9_-]{16,}")
# Numbers long enough to be an ICCID, IMEI, phone or payment number; ids in our own fields are text.
_NUMBER = re.compile(r"(?<![\w-])\+?\d{11,40}(?![\w-])")
_ACTIVATION = re.compile(r"LPA:1\$\S+")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_CARD = re.compile(r"(?:[•·*]\s?){2,}\d{4}")
# What payment providers call their things: Stripe's prefixes, PayPal's 17 capitals and digits,
# Telegram's long mixture. Our own references are short and in lower case.
_PROVIDERS = re.compile(
    r"(?<![\w-])(?:"
    r"(?:ch|pi|cs|pm|cus|evt|re|py|src|seti|sub|dp|du|card|req)_(?=\w*\d)\w{8,}"
    r"|(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z\d]{17}"
    r"|(?=[\w-]*\d)(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{32,}"
    r")(?![\w-])"
)
_CHARGE = re.compile(r"\bcharge:\S+")  # the subject of what waits for a person
_HIDDEN = frozenset({"charge", "charge_id", "email", "label", "payer", "payer_id", "provider_ref"})
"""Fields that say who paid, or what a provider calls it."""


def redact(text: str) -> str:
    """The text without bot tokens, activation codes, ICCIDs, phone and card numbers, addresses,
    and without providers' ids of payments."""
    text = _TOKEN.sub("<token>", text)
    text = _ACTIVATION.sub("<activation code>", text)
    text = _EMAIL.sub("<email>", text)
    text = _CARD.sub("<card>", text)
    text = _CHARGE.sub("charge:<id>", text)
    text = _PROVIDERS.sub("<id>", text)
    return _NUMBER.sub("<number>", text)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _field(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _field(key: object, value: Any) -> Any:
    return f"<{key}>" if key in _HIDDEN and value is not None else _clean(value)


def _redacting(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: _field(key, value) for key, value in event.items()}


def configure(level: str = "INFO", style: str = "json") -> None:
    """Send structlog's and the standard library's records through one redacting chain."""
    shared: Iterable[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redacting,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=list(shared),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Only our own modules may be talkative: python-telegram-bot's debug lines hold every word that
    # people write, and the token.
    root.setLevel(max(logging.INFO, logging.getLevelName(level)))
    logging.getLogger("bot").setLevel(level)
    # These name every request's address, which holds the token, and every tick.
    for noisy in ("httpx", "httpcore", "apscheduler", "aiosqlite", "alembic", "stripe",
                  "uvicorn.access"):  # fmt: skip
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
