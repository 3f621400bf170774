"""What becomes of one item, each in one transaction with the note of it and its count in the sync."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from concierge.kit.clock import Clock
from concierge.kit.db import Database, Session
from concierge.knowledge.ingestion.claim import Claim
from concierge.knowledge.models import PackIndex
from concierge.knowledge.repository import (
    DocumentRepository,
    IndexRepository,
    JudgementRepository,
    NewChunk,
    NewDocument,
    PendingItem,
    SourceRepository,
    SyncRepository,
    Validators,
)
from concierge.knowledge.repository.feeds import FeedRepository, ListedRow
from concierge.knowledge.schemas import NewItem
from concierge.knowledge.schemas.syncs import Change, ChangeKind
from concierge.knowledge.sources.repetition import same_numbers
from concierge.knowledge.sources.website import Website

EXPANDED_PER_TRANSACTION = 50


@dataclass(frozen=True, slots=True)
class Tables:
    """The repositories of one transaction."""

    documents: DocumentRepository
    judgements: JudgementRepository
    sources: SourceRepository
    syncs: SyncRepository
    indexes: IndexRepository

    @classmethod
    def of(cls, session: Session, claim: Claim) -> "Tables":
        return cls(
            DocumentRepository(session, claim.scope),
            JudgementRepository(session, claim.scope),
            SourceRepository(session, claim.scope),
            SyncRepository(session, claim.scope),
            IndexRepository(session, claim.scope),
        )


class Storing:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def known(
        self, claim: Claim, item: PendingItem, new: NewDocument, validators: Validators | None
    ) -> bool:
        """Note an item whose content the pack has already. Returns whether it has."""
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            new = await tables.judgements.judged(new)
            if await self._same(tables, claim, item, new) is None:
                return False
            if not await self._has_turn(tables, claim, item):
                return True
            new = await tables.judgements.judged(new)
            return await self._note_known(tables, claim, item, new, validators)

    async def unmodified(self, claim: Claim, item: PendingItem, document_id: UUID) -> bool:
        """Note that a website says an item is as it was. Returns false when we no longer have what it was."""
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            if not await self._has_turn(tables, claim, item):
                return True
            place = await tables.documents.place_of(document_id)
            if place is None:
                return False
            own = place == (claim.source_id, item.uri)
            status = "unchanged" if own else "duplicate"
            if own:
                await tables.judgements.apply([document_id])
            await tables.sources.finish_item(
                item.id, status=status, now=self._clock(), document_id=document_id
            )
            await tables.syncs.count(claim.sync_id, status)
            return True

    async def store(
        self,
        claim: Claim,
        item: PendingItem,
        index: PackIndex,
        new: NewDocument,
        chunks: Sequence[NewChunk],
        validators: Validators | None,
    ) -> bool:
        """Store a document with its chunks, made for an index. False when the pack is searched in another one by now."""
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            if not await self._has_turn(tables, claim, item):
                return True
            new = await tables.judgements.judged(new)
            # Another item with the same content may have been stored since we looked.
            if await self._note_known(tables, claim, item, new, validators):
                return True
            if await self._note_near(tables, claim, item, new):
                return True
            if not await tables.indexes.confirm(index):
                return False
            change = await self._replace(tables, claim, item, index, new, chunks, validators)
            if change is None:
                await tables.syncs.count(claim.sync_id, "unchanged")
                return True
            named = Change(uri=item.uri, title=new.title, change=change)
            await tables.syncs.count(claim.sync_id, change, changes=[named])
            return True

    async def _replace(
        self,
        tables: Tables,
        claim: Claim,
        item: PendingItem,
        index: PackIndex,
        new: NewDocument,
        chunks: Sequence[NewChunk],
        validators: Validators | None,
    ) -> ChangeKind | None:
        """Put a document where its earlier version was, if there was one. None when its text is the same."""
        documents = tables.documents
        same = await documents.same_content(new)
        earlier = await documents.others_of(claim.source_id, item.uri, None)
        if same is not None:
            # The same text is stored anew: the pack holds each text once.
            await documents.remove([same[0]])
        document_id = await documents.add(new, index, chunks)
        await tables.sources.finish_item(
            item.id,
            status="stored",
            now=self._clock(),
            document_id=document_id,
            chunk_count=len(chunks),
            validators=validators,
        )
        if same is not None:
            await tables.sources.holds_instead(same[0], document_id)
        await self._drop_older(tables, claim, item, document_id)
        if same is not None:
            return None
        return "changed" if earlier else "added"

    async def expand(self, claim: Claim, item: PendingItem, members: Sequence[NewItem]) -> None:
        """Replace an archive by the documents in it."""
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            if not await self._has_turn(tables, claim, item):
                return
            await _list_members(tables, claim, members)
            await tables.sources.finish_item(item.id, status="expanded", now=self._clock())

    async def attach(self, claim: Claim, item: PendingItem, members: Sequence[NewItem]) -> None:
        """List the documents in an item that is a document itself."""
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            if members and await self._has_turn(tables, claim, item):
                await _list_members(tables, claim, members)

    async def list_rows(self, claim: Claim, item: PendingItem, rows: Sequence[ListedRow]) -> None:
        """Replace a feed by its rows, and count those that are done with it."""
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            if not await self._has_turn(tables, claim, item):
                return
            feeds = FeedRepository(session, claim.scope)
            await feeds.list_rows(claim.source_id, rows, self._clock(), anew=claim.anew)
            await tables.sources.finish_item(item.id, status="expanded", now=self._clock())
            counts = await feeds.counts(claim.source_id)
            for outcome in ("unchanged", "failed"):
                if count := counts.get(outcome, 0):
                    await tables.syncs.count(claim.sync_id, outcome, count)

    async def discover(self, claim: Claim, site: Website, addresses: Sequence[str], *, depth: int) -> None:
        """List pages to read, as far as the site's limit allows; what is listed already is left alone."""
        if not addresses:
            return
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            if not await tables.documents.lock_pack(claim.pack_id):
                return
            listed = await tables.sources.listed(claim.source_id)
            fresh = [address for address in dict.fromkeys(addresses) if address not in listed]
            room = max(0, site.options.max_pages - len(listed))
            site.note_beyond(fresh[room:])
            for start in range(0, room, EXPANDED_PER_TRANSACTION):
                portion = fresh[:room][start : start + EXPANDED_PER_TRANSACTION]
                items = [NewItem(address, None, depth=depth) for address in portion]
                await tables.sources.add_items(claim.source_id, items)
                if not items:
                    break

    async def pass_over(self, claim: Claim, item: PendingItem, code: str, detail: str) -> None:
        """Note that an item is not to be taken in, and take what it held out of the answers."""
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            if not await self._has_turn(tables, claim, item):
                return
            await tables.sources.finish_item(
                item.id, status="skipped", now=self._clock(), error=(code, detail)
            )
            await tables.sources.loses_document(item.id)
            older = await tables.documents.others_of(claim.source_id, item.uri, None)
            await remove_counted(tables, claim, older)

    async def _note_near(self, tables: Tables, claim: Claim, item: PendingItem, new: NewDocument) -> bool:
        """Note a page that says nearly the same as another one of its site. Returns whether it does."""
        # Of pages that differ in a number alone, which one was stored first is chance.
        alike = await tables.documents.near(new)
        near = next((entry for entry in alike if same_numbers(entry[2], new.text)), None)
        if near is None:
            return False
        detail = f"It says nearly the same as {near[1][:200]}, which is kept."
        await tables.sources.finish_item(
            item.id, status="near_duplicate", now=self._clock(), error=("near_duplicate", detail)
        )
        await tables.sources.loses_document(item.id)
        await tables.syncs.count(claim.sync_id, "duplicate")
        await self._drop_older(tables, claim, item, near[0])
        return True

    async def fail(self, claim: Claim, item: PendingItem, code: str, detail: str) -> None:
        """Note why an item could not be read; what it is known to hold stays."""
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            if not await self._has_turn(tables, claim, item):
                return
            await tables.sources.finish_item(
                item.id, status="failed", now=self._clock(), error=(code, detail)
            )
            await tables.syncs.count(claim.sync_id, "failed")

    async def gone(self, claim: Claim, item: PendingItem, code: str, detail: str) -> None:
        """Note that an item is no longer there, and take what it held out of the answers."""
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            if not await self._has_turn(tables, claim, item):
                return
            await tables.sources.finish_item(
                item.id, status="failed", now=self._clock(), error=(code, detail)
            )
            await tables.sources.loses_document(item.id)
            await tables.syncs.count(claim.sync_id, "failed")
            older = await tables.documents.others_of(claim.source_id, item.uri, None)
            await remove_counted(tables, claim, older)

    @staticmethod
    async def _has_turn(tables: Tables, claim: Claim, item: PendingItem) -> bool:
        """Wait until no other changes the pack. False when the item is gone, or another worker was faster."""
        if not await tables.documents.lock_pack(claim.pack_id):
            return False
        return await tables.sources.is_pending(item.id)

    @staticmethod
    async def _same(
        tables: Tables, claim: Claim, item: PendingItem, new: NewDocument
    ) -> tuple[UUID, UUID, str] | None:
        """Find the document with this content, unless it is the item's own and everything is to be stored anew."""
        same = await tables.documents.same_content(new)
        own = same is not None and same[1:] == (claim.source_id, item.uri)
        return None if own and claim.anew else same

    async def _note_known(
        self,
        tables: Tables,
        claim: Claim,
        item: PendingItem,
        new: NewDocument,
        validators: Validators | None,
    ) -> bool:
        same = await self._same(tables, claim, item, new)
        if same is None:
            return False
        document_id, source_id, uri = same
        status = "unchanged" if (source_id, uri) == (claim.source_id, item.uri) else "duplicate"
        await tables.sources.finish_item(
            item.id, status=status, now=self._clock(), document_id=document_id, validators=validators
        )
        if status == "unchanged":
            await tables.documents.refresh(document_id, new)
        await tables.syncs.count(claim.sync_id, status)
        await self._drop_older(tables, claim, item, document_id)
        return True

    @staticmethod
    async def _drop_older(tables: Tables, claim: Claim, item: PendingItem, keep: UUID) -> None:
        """Forget earlier versions of an item's document. The caller holds the pack's lock."""
        older = await tables.documents.others_of(claim.source_id, item.uri, keep)
        if older:
            await tables.documents.remove(await tables.judgements.hand_over(older))


async def _list_members(tables: Tables, claim: Claim, members: Sequence[NewItem]) -> None:
    for start in range(0, len(members), EXPANDED_PER_TRANSACTION):
        await tables.sources.add_items(claim.source_id, members[start : start + EXPANDED_PER_TRANSACTION])


async def remove_counted(tables: Tables, claim: Claim, document_ids: Sequence[UUID]) -> None:
    """Take documents out of the answers unless another item has them too, and name them in the sync."""
    gone = await tables.judgements.hand_over(document_ids) if document_ids else []
    if not gone:
        return
    names = await tables.documents.names(gone)
    await tables.documents.remove(gone)
    changes = [Change(uri=uri, title=title, change="removed") for uri, title in names]
    await tables.syncs.count(claim.sync_id, "removed", len(changes), changes)
