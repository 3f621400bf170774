"""Starting, reaching and stopping the embedded server when nothing goes wrong."""

import asyncio
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from concierge.kit.postgres import EmbeddedPostgres, PostgresTuning
from concierge.kit.postgres.launch import LOG_LIMIT_BYTES
from concierge.kit.postgres.processes import server_processes
from tests.kit.postgres.support import FAST, Neighbor, execute, postmaster, value


def test_first_start_creates_the_cluster_and_a_second_start_keeps_the_data(empty_dir: Path) -> None:
    with EmbeddedPostgres(empty_dir, PostgresTuning()) as server:
        execute(server.address, "CREATE TABLE notes AS SELECT 'kept' AS body")
    began = time.monotonic()
    with EmbeddedPostgres(empty_dir, PostgresTuning()) as server:
        assert time.monotonic() - began < 5  # Usually 0.1 s; the machine may be busy.
        assert value(server.address, "SELECT body FROM notes") == "kept"


def test_both_urls_reach_the_database_with_their_role(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        engine = create_engine(server.owner_url)
        with engine.connect() as connection:
            assert (
                connection.scalar(text("SELECT current_user || '@' || current_database()"))
                == "postgres@concierge"
            )
        engine.dispose()

        async def app_user() -> str | None:
            app_engine = create_async_engine(server.app_url)
            async with app_engine.connect() as connection:
                user = await connection.scalar(text("SELECT current_user"))
            await app_engine.dispose()
            return user

        assert asyncio.run(app_user()) == "concierge_app"


def test_the_application_role_is_bound_by_row_level_security_and_owns_nothing(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        query = "SELECT rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = 'concierge_app'"
        assert value(server.address, query) is False
        with (
            psycopg.connect(server.address.conninfo(role="concierge_app")) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("CREATE TABLE mine (id int)")


def test_vectors_work_and_text_is_unicode(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        execute(server.address, "CREATE EXTENSION vector")
        assert value(server.address, "SELECT '[1,0]'::vector <=> '[0,1]'::vector") == pytest.approx(1.0)
        assert value(server.address, "SELECT upper('größe naïve жар')") == "GRÖßE NAÏVE ЖАР"


def test_a_folder_with_spaces_quotes_and_commas_works(data_dir: Path) -> None:
    odd = data_dir.rename(data_dir.parent / 'it\'s a, "shop" & 100% größe')
    with EmbeddedPostgres(odd, FAST) as server:
        engine = create_engine(server.owner_url)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        engine.dispose()


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(data_dir: Path) -> None:
    deep = data_dir.parent / ("deep" * 20) / ("deeper" * 10) / "postgres"
    deep.parent.mkdir(parents=True)
    for folder in (deep.parent, deep.parent.parent):
        folder.chmod(0o755)
    data_dir.rename(deep)
    with EmbeddedPostgres(deep, FAST) as server:
        socket_dir = server.address.socket_dir
        assert len(str(server.address.socket)) < 60
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
        assert value(server.address, "SELECT 1") == 1
    assert not socket_dir.exists()


def test_ensure_running_again_is_cheap_and_changes_nothing(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        before = postmaster(server)
        began = time.monotonic()
        for _ in range(20):
            server.ensure_running()
        assert (time.monotonic() - began) / 20 < 0.25  # Usually 5 ms.
        assert postmaster(server) == before


def test_stop_leaves_no_process_and_may_be_repeated(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, FAST)
    server.ensure_running()
    assert server.is_answering()
    server.stop()
    server.stop()
    assert not server.is_answering()
    assert list(server_processes(server.home.cluster)) == []


def test_stop_does_not_wait_for_open_transactions(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, FAST)
    address = server.ensure_running()
    with psycopg.connect(address.conninfo()) as connection:
        connection.execute("CREATE TABLE half_done (id int)")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert not server.is_answering()


def test_an_unhandled_exception_still_stops_the_server(data_dir: Path) -> None:
    script = "from concierge.kit.postgres import *; import sys; from pathlib import Path\n"
    script += "EmbeddedPostgres(Path(sys.argv[1])).ensure_running()\nraise SystemExit(3)"
    assert (
        subprocess.run([sys.executable, "-c", script, str(data_dir)], check=False, timeout=60).returncode == 3
    )
    assert not EmbeddedPostgres(data_dir, FAST).is_answering()


def test_ctrl_c_reaches_the_product_and_not_its_database(data_dir: Path) -> None:
    script = """
        server.ensure_running()
        try:
            os.killpg(0, signal.SIGINT)
            time.sleep(20)
        except KeyboardInterrupt:
            time.sleep(0.3)
            say(value(server.address, "SELECT 'still here'"))
    """
    with Neighbor(data_dir, script) as neighbor:
        assert neighbor.line() == "still here"


def test_a_long_log_is_cut_and_its_past_kept_beside_it(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        log = server.home.log
        with log.open("a") as file:
            file.write("x" * LOG_LIMIT_BYTES)
        server.heal()
        execute(server.address, "DO $$ BEGIN RAISE WARNING 'written after the cut'; END $$")
        assert log.stat().st_size < 10_000
        assert "written after the cut" in log.read_text()
        assert (log.parent / "postgres.log.1").stat().st_size >= LOG_LIMIT_BYTES


def test_the_database_does_not_listen_on_the_network(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        assert value(server.address, "SELECT current_setting('listen_addresses')") == ""
        assert stat.S_IMODE(server.address.socket_dir.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.address.socket.stat().st_mode) == 0o700
