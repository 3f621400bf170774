"""The operator's view across organizations: which agent a name on the command line means."""

import uuid
from dataclasses import dataclass
from uuid import UUID

import psycopg

from concierge.kit.errors import InvalidInputError, NotFoundError
from concierge.knowledge.schemas.indexes import IndexPlan
from concierge.llm.embeddings import VectorSpace

FIND_AGENTS = """
SELECT a.org_id, a.id, a.slug, a.name, o.name
FROM agents a JOIN organizations o ON o.id = a.org_id
WHERE a.slug = %(name)s OR a.id = %(id)s ORDER BY a.created_at
"""

PACKS = """
SELECT p.org_id, p.id, p.name, o.name, x.embedding_model, x.dimensions, x.chunker
FROM knowledge_packs p JOIN organizations o ON o.id = p.org_id
LEFT JOIN pack_indexes x ON x.org_id = p.org_id AND x.pack_id = p.id AND x.state = 'current'
WHERE %(all)s OR p.name = %(name)s OR p.id = %(id)s ORDER BY p.created_at
"""

FIND_CUSTOMERS = """
SELECT c.org_id, c.id, o.name FROM customers c JOIN organizations o ON o.id = c.org_id
WHERE c.id = %(id)s OR c.external_id = %(name)s OR lower(c.email) = lower(%(name)s) ORDER BY c.created_at LIMIT 20
"""

PLANS = """
SELECT embedding_model, dimensions, chunker, count(*) FROM pack_indexes WHERE state = 'current' GROUP BY 1, 2, 3
"""

FIND_ORGANIZATIONS = """
SELECT o.id, o.name FROM organizations o WHERE o.slug = %(name)s OR o.id = %(id)s OR lower(o.name) = lower(%(name)s)
ORDER BY o.created_at
"""


@dataclass(frozen=True, slots=True)
class NamedOrganization:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class NamedPack:
    """A pack, and what its current index was made by; `plan` is None where nothing was read yet."""

    org_id: UUID
    id: UUID
    name: str
    organization: str
    plan: IndexPlan | None


@dataclass(frozen=True, slots=True)
class NamedAgent:
    org_id: UUID
    id: UUID
    slug: str
    name: str
    organization: str


@dataclass(frozen=True, slots=True)
class NamedCustomer:
    org_id: UUID
    id: UUID
    organization: str


def find_customer(owner_url: str, name: str) -> NamedCustomer:
    """Find a customer by id, external id or e-mail address, as the database's owner.

    Errors: NotFoundError, InvalidInputError.
    """
    with psycopg.connect(_conninfo(owner_url)) as connection:
        rows = connection.execute(FIND_CUSTOMERS, {"name": name, "id": _as_id(name)}).fetchall()
    if not rows:
        raise NotFoundError(f"There is no customer “{name}”.", code="customer_not_found")
    if len(rows) > 1:
        choices = ", ".join(f"{row[1]} ({row[2]})" for row in rows)
        raise InvalidInputError(f"Several customers go by “{name}”. Name one by id: {choices}.")
    return NamedCustomer(*rows[0])


def find_agent(owner_url: str, name: str) -> NamedAgent:
    """Find an agent by short name or id, as the database's owner. Errors: NotFoundError, InvalidInputError."""
    with psycopg.connect(_conninfo(owner_url)) as connection:
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


def find_organization(owner_url: str, name: str) -> NamedOrganization:
    """Find an organization by name or id, as the database's owner. Errors: NotFoundError, InvalidInputError."""
    with psycopg.connect(_conninfo(owner_url)) as connection:
        rows = connection.execute(FIND_ORGANIZATIONS, {"name": name, "id": _as_id(name)}).fetchall()
    if not rows:
        raise NotFoundError(f"There is no organization “{name}”.", code="organization_not_found")
    if len(rows) > 1:
        choices = ", ".join(str(row[0]) for row in rows)
        raise InvalidInputError(f"Several organizations are called “{name}”. Name one by its id: {choices}.")
    return NamedOrganization(*rows[0])


def all_packs(owner_url: str) -> list[NamedPack]:
    """Every organization's packs, as the database's owner sees them."""
    return _packs(owner_url, None)


def find_pack(owner_url: str, name: str) -> NamedPack:
    """Find a pack by name or id, as the database's owner. Errors: NotFoundError, InvalidInputError."""
    packs = _packs(owner_url, name)
    if not packs:
        raise NotFoundError(f"There is no knowledge pack “{name}”.", code="knowledge_pack_not_found")
    if len(packs) > 1:
        choices = ", ".join(f"{pack.id} ({pack.organization})" for pack in packs)
        raise InvalidInputError(f"Several organizations have a pack “{name}”. Name it by id: {choices}.")
    return packs[0]


def packs_by_plan(owner_url: str) -> dict[IndexPlan, int]:
    """How many packs of all organizations are indexed by each plan."""
    with psycopg.connect(_conninfo(owner_url)) as connection:
        rows = connection.execute(PLANS).fetchall()
    return {IndexPlan(VectorSpace(row[0], row[1]), row[2]): row[3] for row in rows}


def _packs(owner_url: str, name: str | None) -> list[NamedPack]:
    wanted = {"all": name is None, "name": name, "id": None if name is None else _as_id(name)}
    with psycopg.connect(_conninfo(owner_url)) as connection:
        rows = connection.execute(PACKS, wanted).fetchall()
    return [
        NamedPack(*row, plan=None if model is None else IndexPlan(VectorSpace(model, dimensions), chunker))
        for *row, model, dimensions, chunker in rows
    ]


def _conninfo(owner_url: str) -> str:
    return owner_url.replace("postgresql+psycopg://", "postgresql://", 1)


def _as_id(name: str) -> UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None
