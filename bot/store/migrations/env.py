"""Run by Alembic for each command: on the connection that `migrations.config` was given."""

from alembic import context

from bot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by rebuilding it
    transactional_ddl=True,  # SQLite can; an upgrade happens wholly or not at all
)
with context.begin_transaction():
    context.run_migrations()
