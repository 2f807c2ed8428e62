"""The bot's account in Stars, read from its end.

Telegram lists it from the oldest transaction on, by offset, and tells neither how many there are
nor anything after a date. Rows are only ever added, so where the end was once is where the next
search for it begins.
"""

from collections.abc import Sequence
from datetime import datetime

from telegram import Bot, StarTransaction, TransactionPartnerUser
from telegram.constants import TransactionPartnerUser as Kind

from bot.domain.money import STARS, Money
from bot.payments.telegram_calls import asked
from bot.ports import Charge

_PAGE = 100


class StarLedger:
    """Charges out of the transactions of one bot. Every read raises PaymentUnavailable."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._known = 0
        """How many transactions there are, at least."""

    async def charges_since(self, since: datetime) -> Sequence[Charge]:
        """Everything paid by invoice since then (UTC), the oldest first. A refund has the id of
        its charge and is never older, so none of these is missed."""
        rows = await self._rows_since(since)
        returned: dict[str, int] = {}
        for row in rows:
            if row.receiver is not None:
                returned[row.id] = returned.get(row.id, 0) + row.amount
        return [
            _charge(row, row.source, returned.get(row.id, 0))
            for row in rows
            if isinstance(row.source, TransactionPartnerUser)
            and row.source.transaction_type == Kind.INVOICE_PAYMENT
        ]

    async def _rows_since(self, since: datetime) -> list[StarTransaction]:
        rows: list[StarTransaction] = []
        since = since.replace(microsecond=0)  # as Telegram writes its dates
        end = await self._count()
        while end > 0 and (not rows or rows[0].date >= since):
            start = max(0, end - _PAGE)
            rows = [*await self._page(start, end - start), *rows]
            end = start
        return [row for row in rows if row.date >= since]

    async def _count(self) -> int:
        """How many transactions there are: ever longer steps until one leads past the end, then
        halves."""
        low, high, at, step = self._known, None, self._known, _PAGE
        while high is None or low < high:
            got = len(await self._page(at, _PAGE))
            if got:
                low = at + got
            else:
                high = at
            if 0 < got < _PAGE:
                break
            step *= 2
            at = low + step if high is None else (low + high) // 2
        self._known = low
        return low

    async def _page(self, offset: int, limit: int) -> Sequence[StarTransaction]:
        answer = await asked(lambda: self._bot.get_star_transactions(offset=offset, limit=limit))
        return answer.transactions


def _charge(row: StarTransaction, payer: TransactionPartnerUser, returned: int) -> Charge:
    return Charge(
        id=row.id,
        reference=payer.invoice_payload or "",
        amount=Money(row.amount, STARS),
        at=row.date,
        returned=returned,
        payer_id=payer.user.id,
    )
