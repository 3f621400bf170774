"""Read a source: parse each of its items, chunk and embed it, store it, and keep its progress visible.

Every item is stored in one transaction together with the note that it is done, so a crash at any moment loses at
most the work of the items under way, and a second run goes on where the first one ended, without duplicates.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import structlog

from concierge.accounts.scope import TenantScope
from concierge.kit.clock import Clock
from concierge.kit.db import Database, Session, StorageFullError
from concierge.kit.errors import ConciergeError, InvalidInputError
from concierge.kit.fetch import Fetched, Fetcher
from concierge.knowledge.chunker import Chunker
from concierge.knowledge.chunking import Chunk
from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.lexical import document_weights, pack_term, terms
from concierge.knowledge.models import Source
from concierge.knowledge.parsing import ParsedDocument, parse
from concierge.knowledge.parsing.archives import documents_in_archive
from concierge.knowledge.parsing.found import Found, SkippedFile, is_archive_name
from concierge.knowledge.repository import (
    DocumentRepository,
    NewChunk,
    NewDocument,
    PendingItem,
    SourceRepository,
)
from concierge.knowledge.schemas import NewItem

logger = structlog.get_logger(__name__)

ITEMS_AT_A_TIME = 3
EXPANDED_PER_TRANSACTION = 50
# BM25 wants the average length; a fixed one near it lets a chunk's weights stay true while its pack grows.
USUAL_CHUNK_TERMS = 100.0
OUR_FAULT: Final = ("internal_error", "This could not be read because of a fault on our side.")


class Ingestion:
    """Runs the job of one source."""

    def __init__(self, db: Database, chunker: Chunker, fetcher: Fetcher, clock: Clock) -> None:
        self._db = db
        self._chunker = chunker
        self._fetcher = fetcher
        self._clock = clock

    async def run(self, scope: TenantScope, source_id: UUID, *, last_attempt: bool = True) -> None:
        """Read what is left of a source. Errors: UnavailableError and StorageFullError, to be tried again.

        Before such an error is raised it is noted with the source, as far as that is possible.
        """
        source = await self._claim(scope, source_id)
        if source is None:
            return
        log = logger.bind(org_id=str(scope.org_id), source_id=str(source_id))
        log.info("reading source", kind=source.kind)
        try:
            await self._read_all(scope, source)
            await self._finish(scope, source)
        except Exception as error:
            log.warning("reading source interrupted", reason=type(error).__name__)
            await self._interrupt(scope, source_id, error, last_attempt=last_attempt)
            raise
        log.info("source read")

    async def _claim(self, scope: TenantScope, source_id: UUID) -> Source | None:
        async with self._db.transaction(scope.org_id) as session:
            source = await SourceRepository(session, scope).get(source_id, lock=True)
            if source is None or not _goes_on(source):
                return None
            if source.cancel_requested:
                # Whoever was reading it died before it could stop.
                self._end(source, "cancelled")
                return None
            source.status = "running"
            source.error = source.error_code = source.finished_at = None
            source.started_at = source.started_at or self._clock()
            return source

    async def _read_all(self, scope: TenantScope, source: Source) -> None:
        while items := await self._pending(scope, source.id):
            # Each one is waited for, whatever became of the others: none goes on behind our back.
            results = await asyncio.gather(
                *(self._read(scope, source, item) for item in items), return_exceptions=True
            )
            for result in results:
                if isinstance(result, BaseException):
                    raise result
            if not all(results):
                return

    async def _interrupt(
        self, scope: TenantScope, source_id: UUID, error: Exception, *, last_attempt: bool
    ) -> None:
        """Say with the source why it does not go on. It waits in the queue, unless somebody must do something."""
        known = isinstance(error, ConciergeError)
        waits = known and not last_attempt and not isinstance(error, StorageFullError)
        try:
            async with self._db.transaction(scope.org_id) as session:
                source = await SourceRepository(session, scope).get(source_id, lock=True)
                if source is None or source.status != "running":
                    return
                self._end(source, "queued" if waits else "failed")
                source.error_code, source.error = (error.code, error.detail) if known else OUR_FAULT
        except ConciergeError as unnoted:
            # The database is away: the source stays as it is, and its job is taken up again.
            logger.warning("interruption could not be noted", source_id=str(source_id), code=unnoted.code)

    def _end(self, source: Source, status: str) -> None:
        source.status = status
        source.current_item = None
        source.finished_at = None if status == "queued" else self._clock()

    async def _pending(self, scope: TenantScope, source_id: UUID) -> list[PendingItem]:
        async with self._db.transaction(scope.org_id) as session:
            return await SourceRepository(session, scope).pending(source_id, ITEMS_AT_A_TIME)

    async def _read(self, scope: TenantScope, source: Source, item: PendingItem) -> bool:
        """Read one item. Returns whether to go on with the source."""
        async with self._db.transaction(scope.org_id) as session:
            sources = SourceRepository(session, scope)
            if not await sources.set_current(source.id, item.uri):
                return False
            data = await sources.item_data(item.id)
        try:
            await self._take_in(scope, source, item, data)
        except InvalidInputError as error:
            await self._fail(scope, item, error.code, error.detail)
        except ConciergeError:
            raise
        except Exception:
            logger.exception("item could not be read", source_id=str(source.id), item=item.uri)
            await self._fail(scope, item, *OUR_FAULT)
        return True

    async def _take_in(
        self, scope: TenantScope, source: Source, item: PendingItem, data: bytes | None
    ) -> None:
        if data is None and source.kind != "url":
            raise DocumentRejectedError("The content of this item is no longer there. Add it again.")
        if data is not None and is_archive_name(item.uri):
            await self._expand(scope, source, item, data)
            return
        document = await self._document(item, data)
        new = _new_document(source, item, document)
        if await self._known(scope, source, item, new):
            return
        chunks = await self._chunker.chunks(document.text)
        prepared = await asyncio.to_thread(_prepared, source.pack_id, chunks)
        await self._store(scope, source, item, new, prepared)

    async def _document(self, item: PendingItem, data: bytes | None) -> ParsedDocument:
        if data is not None:
            return await asyncio.to_thread(parse, data, filename=item.uri, media_type=item.media_type)
        fetched = await self._fetcher.fetch(item.uri)
        parsed = await asyncio.to_thread(
            parse, fetched.body, filename=fetched.final_url, media_type=_content_type(fetched)
        )
        return replace(parsed, url=parsed.url or fetched.final_url)

    async def _expand(self, scope: TenantScope, source: Source, item: PendingItem, data: bytes) -> None:
        """Replace an archive by the documents in it; what cannot be taken in is listed with the reason."""
        found = await asyncio.to_thread(lambda: list(documents_in_archive(data)))
        async with self._db.transaction(scope.org_id) as session:
            sources = SourceRepository(session, scope)
            for start in range(0, len(found), EXPANDED_PER_TRANSACTION):
                portion = found[start : start + EXPANDED_PER_TRANSACTION]
                await sources.add_items(source.id, [_member(item.uri, entry) for entry in portion])
            await sources.finish_item(item.id, status="expanded", now=self._clock())

    async def _known(self, scope: TenantScope, source: Source, item: PendingItem, new: NewDocument) -> bool:
        """Note an item whose content the pack has already. Returns whether it has."""
        async with self._db.transaction(scope.org_id) as session:
            documents = DocumentRepository(session, scope)
            if await documents.same_content(source.pack_id, new.content_hash) is None:
                return False
            if not await self._has_turn(session, scope, source, item):
                return True
            return await self._note_known(session, scope, source, item, new)

    @staticmethod
    async def _has_turn(session: Session, scope: TenantScope, source: Source, item: PendingItem) -> bool:
        """Wait until no other changes the pack. False when the item is gone, or another worker was faster."""
        if not await DocumentRepository(session, scope).lock_pack(source.pack_id):
            return False
        return await SourceRepository(session, scope).is_pending(item.id)

    async def _note_known(
        self, session: Session, scope: TenantScope, source: Source, item: PendingItem, new: NewDocument
    ) -> bool:
        documents = DocumentRepository(session, scope)
        same = await documents.same_content(source.pack_id, new.content_hash)
        if same is None:
            return False
        document_id, source_id, uri = same
        status = "unchanged" if (source_id, uri) == (source.id, item.uri) else "duplicate"
        await SourceRepository(session, scope).finish_item(
            item.id, status=status, now=self._clock(), document_id=document_id
        )
        if status == "unchanged":
            await documents.refresh(document_id, new)
        await self._drop_older(documents, source, item, document_id)
        return True

    async def _store(
        self,
        scope: TenantScope,
        source: Source,
        item: PendingItem,
        document: NewDocument,
        chunks: Sequence[NewChunk],
    ) -> None:
        async with self._db.transaction(scope.org_id) as session:
            documents = DocumentRepository(session, scope)
            if not await self._has_turn(session, scope, source, item):
                return
            # Another item with the same content may have been stored since we looked.
            if await self._note_known(session, scope, source, item, document):
                return
            document_id = await documents.add(document, chunks)
            await self._drop_older(documents, source, item, document_id)
            await SourceRepository(session, scope).finish_item(
                item.id,
                status="stored",
                now=self._clock(),
                document_id=document_id,
                chunk_count=len(chunks),
            )

    @staticmethod
    async def _drop_older(
        documents: DocumentRepository, source: Source, item: PendingItem, keep: UUID
    ) -> None:
        """Forget earlier versions of an item's document. The caller holds the pack's lock."""
        older = await documents.others_of(source.id, item.uri, keep)
        if older:
            await documents.remove(await documents.hand_over(older))

    async def _fail(self, scope: TenantScope, item: PendingItem, code: str, detail: str) -> None:
        async with self._db.transaction(scope.org_id) as session:
            await SourceRepository(session, scope).finish_item(
                item.id, status="failed", now=self._clock(), error=(code, detail)
            )

    async def _finish(self, scope: TenantScope, claimed: Source) -> None:
        async with self._db.transaction(scope.org_id) as session:
            sources = SourceRepository(session, scope)
            # The pack first, then its source, as everybody does who locks both.
            await DocumentRepository(session, scope).lock_pack(claimed.pack_id)
            source = await sources.get(claimed.id, lock=True)
            if source is None:
                return
            tally = (await sources.tallies([source.id]))[source.id]
            if source.cancel_requested:
                self._end(source, "cancelled")
            elif tally.read:
                await self._drop_missing(session, scope, source)
                self._end(source, "succeeded")
            else:
                self._end(source, "failed")
                source.error_code, source.error = await _reason(sources, source.id)

    @staticmethod
    async def _drop_missing(session: Session, scope: TenantScope, source: Source) -> None:
        """Forget documents that the source no longer has, as when a folder is read again."""
        documents = DocumentRepository(session, scope)
        missing = await documents.no_longer_in(source.id)
        if missing:
            await documents.remove(await documents.hand_over(missing))


def _goes_on(source: Source) -> bool:
    """Whether there is something to do: a source that stopped for want of space goes on when there is some."""
    return source.status in {"queued", "running"} or (
        source.status == "failed" and source.error_code == StorageFullError.code
    )


async def _reason(sources: SourceRepository, source_id: UUID) -> tuple[str, str]:
    """Say why nothing could be read: the only reason, or that there are several."""
    failed = await sources.items(source_id, "failed", None, 2)
    if len(failed) == 1:
        return failed[0].error_code or "internal_error", failed[0].error or ""
    if not failed:
        return "source_empty", "There was no document to read here."
    return "all_items_failed", "None of the documents could be read. Each one's reason is listed with it."


def _content_type(fetched: Fetched) -> str | None:
    if fetched.media_type is None or fetched.charset is None:
        return fetched.media_type
    return f"{fetched.media_type}; charset={fetched.charset}"


def _member(archive: str, entry: Found) -> NewItem:
    if isinstance(entry, SkippedFile):
        return NewItem(f"{archive}/{entry.name}", None, skipped_because=entry.reason)
    return NewItem(f"{archive}/{entry.name}", entry.data)


def _prepared(pack_id: UUID, chunks: Sequence[Chunk]) -> list[NewChunk]:
    return [_prepared_chunk(pack_id, chunk) for chunk in chunks]


def _prepared_chunk(pack_id: UUID, chunk: Chunk) -> NewChunk:
    """Headings count as words of the chunk: they say what it is about, even where its sentences do not."""
    words = terms(" ".join((*chunk.headings, chunk.text)))
    return NewChunk(
        start=chunk.start,
        text=chunk.text,
        headings=chunk.headings,
        vector=chunk.vector,
        weights=document_weights(words, USUAL_CHUNK_TERMS),
        postings=sorted({pack_term(pack_id, word) for word in words}),
        sentences=chunk.sentences,
        sentence_vectors=chunk.sentence_vectors,
    )


def _new_document(source: Source, item: PendingItem, document: ParsedDocument) -> NewDocument:
    return NewDocument(
        source_id=source.id,
        pack_id=source.pack_id,
        uri=item.uri,
        title=document.title,
        url=document.url,
        text=document.text,
        content_hash=hashlib.sha256(document.text.encode()).digest(),
        media_type=document.media_type,
        language=document.language,
        published_at=document.published_at,
        modified_at=document.modified_at,
        authoritative=source.authoritative,
        credibility=source.credibility,
    )
