"""The pace at which a supplier lets itself be asked."""

import asyncio
from collections import deque

# A little over a second, so that jitter on the way can't squeeze one request more into one.
WINDOW = 1.05


class Pace:
    """Lets at most `rate` callers through in any WINDOW seconds, first come, first served."""

    def __init__(self, rate: int) -> None:
        self._starts: deque[float] = deque(maxlen=rate)
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Returns when it is the caller's turn."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            if len(self._starts) == self._starts.maxlen:
                await asyncio.sleep(self._starts[0] + WINDOW - loop.time())
            self._starts.append(loop.time())
