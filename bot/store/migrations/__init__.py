"""Alembic migrations, configured in code: the package's own files, no alembic.ini."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection


class UnknownRevision(Exception):
    """The database has a revision that this release does not know."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; `connection` is the one that the migrations will run on."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    found.attributes["connection"] = connection
    return found


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Upgrade within the connection's transaction. Raises UnknownRevision."""
    try:
        command.upgrade(config(connection), revision)
    except CommandError as error:
        raise UnknownRevision(str(error)) from error
