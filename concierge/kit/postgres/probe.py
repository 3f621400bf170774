"""Whether the server answers a query: the only proof that it runs."""

from dataclasses import dataclass
from enum import Enum, auto

import psycopg

from concierge.kit.postgres.address import OWNER_ROLE, PostgresAddress

CONNECT_TIMEOUT_S = 3
# The server's refusals while it comes up, recovers or goes down (SQLSTATE 57P03); lc_messages is C.
WAITING = (
    "starting up",
    "not yet accepting connections",
    "not accepting connections",
    "shutting down",
    "in recovery",
    "terminating connection",
)
CROWDED = ("too many clients", "connection slots are reserved")


class Health(Enum):
    READY = auto()
    WAITING = auto()  # It says itself that it will be with us soon.
    SILENT = auto()  # Nobody there, or nobody who answers.
    REFUSING = auto()  # It answers, with an error that time does not heal.


@dataclass(frozen=True, slots=True)
class Probe:
    health: Health
    said: str = ""


def probe(address: PostgresAddress) -> Probe:
    conninfo = address.conninfo(role=OWNER_ROLE, database="postgres")
    try:
        with psycopg.connect(conninfo, connect_timeout=CONNECT_TIMEOUT_S, autocommit=True) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return judge(str(error))
    return Probe(Health.READY)


def judge(said: str) -> Probe:
    if any(words in said for words in WAITING):
        return Probe(Health.WAITING, said)
    if any(words in said for words in CROWDED):
        return Probe(Health.READY, said)
    if "FATAL:" in said:
        return Probe(Health.REFUSING, said)
    return Probe(Health.SILENT, said)
