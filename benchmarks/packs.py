"""Databases full of chunks, built once and kept between runs: real migrations, real indexes, row-level security on."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from pgvector.psycopg import register_vector
from rich.progress import track

from benchmarks.bulk import copy_pack, documents_of, without_indexes
from benchmarks.corpus import Material
from concierge.accounts.scope import TenantScope
from concierge.entrypoints.wiring import DatabaseAddress
from concierge.kit.clock import utc_now
from concierge.kit.db import Database
from concierge.kit.ids import new_id
from concierge.kit.migrations import migrate
from concierge.kit.postgres import EmbeddedPostgres
from concierge.knowledge.repository import DocumentRepository, IndexRepository
from concierge.knowledge.schemas.indexes import IndexPlan
from concierge.llm.embeddings import LOCAL_SPACE

BUILDER_VERSION = 3  # Raised when these modules build other databases than before.
THROUGH_THE_REPOSITORY = 2_000  # Larger packs are copied.


@dataclass(frozen=True, slots=True)
class Pack:
    name: str
    org_id: UUID
    pack_id: UUID
    chunks: int


@dataclass(frozen=True, slots=True)
class PackDatabase:
    """A running server with these packs in it."""

    postgres: EmbeddedPostgres
    address: DatabaseAddress
    packs: Sequence[Pack]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pack to be; `copied` ones do not go through the repository, however small."""

    name: str
    material: Material
    copied: bool = False


async def opened(
    cache: Path, wanted: Sequence[Wanted], *, building: Callable[[int], None] = lambda _chunks: None
) -> PackDatabase:
    """Start the database that holds these packs, one organization each; build it when it is not there yet.

    `building` is told, before that begins, how many chunks it will hold.
    """
    folder = cache / f"packs-{_digest(wanted)}"
    ready = folder / "packs.json"
    if folder.exists() and not ready.exists():
        shutil.rmtree(folder)  # A build that was broken off.
    folder.mkdir(parents=True, exist_ok=True)
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.ensure_running()
    address = DatabaseAddress(postgres.owner_url, postgres.app_url, None)
    migrate(address.owner_url)  # One that was built before is brought up to date, as an installation is.
    if not ready.exists():
        building(sum(len(own.material) for own in wanted))
        packs = await _built(address, wanted)
        with psycopg.connect(postgres.address.conninfo(), autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")
            owner.execute("CHECKPOINT")
        ready.write_text(json.dumps([asdict(pack) for pack in packs], default=str), encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(ready.read_text(encoding="utf-8"))
    packs = [Pack(row["name"], UUID(row["org_id"]), UUID(row["pack_id"]), int(row["chunks"])) for row in rows]
    return PackDatabase(postgres, address, packs)


def _digest(wanted: Sequence[Wanted]) -> str:
    digest = hashlib.sha256(str(BUILDER_VERSION).encode())
    for own in wanted:
        digest.update(f"{own.name}:{own.material.identity}:{own.copied}".encode())
    return digest.hexdigest()[:12]


async def _built(address: DatabaseAddress, wanted: Sequence[Wanted]) -> list[Pack]:
    conninfo = address.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as owner:
        register_vector(owner)
        copied = [own for own in wanted if _is_copied(own)]
        packs = [await _through_the_repository(owner, address, own) for own in wanted if not _is_copied(own)]
        if copied:
            with without_indexes(owner):
                packs += [_copied(owner, own) for own in _shown(copied)]
    return packs


def _is_copied(own: Wanted) -> bool:
    return own.copied or len(own.material) > THROUGH_THE_REPOSITORY


def _shown(wanted: Sequence[Wanted]) -> Iterable[Wanted]:
    return wanted if len(wanted) < 10 else track(wanted, description="Building packs", transient=True)


def _copied(owner: psycopg.Connection[Any], own: Wanted) -> Pack:
    pack, source_id = _tenant(owner, own)
    documents = documents_of(own.material, pack.pack_id, source_id)
    copy_pack(owner, pack.org_id, pack.pack_id, documents)
    return pack


async def _through_the_repository(
    owner: psycopg.Connection[Any], address: DatabaseAddress, own: Wanted
) -> Pack:
    pack, source_id = _tenant(owner, own)
    owner.commit()
    db = Database(address.app_url, pool_size=2)
    scope = TenantScope(pack.org_id)
    async with db.transaction(pack.org_id) as session:
        indexes = IndexRepository(session, scope)
        index = await indexes.current_or_first(pack.pack_id, IndexPlan.of(LOCAL_SPACE), utc_now())
        await indexes.confirm(index)
    for document, chunks in documents_of(own.material, pack.pack_id, source_id):
        async with db.transaction(pack.org_id) as session:
            await DocumentRepository(session, scope).add(document, index, chunks)
    await db.close()
    return pack


def _tenant(owner: psycopg.Connection[Any], own: Wanted) -> tuple[Pack, UUID]:
    """Make an organization with an empty pack. Returns also a source to hang documents on."""
    pack = Pack(own.name, new_id(), new_id(), len(own.material))
    source_id = new_id()
    owner.execute(
        "INSERT INTO organizations (id, name, slug) VALUES (%s, %s, %s)",
        (pack.org_id, pack.name, f"bench-{pack.org_id.hex}"),
    )
    owner.execute(
        "INSERT INTO knowledge_packs (org_id, id, name) VALUES (%s, %s, %s)",
        (pack.org_id, pack.pack_id, pack.name),
    )
    owner.execute(
        "INSERT INTO sources (org_id, id, pack_id, kind, name, status) VALUES (%s, %s, %s, 'folder', %s, 'succeeded')",
        (pack.org_id, source_id, pack.pack_id, pack.name),
    )
    return pack, source_id
