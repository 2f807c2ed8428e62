"""A bookkeeper's quick look into the house's database from outside: what is due, what waits.

The jobs themselves ask the store; a harness that asks it before every step spends its time so.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

_DUE = {
    "hints": "select 1 from hints where done_at is null limit 1",
    "looks": "select 1 from payments where look_at <= :now limit 1",
    "expiry": "select 1 from orders where state in ('quoted', 'awaiting_payment')"
    " and expires_at <= :now limit 1",
    "deposits": "select 1 from deposits where paid_at is null and ended_at is null"
    " and expires_at <= :now limit 1",
    "topups": "select 1 from topups where next_at <= :now limit 1",
    "refunds": "select 1 from refunds where next_at <= :now"
    " union all select 1 from orders where state in ('refund_due', 'refunding')"
    " union all select 1 from orders join payments on order_id = orders.id"
    " where orders.state = 'refunded' and payments.state = 'captured'"
    " union all select 1 from payments where state = 'captured' and order_id is not null"
    " group by order_id having count(*) > 1 limit 1",
    "queue": "select 1 from orders where state in ('needs_operator', 'refund_due', 'refunding')"
    " union all select 1 from payments where state in ('mismatch', 'disputed')"
    " union all select 1 from refunds where state = 'by_hand'"
    " union all select 1 from refund_requests where state = 'asked'"
    " union all select 1 from proofs where state = 'waiting'"
    " union all select 1 from differences where settled_at is null"
    " union all select 1 from payments where state = 'captured' and order_id is not null"
    " group by order_id having count(*) > 1 limit 1",
}
_NEXT = (
    "select min(look_at) from payments",
    "select min(expires_at) from orders where state in ('quoted', 'awaiting_payment')",
    "select min(expires_at) from deposits where paid_at is null and ended_at is null",
    "select min(next_at) from topups",
    "select min(next_at) from refunds",
)
_RUNNING = "select 1 from orders where state in ('refund_due', 'refunding') limit 1"


class Glance:
    """One connection that only reads."""

    def __init__(self, path: Path) -> None:
        self._rows = sqlite3.connect(path, isolation_level=None)

    def close(self) -> None:
        """Release it."""
        self._rows.close()

    def due(self, what: str, now: datetime) -> bool:
        """Whether there is something to do of a kind: see _DUE."""
        at = f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        values = {"now": at} if ":now" in _DUE[what] else {}
        return self._rows.execute(_DUE[what], values).fetchone() is not None

    def moments(self) -> list[datetime]:
        """When each job has something to do next (UTC)."""
        found = [self._rows.execute(text).fetchone()[0] for text in _NEXT]
        return [datetime.fromisoformat(one).replace(tzinfo=UTC) for one in found if one]

    def returns(self) -> bool:
        """Whether some order's money is on its way back."""
        return self._rows.execute(_RUNNING).fetchone() is not None

    def told(self, chat_id: int) -> list[str]:
        """The keys of everything that a chat is told."""
        rows = self._rows.execute("select dedupe_key from outbox where chat_id = ?", (chat_id,))
        return [str(row[0]) for row in rows]

    def surely_back(self, payment_id: str) -> int:
        """What we hold as returned of a payment, in minor units."""
        text = "select sum(amount_minor) from refunds where payment_id = ? and state = 'done'"
        return int(self._rows.execute(text, (payment_id,)).fetchone()[0] or 0)
