"""Starting on a database of another age: an older one is brought up to date, a newer one is left alone."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

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

PACK, DOCUMENT, CHUNK = (UUID(f"00000000-0000-7000-8000-00000000000{number}") for number in (2, 5, 6))
# An organization with a pack that holds a document, and one that holds nothing, as revision 0020 kept them.
FULL_PACK = """
INSERT INTO organizations (id, name, slug) VALUES ('00000000-0000-7000-8000-000000000001', 'Shop', 'shop');
INSERT INTO knowledge_packs (org_id, id, name, document_count, chunk_count)
    VALUES ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', 'Full', 1, 1),
           ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000003', 'Empty', 0, 0);
INSERT INTO sources (org_id, id, pack_id, kind, name)
    VALUES ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000004',
            '00000000-0000-7000-8000-000000000002', 'text', 'Note');
INSERT INTO documents (org_id, id, pack_id, source_id, uri, title, text, content_hash, media_type, embedding,
                       chunk_count)
    VALUES ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000005',
            '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000004', 'note', 'Note',
            'A note.', 'x', 'text/plain', array_fill(0.05::real, ARRAY[384])::halfvec, 1);
INSERT INTO chunks (org_id, id, pack_id, document_id, ordinal, start_char, text, headings, embedding, bm25, terms,
                    sentence_spans, sentence_vectors)
    VALUES ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000006',
            '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000005', 0, 0, 'A note.', '{}',
            array_fill(0.05::real, ARRAY[384])::halfvec, '{5:1.5}/999999999', '{42}', '{0,7}', '');
INSERT INTO term_stats (org_id, pack_id, term, df)
    VALUES ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', 42, 1);
"""
FOUND = """
SET LOCAL app.org_id = '00000000-0000-7000-8000-000000000001';
SET LOCAL enable_seqscan = off;
SELECT chunk_id FROM chunks_with_terms('{00000000-0000-7000-8000-000000000002}', '{42}', '{5:1}/999999999', 10)
"""


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
    execute(empty, FULL_PACK)
    monkeypatch.setenv("CONCIERGE_EMBEDDING_MODEL", "openai:text-embedding-3-small")

    assert "0021" in migrate(empty)

    made = "SELECT pack_id, id, number, state, embedding_model, dimensions, chunker FROM pack_indexes"
    first = (PACK, PACK, 1, "current", "openai:text-embedding-3-small", 384, "recursive")
    assert rows(empty, made) == [first]
    taken_in = "SELECT index_id, document_id, chunk_count, vector_dims(embedding) FROM indexed_documents"
    assert rows(empty, taken_in) == [(PACK, DOCUMENT, 1, 384)]
    assert rows(empty, "SELECT index_id, term, df FROM term_stats") == [(PACK, 42, 1)]
    assert rows(empty, "SELECT id, index_id, dimensions FROM chunks") == [(CHUNK, PACK, 384)]
    assert rows(empty, FOUND) == [(CHUNK,)]


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
