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
# Numbers long enough to be an ICCID, IMEI or phone number; ids in our own fields are text.
_NUMBER = re.compile(r"(?<![\w-])\+?\d{11,22}(?![\w-])")
_ACTIVATION = re.compile(r"LPA:1\$\S+")


def redact(text: str) -> str:
    """The text without bot tokens, activation codes, ICCIDs and phone numbers."""
    text = _TOKEN.sub("<token>", text)
    text = _ACTIVATION.sub("<activation code>", text)
    return _NUMBER.sub("<number>", text)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _redacting(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: _clean(value) for key, value in event.items()}


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
