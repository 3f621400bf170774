"""Where the embedded server listens, spelled for psycopg and for SQLAlchemy."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from psycopg.conninfo import make_conninfo

OWNER_ROLE = "postgres"
APP_ROLE = "concierge_app"
DATABASE = "concierge"
PORT = 5432  # Only names the socket file; the server never listens on TCP.


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """The folder of the server's unix socket; nobody but its owner (and root) can enter that folder."""

    socket_dir: Path

    def conninfo(self, *, role: str = OWNER_ROLE, database: str = DATABASE) -> str:
        """A libpq connection string, for psycopg and for pg_dump."""
        return make_conninfo(host=str(self.socket_dir), port=PORT, user=role, dbname=database)

    def url(self, *, role: str = OWNER_ROLE, database: str = DATABASE) -> str:
        """A SQLAlchemy URL for psycopg 3, sync and async alike."""
        query = urlencode({"host": str(self.socket_dir), "port": PORT})
        return f"postgresql+psycopg://{quote(role, safe='')}@/{quote(database, safe='')}?{query}"

    @property
    def socket(self) -> Path:
        return socket_file(self.socket_dir)


def socket_file(socket_dir: Path) -> Path:
    return socket_dir / f".s.PGSQL.{PORT}"
