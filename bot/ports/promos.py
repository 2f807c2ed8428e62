"""The database, continued: promos with their uses, and the ledger of points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.points import PointEntry
from bot.domain.promos import Promo


@dataclass(frozen=True, slots=True)
class PromoUse:
    """A promo in an order; `held` is False once its place was given back."""

    promo_id: str
    order_id: str
    chat_id: int
    held: bool


class Promos(Protocol):
    async def get(self, promo_id: str) -> Promo | None: ...
    async def by_code(self, code: str) -> Promo | None:
        """The promo of a code as `domain.promos.typed` makes it; stopped ones only where no
        running one has it."""
        ...

    async def all(self, *, active: bool = True) -> list[Promo]:
        """In the order of the operator's file; with `active` False, stopped ones too."""
        ...

    async def apply(self, promos: Sequence[Promo]) -> None:
        """Make these the promos: new and changed ones saved, others stopped. Uses stay."""
        ...

    async def stop(self, promo_id: str) -> bool:
        """False when it was stopped before."""
        ...

    async def used(self, chat_id: int | None = None) -> Mapping[str, int]:
        """How many places each promo has given away: in all, or to one chat."""
        ...

    async def take(self, promo_id: str, order_id: str, chat_id: int, at: datetime) -> bool:
        """A place for the order, once; False when the promo or the chat has none left, or it was
        stopped."""
        ...

    async def release(self, order_id: str, promo_id: str) -> bool:
        """Give the order's place back; False when it has none."""
        ...

    async def of_order(self, order_id: str) -> list[PromoUse]: ...
    async def ban(self, chat_id: int, at: datetime) -> bool:
        """No offers for this person any more; False when it was so before."""
        ...

    async def unban(self, chat_id: int) -> bool:
        """False when they were not banned."""
        ...

    async def banned(self, chat_id: int) -> bool: ...
    async def bans(self) -> list[tuple[int, datetime]]:
        """Who is banned since when (UTC), newest first."""
        ...

    async def renewed(self, sim_id: str, besides: str = "") -> bool:
        """Whether anybody has paid for a line of this ICCID or number, in an order other than
        `besides`, and not got it all back."""
        ...

    async def bought(self, chat_id: int, besides: str = "") -> bool:
        """Whether the chat has paid an order, other than `besides`, and not got it all back."""
        ...


class Points(Protocol):
    """Every effect is one row, once per order."""

    async def balance(self, chat_id: int, now: datetime) -> int: ...
    async def next_expiry(self, chat_id: int, now: datetime) -> tuple[datetime, int] | None:
        """When the next points expire, and how many."""
        ...

    async def history(self, chat_id: int, limit: int) -> list[PointEntry]:
        """Newest first."""
        ...

    async def of_order(self, order_id: str) -> list[PointEntry]:
        """Oldest first."""
        ...

    async def earn(
        self, chat_id: int, order_id: str, amount: int, expires_at: datetime, at: datetime
    ) -> bool:
        """False when the order has earned before."""
        ...

    async def grant(self, chat_id: int, amount: int, expires_at: datetime, at: datetime) -> None:
        """Points for the person's posts in groups; whoever grants sees to it that it is once."""
        ...

    async def spend(self, chat_id: int, order_id: str, amount: int, at: datetime) -> bool:
        """Those that expire first go first. False when there are too few, or the order's points
        are spent already."""
        ...

    async def give_back(self, order_id: str, at: datetime, keep_until: datetime | None) -> int:
        """What the order spent is there again; how many. Points that have expired since last
        until `keep_until`."""
        ...

    async def take_back(
        self, order_id: str, at: datetime, returned: int = 1, captured: int = 1
    ) -> int:
        """Of what the order earned the part goes that is `returned` of its `captured` money by
        now, as far as the chat has points left and none went before; how many."""
        ...

    async def expire(self, now: datetime) -> int:
        """Write down what has expired; how many points."""
        ...
