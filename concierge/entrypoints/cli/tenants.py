"""The operator's view across organizations: which agent a name on the command line means."""

import uuid
from dataclasses import dataclass
from uuid import UUID

import psycopg

from concierge.kit.errors import InvalidInputError, NotFoundError

FIND_AGENTS = """
SELECT a.org_id, a.id, a.slug, a.name, o.name
FROM agents a JOIN organizations o ON o.id = a.org_id
WHERE a.slug = %(name)s OR a.id = %(id)s ORDER BY a.created_at
"""


@dataclass(frozen=True, slots=True)
class NamedAgent:
    org_id: UUID
    id: UUID
    slug: str
    name: str
    organization: str


def find_agent(owner_url: str, name: str) -> NamedAgent:
    """Find an agent by short name or id, as the database's owner. Errors: NotFoundError, InvalidInputError."""
    conninfo = owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute(FIND_AGENTS, {"name": name, "id": _as_id(name)}).fetchall()
    if not rows:
        raise NotFoundError(
            f"There is no agent “{name}”. Make one with `concierge create-owner`, or over the API.",
            code="agent_not_found",
        )
    if len(rows) > 1:
        choices = ", ".join(f"{row[1]} ({row[4]})" for row in rows)
        raise InvalidInputError(f"Several organizations have an agent “{name}”. Name it by id: {choices}.")
    return NamedAgent(*rows[0])


def _as_id(name: str) -> UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None
