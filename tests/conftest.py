"""The parts every test may ask for: a real PostgreSQL, the real model, the real application, and tenants in it."""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import structlog
from psycopg import sql

from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.wiring import DatabaseAddress, Platform, build
from concierge.kit.migrations import migrate
from concierge.kit.postgres import APP_ROLE, EmbeddedPostgres, PostgresTuning
from concierge.kit.settings import Billing, Limits, Settings
from concierge.llm.embeddings import LocalEmbedder
from concierge.llm.minilm import MiniLM
from tests.factories.furnished import Furnished, furnish
from tests.factories.tenants import Tenant, make_tenant

RUN_FOLDER = "TEST_RUN_FOLDER"
TEMPLATE = "concierge_template"
TEMPLATE_LOCK = 4_711
SETTINGS = Settings(
    data_dir=Path(tempfile.gettempdir()) / "concierge-test-data",
    secret_key="a-signing-key-for-tests-of-32-bytes-or-more",  # pyright: ignore[reportArgumentType]  # pydantic makes it a SecretStr.
    limits=Limits(upload_bytes=2 * 1024 * 1024, body_bytes=256 * 1024, turn_seconds=20),
    billing=Billing(default_plan="enterprise"),
    worker=False,
)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the session, so that the pool of connections can live as long."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _closed_to_the_outside() -> Iterator[None]:
    """A test that reaches for the network fails, whatever the machine would allow."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "local"
        if self.family != socket.AF_UNIX and host not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    for name in [
        name for name in os.environ if name.startswith("CONCIERGE_") and name != "CONCIERGE_EVAL_DATA"
    ]:
        patch.delenv(name)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks() -> None:
    """As in production; structlog's default prints every local variable, which takes seconds where arrays are."""
    structlog.configure(
        processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )


def pytest_configure() -> None:
    """Make the run's folder before its workers start, so that they inherit its name.

    Pytest's own temporary folders shut out other users, and as root PostgreSQL runs as another user.

    A shell that runs the tests in its background lets them ignore Ctrl-C, and with them every process they start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if RUN_FOLDER not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="concierge-tests-"))
        folder.chmod(0o755)
        os.environ[RUN_FOLDER] = str(folder)


def pytest_unconfigure() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ.pop(RUN_FOLDER), ignore_errors=True)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A command under test configures logging to its own captured output, which closes when it ends."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """A folder that all workers of this run share."""
    return Path(os.environ[RUN_FOLDER])


@pytest.fixture(scope="session")
def postgres(shared_folder: Path) -> Iterator[EmbeddedPostgres]:
    """The run's server; workers share it and the last one stops it. It forgets nothing but power cuts."""
    server = EmbeddedPostgres(
        shared_folder / "pg", PostgresTuning(fsync=False, max_connections=100, shared_buffers="128MB")
    )
    server.ensure_running()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def database(postgres: EmbeddedPostgres) -> DatabaseAddress:
    """This worker's own database, copied from one that was migrated once."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(postgres.address.conninfo(), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        _make_template(connection, postgres)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
        )
    address = postgres.address
    return DatabaseAddress(address.url(database=name), address.url(role=APP_ROLE, database=name), None)


def _make_template(connection: psycopg.Connection[Any], postgres: EmbeddedPostgres) -> None:
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone()
    if known is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        migrate(postgres.address.url(database=TEMPLATE))


@pytest.fixture(scope="session")
def embedder(shared_folder: Path) -> LocalEmbedder:
    return LocalEmbedder(MiniLM.load(shared_folder / "models"))


@pytest.fixture(scope="session")
async def platform(database: DatabaseAddress, embedder: LocalEmbedder) -> AsyncIterator[Platform]:
    platform = build(SETTINGS, database, embedder=embedder)
    yield platform
    await platform.close()


@pytest.fixture(scope="session")
async def client(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """The application over HTTP in this process. An error of ours is a response, as in production."""
    transport = httpx.ASGITransport(create_app(platform), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        yield client


@pytest.fixture
async def tenant(platform: Platform, client: httpx.AsyncClient) -> Tenant:
    """An organization with an owner, an agent and an empty pack."""
    return await make_tenant(platform, client)


@pytest.fixture
async def stranger(platform: Platform, client: httpx.AsyncClient) -> Tenant:
    """Another organization, which must see and touch nothing of `tenant`."""
    return await make_tenant(platform, client)


@pytest.fixture(scope="session")
async def shop(platform: Platform, client: httpx.AsyncClient) -> Furnished:
    """An organization with a row of every kind, for tests that change nothing in it."""
    return await furnish(platform, client)


@pytest.fixture(scope="session")
async def rival(platform: Platform, client: httpx.AsyncClient) -> Furnished:
    """Another such organization, for tests that try to reach from one into the other."""
    return await furnish(platform, client)
