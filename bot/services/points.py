"""What becomes of points by itself: those whose time is over leave the ledger."""

import structlog

from bot.ports import Clock, Store

log = structlog.get_logger()


class Points:
    """The daily job. Expired points can't be spent even before it has run."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def expire(self) -> None:
        """Write down what has expired."""
        async with self._store.write() as tx:
            gone = await tx.points.expire(self._clock.now())
        if gone:
            log.info("points_expired", points=gone)
