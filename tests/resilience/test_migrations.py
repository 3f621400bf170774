"""Starting on a database of another age: an older one is brought up to date, a newer one is left alone."""

import threading
from collections.abc import Iterator
from typing import Any

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


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What the last of some statements returns."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        cursor = connection.execute(statement.encode())
        while cursor.nextset():
            continue
        return cursor.fetchall()


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


def test_what_a_pack_held_becomes_its_first_index(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade_to(empty, "0020")
    org_id, pack_id, bare_id, source_id, document_id, chunk_id = (new_id() for _ in range(6))
    vector = str([0.05] * 384)
    execute(
        empty,
        f"""
        INSERT INTO organizations (id, name, slug) VALUES ('{org_id}', 'Shop', 'shop');
        INSERT INTO knowledge_packs (org_id, id, name, document_count, chunk_count, revision)
            VALUES ('{org_id}', '{pack_id}', 'Full', 1, 1, 7), ('{org_id}', '{bare_id}', 'Empty', 0, 0, 0);
        INSERT INTO sources (org_id, id, pack_id, kind, name)
            VALUES ('{org_id}', '{source_id}', '{pack_id}', 'text', 'Note');
        INSERT INTO documents (org_id, id, pack_id, source_id, uri, title, text, content_hash, media_type, embedding,
                               chunk_count)
            VALUES ('{org_id}', '{document_id}', '{pack_id}', '{source_id}', 'note', 'Note', 'A note.', 'x', 'text/plain',
                    '{vector}', 1);
        INSERT INTO chunks (org_id, id, pack_id, document_id, ordinal, start_char, text, headings, embedding, bm25, terms,
                            sentence_spans, sentence_vectors)
            VALUES ('{org_id}', '{chunk_id}', '{pack_id}', '{document_id}', 0, 0, 'A note.', '{{}}', '{vector}',
                    '{{5:1.5}}/999999999', '{{42}}', '{{0,7}}', '');
        INSERT INTO term_stats (org_id, pack_id, term, df) VALUES ('{org_id}', '{pack_id}', 42, 1);
        """,
    )
    monkeypatch.setenv("CONCIERGE_EMBEDDING_MODEL", "openai:text-embedding-3-small")

    assert "0021" in migrate(empty)

    made = "SELECT pack_id, id, number, state, embedding_model, dimensions, chunker FROM pack_indexes"
    first = (pack_id, pack_id, 1, "current", "openai:text-embedding-3-small", 384, "recursive")
    assert rows(empty, made) == [first]
    taken_in = "SELECT index_id, document_id, chunk_count, vector_dims(embedding) FROM indexed_documents"
    assert rows(empty, taken_in) == [(pack_id, document_id, 1, 384)]
    assert rows(empty, "SELECT index_id, term, df FROM term_stats") == [(pack_id, 42, 1)]
    assert rows(empty, "SELECT id, index_id, dimensions FROM chunks") == [(chunk_id, pack_id, 384)]
    found = f"""
        SET LOCAL app.org_id = '{org_id}'; SET LOCAL enable_seqscan = off;
        SELECT chunk_id FROM chunks_with_terms('{{{pack_id}}}', '{{42}}', '{{5:1}}/999999999', 10)
    """
    assert rows(empty, found) == [(chunk_id,)]


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
