"""Use cases. Each owns its transactions; none knows Telegram, SQL or HTTP."""
