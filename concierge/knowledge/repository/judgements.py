"""What operators say of documents: whom to believe, and for whom they are. Said of a source, or of one of its documents.

A document always has the audience of its place. Where the same text has places of different audiences, each audience
has a document of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self
from uuid import UUID

from sqlalchemy import delete, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.knowledge.models import Document, DocumentJudgement, Source, SourceItem
from concierge.knowledge.repository.copies import copied
from concierge.knowledge.repository.documents import DocumentRepository, NewDocument
from concierge.knowledge.repository.restricted import count_restricted, uncount_restricted

# A pair is written to be the answer.
JUDGEMENT_OF = """
SELECT coalesce(j.authoritative, s.authoritative OR :kind = 'faq'), coalesce(j.credibility, s.credibility),
       nullif(coalesce(j.audience, s.audience), '')
FROM sources s LEFT JOIN document_judgements j ON j.org_id = s.org_id AND j.source_id = s.id AND j.uri = :uri
WHERE s.org_id = :org_id AND s.id = :source_id
"""

JUDGE_AGAIN = """
UPDATE documents d SET authoritative = said.authoritative, credibility = said.credibility
FROM (
    SELECT d.id, coalesce(j.authoritative, s.authoritative OR d.kind = 'faq') AS authoritative,
           coalesce(j.credibility, s.credibility) AS credibility
    FROM documents d JOIN sources s ON s.org_id = d.org_id AND s.id = d.source_id
    LEFT JOIN document_judgements j ON j.org_id = d.org_id AND j.source_id = d.source_id AND j.uri = d.uri
    WHERE d.org_id = :org_id AND d.id = ANY (:documents)
) said
WHERE d.org_id = :org_id AND d.id = said.id
  AND (d.authoritative, d.credibility) IS DISTINCT FROM (said.authoritative, said.credibility)
"""

# `there` is the document that has the same text for the wanted audience already.
MISPLACED = """
SELECT d.id, d.source_id, d.uri, d.content_hash, said.audience, there.id
FROM documents d JOIN sources s ON s.org_id = d.org_id AND s.id = d.source_id
LEFT JOIN document_judgements j ON j.org_id = d.org_id AND j.source_id = d.source_id AND j.uri = d.uri
CROSS JOIN LATERAL (SELECT nullif(coalesce(j.audience, s.audience), '') AS audience) said
LEFT JOIN documents there ON there.org_id = d.org_id AND there.pack_id = d.pack_id
    AND there.content_hash = d.content_hash AND there.audience IS NOT DISTINCT FROM said.audience
WHERE d.org_id = :org_id AND d.id = ANY (:documents) AND d.audience IS DISTINCT FROM said.audience
ORDER BY d.id
"""

# Of what a source has, the documents of others that are not for its audience.
STRAYS = """
SELECT DISTINCT ON (d.id, said.audience) d.id, i.source_id, i.uri, d.content_hash, said.audience, there.id
FROM source_items i JOIN sources s ON s.org_id = i.org_id AND s.id = i.source_id
JOIN documents d ON d.org_id = i.org_id AND d.id = i.document_id
LEFT JOIN document_judgements j ON j.org_id = i.org_id AND j.source_id = i.source_id AND j.uri = i.uri
CROSS JOIN LATERAL (SELECT nullif(coalesce(j.audience, s.audience), '') AS audience) said
LEFT JOIN documents there ON there.org_id = d.org_id AND there.pack_id = d.pack_id
    AND there.content_hash = d.content_hash AND there.audience IS NOT DISTINCT FROM said.audience
WHERE i.org_id = :org_id AND i.source_id = :source_id AND d.audience IS DISTINCT FROM said.audience
ORDER BY d.id, said.audience
"""

HAND_OVER = """
WITH heirs AS (
    SELECT DISTINCT ON (d.id) d.id, i.source_id, i.uri
    FROM documents d JOIN source_items i ON i.org_id = d.org_id AND i.document_id = d.id
    JOIN sources s ON s.org_id = i.org_id AND s.id = i.source_id
    LEFT JOIN document_judgements j ON j.org_id = i.org_id AND j.source_id = i.source_id AND j.uri = i.uri
    WHERE d.org_id = :org_id AND d.id = ANY (:documents) AND (i.source_id, i.uri) <> (d.source_id, d.uri)
      AND i.source_id IS DISTINCT FROM CAST(:leaving AS uuid)
      AND nullif(coalesce(j.audience, s.audience), '') IS NOT DISTINCT FROM d.audience
    ORDER BY d.id
)
UPDATE documents d SET source_id = h.source_id, uri = h.uri
FROM heirs h WHERE d.org_id = :org_id AND d.id = h.id
RETURNING d.id
"""

# The items of an audience hold another document than they did.
HOLD_INSTEAD = """
UPDATE source_items SET document_id = :other WHERE org_id = :org_id AND id IN (
    SELECT i.id FROM source_items i JOIN sources s ON s.org_id = i.org_id AND s.id = i.source_id
    LEFT JOIN document_judgements j ON j.org_id = i.org_id AND j.source_id = i.source_id AND j.uri = i.uri
    WHERE i.org_id = :org_id AND i.document_id = :id
      AND nullif(coalesce(j.audience, s.audience), '') IS NOT DISTINCT FROM CAST(:audience AS text))
"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of one document; None is as its source, and an empty audience the public."""

    authoritative: bool | None = None
    credibility: float | None = None
    audience: str | None = None

    @classmethod
    def of(cls, row: DocumentJudgement) -> Self:
        return cls(row.authoritative, row.credibility, row.audience)


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A document that is not for the `audience` of its place; `there` has the same text for that."""

    id: UUID
    source_id: UUID
    uri: str
    content_hash: bytes
    audience: str | None
    there: UUID | None


Place = tuple[UUID, str]


class JudgementRepository:
    """The caller holds the pack's lock wherever something is changed."""

    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope
        self._documents = DocumentRepository(session, scope)

    async def judged(self, new: NewDocument) -> NewDocument:
        """Return a document as it is judged at this moment, whatever was said when its reading began."""
        row = (
            await self._session.execute(
                text(JUDGEMENT_OF),
                {"org_id": self._scope.org_id, "source_id": new.source_id, "uri": new.uri, "kind": new.kind},
            )
        ).first()
        if row is None:
            return new
        return replace(new, authoritative=row[0], credibility=row[1], audience=row[2])

    async def pack_of_source(self, source_id: UUID) -> UUID | None:
        return await self._session.scalar(
            select(Source.pack_id).where(Source.org_id == self._scope.org_id, Source.id == source_id)
        )

    async def pack_of_document(self, document_id: UUID) -> UUID | None:
        return await self._session.scalar(
            select(Document.pack_id).where(Document.org_id == self._scope.org_id, Document.id == document_id)
        )

    async def document_at(self, places: Sequence[Place]) -> Document | None:
        """Return a document that the items of these places hold."""
        held = select(SourceItem.document_id).where(
            SourceItem.org_id == self._scope.org_id,
            tuple_(SourceItem.source_id, SourceItem.uri).in_(places),
        )
        return await self._session.scalar(
            select(Document).where(Document.org_id == self._scope.org_id, Document.id.in_(held)).limit(1)
        )

    async def of_places(self, places: Iterable[Place]) -> dict[Place, Judgement]:
        """Return what is said of single documents, by source and name."""
        wanted = set(places)
        rows = await self._session.scalars(
            select(DocumentJudgement).where(
                DocumentJudgement.org_id == self._scope.org_id,
                DocumentJudgement.source_id.in_({source_id for source_id, _ in wanted}),
                DocumentJudgement.uri.in_({uri for _, uri in wanted}),
            )
        )
        found = {(row.source_id, row.uri): Judgement.of(row) for row in rows}
        return {place: said for place, said in found.items() if place in wanted}

    async def places_of(self, document_id: UUID) -> list[Place]:
        """Return every place that has a document's text."""
        own = select(Document.source_id, Document.uri).where(
            Document.org_id == self._scope.org_id, Document.id == document_id
        )
        others = select(SourceItem.source_id, SourceItem.uri).where(
            SourceItem.org_id == self._scope.org_id, SourceItem.document_id == document_id
        )
        return [(row[0], row[1]) for row in await self._session.execute(own.union(others))]

    async def judge(self, said: Mapping[Place, Judgement]) -> None:
        """Note what is said of documents, in place of what was said of them before."""
        for (source_id, uri), judgement in said.items():
            key = {"org_id": self._scope.org_id, "source_id": source_id, "uri": uri}
            values = asdict(judgement)
            if judgement == Judgement():
                await self._session.execute(delete(DocumentJudgement).filter_by(**key))
                continue
            noted = insert(DocumentJudgement).values(**key, **values)
            await self._session.execute(noted.on_conflict_do_update(index_elements=list(key), set_=values))

    async def apply(self, document_ids: Sequence[UUID]) -> None:
        """Have documents follow what is now said of them and of their sources.

        One that another place has too, for whom it is now, stays with that.
        """
        misplaced = await self._of_places(MISPLACED, self._of(document_ids))
        kept = await self._pass_on([entry.id for entry in misplaced])
        await self._move([entry for entry in misplaced if entry.id not in kept])
        await self._judge_again(document_ids)

    async def apply_to_source(self, source_id: UUID) -> None:
        """Have a source's documents follow what is now said of it; of those it shared, it gets its own."""
        await self.apply(await self._documents.of_source(source_id))
        of_source = {"org_id": self._scope.org_id, "source_id": source_id}
        for entry in await self._of_places(STRAYS, of_source):
            own = entry.there or await copied(
                self._session,
                self._scope,
                entry.id,
                source_id=entry.source_id,
                uri=entry.uri,
                audience=entry.audience,
            )
            await self._hold_instead(entry, own)
        await self._judge_again(await self._documents.of_source(source_id))

    async def hand_over(self, document_ids: Sequence[UUID], *, leaving: UUID | None = None) -> list[UUID]:
        """Give documents that another item has too to that item; a source that is leaving keeps nothing.

        Returns those nobody else has.
        """
        kept = await self._pass_on(document_ids, leaving=leaving)
        await self._judge_again(sorted(kept))
        return sorted(set(document_ids) - kept)

    async def _pass_on(self, document_ids: Sequence[UUID], *, leaving: UUID | None = None) -> set[UUID]:
        """Give documents to others that have them for the same audience. Returns those that others have."""
        if not document_ids:
            return set()
        parameters = {**self._of(document_ids), "leaving": leaving}
        return set((await self._session.execute(text(HAND_OVER), parameters)).scalars())

    async def _move(self, misplaced: Sequence[Misplaced]) -> None:
        """Let documents be for the audience of their place, or give way to what that has of the same text."""
        moved: dict[str | None, list[UUID]] = {}
        taken: dict[tuple[bytes, str | None], UUID] = {}
        for entry in misplaced:
            other = entry.there or taken.setdefault((entry.content_hash, entry.audience), entry.id)
            if other == entry.id:
                moved.setdefault(entry.audience, []).append(entry.id)
            else:
                await self._hold_instead(entry, other)
                await self._documents.remove([entry.id])
        for audience, documents in moved.items():
            await uncount_restricted(self._session, self._scope, documents)
            await self._session.execute(
                update(Document)
                .where(Document.org_id == self._scope.org_id, Document.id.in_(documents))
                .values(audience=audience)
            )
            await count_restricted(self._session, self._scope, documents)

    async def _of_places(self, query: str, parameters: Mapping[str, Any]) -> list[Misplaced]:
        return [Misplaced(*row) for row in await self._session.execute(text(query), parameters)]

    async def _hold_instead(self, entry: Misplaced, other: UUID) -> None:
        parameters = {
            "org_id": self._scope.org_id,
            "id": entry.id,
            "other": other,
            "audience": entry.audience,
        }
        await self._session.execute(text(HOLD_INSTEAD), parameters)

    async def _judge_again(self, document_ids: Sequence[UUID]) -> None:
        if document_ids:
            await self._session.execute(text(JUDGE_AGAIN), self._of(document_ids))

    def _of(self, document_ids: Sequence[UUID]) -> dict[str, Any]:
        return {"org_id": self._scope.org_id, "documents": list(document_ids)}
