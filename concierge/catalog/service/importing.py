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


@dataclass(frozen=True, slots=True)
class _Ready:
    """A product with what would be stored of it."""

    given: GivenProduct
    stored: StoredProduct


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
        while chunk := await asyncio.to_thread(_chunk, scope.org_id, entries, running):
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

    async def _store(self, scope: TenantScope, chunk: Sequence[_Ready], running: _Running) -> None:
        async with self._db.transaction(scope.org_id) as session:
            products = ProductRepository(session, scope)
            known = await products.stored([ready.given.product.sku for ready in chunk])
            puts = [put for ready in chunk if (put := _put(scope.org_id, ready, known, running)) is not None]
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


def _chunk(org_id: UUID, entries: Iterator[GivenProduct | RowProblem], running: _Running) -> list[_Ready]:
    """The next products that can be read, each once. Blocks."""
    chunk: list[_Ready] = []
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
            entry = _joined(chunk[at[sku]].given, entry)  # noqa: PLW2901  # The two rows are one product from here on.
            chunk[at[sku]] = _Ready(entry, stored(org_id, entry.product, running.currency))
            continue
        running.seen.setdefault(sku, entry.row)
        if entry.grouped:
            running.grouped.add(sku)
        at[sku] = len(chunk)
        chunk.append(_Ready(entry, stored(org_id, entry.product, running.currency)))
        if len(chunk) >= CHUNK:
            break
    return chunk


def _put(org_id: UUID, ready: _Ready, known: Mapping[str, StoredRow], running: _Running) -> PutProduct | None:
    """What is to be stored, None where it is there already; counts it."""
    report, given = running.report, ready.given
    sku = given.product.sku
    earlier = known.get(sku)
    again = given.grouped and running.seen[sku] != given.row
    if again and earlier is not None:
        given = _joined_to_stored(earlier, given)
        ready = _Ready(given, stored(org_id, given.product, running.currency))
    if not again:
        report.products += 1
        _show(ready, report)
    same = earlier is not None and content_hash(given.product, running.currency) == earlier.content_hash
    if not again:
        report.new += earlier is None
        report.unchanged += same
        report.changed += earlier is not None and not same
    if same:
        return None
    keeps = (
        earlier is not None
        and earlier.is_read
        and (earlier.title, earlier.category) == (given.product.title, given.product.category)
        and without_prices(earlier.text) == without_prices(ready.stored.values["text"])
    )
    return PutProduct(new_id() if earlier is None else earlier.id, ready.stored, keeps=keeps)


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


def _show(ready: _Ready, report: ImportReport) -> None:
    if len(report.first) < SHOWN_ROWS:
        values = ready.stored.values
        report.first.append(
            ImportedRow(
                row=ready.given.row,
                sku=values["sku"],
                title=values["title"],
                category=values["category"],
                price=values["lowest"],
                currency=values["currency"],
                variants=len(values["variants"]),
                text=values["text"],
            )
        )
