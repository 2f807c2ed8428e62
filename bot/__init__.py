"""Xuka (续卡): keeps prepaid SIMs and eSIMs alive through Telegram."""

__version__ = "0.1.0"
