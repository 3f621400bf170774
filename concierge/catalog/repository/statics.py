"""What a catalogue would show anybody, in one statement: it is kept until the catalogue's version rises."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

import numpy as np
from numpy.typing import NDArray

from concierge.accounts.scope import TenantScope
from concierge.catalog.repository.search import PRODUCT
from concierge.kit.db import Session, fetch

MOST_FACETS = 3_000
MOST_FEATURED = 12

# The lowest and the highest of each category are looked up in its index; what is reduced may be lower still.
STATICS: LiteralString = """
WITH RECURSIVE categories (key, number) AS (
    SELECT (SELECT min(category_key) FROM catalog_products
            WHERE org_id = %(org_id)b AND active AND category_key > ''), 1
    UNION ALL
    SELECT (SELECT min(category_key) FROM catalog_products
            WHERE org_id = %(org_id)b AND active AND category_key > c.key), c.number + 1
    FROM categories c WHERE c.key IS NOT NULL AND c.number < 60
), priced AS (
    SELECT x.id FROM categories c, LATERAL (
        (SELECT id FROM catalog_products WHERE org_id = %(org_id)b AND active AND category_key = c.key
            AND lowest IS NOT NULL ORDER BY lowest LIMIT 3)
        UNION (SELECT id FROM catalog_products WHERE org_id = %(org_id)b AND active AND category_key = c.key
            AND lowest IS NOT NULL ORDER BY lowest DESC LIMIT 3)) x
    UNION (SELECT id FROM catalog_products
        WHERE org_id = %(org_id)b AND active AND sale_price IS NOT NULL ORDER BY sale_ends DESC LIMIT 200)
    UNION (SELECT id FROM catalog_products WHERE org_id = %(org_id)b AND active AND sku = ANY (ARRAY(
        SELECT unnest(skus) FROM catalog_promotions WHERE org_id = %(org_id)b AND active LIMIT 500)))
)
(SELECT 'facet', jsonb_build_object('name', name, 'value', value, 'audience', audience), NULL::bytea, NULL::bytea
 FROM catalog_facets WHERE org_id = %(org_id)b AND products > 0
 ORDER BY (name IN ('category', 'group', 'brand')) DESC, products DESC, value LIMIT 3000)
UNION ALL
(SELECT 'featured', {product} || jsonb_build_object('updated_at', p.updated_at), p.sentence_vectors,
        halfvec_send(p.embedding)
 FROM catalog_products p WHERE p.org_id = %(org_id)b AND p.active AND p.featured_rank IS NOT NULL
 ORDER BY p.featured_rank, p.id LIMIT 12)
UNION ALL
(SELECT 'priced', {product} || jsonb_build_object('updated_at', p.updated_at), NULL, NULL FROM catalog_products p
 WHERE p.org_id = %(org_id)b AND p.id IN (SELECT id FROM priced))
UNION ALL
(SELECT 'promotion', to_jsonb(m) - 'embedding' - 'sentence_vectors' || jsonb_build_object(
        'percent', m.percent::text, 'amount', m.amount::text), m.sentence_vectors, halfvec_send(m.embedding)
 FROM catalog_promotions m WHERE m.org_id = %(org_id)b AND m.active ORDER BY m.id)
UNION ALL
(SELECT 'entry', to_jsonb(e) - 'embedding' - 'sentence_vectors', e.sentence_vectors, halfvec_send(e.embedding)
 FROM catalog_entries e WHERE e.org_id = %(org_id)b AND e.active ORDER BY e.kind, e.position, e.id)
UNION ALL
(SELECT 'settings', s.synonyms, NULL, NULL FROM catalog_settings s WHERE s.org_id = %(org_id)b)
""".replace("{product}", PRODUCT)

_HEADER = 4


@dataclass(frozen=True, slots=True)
class StaticRow:
    """`source` is facet, featured, priced, promotion, entry or settings. `vector` is (384,)."""

    source: str
    values: Mapping[str, Any]
    sentence_vectors: bytes | None
    vector: NDArray[np.float32] | None


class StaticsRepository:
    """Reads for all audiences; whoever shows of it must look at theirs."""

    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def all(self) -> list[StaticRow]:
        rows = await fetch(self._session, STATICS, {"org_id": self._scope.org_id})
        return [
            StaticRow(source, values, sentences, _vector(sent)) for source, values, sentences, sent in rows
        ]


def _vector(sent: bytes | None) -> NDArray[np.float32] | None:
    """Decode a halfvec as PostgreSQL sends it: two numbers about itself, then big-endian halves."""
    return None if sent is None else np.frombuffer(sent[_HEADER:], dtype=">f2").astype(np.float32)
