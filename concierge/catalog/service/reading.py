"""Products that were stored without being read, as an import stores them, are read in batches beside everything else."""

from collections.abc import Callable
from typing import Final

from concierge.accounts.scope import TenantScope
from concierge.catalog.indexing import head_of
from concierge.catalog.repository import NewVectors, ProductRepository
from concierge.catalog.rows import offered_row
from concierge.catalog.statements import state
from concierge.catalog.vectors import StatementReader
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database, Session
from concierge.kit.jobs import defer

READ_TASK: Final = "catalog.read"
BATCH: Final = 64


class CatalogReading:
    def __init__(self, db: Database, reader: StatementReader, clock: Clock = utc_now) -> None:
        self._db = db
        self._reader = reader
        self._clock = clock

    async def run(self, scope: TenantScope, done: Callable[[int], None] = lambda _: None) -> int:
        """Read all that waits; each batch is there at once. Returns how many were read. Errors: UnavailableError."""
        total = 0
        while read := await self._batch(scope):
            total += read
            done(read)
        return total

    async def _batch(self, scope: TenantScope) -> int:
        async with self._db.transaction(scope.org_id) as session:
            rows = await ProductRepository(session, scope).waiting(BATCH)
        if not rows:
            return 0
        seen = [offered_row(row) for row in rows]
        vectors = await self._reader.of(
            [head_of(product) for product in seen], [state(product, None) for product in seen]
        )
        async with self._db.transaction(scope.org_id) as session:
            products = ProductRepository(session, scope)
            await products.begin_change(self._clock())
            await products.set_vectors(
                [NewVectors(row.id, row.content_hash, own) for row, own in zip(rows, vectors, strict=True)]
            )
        return len(rows)


async def read_later(session: Session, scope: TenantScope) -> None:
    """Have what waits read in the background, once."""
    name = f"{READ_TASK}:{scope.org_id}"
    await defer(session, READ_TASK, args={"org_id": str(scope.org_id)}, lock=name)
