"""What an answer may rest on: passages of the packs and rows of the catalogue, in one order. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from concierge.catalog.schemas.context import CatalogEntry, ProductContext
from concierge.chat.sums import Sum
from concierge.chat.writers.catalog import passage_of, passage_of_promotion
from concierge.knowledge.schemas import Passage
from concierge.knowledge.search import Found, Vector

MOST_ROWS: Final = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """`passages` come best first. `lead` and `pair` are as in `Found`; where a row of the catalogue leads, nobody can tell
    how far. `shelf` is what the business shows anybody, which may be cited as well.
    """

    passages: tuple[Passage, ...]
    lead: float | None
    pair: Passage | None
    shelf: tuple[Passage, ...] = ()

    @property
    def citable(self) -> tuple[Passage, ...]:
        return self.passages + self.shelf


def gathered(found: Found, product: ProductContext) -> Evidence:
    """Put each row before the first passage that says less of what was asked; rows of a wish that was filtered by come
    first, in the order of the wish. A question–answer pair that asks the same stays in front.
    """
    rows, shelf = product.matches[:MOST_ROWS], _shelf(product)
    if not rows:
        return Evidence(found.passages, found.lead, found.pair, shelf)
    head = found.passages[:1] if found.pair else ()
    rest = found.passages[len(head) :]
    merged = (*head, *(_first(rows, rest) if product.filters else _merged(rows, rest, found.vector)))
    ranked = tuple(replace(passage, rank=rank) for rank, passage in enumerate(merged))
    leads = bool(merged) and merged[0].chunk_id == rows[0].id
    return Evidence(ranked, None if leads else found.lead, ranked[0] if found.pair else None, shelf)


def with_sum(evidence: Evidence, found: Sum | None) -> Evidence:
    """Put the sum in front: it is what was asked for; its rows follow."""
    if found is None:
        return evidence
    ranked = (found.passage, *evidence.passages)
    passages = tuple(replace(passage, rank=rank) for rank, passage in enumerate(ranked))
    return Evidence(passages, None, None, evidence.shelf)


def _shelf(product: ProductContext) -> tuple[Passage, ...]:
    priced = [price.entry for price in product.pricing if price.entry is not None]
    entries = {entry.id: entry for entry in (*product.featured, *priced)}
    rows = tuple(passage_of(entry, rank) for rank, entry in enumerate(entries.values()))
    offers = tuple(passage_of_promotion(own, rank) for rank, own in enumerate(product.promotions, len(rows)))
    return rows + offers


def _first(rows: Sequence[CatalogEntry], passages: Sequence[Passage]) -> Sequence[Passage]:
    return [*(passage_of(row, rank) for rank, row in enumerate(rows)), *passages]


def _merged(rows: Sequence[CatalogEntry], passages: Sequence[Passage], vector: Vector) -> Sequence[Passage]:
    made = [passage_of(row, 0) for row in rows]
    return placed([(own, max(own.cosine, nearest_to(own, vector))) for own in made], passages, vector)


def placed(
    new: Sequence[tuple[Passage, float]], passages: Sequence[Passage], vector: Vector
) -> Sequence[Passage]:
    """Put each new passage, which comes with its cosine, before the first that says less of what was asked."""
    merged = list(passages)
    said = [nearest_to(passage, vector) for passage in passages]
    for passage, cosine in new:
        place = next((at for at, other in enumerate(said) if other < cosine), len(said))
        merged.insert(place, passage)
        said.insert(place, cosine)
    return merged


def nearest_to(passage: Passage, vector: Vector) -> float:
    """The cosine of the sentence that comes nearest to the question."""
    question = vector if passage.question_vector is None else passage.question_vector
    if not len(passage.sentence_vectors):
        return 0.0
    return float(np.max(passage.sentence_vectors @ question))
