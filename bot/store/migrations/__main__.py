"""`python -m bot.store.migrations 0002 "Add stages"`: write the revision that tables.py needs.

It compares the tables with a fresh SQLite database at the newest revision. Read what it wrote,
set HEAD in bot/store/db.py, and give the rows of older databases what the new columns need.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from sqlalchemy import create_engine

from bot.store import migrations


def main(number: str, message: str) -> None:
    """Write `versions/r<number>_<first words>.py`."""
    with TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'fresh.db'}")
        with engine.begin() as connection:
            migrations.upgrade(connection)
            config = migrations.config(connection)
            config.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
            command.revision(config, message, autogenerate=True, rev_id=number)
        engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
