"""Xuka (续卡): keeps prepaid SIMs and eSIMs alive through Telegram."""

import time

STARTED = time.monotonic_ns()
"""When this process began, in nanoseconds: it has sent nothing before."""
__version__ = "0.1.0"
