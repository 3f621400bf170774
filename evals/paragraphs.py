"""Which paragraphs of an article the product's passages hold: it cuts whole articles as it sees fit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from uuid import UUID

import psycopg

from concierge.entrypoints.evaluation import Collection
from concierge.knowledge.metrics import distinct
from concierge.knowledge.search import Ranked
from evals.corpora import letters, paragraph_id
from evals.store import Store, conninfo

PASSAGES = """
SELECT c.id, c.document_id, c.start_char, c.text, d.text
FROM chunks c JOIN documents d ON d.org_id = c.org_id AND d.id = c.document_id
WHERE c.org_id = %s AND d.pack_id = %s
"""


async def by_paragraph(
    store: Store, collection: Collection, lengths: Mapping[str, Sequence[int]]
) -> Callable[[Iterable[Ranked]], list[str]]:
    """Return what turns ranked passages into ranked paragraphs; `lengths` are their letters, article by article.

    A paragraph ranks where the best passage that holds a part of it does; of two in one passage the larger part comes
    first.
    """
    held: dict[UUID, list[str]] = {}
    async with await psycopg.AsyncConnection.connect(conninfo(store.platform.address.owner_url)) as owner:
        rows = await owner.execute(PASSAGES, [collection.scope.org_id, collection.pack_id])
        async for chunk_id, document_id, start, text, article in rows:
            before = letters(article[:start])
            name = collection.ids[document_id][0]
            parts = overlaps(before, before + letters(text), lengths[name])
            held[chunk_id] = [paragraph_id(name, number) for number in parts]
    return lambda ranked: distinct(
        name for entry in ranked for name in held.get(entry.candidate.chunk_id, ())
    )


def overlaps(start: int, end: int, lengths: Sequence[int]) -> list[int]:
    """Return the paragraphs that a stretch of letters reaches into, the most of it first."""
    edges = pairwise(accumulate(lengths, initial=0))
    shared = {number: min(end, last) - max(start, first) for number, (first, last) in enumerate(edges)}
    return sorted((number for number, share in shared.items() if share > 0), key=lambda own: -shared[own])
