"""A backup restores completely or changes nothing."""

from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from concierge.kit.errors import ConciergeError, InvalidInputError
from concierge.kit.postgres import EmbeddedPostgres, PostgresAddress, PostgresError
from concierge.kit.postgres.backup import connection, dump, restore
from tests.kit.postgres.support import FAST, execute, value


@pytest.fixture
def shop(data_dir: Path) -> Generator[PostgresAddress]:
    with EmbeddedPostgres(data_dir, FAST) as server:
        execute(server.address, "CREATE EXTENSION vector")
        execute(server.address, "CREATE SCHEMA queue")
        execute(server.address, "CREATE TABLE queue.jobs (id int)")
        execute(server.address, "CREATE TABLE chunks (id int PRIMARY KEY, body text, embedding halfvec(3))")
        execute(
            server.address,
            "INSERT INTO chunks SELECT i, 'größe ' || i, '[1,2,3]' FROM generate_series(1, 2000) i",
        )
        execute(server.address, "CREATE INDEX ON chunks USING hnsw (embedding halfvec_cosine_ops)")
        execute(server.address, "ALTER TABLE chunks ENABLE ROW LEVEL SECURITY")
        execute(server.address, "GRANT SELECT ON chunks TO concierge_app")
        yield server.address


def test_a_restored_database_is_the_one_that_was_backed_up(shop: PostgresAddress, tmp_path: Path) -> None:
    file = tmp_path / "shop.backup"
    said: list[str] = []
    dump(shop, file, on_progress=said.append)
    assert any("public.chunks" in line for line in said)
    assert file.stat().st_mode & 0o077 == 0
    execute(shop, "DELETE FROM chunks")
    execute(shop, "CREATE TABLE made_by_a_newer_release (id int)")
    restore(shop, file, on_progress=said.append)
    assert value(shop, "SELECT count(*) || ' ' || max(body) FROM chunks") == "2000 größe 999"
    assert value(shop, "SELECT to_regclass('made_by_a_newer_release')") is None
    assert value(shop, "SELECT to_regclass('queue.jobs')::text") == "queue.jobs"
    assert value(shop, "SELECT relrowsecurity FROM pg_class WHERE relname = 'chunks'") is True
    assert value(shop, "SELECT count(*) FROM pg_indexes WHERE tablename = 'chunks'") == 2
    assert value(shop, "SELECT has_table_privilege('concierge_app', 'chunks', 'SELECT')") is True
    assert value(shop, "SELECT has_schema_privilege('concierge_app', 'public', 'USAGE')") is True


def test_a_backup_restores_into_another_database(shop: PostgresAddress, tmp_path: Path) -> None:
    file = tmp_path / "shop.backup"
    dump(shop.url(), file)
    execute(shop, "CREATE DATABASE elsewhere")
    restore(shop.url(database="elsewhere"), file)
    with psycopg.connect(shop.conninfo(database="elsewhere")) as other:
        assert other.execute("SELECT count(*) FROM chunks").fetchone() == (2000,)


def test_a_backup_that_ends_in_the_middle_changes_nothing(shop: PostgresAddress, tmp_path: Path) -> None:
    file = tmp_path / "shop.backup"
    dump(shop, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3])
    execute(shop, "DELETE FROM chunks WHERE id > 7")
    with pytest.raises(PostgresError) as raised:
        restore(shop, file)
    assert raised.value.code == "backup_unreadable"
    assert value(shop, "SELECT count(*) FROM chunks") == 7


def test_a_statement_that_fails_changes_nothing_and_is_quoted(shop: PostgresAddress, tmp_path: Path) -> None:
    file = tmp_path / "shop.backup"
    execute(shop, "CREATE ROLE cashier")
    execute(shop, "GRANT SELECT ON chunks TO cashier")
    dump(shop, file)
    execute(shop, "REVOKE SELECT ON chunks FROM cashier")
    execute(shop, "DROP ROLE cashier")
    execute(shop, "DELETE FROM chunks WHERE id > 7")
    with pytest.raises(PostgresError, match='role "cashier" does not exist') as raised:
        restore(shop, file)
    assert raised.value.code == "restore_failed"
    assert value(shop, "SELECT count(*) FROM chunks") == 7


def test_a_file_that_is_no_backup_is_refused_before_anything_happens(tmp_path: Path) -> None:
    file = tmp_path / "holiday.jpg"
    file.write_bytes(b"\xff\xd8 not a backup")
    with pytest.raises(InvalidInputError, match="not a backup"):
        restore("postgresql://nowhere.invalid/x", file)
    with pytest.raises(ConciergeError, match="cannot be read"):
        restore("postgresql://nowhere.invalid/x", tmp_path / "absent")


def test_a_backup_without_a_server_says_so_and_leaves_no_file(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="No such file or directory"):
        dump(EmbeddedPostgres(data_dir, FAST).address, tmp_path / "x.backup")
    assert list(tmp_path.iterdir()) == []


def test_a_password_is_not_shown_to_those_who_list_processes() -> None:
    target, environment = connection(
        "postgresql+psycopg://me:s3cret@db.example.com:5433/shop?sslmode=require"
    )
    assert "s3cret" not in target
    assert environment["PGPASSWORD"] == "s3cret"
    assert "host=db.example.com" in target
    with pytest.raises(InvalidInputError, match="no address of a database"):
        connection("postgresql://[broken")
