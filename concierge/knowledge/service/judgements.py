"""What operators say of sources and documents. It holds from the next question on."""

from dataclasses import replace
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.kit.errors import ConciergeError
from concierge.knowledge.errors import DocumentNotFoundError, SourceNotFoundError
from concierge.knowledge.models import Document
from concierge.knowledge.repository import (
    DocumentRepository,
    Judgement,
    JudgementRepository,
    SourceRepository,
)
from concierge.knowledge.schemas.judgements import DocumentPatch, SourcePatch


class JudgementService:
    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._sources = SourceRepository(unit.session, unit.scope)
        self._documents = DocumentRepository(unit.session, unit.scope)
        self._judgements = JudgementRepository(unit.session, unit.scope)

    async def source(self, source_id: UUID, patch: SourcePatch) -> None:
        """Judge a source, and with it those of its documents of which nothing else is said.

        Errors: SourceNotFoundError.
        """
        # The pack first, then its source, as everybody does who locks both.
        await self._lock(await self._judgements.pack_of_source(source_id), SourceNotFoundError())
        source = await self._sources.get(source_id, lock=True)
        if source is None:
            raise SourceNotFoundError
        for name, value in patch.model_dump(exclude_none=True, exclude={"audience"}).items():
            setattr(source, name, value)
        if patch.audience is not None:
            source.audience = patch.audience or None
        await self._unit.session.flush()
        await self._judgements.apply_to_source(source_id)

    async def document(self, document_id: UUID, patch: DocumentPatch) -> Document:
        """Judge a document, wherever its text is found. Errors: DocumentNotFoundError."""
        await self._lock(await self._judgements.pack_of_document(document_id), DocumentNotFoundError())
        places = await self._judgements.places_of(document_id)
        known = await self._judgements.of_places(places)
        said = {place: replace(known.get(place, Judgement()), **patch.said()) for place in places}
        await self._judgements.judge(said)
        await self._judgements.apply([document_id])
        # Where its text was there already for the audience it now has, that document stands for both.
        document = await self._documents.get(document_id) or await self._judgements.document_at(places)
        if document is None:
            raise DocumentNotFoundError
        return document

    async def _lock(self, pack_id: UUID | None, missing: ConciergeError) -> None:
        if pack_id is None or not await self._documents.lock_pack(pack_id):
            raise missing
