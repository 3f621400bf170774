from collections.abc import Mapping, Sequence
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id
from concierge.knowledge.errors import DocumentNotFoundError, PackNotFoundError
from concierge.knowledge.models import Document, KnowledgePack
from concierge.knowledge.repository import DocumentRepository, PackRepository
from concierge.knowledge.schemas import PackIn, PackPatch
from concierge.knowledge.service.sources import SourceService


class PackService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._unit = unit
        self._org_id = unit.scope.org_id
        self._packs = PackRepository(unit.session, unit.scope)
        self._documents = DocumentRepository(unit.session, unit.scope)
        self._clock = clock

    async def create(self, wanted: PackIn) -> KnowledgePack:
        """Errors: PackNameTakenError."""
        now = self._clock()
        pack = KnowledgePack(
            org_id=self._org_id,
            id=new_id(),
            name=wanted.name,
            description=wanted.description,
            grounding_mode=wanted.grounding_mode,
            freshness_policy=wanted.freshness_policy.model_dump(),
            document_count=0,
            chunk_count=0,
            created_at=now,
            updated_at=now,
        )
        await self._packs.add(pack)
        return pack

    async def change(self, pack_id: UUID, patch: PackPatch) -> KnowledgePack:
        """Change what is given, and plan its sources anew by its policy. Errors: PackNameTakenError."""
        pack = await self.get(pack_id)
        changes = patch.model_dump(exclude_none=True, exclude={"freshness_policy"})
        for name, value in changes.items():
            setattr(pack, name, value)
        pack.updated_at = self._clock()
        if patch.freshness_policy is not None:
            wanted = patch.freshness_policy.model_dump(exclude_unset=True)
            pack.freshness_policy = {**pack.freshness_policy, **wanted}
        await self._packs.save(pack)
        if patch.freshness_policy is not None:
            await SourceService(self._unit, self._clock).plan_again(pack)
        return pack

    async def list(self) -> Sequence[KnowledgePack]:
        return await self._packs.list()

    async def get(self, pack_id: UUID) -> KnowledgePack:
        pack = await self._packs.get(pack_id)
        if pack is None:
            raise PackNotFoundError
        return pack

    async def named(self, name: str) -> KnowledgePack | None:
        return await self._packs.by_name(name)

    async def remove(self, pack_id: UUID) -> None:
        await self._packs.remove(await self.get(pack_id))

    async def documents(
        self, pack_id: UUID, *, after: UUID | None, limit: int, flag: str | None = None
    ) -> Sequence[Document]:
        await self.get(pack_id)
        return await self._documents.list(pack_id, after, limit, flag)

    async def flags(self, document_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[str]]:
        return await self._documents.flags(document_ids)

    async def document(self, document_id: UUID) -> Document:
        document = await self._documents.get(document_id)
        if document is None:
            raise DocumentNotFoundError
        return document
