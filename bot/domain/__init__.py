"""What decides: frozen models and pure functions. No I/O, no clock, no Telegram, no SQL."""
