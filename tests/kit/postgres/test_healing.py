"""Whatever dies, and however it was left behind: the server comes back with every committed row."""

import asyncio
import os
import signal
import subprocess
import threading
from pathlib import Path

import psutil
import psycopg
import pytest
from structlog.testing import capture_logs

from concierge.kit.postgres import EmbeddedPostgres, PostgresAddress, PostgresError, PostgresTuning
from concierge.kit.postgres.cluster import UNFINISHED, postmaster_pid
from concierge.kit.postgres.processes import server_processes
from tests.kit.postgres.support import FAST, Neighbor, eventually, execute, kill, postmaster, value

DURABLE = PostgresTuning()


def commit_rows(address: PostgresAddress) -> None:
    execute(address, "CREATE TABLE orders (id int PRIMARY KEY)")
    execute(address, "INSERT INTO orders SELECT generate_series(1, 1000)")


def rows(address: PostgresAddress) -> object:
    return value(address, "SELECT count(*) FROM orders")


def test_a_killed_server_still_on_the_process_table_is_replaced_and_no_committed_row_is_lost(
    data_dir: Path,
) -> None:
    with EmbeddedPostgres(data_dir, DURABLE) as server:
        commit_rows(server.address)
        killed = postmaster(server)
        kill(killed)
        eventually(lambda: psutil.Process(killed).status() == psutil.STATUS_ZOMBIE)
        server.ensure_running()
        assert postmaster(server) != killed
        assert rows(server.address) == 1000
        assert not psutil.pid_exists(killed)


def test_another_process_heals_a_server_whose_zombie_belongs_to_somebody_else(data_dir: Path) -> None:
    script = """
        server.ensure_running()
        say("up")
        wait()
    """
    with Neighbor(data_dir, script) as starter, EmbeddedPostgres(data_dir, DURABLE) as server:
        assert starter.line() == "up"
        commit_rows(server.ensure_running())
        kill(postmaster(server))
        server.ensure_running()
        assert rows(server.address) == 1000


def test_a_killed_backend_costs_only_a_moment(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, DURABLE) as server:
        commit_rows(server.address)
        before = postmaster(server)
        with psycopg.connect(server.address.conninfo()) as connection:
            kill(connection.info.backend_pid)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        server.ensure_running()
        assert rows(server.address) == 1000
        assert postmaster(server) == before


def test_a_backend_that_outlives_its_postmaster_is_ended_before_the_restart(data_dir: Path) -> None:
    """PostgreSQL itself would refuse: `pre-existing shared memory block … is still in use`."""
    with EmbeddedPostgres(data_dir, DURABLE) as server:
        commit_rows(server.address)
        connection = psycopg.connect(server.address.conninfo())
        orphan = psutil.Process(connection.info.backend_pid)
        orphan.suspend()
        kill(postmaster(server))
        server.ensure_running()
        assert not orphan.is_running()
        assert rows(server.address) == 1000
        connection.close()


def test_a_stale_pid_file_that_names_another_living_program_is_no_obstacle(data_dir: Path) -> None:
    socket_dir = EmbeddedPostgres(data_dir, FAST).address.socket_dir
    socket_dir.mkdir(mode=0o700, exist_ok=True)
    lines = f"{os.getpid()}\n{data_dir}/cluster\n1700000000\n5432\n{socket_dir}\n\n  1234567         0\nready   \n"
    (data_dir / "cluster/postmaster.pid").write_text(lines)
    (socket_dir / ".s.PGSQL.5432.lock").write_text(lines)
    (socket_dir / ".s.PGSQL.5432").touch()
    with EmbeddedPostgres(data_dir, FAST) as server:
        assert postmaster(server) != os.getpid()
        assert value(server.address, "SELECT 1") == 1


def test_a_slow_recovery_is_waited_for_and_reported(data_dir: Path) -> None:
    """A restore_command that takes its time makes PostgreSQL's own recovery slow: it answers `starting up`."""
    with EmbeddedPostgres(data_dir, FAST) as server:
        execute(
            server.address, "ALTER SYSTEM SET wal_level = 'replica'"
        )  # Recovery from an archive asks for it.
    with EmbeddedPostgres(data_dir, FAST) as server:
        execute(server.address, "ALTER SYSTEM SET restore_command = 'sleep 0.7; false'")
    (data_dir / "cluster/recovery.signal").touch()
    hasty = EmbeddedPostgres(data_dir, PostgresTuning(fsync=False, recovery_patience_s=0.4))
    with pytest.raises(PostgresError, match="did not become ready") as raised:
        hasty.ensure_running()
    assert raised.value.code == "postgres_start_timeout"
    assert any(words in raised.value.detail for words in ("starting up", "not yet accepting", "in recovery"))
    with capture_logs() as logs, EmbeddedPostgres(data_dir, FAST) as patient:
        assert value(patient.address, "SELECT pg_is_in_recovery()") is False
    hasty.stop()
    assert "postgres.waiting" in {entry["event"] for entry in logs}


def test_an_initdb_that_was_killed_leaves_no_trace(empty_dir: Path) -> None:
    with Neighbor(empty_dir, "server.ensure_running()") as neighbor:
        eventually(lambda: any(empty_dir.glob(f"{UNFINISHED}*/base")))
        neighbor.kill()
    assert not (empty_dir / "cluster").exists()
    with EmbeddedPostgres(empty_dir, FAST) as server:
        assert value(server.address, "SELECT 1") == 1


def test_a_removed_socket_is_put_back_by_a_restart(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, DURABLE) as server:
        commit_rows(server.address)
        server.address.socket.unlink()
        server.ensure_running()
        assert rows(server.address) == 1000


def test_the_watch_brings_a_killed_server_back_by_itself(data_dir: Path) -> None:
    async def scenario(server: EmbeddedPostgres) -> None:
        watch = asyncio.create_task(server.watch(0.1))
        await asyncio.to_thread(commit_rows, server.address)
        cluster, killed = server.home.cluster, postmaster(server)
        kill(killed)
        await asyncio.to_thread(eventually, lambda: postmaster_pid(cluster) not in {None, killed})
        await asyncio.to_thread(eventually, server.is_answering)
        watch.cancel()

    with EmbeddedPostgres(data_dir, DURABLE) as server:
        asyncio.run(scenario(server))
        assert rows(server.address) == 1000


def test_the_watch_leaves_a_stopped_server_stopped(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, FAST)
    server.ensure_running()
    server.stop()
    server.heal()
    assert not server.is_answering()


def test_threads_that_lose_the_server_together_start_one(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        kill(postmaster(server))
        threads = [threading.Thread(target=server.ensure_running) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        fathers = {process.ppid() for process in server_processes(server.home.cluster)} & {
            process.pid for process in server_processes(server.home.cluster)
        }
        assert fathers == {postmaster(server)}


def test_a_data_folder_deleted_under_the_server_does_not_break_the_farewell(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, FAST)
    server.ensure_running()
    cluster = server.home.cluster
    subprocess.run(["rm", "-rf", str(data_dir)], check=True)
    server.stop()
    assert list(server_processes(cluster)) == []


def test_a_stopped_server_that_does_not_answer_is_reported_and_not_killed(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        stopped = postmaster(server)
        impatient = EmbeddedPostgres(data_dir, PostgresTuning(fsync=False, recovery_patience_s=0.1))
        os.kill(stopped, signal.SIGSTOP)
        try:
            with pytest.raises(PostgresError, match="did not become ready"):
                impatient.ensure_running()
        finally:
            os.kill(stopped, signal.SIGCONT)
        impatient.stop()
        assert server.is_answering()
        assert postmaster(server) == stopped


def test_a_process_killed_in_the_middle_of_a_start_leaves_a_folder_that_starts(data_dir: Path) -> None:
    for delay in (0.02, 0.06):
        script = f"signal.setitimer(signal.ITIMER_REAL, {delay})\nserver.ensure_running()\ntime.sleep(5)"
        with Neighbor(data_dir, script) as neighbor:
            assert neighbor.exit_code() == -signal.SIGALRM
        with EmbeddedPostgres(data_dir, FAST) as server:
            assert value(server.address, "SELECT 1") == 1
        assert not server.is_answering()
