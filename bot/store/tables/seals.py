"""Which columns are sealed, each with a text that shows whether a key is theirs."""

from sqlalchemy import Column, String, Table

from bot.store.tables.base import metadata

seals = Table(
    "seals",
    metadata,
    Column("name", String, primary_key=True),  # table and column
    Column("canary", String, nullable=False),
)
