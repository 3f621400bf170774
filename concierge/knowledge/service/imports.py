"""A new pack from an archive: looked at whole before anything is kept, and all or nothing."""

import asyncio
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Self, cast
from uuid import UUID

from pydantic import ValidationError

from concierge.accounts.scope import Unit
from concierge.kit.clock import Clock, utc_now
from concierge.knowledge.errors import DocumentRejectedError, PackArchiveError
from concierge.knowledge.models import KnowledgePack
from concierge.knowledge.parsing.zips import ZipLimits, open_zip_file
from concierge.knowledge.repository import Judgement, JudgementRepository, SourceRepository
from concierge.knowledge.schemas import NewItem, NewSource, PackIn, SourceKind
from concierge.knowledge.schemas.archives import (
    DOCUMENT_TYPE,
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    MOST_DOCUMENTS,
    ArchivedDocument,
    ArchivedSource,
    Manifest,
    digest_of,
    document_name,
)
from concierge.knowledge.service.ending import end_reading
from concierge.knowledge.service.packs import PackService
from concierge.knowledge.service.sources import SourceService

LIMITS = ZipLimits(entries=MOST_DOCUMENTS + 1, total_bytes=4 * 1024**3)
MANIFEST_BYTES = 16 * 1024 * 1024
ENTRY_BYTES = 64 * 1024 * 1024
PORTION_BYTES = 8 * 1024 * 1024
NOT_AN_ARCHIVE = "This is not a knowledge pack exported from Concierge."
WAS_EMPTY = ("source_empty", "It had no documents when the pack was exported.")
DAMAGED = (
    "The archive is damaged or incomplete. Export the pack again, and check that the file was copied whole."
)


@dataclass(frozen=True, slots=True)
class Imported:
    """A new pack, and the sources whose documents are being read into it."""

    pack: KnowledgePack
    source_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Portion:
    """Documents to store together, by the place of their source; `judged` is what is said of some, by place and name."""

    items: dict[int, list[NewItem]] = field(default_factory=dict[int, list[NewItem]])
    judged: dict[tuple[int, str], Judgement] = field(default_factory=dict[tuple[int, str], Judgement])


class PackImport:
    """The caller's transaction is rolled back when an error is raised: nothing of a bad archive stays."""

    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._unit = unit
        self._clock = clock
        self._packs = PackService(unit, clock)
        self._service = SourceService(unit, clock)
        self._judgements = JudgementRepository(unit.session, unit.scope)
        self._sources = SourceRepository(unit.session, unit.scope)

    async def run(self, file: BinaryIO, *, name: str | None = None) -> Imported:
        """Make a pack of an archive; its documents are read in the background, as those of any source.

        Errors: PackArchiveError, PackNameTakenError.
        """
        reader = await asyncio.to_thread(ArchiveReader, file)
        with reader:
            wanted = reader.manifest.pack
            pack = await self._packs.create(_renamed(wanted, name) if name is not None else wanted)
            ids = [await self._begin(pack.id, source) for source in reader.manifest.sources]
            portions = reader.portions()
            while (portion := await asyncio.to_thread(next, portions, None)) is not None:
                for place, items in portion.items.items():
                    await self._service.add_items(ids[place], items)
                await self._judgements.judge(
                    {(ids[place], uri): said for (place, uri), said in portion.judged.items()}
                )
        for place, source_id in enumerate(ids):
            if place in reader.filled:
                await self._service.enqueue(source_id)
            else:
                await self._end_empty(source_id, pack)
        return Imported(pack, tuple(ids[place] for place in sorted(reader.filled)))

    async def _begin(self, pack_id: UUID, wanted: ArchivedSource) -> UUID:
        new = NewSource(
            kind=cast("SourceKind", wanted.kind),
            name=wanted.name,
            uri=wanted.uri,
            items=[],
            authoritative=wanted.authoritative,
            credibility=wanted.credibility,
            audience=wanted.audience,
        )
        source_id = await self._service.begin(pack_id, new)
        source = await self._sources.get(source_id)
        if source is not None:
            source.options = wanted.options
        return source_id

    async def _end_empty(self, source_id: UUID, pack: KnowledgePack) -> None:
        """A source that had nothing keeps its place in the pack; where it is fetched, it can be read again."""
        source = await self._sources.get(source_id, lock=True)
        if source is not None:
            await end_reading(self._unit, source, pack, "failed", self._clock(), WAS_EMPTY)


def _renamed(wanted: PackIn, name: str) -> PackIn:
    """Errors: PackArchiveError, when the name cannot be a pack's."""
    try:
        return PackIn.model_validate({**wanted.model_dump(), "name": name})
    except ValidationError as error:
        raise PackArchiveError(f"The name cannot be used: {error.errors()[0]['msg']}.") from None


class ArchiveReader:
    """An archive whose directory and manifest are in order. Blocks while it reads. Errors: PackArchiveError.

    `filled` are the places of sources that have documents, complete once all portions were taken.
    """

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._archive = open_zip_file(file, LIMITS)
        except DocumentRejectedError as error:
            bomb = error.code == "archive_bomb"
            raise PackArchiveError(error.detail if bomb else f"{NOT_AN_ARCHIVE} {error.detail}") from None
        try:
            self.manifest = self._manifest()
            self._check_names()
        except PackArchiveError:
            self._archive.close()
            raise
        self.filled: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def portions(self) -> Iterator[Portion]:
        """The documents, checked one by one; what vouches for them all is compared at the end."""
        seen: set[tuple[int, str]] = set()
        digests: list[str] = []
        portion = Portion()
        size = 0
        for number in range(1, self.manifest.documents + 1):
            document = self._document(number)
            place = document.source, document.uri
            if place in seen:
                raise PackArchiveError(f"The archive has the document “{document.uri[:100]}” twice.")
            seen.add(place)
            digests.append(document.sha256)
            self.filled.add(document.source)
            data = document.model_dump_json().encode()
            portion.items.setdefault(document.source, []).append(NewItem(document.uri, data, DOCUMENT_TYPE))
            if said := document.judged.said():
                portion.judged[place] = Judgement(**said)
            size += len(data)
            if size > PORTION_BYTES:
                yield portion
                portion, size = Portion(), 0
        if digest_of(digests) != self.manifest.digest:
            raise PackArchiveError("The documents in the archive are not those it was exported with.")
        yield portion

    def _document(self, number: int) -> ArchivedDocument:
        name = document_name(number)
        try:
            document = ArchivedDocument.model_validate_json(self._read(name, ENTRY_BYTES))
        except ValidationError as error:
            raise PackArchiveError(f"{name} in the archive is no document: {_first(error)}.") from None
        if not document.is_whole:
            raise PackArchiveError(f"The text of {name} was changed after the pack was exported.")
        if document.source >= len(self.manifest.sources):
            raise PackArchiveError(f"{name} belongs to a source that the archive does not have.")
        return document

    def _manifest(self) -> Manifest:
        if MANIFEST not in self._archive.NameToInfo:
            raise PackArchiveError(NOT_AN_ARCHIVE)
        raw = self._read(MANIFEST, MANIFEST_BYTES)
        try:
            manifest = Manifest.model_validate_json(raw)
        except ValidationError as error:
            raise PackArchiveError(_what_is_wrong(error)) from None
        addresses = [(source.kind, source.uri) for source in manifest.sources if source.uri is not None]
        if len(set(addresses)) < len(addresses):
            raise PackArchiveError("The archive has one source twice.")
        return manifest

    def _check_names(self) -> None:
        """An archive of ours has just its own names, so none that points elsewhere, and none twice."""
        names = [entry.filename for entry in self._archive.infolist()]
        wanted = {MANIFEST, *(document_name(number + 1) for number in range(self.manifest.documents))}
        if strange := next((name for name in names if name not in wanted), None):
            raise PackArchiveError(
                f"There is something in the archive that does not belong there: {strange[:100]!r}."
            )
        if len(names) != len(wanted):
            raise PackArchiveError(DAMAGED)

    def _read(self, name: str, limit: int) -> bytes:
        try:
            with self._archive.open(name) as content:
                data = content.read(limit + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            ValueError,
            RuntimeError,
            KeyError,
        ):
            raise PackArchiveError(DAMAGED) from None
        if len(data) > limit:
            raise PackArchiveError(f"{name} in the archive is larger than {limit // 1024**2} MB.")
        return data


def _what_is_wrong(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    field = problem["loc"][:1]
    if field == ("format",):
        return NOT_AN_ARCHIVE
    if field == ("version",):
        return (
            f"The archive is of a format that this release does not know (it knows {FORMAT} {FORMAT_VERSION}). "
            "Update Concierge, then import it again."
        )
    return f"The archive's {MANIFEST} is not valid: {_first(error)}."


def _first(error: ValidationError) -> str:
    problem: Any = error.errors(include_url=False, include_input=False)[0]
    where: Sequence[object] = problem["loc"]
    return f"{'.'.join(map(str, where))}: {problem['msg']}" if where else str(problem["msg"])
