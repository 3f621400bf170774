"""Starting on a database of another age: an older one is brought up to date, a newer one is left alone."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import create_engine

from concierge.kit.errors import UnavailableError
from concierge.kit.ids import new_id
from concierge.kit.migrations import (
    SchemaTooNewError,
    current_revision,
    location,
    migrate,
    newest_revision,
    row_counts,
)
from concierge.kit.postgres import EmbeddedPostgres


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The owner's address of a new, empty database."""
    name = f"age_{new_id().hex}"
    with psycopg.connect(postgres.address.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield postgres.address.url(database=name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def upgrade_to(url: str, revision: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(location()))
        command.upgrade(config, revision)
        connection.commit()
    engine.dispose()


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(statement.encode())


def test_an_empty_database_gets_every_revision_once(empty: str) -> None:
    applied = migrate(empty)

    assert applied == sorted(applied)
    assert applied[-1] == current_revision(empty) == newest_revision()
    assert migrate(empty) == []


def test_an_older_database_is_brought_up_to_date_with_its_rows(empty: str) -> None:
    upgrade_to(empty, "0001")
    execute(empty, "INSERT INTO organizations (id, name, slug) VALUES (gen_random_uuid(), 'Shop', 'shop')")

    applied = migrate(empty)

    assert applied[0] == "0002"
    assert current_revision(empty) == newest_revision()
    assert row_counts(empty)["organizations"] == 1


def test_processes_that_start_together_migrate_once(empty: str) -> None:
    applied: list[list[str]] = []
    threads = [threading.Thread(target=lambda: applied.append(migrate(empty))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([revisions for revisions in applied if revisions]) == 1
    assert len(applied) == 3


def test_a_newer_database_is_refused_in_a_sentence_and_left_alone(empty: str) -> None:
    migrate(empty)
    execute(empty, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaTooNewError, match="9999 of a newer release"):
        migrate(empty)

    assert current_revision(empty) == "9999"


def test_a_database_that_cannot_be_reached_is_said_to_be(empty: str) -> None:
    with pytest.raises(UnavailableError, match="cannot be reached"):
        migrate(empty.replace("/age_", "/no_such_"))
