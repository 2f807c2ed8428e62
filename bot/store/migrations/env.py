"""Run by Alembic for each command: on the connection that `migrations.config` was given."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import False_, True_

from bot.store.tables import metadata
from bot.store.types import Json, Sealed, SealedJson, SealedText, UtcDateTime, Word

_PLAIN = {
    UtcDateTime: "sa.DateTime(timezone=True)",
    Word: "sa.String()",
    Json: "sa.Text()",
    Sealed: "sa.String()",
    SealedText: "sa.Text()",
    SealedJson: "sa.Text()",
}


def _render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Our own types as what they are in the database: a revision outlives the code."""
    if kind == "server_default" and isinstance(getattr(item, "arg", None), False_ | True_):
        # Else SQLite's 0 or 1, which PostgreSQL takes for no truth value.
        return "sa.true()" if isinstance(item.arg, True_) else "sa.false()"
    return _PLAIN.get(type(item), False) if kind == "type" else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by rebuilding it
    render_item=_render,
    transactional_ddl=True,  # SQLite can; an upgrade happens wholly or not at all
)
with context.begin_transaction():
    context.run_migrations()
