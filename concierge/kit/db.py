"""The one place that opens and commits a transaction, and says to PostgreSQL whose rows it may see."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, LiteralString, cast
from uuid import UUID

import psycopg
from pgvector.psycopg import register_vector_async
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic_core import to_json
from sqlalchemy import DateTime, MetaData, String, event, exc
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from concierge.kit.errors import ConciergeError, UnavailableError

Session = AsyncSession
Driver = psycopg.AsyncConnection[tuple[Any, ...]]
DRIVER = "driver"  # Where a session keeps the driver's own connection.
# The approximate index looks at this many neighbours at once, and goes on when another tenant's were among them.
VECTOR_SEARCH = "SET hnsw.ef_search = 64; SET hnsw.iterative_scan = relaxed_order"

DATABASE_GONE = "The database did not answer. Please try again in a moment."
STORAGE_FULL = "There is no space left to store this. Free some disk space, then try again."
# SQLSTATE classes that heal by themselves: connection trouble, shutdown and crash recovery, too many connections.
TRANSIENT_STATES = ("08", "57P", "53300", "40001", "40P01", "55P03")
DISK_FULL_STATE = "53100"


class StorageFullError(ConciergeError):
    status, code, title = 507, "storage_full", "No space left"


class Base(DeclarativeBase):
    """Tables of every room; the naming convention lets a migration name a constraint before it exists."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: PG_UUID(as_uuid=True),
        str: String(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
        list[str]: ARRAY(String()),
    }


@dataclass(frozen=True, slots=True)
class Visibility:
    """Whose rows a transaction may see; with nothing set, row-level security shows nothing."""

    org_id: UUID | None = None
    user_id: UUID | None = None
    email: str | None = None

    def opening(self) -> LiteralString:
        """What begins the transaction, as one round trip where only the organization is to be set."""
        if self._is_person or self.org_id is None:
            return "BEGIN"
        # A literal, because `set_config()` does not reach the workers of a distributed cluster. It is a UUID's digits.
        return cast("LiteralString", f"BEGIN; SET LOCAL app.org_id = '{self.org_id}'")

    def setting(self) -> tuple[LiteralString, list[str]] | None:
        """The statement that sets what a person may see, where one is given."""
        if not self._is_person:
            return None
        names = "app.org_id", "app.user_id", "app.email"
        values = (str(self.org_id or ""), str(self.user_id or ""), self.email or "")
        calls = [(name, value) for name, value in zip(names, values, strict=True)]
        return (
            "SELECT set_config(%s, %s, true), set_config(%s, %s, true), set_config(%s, %s, true)",
            [part for call in calls for part in call],
        )

    @property
    def _is_person(self) -> bool:
        return self.email is not None or self.user_id is not None


class Database:
    """A pool of connections of the application role."""

    def __init__(self, url: str, *, pool_size: int, role: str | None = None) -> None:
        self.engine = create_engine(url, pool_size=pool_size, role=role)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)

    @asynccontextmanager
    async def transaction(
        self, org_id: UUID | None = None, *, user_id: UUID | None = None, email: str | None = None
    ) -> AsyncGenerator[Session]:
        """Open a transaction that sees one organization's rows (and one person's); commit it on leaving."""
        try:
            session = await self._opened(Visibility(org_id, user_id, email))
            async with session:
                try:
                    yield session
                    await session.commit()
                except psycopg.OperationalError:
                    await _give_up_if_lost(session)
                    raise
        except (exc.DBAPIError, exc.TimeoutError, psycopg.OperationalError) as error:
            raise translated(error) from error

    async def _opened(self, visibility: Visibility) -> Session:
        """Begin on a live connection. One that died since its last use is replaced without anybody noticing."""
        for attempt in (1, 2):
            session = self._sessions()
            try:
                await self._begin(session, visibility)
            except psycopg.OperationalError:
                lost = await _give_up_if_lost(session)
                await session.close()
                if attempt == 2 or not lost:
                    raise
            except BaseException:
                await session.close()
                raise
            else:
                return session
        raise UnavailableError(DATABASE_GONE, code="database_unavailable")

    @staticmethod
    async def _begin(session: Session, visibility: Visibility) -> None:
        connection = (await session.connection()).sync_connection
        assert connection is not None
        driver: Driver = connection.connection.driver_connection  # pyright: ignore[reportAssignmentType]  # psycopg's.
        session.info[DRIVER] = driver
        # Several statements in one message cannot be prepared.
        await driver.execute(visibility.opening(), prepare=False)
        if (setting := visibility.setting()) is not None:
            await driver.execute(*setting)

    async def close(self) -> None:
        await self.engine.dispose()


def create_engine(url: str, *, pool_size: int, role: str | None) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        # An error's text would repeat the row: what a visitor wrote, a password's hash.
        hide_parameters=True,
        pool_timeout=10,
        connect_args={"connect_timeout": 5, "prepare_threshold": 3},
    )

    async def prepare(driver: Driver) -> None:
        # Otherwise psycopg sends a BEGIN of its own before the one that `Visibility` sends.
        await driver.set_autocommit(True)
        await register_vector_async(driver)
        await driver.execute(VECTOR_SEARCH)
        if role is not None:
            await driver.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.run_async(prepare)

    return engine


async def fetch(
    session: Session, statement: LiteralString, parameters: Mapping[str, Any], *, binary: bool = True
) -> list[tuple[Any, ...]]:
    """Ask the driver directly, within the session's transaction: for the few statements of every turn.

    An ORM statement costs about a millisecond of computing, this a quarter of it. Values cross in binary; parameters
    are spelled `%(name)b`.
    """
    driver: Driver = session.info[DRIVER]
    cursor = await driver.execute(statement, parameters, binary=binary)
    return await cursor.fetchall() if cursor.description else []


async def portions(
    session: Session, statement: LiteralString, parameters: Mapping[str, Any], size: int
) -> AsyncGenerator[list[Any]]:
    """The rows of `fetch`, up to `size` at a time: of a result that is too large to be held at once."""
    driver: Driver = session.info[DRIVER]
    async with driver.cursor(name="portions", binary=True) as cursor:
        await cursor.execute(statement, parameters)
        while rows := await cursor.fetchmany(size):
            yield rows


def jsonb(value: Any) -> Jsonb:
    """A JSON value as a parameter of `fetch`."""
    return Jsonb(value, dumps=to_json)


async def _give_up_if_lost(session: Session) -> bool:
    """Keep a dead connection from going back to the pool. Returns whether it is dead."""
    driver: Driver | None = session.info.get(DRIVER)
    lost = driver is not None and driver.closed
    if lost:
        await session.invalidate()
    return lost


def translated(error: Exception) -> Exception:
    """Turn what PostgreSQL said into what the caller may be told; programming errors stay themselves."""
    if isinstance(error, exc.TimeoutError):
        return UnavailableError(DATABASE_GONE, code="database_unavailable")
    original = getattr(error, "orig", error)
    state = getattr(original, "sqlstate", None) or ""
    if state == DISK_FULL_STATE:
        return StorageFullError(STORAGE_FULL)
    lost = getattr(error, "connection_invalidated", False) or (
        isinstance(original, psycopg.OperationalError) and not state
    )
    if lost or state.startswith(TRANSIENT_STATES):
        return UnavailableError(DATABASE_GONE, code="database_unavailable")
    return error
