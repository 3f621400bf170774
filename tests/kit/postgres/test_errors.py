"""Whoever runs the product reads what is wrong and what to do about it."""

import subprocess
from pathlib import Path

import pytest

from concierge.kit.postgres import EmbeddedPostgres, PostgresError, PostgresTuning
from concierge.kit.postgres.errors import from_os_error, from_output
from concierge.kit.postgres.probe import Health, judge
from concierge.kit.postgres.tuning import has_roomy_shared_memory, quoted, render, settings
from tests.kit.postgres.support import FAST, value


def test_a_cluster_of_another_version_is_left_alone_and_explained(data_dir: Path) -> None:
    (data_dir / "cluster/PG_VERSION").write_text("16\n")
    server = EmbeddedPostgres(data_dir, FAST)
    with pytest.raises(PostgresError, match="written by PostgreSQL 16") as raised:
        server.ensure_running()
    assert raised.value.code == "postgres_version_mismatch"
    server.stop()


def test_a_damaged_cluster_is_reported_with_the_servers_own_words(data_dir: Path) -> None:
    (data_dir / "cluster/global/pg_control").write_bytes(b"")
    server = EmbeddedPostgres(data_dir, FAST)
    with pytest.raises(PostgresError, match="pg_control") as raised:
        server.ensure_running()
    assert raised.value.code == "postgres_start_failed"
    server.stop()


def test_a_setting_the_server_refuses_is_reported_with_its_name(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, PostgresTuning(work_mem="a lot"))
    with pytest.raises(PostgresError, match='invalid value for parameter "work_mem"'):
        server.ensure_running()
    server.stop()


def test_a_full_disk_is_named_and_leaves_a_folder_that_works_once_there_is_space(empty_dir: Path) -> None:
    empty_dir.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m,mode=755", "tmpfs", str(empty_dir)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("Only root with the right to mount can make a small disk.")
    try:
        server = EmbeddedPostgres(empty_dir / "postgres", FAST)
        with pytest.raises(PostgresError, match="is full") as raised:
            server.ensure_running()
        assert raised.value.code == "postgres_disk_full"
        subprocess.run(["mount", "-o", "remount,size=200m", str(empty_dir)], check=True)
        assert value(server.ensure_running(), "SELECT 1") == 1
        server.stop()
    finally:
        subprocess.run(["umount", str(empty_dir)], check=True)


def test_a_file_in_the_place_of_the_folder_is_named(empty_dir: Path) -> None:
    empty_dir.write_text("I am a file.")
    with pytest.raises(PostgresError, match="cannot be used"):
        EmbeddedPostgres(empty_dir, FAST).ensure_running()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (28, "postgres_disk_full"),
        (122, "postgres_disk_full"),
        (30, "postgres_read_only"),
        (13, "postgres_read_only"),
        (5, "postgres_data_folder"),
    ],
)
def test_failures_of_the_file_system_have_stable_codes(number: int, code: str) -> None:
    assert from_os_error(OSError(number, "…"), Path("data")).code == code


def test_an_error_quotes_the_last_lines_of_what_was_said() -> None:
    said = "\n".join(f"line {number}" for number in range(20))
    error = from_output("Starting PostgreSQL", said, Path("data"), code="postgres_start_failed")
    assert error.detail.endswith("line 19")
    assert "line 13" not in error.detail


@pytest.mark.parametrize(
    ("said", "health"),
    [
        ("FATAL:  the database system is starting up", Health.WAITING),
        ("FATAL:  the database system is not yet accepting connections", Health.WAITING),
        ("FATAL:  the database system is in recovery mode", Health.WAITING),
        ("FATAL:  the database system is shutting down", Health.WAITING),
        ("FATAL:  terminating connection due to administrator command", Health.WAITING),
        ("FATAL:  sorry, too many clients already", Health.READY),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            Health.READY,
        ),
        ('FATAL:  role "postgres" does not exist', Health.REFUSING),
        ("connection failed: No such file or directory", Health.SILENT),
        ("connection timeout expired", Health.SILENT),
        ("server closed the connection unexpectedly", Health.SILENT),
    ],
)
def test_what_the_server_says_decides_whether_to_wait_or_to_act(said: str, health: Health) -> None:
    assert judge(said).health is health


def test_every_setting_is_one_the_server_knows(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as server:
        unknown = "SELECT count(*) FROM pg_file_settings WHERE NOT applied OR error IS NOT NULL"
        assert value(server.address, unknown) == 0
        assert value(server.address, "SELECT current_setting('jit')") == "off"


def test_settings_are_quoted_for_the_configuration_file() -> None:
    assert quoted("it's") == "'it''s'"
    assert r"""unix_socket_directories = '"/a ""b"", c\\d"'""" in render(FAST, Path('/a "b", c\\d'))


def test_without_room_in_shared_memory_parallel_queries_use_files(tmp_path: Path) -> None:
    assert not has_roomy_shared_memory(tmp_path / "absent")
    kind = settings(FAST, Path("/run"))["dynamic_shared_memory_type"]
    assert kind == ("posix" if has_roomy_shared_memory() else "mmap")
