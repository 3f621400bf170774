from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from concierge.accounts.scope import TenantScope
from concierge.catalog.models import CatalogPromotion, CatalogText
from concierge.kit.db import Session


class OfferRepository:
    """Promotions, and the texts of a business: policies, company, support, questions."""

    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def promotion(self, promotion_id: UUID) -> CatalogPromotion | None:
        return await self._session.get(CatalogPromotion, (self._scope.org_id, promotion_id))

    async def promotions(self) -> Sequence[CatalogPromotion]:
        query = select(CatalogPromotion).where(CatalogPromotion.org_id == self._scope.org_id)
        return (await self._session.scalars(query.order_by(CatalogPromotion.id))).all()

    async def count_promotions(self) -> int:
        query = select(func.count()).where(CatalogPromotion.org_id == self._scope.org_id)
        return await self._session.scalar(query) or 0

    async def entry(self, entry_id: UUID) -> CatalogText | None:
        return await self._session.get(CatalogText, (self._scope.org_id, entry_id))

    async def entries(self, kind: str | None) -> Sequence[CatalogText]:
        query = select(CatalogText).where(CatalogText.org_id == self._scope.org_id)
        if kind is not None:
            query = query.where(CatalogText.kind == kind)
        ordered = query.order_by(CatalogText.kind, CatalogText.position, CatalogText.id)
        return (await self._session.scalars(ordered)).all()

    async def count_entries(self) -> int:
        query = select(func.count()).where(CatalogText.org_id == self._scope.org_id)
        return await self._session.scalar(query) or 0

    async def add(self, row: CatalogPromotion | CatalogText) -> None:
        self._session.add(row)
        await self._session.flush()

    async def remove(self, row: CatalogPromotion | CatalogText) -> None:
        await self._session.delete(row)
        await self._session.flush()
