"""A stand-in for api.telegram.org: the Bot API over HTTP, as strict as Telegram's own."""
