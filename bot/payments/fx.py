"""Exchange rates from a page that answers in the shape that most free sources share:

    {"base": "EUR", "date": "2026-11-20", "rates": {"USD": 1.0832, "CNY": 7.84}}

or with "timestamp" (Unix seconds) instead of the date. A date alone is the day's fixing of the
European Central Bank, which is published at about 15:00 UTC.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Self

import httpx
from pydantic import AliasChoices, BaseModel, Field, ValidationError, model_validator

from bot.domain.quotes import Rate
from bot.ports import RatesUnavailable

_FIXING = time(15, tzinfo=UTC)
_SECONDS = 10.0


class _Page(BaseModel):
    base: str = Field(validation_alias=AliasChoices("base", "base_code"), pattern="^[A-Z]{3}$")
    day: date | None = Field(None, validation_alias="date")
    timestamp: int | None = Field(
        None, validation_alias=AliasChoices("timestamp", "time_last_update_unix")
    )
    rates: dict[str, Decimal] = Field(validation_alias=AliasChoices("rates", "conversion_rates"))

    @model_validator(mode="after")
    def _is_of_a_time(self) -> Self:
        if self.day is None and self.timestamp is None:
            raise ValueError("neither date nor timestamp")
        return self

    @property
    def at(self) -> datetime:
        """What time the rates are of."""
        if self.timestamp is not None:
            return datetime.fromtimestamp(self.timestamp, UTC)
        assert self.day is not None  # noqa: S101  the validator says so
        return datetime.combine(self.day, _FIXING)


class RatePage:
    """ports.RateSource over one address."""

    def __init__(self, url: str, http: httpx.AsyncClient | None = None) -> None:
        """`http` stays its owner's to close; None makes one."""
        self._url = url
        self._own = http is None
        self._http = http or httpx.AsyncClient(timeout=_SECONDS)
        self._name = httpx.URL(url).host

    async def rates(self) -> Sequence[Rate]:
        """Every rate on the page that is above 0. Raises RatesUnavailable."""
        try:
            response = await self._http.get(self._url)
            response.raise_for_status()
            page = _Page.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise RatesUnavailable(type(error).__name__) from error
        return [
            Rate(page.base, code, rate, self._name, page.at)
            for code, rate in page.rates.items()
            if len(code) == 3 and code != page.base and rate > 0
        ]

    async def close(self) -> None:
        """Release the connections it opened itself."""
        if self._own:
            await self._http.aclose()
