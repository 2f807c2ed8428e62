"""Telegram: what people write and tap, and what the bot answers."""
