"""What the tests of ingestion look at: a source with its items, and whether a pack's counters tell the truth."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from concierge.accounts.scope import Unit
from concierge.knowledge.schemas import NewItem, NewSource, SourceKind, SourceOut
from concierge.knowledge.service import SourceService
from tests.factories.tenants import Tenant

# Everything that is counted, beside what it should be by counting again.
RECOUNT = """
SELECT
    (SELECT coalesce(json_object_agg(term, df ORDER BY term)::text, '{}') FROM term_stats
     JOIN pack_indexes x ON x.id = index_id WHERE pack_id = :pack_id) AS noted_terms,
    (SELECT coalesce(json_object_agg(term, df ORDER BY term)::text, '{}') FROM
     (SELECT term, count(*) AS df FROM chunks JOIN pack_indexes x ON x.id = index_id, unnest(terms) AS term
      WHERE pack_id = :pack_id GROUP BY term) AS t
    ) AS counted_terms,
    (SELECT coalesce(json_object_agg(term || audience, df ORDER BY term, audience)::text, '{}')
     FROM restricted_term_stats JOIN pack_indexes x ON x.id = index_id WHERE pack_id = :pack_id) AS noted_restricted,
    (SELECT coalesce(json_object_agg(term || audience, df ORDER BY term, audience)::text, '{}') FROM
     (SELECT term, audience, count(*) AS df FROM documents d JOIN chunks c ON c.document_id = d.id,
             unnest(terms) AS term
      WHERE d.pack_id = :pack_id AND audience IS NOT NULL GROUP BY term, audience) AS t
    ) AS counted_restricted,
    (SELECT ARRAY[document_count, chunk_count] FROM knowledge_packs WHERE id = :pack_id) AS noted_sizes,
    (SELECT ARRAY[count(*), coalesce(sum(chunk_count), 0)] FROM documents WHERE pack_id = :pack_id) AS documents,
    (SELECT count(*) FROM chunks JOIN pack_indexes x ON x.id = index_id
     WHERE pack_id = :pack_id AND state = 'current') AS chunks,
    (SELECT count(*) FROM indexed_documents JOIN pack_indexes x ON x.id = index_id
     WHERE pack_id = :pack_id AND state = 'current') AS indexed,
    (SELECT count(*) FROM (SELECT index_id, document_id, count(*) AS held FROM chunks GROUP BY 1, 2) c
     FULL JOIN indexed_documents i USING (index_id, document_id)
     WHERE coalesce(c.held, 0) <> coalesce(i.chunk_count, -1)) AS miscounted,
    (SELECT count(*) FROM source_items i JOIN sources s ON s.id = i.source_id
     WHERE s.pack_id = :pack_id AND i.document_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM documents d WHERE d.id = i.document_id)) AS dangling_items
"""


@dataclass(frozen=True, slots=True)
class Item:
    uri: str
    status: str
    error_code: str | None
    error: str | None
    chunk_count: int


def folder(name: str, **documents: str | bytes) -> NewSource:
    """A folder of Markdown files, or of bytes whose extension follows two underscores (`notes__pdf`)."""
    items = [NewItem(_file_name(key), _content(value)) for key, value in documents.items()]
    return NewSource("folder", name, name, items)


def single(name: str, data: bytes | None, kind: SourceKind = "file") -> NewSource:
    return NewSource(kind, name, name, [NewItem(name, data)])


def _file_name(key: str) -> str:
    stem, _, extension = key.partition("__")
    return f"{stem}.{extension or 'md'}"


def _content(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


async def source_of(tenant: Tenant, source_id: UUID) -> SourceOut:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        return await SourceService(Unit(session, tenant.scope)).get(source_id)


async def items_of(tenant: Tenant, source_id: UUID) -> dict[str, Item]:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        rows = await SourceService(Unit(session, tenant.scope)).items(
            source_id, status=None, after=None, limit=200
        )
        return {
            row.uri: Item(row.uri, row.status, row.error_code, row.error, row.chunk_count) for row in rows
        }


async def texts_in(tenant: Tenant) -> list[str]:
    """The texts of the pack's documents, sorted."""
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        rows = await session.execute(
            text("SELECT text FROM documents WHERE pack_id = :pack_id"), {"pack_id": tenant.pack_id}
        )
        return sorted(row[0] for row in rows)


async def add(tenant: Tenant, source: NewSource) -> UUID:
    """Add a source without reading it."""
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        return (await SourceService(Unit(session, tenant.scope)).add(tenant.pack_id, source)).id


async def until_stored(tenant: Tenant, source_id: UUID, count: int) -> SourceOut:
    """Wait until so many documents of a source are stored, while another task reads it."""
    for _ in range(4_000):
        source = await source_of(tenant, source_id)
        if source.progress.stored >= count:
            return source
        await asyncio.sleep(0.005)
    raise AssertionError(f"Fewer than {count} documents were stored.")


async def cancel(tenant: Tenant, source_id: UUID) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await SourceService(Unit(session, tenant.scope)).cancel(source_id)


async def retry(tenant: Tenant, source_id: UUID) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await SourceService(Unit(session, tenant.scope)).retry(source_id)
    await tenant.platform.ingestion.run(tenant.scope, source_id)


async def remove(tenant: Tenant, source_id: UUID) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await SourceService(Unit(session, tenant.scope)).remove(source_id)


async def assert_counters_are_true(tenant: Tenant) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        found = (await session.execute(text(RECOUNT), {"pack_id": tenant.pack_id})).one()
    assert found.noted_terms == found.counted_terms
    assert found.noted_restricted == found.counted_restricted
    assert found.noted_sizes == [found.documents[0], found.chunks]
    assert found.documents[1] == found.chunks
    assert found.indexed == found.documents[0]
    assert found.miscounted == 0
    assert found.dangling_items == 0
