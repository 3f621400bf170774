from collections.abc import Sequence
from datetime import date
from uuid import UUID

from pydantic import ValidationError

from concierge.accounts.scope import Unit
from concierge.catalog.errors import ChangeRefusedError, ProductNotFoundError, SkusUnknownError, SkuTakenError
from concierge.catalog.indexing import content_hash, head_of, offered, stored
from concierge.catalog.models import CatalogProduct
from concierge.catalog.prices import Discounts
from concierge.catalog.repository import OfferRepository, ProductRepository, PutProduct
from concierge.catalog.rows import holds_on, offered_row, running
from concierge.catalog.schemas.products import ProductIn, ProductOut, ProductPatch, Variant
from concierge.catalog.service.days import today_of
from concierge.catalog.statements import key_of, state
from concierge.catalog.vectors import StatementReader, StatementVectors
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id

CURRENCY = "USD"


class ProductService:
    def __init__(self, unit: Unit, reader: StatementReader, clock: Clock = utc_now) -> None:
        self._org_id = unit.scope.org_id
        self._repository = ProductRepository(unit.session, unit.scope)
        self._offers = OfferRepository(unit.session, unit.scope)
        self._reader = reader
        self._clock = clock

    async def list(
        self, *, after: UUID | None, limit: int, category: str | None, active: bool | None, search: str | None
    ) -> Sequence[ProductOut]:
        key = None if category is None else key_of(category)
        rows = await self._repository.list(
            after=after, limit=limit, category=key, active=active, search=search
        )
        return await self._out(rows)

    async def get(self, product_id: UUID) -> ProductOut:
        """Errors: ProductNotFoundError, also for another organization's product."""
        (found,) = await self._out([await self._get(product_id)])
        return found

    async def create(self, wanted: ProductIn) -> ProductOut:
        """Errors: SkuTakenError, UnavailableError."""
        vectors = await self._read(wanted)
        setting = await self._repository.begin_change(self._clock())
        if await self._repository.id_of(wanted.sku) is not None:
            raise SkuTakenError(wanted.sku)
        put = PutProduct(new_id(), stored(self._org_id, wanted, setting.currency), vectors)
        await self._repository.put([put], self._clock(), added=1)
        return await self.get(put.id)

    async def create_all(self, wanted: Sequence[ProductIn]) -> None:
        """Add several products, none of which is there yet. Errors: UnavailableError."""
        said = [offered(product, CURRENCY) for product in wanted]
        vectors = await self._reader.of(
            [head_of(product) for product in said], [state(product, None) for product in said]
        )
        now = self._clock()
        setting = await self._repository.begin_change(now)
        puts = [
            PutProduct(new_id(), stored(self._org_id, product, setting.currency), own)
            for product, own in zip(wanted, vectors, strict=True)
        ]
        await self._repository.put(puts, now, added=len(puts))

    async def change(self, product_id: UUID, patch: ProductPatch) -> ProductOut:
        """Errors: ProductNotFoundError, ChangeRefusedError, UnavailableError."""
        earlier = await self._get(product_id)
        wanted = _changed(earlier, patch)
        vectors = None
        if content_hash(wanted, earlier.currency) != earlier.content_hash:
            vectors = await self._read(wanted)
        await self._repository.begin_change(self._clock())
        put = PutProduct(
            product_id, stored(self._org_id, wanted, earlier.currency), vectors, keeps=vectors is None
        )
        await self._repository.put([put], self._clock(), added=0)
        await self._repository.refresh(earlier)
        return await self.get(product_id)

    async def remove(self, product_id: UUID) -> None:
        """Errors: ProductNotFoundError."""
        await self._get(product_id)
        await self._repository.begin_change(self._clock())
        await self._repository.remove([product_id])

    async def featured(self) -> Sequence[ProductOut]:
        return await self._out(await self._repository.featured())

    async def feature(self, skus: Sequence[str]) -> Sequence[ProductOut]:
        """Show these first, and no others. Errors: SkusUnknownError."""
        await self._repository.begin_change(self._clock())
        unknown = sorted(set(skus) - await self._repository.known(skus))
        if unknown:
            raise SkusUnknownError(unknown)
        await self._repository.feature(skus)
        return await self.featured()

    async def _get(self, product_id: UUID) -> CatalogProduct:
        product = await self._repository.get(product_id)
        if product is None:
            raise ProductNotFoundError
        return product

    async def _read(self, wanted: ProductIn) -> StatementVectors:
        said = offered(wanted, CURRENCY)
        (vectors,) = await self._reader.of([head_of(said)], [state(said, None)])
        return vectors

    async def _out(self, rows: Sequence[CatalogProduct]) -> Sequence[ProductOut]:
        """With what an answer would say of each today."""
        if not rows:
            return []
        today = today_of(await self._repository.setting(), self._clock())
        discounts = Discounts.of(
            promotion
            for row in await self._offers.promotions()
            if row.active and row.audience is None and holds_on(vars(row), today)
            if (promotion := running(vars(row))) is not None
        )
        return [_out(row, today, discounts) for row in rows]


def _out(row: CatalogProduct, today: date, discounts: Discounts) -> ProductOut:
    found = ProductOut.model_validate(row)
    said = state(offered_row(row), today, discounts.on(row.sku, row.category_key))
    return found.model_copy(update={"text": said.text})


def _changed(earlier: CatalogProduct, patch: ProductPatch) -> ProductIn:
    """The product with a patch applied. Errors: ChangeRefusedError where they do not fit together."""
    kept = {
        name: getattr(earlier, name)
        for name in ProductIn.model_fields
        if name not in {"variants", "attributes"}
    }
    variants = [
        {name: value for name, value in variant.items() if name in Variant.model_fields}
        for variant in earlier.variants
    ]
    changes = {name: getattr(patch, name) for name in patch.model_fields_set}
    for name, empty in (
        ("description", ""),
        ("category", ""),
        ("brand", ""),
        ("attributes", {}),
        ("variants", []),
    ):
        if name in changes and changes[name] is None:
            changes[name] = empty
    if "variants" in changes:
        changes["variants"] = [variant.model_dump() for variant in changes["variants"]]
    try:
        return ProductIn.model_validate(
            {**kept, "variants": variants, "attributes": earlier.attributes, **changes}
        )
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, problem["loc"]))
        message = str(problem["msg"]).removeprefix("Value error, ")
        raise ChangeRefusedError(
            f"With this change the product does not hold together: {where} {message}."
        ) from None
