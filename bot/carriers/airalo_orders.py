"""Which of an eSIM's orders at Airalo is the top-up we sent.

A lost answer is matched by time: from our call on, which this process remembers for a while, or
after a restart from the moment our reference was made.
"""

from datetime import datetime, timedelta

from bot.carriers.airalo_wire import Order, Orders
from bot.ports import TopUpAnswer, TopUpRequest, TopUpStatus

SKEW = timedelta(seconds=60)
"""How far the supplier's clock may be behind ours."""
REMEMBERED = timedelta(days=2)
LOOK_BACK = timedelta(days=30)
"""Where nobody knows when we called."""


class Sent:
    """The top-ups this process sent: when, and which orders they became."""

    def __init__(self) -> None:
        self._began: dict[str, datetime] = {}
        self._became: dict[str, tuple[str, datetime]] = {}

    def began(self, ref: str, at: datetime) -> None:
        """It is being sent; a later try does not move the moment of the first."""
        self._began = {k: v for k, v in self._began.items() if at - v < REMEMBERED}
        self._became = {k: v for k, v in self._became.items() if at - v[1] < REMEMBERED}
        self._began.setdefault(ref, at)

    def answered(self, ref: str, order_id: str) -> None:
        """The supplier named its order, so no other top-up of ours is that order."""
        self._became[order_id] = (ref, self._began[ref])

    def since(self, request: TopUpRequest, now: datetime) -> datetime:
        """From when on its order can be: our call; after a restart, when our reference was made
        (not a minute earlier: that might be the top-up before); else far back."""
        began = self._began.get(request.ref)
        if began is not None:
            return began - SKEW
        return request.since or now - LOOK_BACK

    def found(
        self, request: TopUpRequest, iccid: str, orders: Orders, since: datetime
    ) -> TopUpAnswer:
        """What the list proves about one top-up."""
        named = [o for o in orders.data if self._named(o, request.ref)]
        if len(named) > 1:
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason="ambiguous")
        if named:
            return order_state(named[0])
        maybe = [o for o in orders.data if self._may_be(o, request, iccid, since)]
        if not maybe:
            if orders.whole:
                return TopUpAnswer(TopUpStatus.NOT_FOUND)
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason="ambiguous")
        if request.ref not in self._began and request.since is None:
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason="no_references")
        only = maybe[0]
        if len(maybe) > 1 or not orders.whole or not only.created_at or not only.for_sim(iccid):
            return TopUpAnswer(TopUpStatus.UNKNOWN, reason="ambiguous")
        return order_state(only)

    def _named(self, order: Order, ref: str) -> bool:
        """Whether it is surely ours; the filters of the list compare loosely, we don't."""
        known = self._became.get(order.id)
        return order.description == ref if known is None else known[0] == ref

    def _may_be(self, order: Order, request: TopUpRequest, iccid: str, since: datetime) -> bool:
        """Whether nothing speaks against it: of another top-up of ours, or somebody's note, the
        reference does."""
        return (
            order.id not in self._became
            and order.says_nothing
            and order.type in ("topup", "")
            and order.package_id == request.supplier_code
            and (order.created_at is None or order.created_at >= since)
            and order.for_sim(iccid) is not False
        )


def order_state(order: Order) -> TopUpAnswer:
    """A top-up's order is made and done in one; other states are told as they are."""
    slug = order.slug
    if slug == "completed":
        return TopUpAnswer(TopUpStatus.SUCCEEDED, supplier_ref=order.id)
    if slug == "refunded":
        return TopUpAnswer(TopUpStatus.REVERSED, supplier_ref=order.id)
    if slug in ("pending", "processing"):
        return TopUpAnswer(TopUpStatus.PROCESSING, supplier_ref=order.id, reason=slug)
    return TopUpAnswer(TopUpStatus.UNKNOWN, supplier_ref=order.id, reason=f"order_{slug}")
