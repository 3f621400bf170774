"""Question–answer pairs that are typed: embedded and stored at once, so that the next question finds them."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from concierge.accounts.scope import TenantScope
from concierge.kit.clock import Clock
from concierge.kit.db import Database, Session
from concierge.kit.ids import new_id
from concierge.kit.text import normalize
from concierge.knowledge.chunkers import Chunkers
from concierge.knowledge.errors import (
    FaqFromFeedError,
    FaqNotFoundError,
    PackNotFoundError,
    QuestionTakenError,
)
from concierge.knowledge.ingestion.prepare import new_document, prepared
from concierge.knowledge.models import Document, PackIndex, Source
from concierge.knowledge.parsing.document import ParsedDocument
from concierge.knowledge.parsing.language import language_of
from concierge.knowledge.repository import (
    DocumentRepository,
    IndexRepository,
    JudgementRepository,
    NewChunk,
    NewDocument,
    PackRepository,
    SourceRepository,
    plan_of,
)
from concierge.knowledge.repository.faqs import FaqRepository
from concierge.knowledge.repository.renaming import renamed
from concierge.knowledge.schemas import NewItem
from concierge.knowledge.schemas.archives import DOCUMENT_TYPE
from concierge.knowledge.schemas.faqs import FaqIn, FaqOut, FaqPatch
from concierge.knowledge.service.contradictions import look_for_contradictions
from concierge.knowledge.sources.pairs import answer_in, text_of
from concierge.knowledge.sources.questions import key_of

# The source of a pack's own pairs: there is one, made with the first of them.
KIND: Final = "faq"
SOURCE_URI: Final = "questions"
SOURCE_NAME: Final = "Questions and answers"


class FaqService:
    """Each call opens its own transactions, because none is held while a pair is embedded."""

    def __init__(self, db: Database, chunkers: Chunkers, clock: Clock) -> None:
        self._db = db
        self._chunkers = chunkers
        self._clock = clock

    async def list(
        self, scope: TenantScope, pack_id: UUID, *, after: UUID | None, limit: int
    ) -> Sequence[FaqOut]:
        """Return a pack's pairs, the oldest first. Errors: PackNotFoundError."""
        async with self._db.transaction(scope.org_id) as session:
            await _require_pack(session, scope, pack_id)
            pairs = await FaqRepository(session, scope).list(pack_id, after, limit)
            return [_shown(pair, pair.id) for pair in pairs]

    async def get(self, scope: TenantScope, pack_id: UUID, faq_id: UUID) -> FaqOut:
        """Errors: FaqNotFoundError."""
        async with self._db.transaction(scope.org_id) as session:
            pair = await FaqRepository(session, scope).get(pack_id, faq_id)
            if pair is None:
                raise FaqNotFoundError
            return _shown(pair, faq_id)

    async def create(self, scope: TenantScope, pack_id: UUID, wanted: FaqIn) -> FaqOut:
        """Errors: PackNotFoundError, QuestionTakenError, UnavailableError."""
        async with self._db.transaction(scope.org_id) as session:
            await _require_pack(session, scope, pack_id)
        return await self._save(scope, pack_id, wanted, None)

    async def change(self, scope: TenantScope, pack_id: UUID, faq_id: UUID, patch: FaqPatch) -> FaqOut:
        """Change what is given; what changes nothing does nothing.

        Errors: FaqNotFoundError, FaqFromFeedError, QuestionTakenError, UnavailableError.
        """
        now = await self.get(scope, pack_id, faq_id)
        if now.from_feed:
            raise FaqFromFeedError
        before = FaqIn.model_validate(now.model_dump(include={"question", "wordings", "answer", "url"}))
        wanted = before.model_copy(update={name: getattr(patch, name) for name in patch.model_fields_set})
        if wanted == before:
            return now
        return await self._save(scope, pack_id, wanted, faq_id)

    async def remove(self, scope: TenantScope, pack_id: UUID, faq_id: UUID) -> None:
        """Errors: FaqNotFoundError, FaqFromFeedError."""
        if (await self.get(scope, pack_id, faq_id)).from_feed:
            raise FaqFromFeedError
        async with self._db.transaction(scope.org_id) as session:
            documents = DocumentRepository(session, scope)
            if await documents.lock_pack(pack_id):
                await documents.remove([faq_id])
                await FaqRepository(session, scope).forget_items(faq_id)

    async def _save(self, scope: TenantScope, pack_id: UUID, wanted: FaqIn, known_as: UUID | None) -> FaqOut:
        parsed = self._parsed(wanted)
        # The pack may be switched to another index before the pair is stored.
        while True:
            async with self._db.transaction(scope.org_id) as session:
                indexes = IndexRepository(session, scope)
                index = await indexes.current_or_first(pack_id, self._chunkers.default_plan, self._clock())
            plan = plan_of(index)
            chunker, embedder = await self._chunkers.of(plan), await self._chunkers.embedder(plan)
            chunks = await chunker.chunks(parsed.text)
            rows = await prepared(embedder, index.id, chunks, parsed.text, parsed.questions)
            async with self._db.transaction(scope.org_id) as session:
                if not await DocumentRepository(session, scope).lock_pack(pack_id):
                    raise PackNotFoundError
                if not await IndexRepository(session, scope).confirm(index):
                    continue
                source = await self._source(session, scope, pack_id)
                new = new_document(source, key_of(parsed.title), parsed).flagged(chunks)
                faq_id = await self._store(session, scope, index, new, rows, known_as)
                await look_for_contradictions(session, scope, pack_id)
                return _shown(new, faq_id)

    def _parsed(self, wanted: FaqIn) -> ParsedDocument:
        asked = [normalize(question) for question in (wanted.question, *wanted.wordings)]
        text = text_of(asked[0], normalize(wanted.answer))
        # Of two that differ in nothing but punctuation the first is kept.
        wordings = {key_of(question): question for question in reversed(asked)}
        return ParsedDocument(
            title=asked[0],
            text=text,
            url=str(wanted.url) if wanted.url else None,
            language=language_of(text),
            published_at=None,
            modified_at=self._clock(),
            media_type="text/markdown",
            kind=KIND,
            questions=tuple(reversed(wordings.values())),
        )

    async def _source(self, session: Session, scope: TenantScope, pack_id: UUID) -> Source:
        """The caller holds the pack's lock."""
        sources = SourceRepository(session, scope)
        source = await sources.by_uri(pack_id, KIND, SOURCE_URI)
        if source is None:
            now = self._clock()
            source = Source(
                org_id=scope.org_id,
                id=new_id(),
                pack_id=pack_id,
                kind=KIND,
                name=SOURCE_NAME,
                uri=SOURCE_URI,
                status="succeeded",
                authoritative=True,
                credibility=1.0,
                created_at=now,
                finished_at=now,
                synced_at=now,
            )
            await sources.add(source)
        return source

    async def _store(
        self,
        session: Session,
        scope: TenantScope,
        index: PackIndex,
        new: NewDocument,
        chunks: Sequence[NewChunk],
        known_as: UUID | None,
    ) -> UUID:
        """Put a pair in its earlier version's place, if there was one. The caller holds the pack's lock."""
        documents, faqs = DocumentRepository(session, scope), FaqRepository(session, scope)
        _refuse(new, await faqs.by_key(new.source_id, new.uri), known_as)
        if known_as is not None:
            place = await documents.place_of(known_as)
            if place is None:
                raise FaqNotFoundError
            # A pair stands under its question, and what was said of it goes along.
            await renamed(session, scope, *place, new.uri)
        new = await JudgementRepository(session, scope).judged(new)
        same = await documents.same_content(new)
        _refuse(new, same and same[0], known_as)
        if known_as is not None:
            await documents.remove([known_as])
            await faqs.forget_items(known_as)
        await SourceRepository(session, scope).add_items(
            new.source_id, [NewItem(new.uri, None, DOCUMENT_TYPE)]
        )
        faq_id = await documents.add(new, index, chunks, known_as=known_as)
        await faqs.note_stored(new.source_id, new.uri, faq_id, self._clock())
        return faq_id


def _refuse(new: NewDocument, other: UUID | None, known_as: UUID | None) -> None:
    if other is not None and other != known_as:
        raise QuestionTakenError(new.title, other)


async def _require_pack(session: Session, scope: TenantScope, pack_id: UUID) -> None:
    if await PackRepository(session, scope).get(pack_id) is None:
        raise PackNotFoundError


def _shown(pair: Document | NewDocument, faq_id: UUID) -> FaqOut:
    question, *wordings = pair.questions
    changed = pair.modified_at or (pair.created_at if isinstance(pair, Document) else None)
    assert changed is not None, "a pair that was typed knows when"
    return FaqOut(
        id=faq_id,
        pack_id=pair.pack_id,
        source_id=pair.source_id,
        question=question,
        wordings=wordings,
        answer=pair.text[answer_in(pair.text) :],
        url=pair.url,
        # A pair that was typed stands under its question.
        from_feed=pair.uri != key_of(question),
        flags=list(pair.flags),
        updated_at=changed,
    )
