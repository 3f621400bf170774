from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from concierge.accounts.scope import TenantScope
from concierge.customers.schemas.known import KnownCustomer
from concierge.kit.db import Session, fetch

# A new customer bears the id of its first visitor, so that two first messages at the same moment make one customer.
ARRIVE: Final[LiteralString] = """
WITH known AS (
    SELECT customer_id, ended_at FROM visitors WHERE org_id = %(org_id)b AND id = %(visitor_id)b
), made AS (
    INSERT INTO customers (org_id, id, turns, last_page, created_at, updated_at, last_seen_at)
    SELECT %(org_id)b, %(visitor_id)b, 1, %(page)b::text, %(now)b, %(now)b, %(now)b WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (org_id, id) DO UPDATE SET turns = customers.turns + 1, last_seen_at = excluded.last_seen_at
    RETURNING *
), came AS (
    UPDATE customers AS c
    SET turns = c.turns + 1, last_page = coalesce(%(page)b::text, c.last_page), last_seen_at = %(now)b,
        visits = c.visits + CASE WHEN c.last_seen_at < %(visit_began_before)b THEN 1 ELSE 0 END,
        previous_visit_at = CASE WHEN c.last_seen_at < %(visit_began_before)b THEN c.last_seen_at
                                 ELSE c.previous_visit_at END
    FROM known WHERE c.org_id = %(org_id)b AND c.id = known.customer_id AND known.ended_at IS NULL
    RETURNING c.*
), visiting AS (
    INSERT INTO visitors (org_id, id, customer_id, agent_id, created_at)
    SELECT %(org_id)b, %(visitor_id)b, made.id, %(agent_id)b, %(now)b FROM made ON CONFLICT (org_id, id) DO NOTHING
)
SELECT p.id, p.profile_type, p.external_id, p.email, p.name, p.labels, p.attributes, p.traits, p.visits, p.turns,
       p.conversions, p.satisfaction, p.created_at, p.previous_visit_at, coalesce(s.memory, 'on')
FROM (SELECT * FROM made UNION ALL SELECT * FROM came) AS p LEFT JOIN customer_settings AS s ON s.org_id = p.org_id
"""


class ProfileRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def arrive(
        self,
        visitor_id: UUID,
        agent_id: UUID,
        page: str | None,
        *,
        now: datetime,
        visit_began_before: datetime,
    ) -> KnownCustomer | None:
        """Have a visitor and their customer, and count the turn. None for a visitor that was ended."""
        parameters = {
            "org_id": self._scope.org_id,
            "visitor_id": visitor_id,
            "agent_id": agent_id,
            "page": page,
            "now": now,
            "visit_began_before": visit_began_before,
        }
        rows = await fetch(self._session, ARRIVE, parameters)
        if not rows:
            return None
        customer_id, profile_type, external_id, email, name, labels, *rest = rows[0]
        return KnownCustomer(customer_id, profile_type, external_id, email, name, frozenset(labels), *rest)
