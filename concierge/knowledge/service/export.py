"""A pack as one archive, written while it is sent: never more of it in memory than some documents."""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from concierge.accounts.scope import TenantScope
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.knowledge.errors import PackNotFoundError
from concierge.knowledge.models import Document, KnowledgePack, Source
from concierge.knowledge.repository import (
    DocumentRepository,
    Judgement,
    JudgementRepository,
    PackRepository,
    SourceRepository,
)
from concierge.knowledge.repository.export import ExportRepository
from concierge.knowledge.schemas.archives import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    digest_of,
    digest_of_text,
    document_name,
    shareable,
)

PORTION = 200
# Texts of so many characters are in memory together, or one that is longer.
GROUP_CHARACTERS = 2_000_000
# Kinds whose address is a path on the machine that read it.
FROM_DISK = frozenset({"file", "folder", "archive", "feed"})
OLDEST = (1980, 1, 1, 0, 0, 0)


class PackExport:
    def __init__(self, db: Database, clock: Clock = utc_now) -> None:
        self._db = db
        self._clock = clock

    async def named(self, scope: TenantScope, pack_id: UUID) -> KnowledgePack:
        """Errors: PackNotFoundError."""
        async with self._db.transaction(scope.org_id) as session:
            pack = await PackRepository(session, scope).get(pack_id)
        if pack is None:
            raise PackNotFoundError
        return pack

    async def stream(self, scope: TenantScope, pack: KnowledgePack) -> AsyncIterator[bytes]:
        """Yield the archive piece by piece. Each portion is read in a transaction of its own."""
        outlet = _Outlet()
        sources = await self._sources(scope, pack.id)
        places = {source.id: place for place, source in enumerate(sources)}
        digests: list[str] = []
        with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            async for document, judged in self._documents(scope, pack.id):
                # A source that was added meanwhile is not in this archive.
                if document.source_id not in places:
                    continue
                entry = _document(document, places[document.source_id], judged)
                digests.append(entry["sha256"])
                _write(archive, document_name(len(digests)), entry)
                yield outlet.taken()
            _write(archive, MANIFEST, _manifest(pack, sources, digests, self._clock()))
        yield outlet.taken()

    async def _sources(self, scope: TenantScope, pack_id: UUID) -> list[Source]:
        found: list[Source] = []
        before: UUID | None = None
        async with self._db.transaction(scope.org_id) as session:
            while True:
                portion = await SourceRepository(session, scope).of_pack(pack_id, before, PORTION)
                found += portion
                if len(portion) < PORTION:
                    return found[::-1]
                before = portion[-1].id

    async def _documents(
        self, scope: TenantScope, pack_id: UUID
    ) -> AsyncIterator[tuple[Document, Judgement | None]]:
        """Each document once, with what is said of it: one that is replaced meanwhile comes as it was."""
        seen: set[tuple[UUID, str]] = set()
        after: UUID | None = None
        while True:
            async with self._db.transaction(scope.org_id) as session:
                documents = DocumentRepository(session, scope)
                listed = [document.id for document in await documents.list(pack_id, after, PORTION)]
                sizes = await ExportRepository(session, scope).sizes(listed)
            for group in grouped(sizes):
                async with self._db.transaction(scope.org_id) as session:
                    whole = await ExportRepository(session, scope).whole(group)
                    judged = await JudgementRepository(session, scope).of_places(
                        (document.source_id, document.uri) for document in whole
                    )
                for document in whole:
                    if (place := (document.source_id, document.uri)) not in seen:
                        seen.add(place)
                        yield document, judged.get(place)
            if len(listed) < PORTION:
                return
            after = listed[-1]


def grouped(sizes: Mapping[UUID, int]) -> Iterator[list[UUID]]:
    """The documents in groups whose texts may be in memory together, in the order of their ids."""
    group: list[UUID] = []
    total = 0
    for document_id, size in sorted(sizes.items()):
        if group and total + size > GROUP_CHARACTERS:
            yield group
            group, total = [], 0
        group.append(document_id)
        total += size
    if group:
        yield group


class _Outlet(io.RawIOBase):
    """Takes what the archive writes, and gives it away in between; it cannot be sought in, and zip can do without."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        part = bytes(data)
        self._parts.append(part)
        return len(part)

    def taken(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def _write(archive: zipfile.ZipFile, name: str, body: dict[str, Any]) -> None:
    """The same pack gives the same bytes, whenever it is written."""
    info = zipfile.ZipInfo(name, OLDEST)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, json.dumps(body, ensure_ascii=False, separators=(",", ":")))


def _manifest(
    pack: KnowledgePack, sources: list[Source], digests: list[str], now: datetime
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "exported_at": now.isoformat(),
        "pack": {
            "name": pack.name,
            "description": pack.description,
            "grounding_mode": pack.grounding_mode,
            "freshness_policy": pack.freshness_policy,
        },
        "sources": [_source(source) for source in sources],
        "documents": len(digests),
        "digest": digest_of(digests),
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "kind": source.kind,
        "name": source.name,
        "uri": _public_address(source.kind, source.uri),
        "authoritative": source.authoritative,
        "credibility": source.credibility,
        "audience": source.audience,
        "options": shareable(source.options),
    }


def _public_address(kind: str, uri: str | None) -> str | None:
    """An address without the folders of one machine, or the password of one person."""
    if uri is None:
        return None
    if uri.startswith(("http://", "https://")):
        parts = urlsplit(uri)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return PureWindowsPath(PurePosixPath(uri).name).name or uri if kind in FROM_DISK else uri


def _document(document: Document, source: int, judged: Judgement | None) -> dict[str, Any]:
    said = {name: value for name, value in asdict(judged).items() if value is not None} if judged else {}
    return {
        "source": source,
        "uri": document.uri,
        "title": document.title,
        "url": document.url,
        "media_type": document.media_type,
        "language": document.language,
        "published_at": document.published_at and document.published_at.isoformat(),
        "modified_at": document.modified_at and document.modified_at.isoformat(),
        "page_starts": document.page_starts or [],
        "kind": document.kind,
        "questions": document.questions,
        **({"judged": said} if said else {}),
        "sha256": digest_of_text(document.text),
        "text": document.text,
    }
