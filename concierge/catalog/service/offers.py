"""Promotions, and the texts of a business."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pgvector import HalfVector
from pydantic import ValidationError

from concierge.accounts.scope import Unit
from concierge.catalog.errors import (
    ChangeRefusedError,
    EntryNotFoundError,
    PromotionNotFoundError,
    TooManyEntriesError,
    TooManyPromotionsError,
)
from concierge.catalog.models import CatalogPromotion, CatalogText
from concierge.catalog.repository import OfferRepository, ProductRepository
from concierge.catalog.rows import holds_on, promotion_statement
from concierge.catalog.schemas.offers import (
    MOST_ENTRIES,
    MOST_PROMOTIONS,
    EntryIn,
    EntryOut,
    EntryPatch,
    PromotionIn,
    PromotionOut,
    PromotionPatch,
)
from concierge.catalog.service.days import today_of
from concierge.catalog.statements import Statement, stated_text
from concierge.catalog.vectors import StatementReader
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id


class _Offers:
    def __init__(self, unit: Unit, reader: StatementReader, clock: Clock = utc_now) -> None:
        self._org_id = unit.scope.org_id
        self._repository = OfferRepository(unit.session, unit.scope)
        self._products = ProductRepository(unit.session, unit.scope)
        self._reader = reader
        self._clock = clock

    async def _vectors(self, title: str, said: Statement) -> dict[str, Any]:
        """What is stored beside a text, as columns."""
        (read,) = await self._reader.of([title], [said])
        return {"embedding": HalfVector(read.whole), "sentence_vectors": read.stored_sentences}


class PromotionService(_Offers):
    async def list(self) -> Sequence[PromotionOut]:
        """List all promotions, those that are over and those to come too, the newest first."""
        rows = await self._repository.promotions()
        today = today_of(await self._products.setting(), self._clock())
        return [
            PromotionOut.model_validate({**vars(row), "holds": row.active and holds_on(vars(row), today)})
            for row in reversed(rows)
        ]

    async def get(self, promotion_id: UUID) -> PromotionOut:
        """Errors: PromotionNotFoundError."""
        row = await self._get(promotion_id)
        today = today_of(await self._products.setting(), self._clock())
        return PromotionOut.model_validate({**vars(row), "holds": row.active and holds_on(vars(row), today)})

    async def create(self, wanted: PromotionIn) -> PromotionOut:
        """Errors: TooManyPromotionsError, UnavailableError."""
        vectors = await self._vectors(wanted.title, promotion_statement(wanted.text, wanted.conditions))
        now = self._clock()
        await self._products.begin_change(now)
        if await self._repository.count_promotions() >= MOST_PROMOTIONS:
            raise TooManyPromotionsError(MOST_PROMOTIONS)
        values = {**wanted.model_dump(), "skus": list(wanted.skus), **vectors}
        row = CatalogPromotion(**values, org_id=self._org_id, id=new_id(), created_at=now, updated_at=now)
        await self._repository.add(row)
        return await self.get(row.id)

    async def change(self, promotion_id: UUID, patch: PromotionPatch) -> PromotionOut:
        """Errors: PromotionNotFoundError, ChangeRefusedError, UnavailableError."""
        row = await self._get(promotion_id)
        kept = {name: getattr(row, name) for name in PromotionIn.model_fields}
        changes = {name: getattr(patch, name) for name in patch.model_fields_set}
        wanted = _checked(PromotionIn, {**kept, **changes}, "promotion")
        vectors = await self._vectors(wanted.title, promotion_statement(wanted.text, wanted.conditions))
        await self._products.begin_change(self._clock())
        for name, value in {**wanted.model_dump(), "skus": list(wanted.skus), **vectors}.items():
            setattr(row, name, value)
        row.updated_at = self._clock()
        await self._repository.add(row)
        return await self.get(promotion_id)

    async def remove(self, promotion_id: UUID) -> None:
        """Errors: PromotionNotFoundError."""
        row = await self._get(promotion_id)
        await self._products.begin_change(self._clock())
        await self._repository.remove(row)

    async def _get(self, promotion_id: UUID) -> CatalogPromotion:
        row = await self._repository.promotion(promotion_id)
        if row is None:
            raise PromotionNotFoundError
        return row


class EntryService(_Offers):
    async def list(self, kind: str | None) -> Sequence[EntryOut]:
        return [EntryOut.model_validate(row) for row in await self._repository.entries(kind)]

    async def get(self, entry_id: UUID) -> EntryOut:
        """Errors: EntryNotFoundError."""
        return EntryOut.model_validate(await self._get(entry_id))

    async def create(self, wanted: EntryIn) -> EntryOut:
        """Errors: TooManyEntriesError, UnavailableError."""
        vectors = await self._vectors(wanted.title, stated_text(wanted.text))
        now = self._clock()
        await self._products.begin_change(now)
        if await self._repository.count_entries() >= MOST_ENTRIES:
            raise TooManyEntriesError(MOST_ENTRIES)
        row = CatalogText(
            **wanted.model_dump(), **vectors, org_id=self._org_id, id=new_id(), created_at=now, updated_at=now
        )
        await self._repository.add(row)
        return EntryOut.model_validate(row)

    async def change(self, entry_id: UUID, patch: EntryPatch) -> EntryOut:
        """Errors: EntryNotFoundError, ChangeRefusedError, UnavailableError."""
        row = await self._get(entry_id)
        kept = {name: getattr(row, name) for name in EntryIn.model_fields}
        changes = {name: getattr(patch, name) for name in patch.model_fields_set}
        wanted = _checked(EntryIn, {**kept, **changes}, "entry")
        vectors = await self._vectors(wanted.title, stated_text(wanted.text))
        await self._products.begin_change(self._clock())
        for name, value in {**wanted.model_dump(), **vectors}.items():
            setattr(row, name, value)
        row.updated_at = self._clock()
        await self._repository.add(row)
        return EntryOut.model_validate(row)

    async def remove(self, entry_id: UUID) -> None:
        """Errors: EntryNotFoundError."""
        row = await self._get(entry_id)
        await self._products.begin_change(self._clock())
        await self._repository.remove(row)

    async def _get(self, entry_id: UUID) -> CatalogText:
        row = await self._repository.entry(entry_id)
        if row is None:
            raise EntryNotFoundError
        return row


def _checked(model: Any, values: dict[str, Any], what: str) -> Any:
    """Errors: ChangeRefusedError where values do not fit together."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, problem["loc"]))
        message = str(problem["msg"]).removeprefix("Value error, ")
        raise ChangeRefusedError(
            f"With this change the {what} does not hold together: {f'{where} {message}'.strip()}."
        ) from None
