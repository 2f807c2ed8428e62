"""Work on pictures beside the bot's other work: one piece at a time, and its memory given back."""

import asyncio
import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_M_MMAP_THRESHOLD = -3
_LARGE = 1 << 20


def _give_back_large_blocks() -> None:
    """Have the C library return blocks of a megabyte as soon as they are freed.

    By itself glibc raises that limit to the largest block it has seen, up to 32 MB, and keeps
    what is below: some pictures later the bot would hold 40 MB for nothing. Others have no limit.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)


class OneThread:
    """A thread that takes one piece of work after the other.

    Two large pictures at once would cost twice the memory. Who has given up waiting leaves the
    queue; work that has begun ends before the next begins.
    """

    def __init__(self, name: str) -> None:
        _give_back_large_blocks()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, which raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)
