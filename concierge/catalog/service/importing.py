"""Importing a file of products in chunks, each a transaction of its own; what is wrong with a row is told of that row."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final
from uuid import UUID

from concierge.accounts.scope import TenantScope
from concierge.catalog.indexing import StoredProduct, content_hash, stored
from concierge.catalog.reading import (
    GivenProduct,
    ImportOptions,
    RowProblem,
    RowSource,
    opened,
    products_of,
)
from concierge.catalog.reading.columns import Columns
from concierge.catalog.repository import ProductRepository, PutProduct
from concierge.catalog.repository.products import StoredRow
from concierge.catalog.schemas.imports import ImportedRow, ImportProblem, ImportReport
from concierge.catalog.schemas.products import ProductIn, Variant
from concierge.catalog.service.reading import read_later
from concierge.catalog.statements import without_prices
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.ids import new_id

CHUNK: Final = 500
SHOWN_ROWS: Final = 10
SHOWN_PROBLEMS: Final = 5_000
PAGE: Final = 5_000
Progress = Callable[[ImportReport], None]


@dataclass(frozen=True, slots=True)
class Import:
    """What is to be done with a file."""

    file: BinaryIO
    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    dry_run: bool = False
    replace: bool = False


@dataclass(slots=True)
class _Running:
    """How far an import is. `seen` are the article numbers it has met, with the row of each."""

    wanted: Import
    report: ImportReport
    columns: Columns
    currency: str
    seen: dict[str, int] = field(default_factory=dict[str, int])
    grouped: set[str] = field(default_factory=set[str])
    broken: set[str] = field(default_factory=set[str])
    nameless: int = 0

    def note(self, problem: RowProblem) -> None:
        self.report.failed += 1
        if problem.sku is None:
            self.nameless += 1
        else:
            self.broken.add(problem.sku)
        if len(self.report.problems) < SHOWN_PROBLEMS:
            self.report.problems.append(
                ImportProblem(row=problem.row, sku=problem.sku, reason=problem.reason)
            )


class CatalogImports:
    def __init__(self, db: Database, clock: Clock = utc_now) -> None:
        self._db = db
        self._clock = clock

    async def run(
        self, scope: TenantScope, wanted: Import, progress: Progress = lambda _: None
    ) -> ImportReport:
        """Import a file; what was stored of it is read for its meaning afterwards. Errors: ImportUnreadableError."""
        source = await asyncio.to_thread(opened, wanted.file)
        async with self._db.transaction(scope.org_id) as session:
            setting = await ProductRepository(session, scope).setting()
        currency = "USD" if setting is None else setting.currency
        report = ImportReport(format=source.format, dry_run=wanted.dry_run)
        running = _Running(wanted, report, Columns(wanted.mapping, source.columns), currency)
        entries = products_of(
            _counted(source, report), running.columns, ImportOptions(wanted.mapping, currency)
        )
        while chunk := await asyncio.to_thread(_chunk, entries, running):
            await self._store(scope, chunk, running)
            progress(report)
        if wanted.replace:
            await self._remove_others(scope, running)
        if not wanted.dry_run and report.new + report.changed:
            async with self._db.transaction(scope.org_id) as session:
                await read_later(session, scope)
        report.mapping = running.columns.mapping
        report.problems.sort(key=lambda problem: problem.row)
        progress(report)
        return report

    async def _store(self, scope: TenantScope, chunk: Sequence[GivenProduct], running: _Running) -> None:
        async with self._db.transaction(scope.org_id) as session:
            products = ProductRepository(session, scope)
            if not running.wanted.dry_run:
                await products.lock()
            known = await products.stored([given.product.sku for given in chunk])
            puts = await asyncio.to_thread(_puts, scope.org_id, chunk, known, running)
            if running.wanted.dry_run or not puts:
                return
            added = sum(put.product.values["sku"] not in known for put in puts)
            now = self._clock()
            await products.begin_change(now)
            await products.put(puts, now, added=added)

    async def _remove_others(self, scope: TenantScope, running: _Running) -> None:
        """Remove what the file does not have, unless it cannot be told what that is."""
        report = running.report
        if not report.products or running.nameless:
            report.kept = (
                "Nothing was removed, as the file has no product that could be read."
                if not report.products
                else "Nothing was removed, as it cannot be told of which products the rows are that could not be read."
            )
            return
        after = ""
        while True:
            async with self._db.transaction(scope.org_id) as session:
                products = ProductRepository(session, scope)
                page = await products.skus_after(after, PAGE)
                gone = [
                    product_id
                    for product_id, sku in page
                    if sku not in running.seen and sku not in running.broken
                ]
                report.removed += len(gone)
                if gone and not running.wanted.dry_run:
                    await products.begin_change(self._clock())
                    await products.remove(gone)
            if len(page) < PAGE:
                return
            after = page[-1][1]


def _counted(source: RowSource, report: ImportReport) -> Iterator[Any]:
    for row in source.rows:
        report.rows += 1
        yield row


def _chunk(entries: Iterator[GivenProduct | RowProblem], running: _Running) -> list[GivenProduct]:
    """The next products that can be read, each once. Blocks."""
    chunk: list[GivenProduct] = []
    at: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, RowProblem):
            running.note(entry)
            continue
        sku = entry.product.sku
        earlier = running.seen.get(sku)
        if earlier is not None and not (entry.grouped and sku in running.grouped):
            running.note(RowProblem(entry.row, sku, f"It has the same article number as row {earlier}."))
            continue
        if sku in at:
            chunk[at[sku]] = _joined(chunk[at[sku]], entry)
            continue
        running.seen.setdefault(sku, entry.row)
        if entry.grouped:
            running.grouped.add(sku)
        at[sku] = len(chunk)
        chunk.append(entry)
        if len(chunk) >= CHUNK:
            break
    return chunk


def _puts(
    org_id: UUID, chunk: Sequence[GivenProduct], known: Mapping[str, StoredRow], running: _Running
) -> list[PutProduct]:
    """What is to be stored. Blocks."""
    return [put for given in chunk if (put := _put(org_id, given, known, running)) is not None]


def _put(
    org_id: UUID, given: GivenProduct, known: Mapping[str, StoredRow], running: _Running
) -> PutProduct | None:
    """What is to be stored, None where it is there already; counts it."""
    report = running.report
    earlier = known.get(given.product.sku)
    again = given.grouped and running.seen[given.product.sku] != given.row
    if again and earlier is not None:
        given = _joined_to_stored(earlier, given)
    same = earlier is not None and content_hash(given.product, running.currency) == earlier.content_hash
    if not again:
        report.products += 1
        report.new += earlier is None
        report.unchanged += same
        report.changed += earlier is not None and not same
    shown = not again and len(report.first) < SHOWN_ROWS
    if same and not shown:
        return None
    ready = stored(org_id, given.product, running.currency)
    if shown:
        report.first.append(_shown(given, ready))
    if same:
        return None
    keeps = earlier is not None and _is_still_true(earlier, ready)
    return PutProduct(new_id() if earlier is None else earlier.id, ready, keeps=keeps)


def _is_still_true(earlier: StoredRow, ready: StoredProduct) -> bool:
    """Whether what was read of a product for its meaning holds of what it is now."""
    values = ready.values
    return (
        earlier.is_read
        and (earlier.title, earlier.category) == (values["title"], values["category"])
        and without_prices(earlier.text) == without_prices(values["text"])
    )


def _joined(first: GivenProduct, second: GivenProduct) -> GivenProduct:
    return GivenProduct(
        first.row,
        first.rows + second.rows,
        _with_variants(first.product, second.product.variants),
        grouped=True,
    )


def _joined_to_stored(earlier: StoredRow, given: GivenProduct) -> GivenProduct:
    """Variants that stand apart from the others in the file are added to those that were stored."""
    fields = Variant.model_fields
    known = tuple(
        Variant.model_validate({name: value for name, value in variant.items() if name in fields})
        for variant in earlier.variants
    )
    own = given.product.variants
    kept = given.product.model_copy(update={"variants": known})
    return GivenProduct(given.row, given.rows, _with_variants(kept, own), grouped=True)


def _with_variants(product: ProductIn, more: Sequence[Variant]) -> ProductIn:
    skus = {variant.sku for variant in more}
    variants = (*(variant for variant in product.variants if variant.sku not in skus), *more)
    prices = [variant.price for variant in variants if variant.price is not None]
    return product.model_copy(update={"variants": variants, "price": min(prices, default=product.price)})


def _shown(given: GivenProduct, ready: StoredProduct) -> ImportedRow:
    values = ready.values
    return ImportedRow(
        row=given.row,
        sku=values["sku"],
        title=values["title"],
        category=values["category"],
        price=values["lowest"],
        currency=values["currency"],
        variants=len(values["variants"]),
        text=values["text"],
    )
