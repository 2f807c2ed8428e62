"""What the 易支付 stand-in knows: trades, and its calls to the shop.

Money is Decimal in major units (yuan), times UTC by the demo's clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import BaseModel

LAG = timedelta(minutes=2)


class Trade(BaseModel):
    """An order there. `paid_at` None: the page was opened, nobody has paid."""

    trade_no: str
    out_trade_no: str
    name: str
    money: Decimal
    type: str
    notify_url: str
    return_url: str
    opened_at: datetime
    paid_at: datetime | None = None
    visible_from: datetime | None = None
    """From when the look-up shows that it is paid."""
    returned: Decimal = Decimal(0)
    frozen: bool = False


class Sent(BaseModel):
    """A call to the shop, as it was sent."""

    reference: str
    query: dict[str, str]


class EpayState(BaseModel):
    """The whole memory of the stand-in."""

    pid: str = "1001"
    key: str = "demo-epay-key-9f8e7d6c5b4a"
    notify_url: str = ""
    """Where the demo's shop listens, for its settings; a link names its own."""
    refunds: bool = True
    """The platform gives money back through its API."""
    trades: list[Trade] = []
    sent: list[Sent] = []

    def of(self, reference: str) -> list[Trade]:
        """The trades of one link, oldest first."""
        return [trade for trade in self.trades if trade.out_trade_no == reference]

    def open(self, trade: Trade) -> Trade:
        """Keep a trade whose page was opened."""
        self.trades.append(trade)
        return trade

    def next_no(self, now: datetime) -> str:
        """A number of the platform's."""
        return f"{now:%Y%m%d%H%M%S}{len(self.trades) + 10001}"


def demo_state() -> EpayState:
    """A world to begin with: a merchant whom nobody has paid yet."""
    return EpayState()
