"""Bring the schema up to date on start: one process does it, the others wait."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from concierge.kit.errors import ConciergeError, UnavailableError

# In a checkout the folder lies beside the package; in an installed wheel, inside it.
LOCATIONS = (Path(__file__).parents[2] / "migrations", Path(__file__).parents[1] / "migrations")
CONNECT_SECONDS = 10


class SchemaTooNewError(ConciergeError):
    """The database was used by a newer release, whose schema this one does not know."""

    status, code, title = 500, "schema_too_new", "The database belongs to a newer release"

    def __init__(self, found: str, newest: str) -> None:
        super().__init__(
            f"The database has the schema {found} of a newer release; this one knows schemas up to {newest}. "
            "Install the newer release again, or restore a backup made before it."
        )


def location() -> Path:
    return next(path for path in LOCATIONS if (path / "env.py").exists())


def newest_revision() -> str:
    """The newest revision on disk; the files are named by number, so nothing needs importing."""
    return max(path.name for path in (location() / "versions").glob("[0-9]*.py")).split("_")[0]


def _is_known(revision: str) -> bool:
    return any((location() / "versions").glob(f"{revision}_*.py"))


def current_revision(owner_url: str) -> str | None:
    """Return the revision of a database, or None when it is empty. Errors: UnavailableError."""
    with _connected(owner_url) as connection:
        exists = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if exists is None or exists[0] is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None


def row_counts(owner_url: str) -> dict[str, int]:
    """Return every table of the product with its number of rows."""
    with _connected(owner_url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        ).fetchall()
        return {
            table: connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            ).fetchall()[0][0]
            for (table,) in tables
        }


def migrate(owner_url: str) -> list[str]:
    """Apply what is missing, under an advisory lock. Returns the revisions applied, oldest first.

    Errors: UnavailableError, SchemaTooNewError.
    """
    before, newest = current_revision(owner_url), newest_revision()
    if before == newest:
        return []
    if before is not None and not _is_known(before):
        raise SchemaTooNewError(before, newest)
    # Alembic takes a good part of a second to import, and most starts have nothing to migrate.
    upgrade: Callable[[str, Path], list[str]] = import_module("concierge.kit.upgrade").upgrade
    return upgrade(owner_url, location())


@contextmanager
def _connected(owner_url: str) -> Generator[psycopg.Connection[Any]]:
    conninfo = owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        connection = psycopg.connect(conninfo, connect_timeout=CONNECT_SECONDS)
    except psycopg.OperationalError as error:
        raise UnavailableError(
            f"The database cannot be reached: {_first_line(error)}", code="database_unavailable"
        ) from error
    with connection:
        yield connection


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]
