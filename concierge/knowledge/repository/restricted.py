"""How often terms stand in restricted documents, so that nobody else notices them in what is counted."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session

# In order, as the counts of all documents are, so that two transactions wait for each other instead of deadlocking.
COUNT_RESTRICTED = """
INSERT INTO restricted_term_stats (org_id, index_id, term, audience, df)
SELECT c.org_id, c.index_id, term, d.audience, count(*)
FROM documents d JOIN chunks c ON c.org_id = d.org_id AND c.document_id = d.id, unnest(c.terms) AS term
WHERE d.org_id = :org_id AND d.id = ANY (:documents) AND d.audience IS NOT NULL
  AND (CAST(:index_id AS uuid) IS NULL OR c.index_id = :index_id)
GROUP BY c.org_id, c.index_id, term, d.audience ORDER BY c.index_id, term, d.audience
ON CONFLICT (org_id, index_id, term, audience) DO UPDATE SET df = restricted_term_stats.df + excluded.df
"""

UNCOUNT_RESTRICTED = """
WITH gone AS (
    SELECT c.index_id, term, d.audience, count(*) AS n
    FROM documents d JOIN chunks c ON c.org_id = d.org_id AND c.document_id = d.id, unnest(c.terms) AS term
    WHERE d.org_id = :org_id AND d.id = ANY (:documents) AND d.audience IS NOT NULL
    GROUP BY c.index_id, term, d.audience
), emptied AS (
    DELETE FROM restricted_term_stats s USING gone g
    WHERE s.org_id = :org_id AND s.index_id = g.index_id AND s.term = g.term AND s.audience = g.audience
      AND s.df <= g.n
)
UPDATE restricted_term_stats s SET df = s.df - g.n FROM gone g
WHERE s.org_id = :org_id AND s.index_id = g.index_id AND s.term = g.term AND s.audience = g.audience AND s.df > g.n
"""


async def count_restricted(
    session: Session, scope: TenantScope, document_ids: Sequence[UUID], index_id: UUID | None = None
) -> None:
    """Count the terms of those of these documents that are not public, in one index or in all that hold them.

    The caller holds the pack's lock.
    """
    await session.execute(
        text(COUNT_RESTRICTED),
        {"org_id": scope.org_id, "documents": list(document_ids), "index_id": index_id},
    )


async def uncount_restricted(session: Session, scope: TenantScope, document_ids: Sequence[UUID]) -> None:
    """Take these documents out of the counts of all indexes, before they are removed or are for another audience."""
    await session.execute(text(UNCOUNT_RESTRICTED), {"org_id": scope.org_id, "documents": list(document_ids)})
