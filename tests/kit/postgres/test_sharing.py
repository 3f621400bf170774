"""Several processes, one server: it lives as long as one of them does."""

import subprocess
import sys
from pathlib import Path

from concierge.kit.postgres import EmbeddedPostgres
from tests.kit.postgres.support import FAST, STAY, Neighbor, eventually, postmaster, value


def test_two_processes_share_one_server_and_the_last_one_stops_it(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, FAST)
    address = server.ensure_running()
    with Neighbor(data_dir, STAY) as neighbor:
        assert int(neighbor.line()) == postmaster(server)
        server.stop()
        assert value(address, "SELECT 1") == 1
        neighbor.finish()
    assert not server.is_answering()


def test_processes_that_start_together_on_an_empty_folder_agree_on_one_server(empty_dir: Path) -> None:
    neighbors = [Neighbor(empty_dir, STAY) for _ in range(3)]
    try:
        assert len({neighbor.line() for neighbor in neighbors}) == 1
        for neighbor in neighbors:
            neighbor.finish()
    finally:
        for neighbor in neighbors:
            neighbor.__exit__()
    assert not EmbeddedPostgres(empty_dir, FAST).is_answering()


def test_a_killed_process_does_not_count_as_a_user(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, FAST)
    server.ensure_running()
    with Neighbor(data_dir, STAY) as neighbor:
        neighbor.line()
        neighbor.kill()
        server.stop()
    assert not server.is_answering()


def test_a_server_left_by_a_killed_process_is_taken_over(data_dir: Path) -> None:
    with Neighbor(data_dir, STAY) as neighbor:
        pid = int(neighbor.line())
        neighbor.kill()
    with EmbeddedPostgres(data_dir, FAST) as server:
        assert postmaster(server) == pid
    assert not server.is_answering()


def test_a_process_that_starts_while_the_last_one_stops_has_its_server(data_dir: Path) -> None:
    script = """
        for _ in range(4):
            server.ensure_running()
            say(value(server.address, "SELECT 1"))
            server.stop()
    """
    with Neighbor(data_dir, script) as first, Neighbor(data_dir, script) as second:
        assert [neighbor.line() for _ in range(4) for neighbor in (first, second)] == ["1"] * 8
        first.finish()
        second.finish()
    assert not EmbeddedPostgres(data_dir, FAST).is_answering()


def test_a_fork_of_the_process_does_not_stop_its_server(data_dir: Path) -> None:
    script = """
        server.ensure_running()
        if (child := os.fork()) == 0:
            server.stop()
            os._exit(0)
        os.waitpid(child, 0)
        say(value(server.address, "SELECT 'alive'"))
        server.stop()
    """
    with Neighbor(data_dir, script) as neighbor:
        assert neighbor.line() == "alive"
        neighbor.finish()


def test_stop_even_if_shared_takes_the_server_from_everybody(data_dir: Path) -> None:
    with Neighbor(data_dir, STAY) as neighbor:
        neighbor.line()
        server = EmbeddedPostgres(data_dir, FAST)
        server.stop(even_if_shared=True)
        assert not server.is_answering()
        neighbor.finish()


def test_the_server_survives_the_process_that_started_it_while_another_uses_it(data_dir: Path) -> None:
    with Neighbor(data_dir, STAY) as starter:
        pid = int(starter.line())
        with EmbeddedPostgres(data_dir, FAST) as server:
            starter.finish()
            assert postmaster(server) == pid
            assert value(server.address, "SELECT 1") == 1


def test_a_server_somebody_else_started_on_the_folder_is_not_touched(data_dir: Path) -> None:
    """Without the claim lock only the data directory's own pid file tells; starting a second one would be fatal."""
    server = EmbeddedPostgres(data_dir, FAST)
    home = server.home
    lock, hidden_socket = home.server_lock, home.folder / "hidden"
    server.ensure_running()
    lock.rename(lock.with_suffix(".gone"))  # As if that server had never heard of the lock.
    home.address.socket.rename(hidden_socket)
    code = (
        "from concierge.kit.postgres import *; import sys; from pathlib import Path\n"
        "try: EmbeddedPostgres(Path(sys.argv[1])).ensure_running()\n"
        "except PostgresError as error: print(error.code)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(data_dir)], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip().endswith("postgres_foreign_server")
    lock.with_suffix(".gone").rename(lock)
    hidden_socket.rename(home.address.socket)
    assert server.is_answering()
    server.stop()
    eventually(lambda: not server.is_answering())
