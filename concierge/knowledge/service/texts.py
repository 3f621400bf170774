"""Texts that are typed: read back, and changed where they stand."""

from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.kit.clock import Clock, utc_now
from concierge.kit.text import normalize
from concierge.knowledge.errors import SourceNotFoundError, SourceNotTextError, SourceTitleTakenError
from concierge.knowledge.models import Source, SourceItem
from concierge.knowledge.parsing.text import decode
from concierge.knowledge.repository import DocumentRepository, SourceRepository
from concierge.knowledge.repository.renaming import renamed
from concierge.knowledge.schemas import NewItem, NewSource, SourceOut
from concierge.knowledge.schemas.archives import DOCUMENT_TYPE, ArchivedDocument
from concierge.knowledge.schemas.sources import TextIn, TextOut
from concierge.knowledge.service.sources import SourceService

KIND = "text"


def text_source(title: str, text: str, *, authoritative: bool = False, credibility: float = 0.5) -> NewSource:
    return NewSource(KIND, title, title, [_item(title, text)], authoritative, credibility)


class TextService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._unit = unit
        self._service = SourceService(unit, clock)
        self._sources = SourceRepository(unit.session, unit.scope)
        self._documents = DocumentRepository(unit.session, unit.scope)

    async def get(self, source_id: UUID) -> TextOut:
        """Return a text as it is read. Errors: SourceNotFoundError, SourceNotTextError."""
        source, item = await self._found(source_id)
        return await self._text(source, item)

    async def change(self, source_id: UUID, wanted: TextIn) -> SourceOut:
        """Have a text read as it is now; one that is as it was is left alone.

        Errors: SourceNotFoundError, SourceNotTextError, SourceTitleTakenError, SourceBusyError, SourcePausedError.
        """
        source, item = await self._found(source_id)
        now = await self._text(source, item)
        if (now.title, now.text) == (wanted.title, normalize(wanted.text)):
            return await self._service.get(source_id)
        if wanted.title != now.title:
            await self._sources.lock_uri(source.pack_id, KIND, wanted.title)
            taken = await self._sources.by_uri(source.pack_id, KIND, wanted.title)
            if taken is not None and taken.id != source_id:
                raise SourceTitleTakenError(wanted.title)
        await self._service.begin_again(source_id)
        if wanted.title != now.title:
            source.name = source.uri = wanted.title
            await renamed(
                self._unit.session, self._unit.scope, source_id, item.uri, _item(wanted.title, "").uri
            )
        await self._service.add_items(source_id, [_item(wanted.title, wanted.text)])
        await self._service.enqueue(source_id)
        return await self._service.get(source_id)

    async def _found(self, source_id: UUID) -> tuple[Source, SourceItem]:
        source = await self._sources.get(source_id)
        if source is None:
            raise SourceNotFoundError
        if source.kind != KIND:
            raise SourceNotTextError
        items = await self._sources.items(source_id, None, None, 1)
        if not items:
            raise SourceNotTextError
        return source, items[0]

    async def _text(self, source: Source, item: SourceItem) -> TextOut:
        """What is still to be read, or else what was read."""
        data = await self._sources.item_data(item.id)
        if data is not None and item.media_type == DOCUMENT_TYPE:
            text = ArchivedDocument.model_validate_json(data).text
        elif data is not None:
            text = decode(data)
        else:
            document = await self._documents.get(item.document_id) if item.document_id else None
            text = document.text if document else ""
        heading = f"# {source.name}"
        return TextOut(title=source.name, text=normalize(text.removeprefix(heading)).strip())


def _item(title: str, text: str) -> NewItem:
    return NewItem(f"{title}.md", f"# {title}\n\n{text}".encode(), "text/markdown")
