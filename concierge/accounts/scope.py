"""Who acts, for which organization, and what they may do. Every repository demands a `TenantScope`."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from concierge.kit.db import Session
from concierge.kit.errors import ForbiddenError


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    AGENT = "agent"
    VIEWER = "viewer"


class Permission(StrEnum):
    ORGANIZATION_READ = "organization:read"
    AGENTS_READ = "agents:read"
    AGENTS_WRITE = "agents:write"
    KNOWLEDGE_READ = "knowledge:read"
    KNOWLEDGE_WRITE = "knowledge:write"
    CONVERSATIONS_READ = "conversations:read"
    CONVERSATIONS_CORRECT = "conversations:correct"
    INTELLIGENCE_READ = "intelligence:read"
    INTELLIGENCE_WRITE = "intelligence:write"
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    CATALOG_READ = "catalog:read"
    CATALOG_WRITE = "catalog:write"
    LEARNING_READ = "learning:read"
    LEARNING_WRITE = "learning:write"
    CHAT = "chat"
    VISITORS_TOKEN = "visitors:token"  # noqa: S105  # The name of a permission, not a token.
    MEMBERS_MANAGE = "members:manage"
    KEYS_MANAGE = "keys:manage"
    AUDIT_READ = "audit:read"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"


_READ = frozenset(
    {
        Permission.ORGANIZATION_READ,
        Permission.AGENTS_READ,
        Permission.KNOWLEDGE_READ,
        Permission.CONVERSATIONS_READ,
        Permission.INTELLIGENCE_READ,
        Permission.CUSTOMERS_READ,
        Permission.CATALOG_READ,
        Permission.LEARNING_READ,
    }
)
_WORK = _READ | {
    Permission.CHAT,
    Permission.VISITORS_TOKEN,
    Permission.CONVERSATIONS_CORRECT,
    Permission.CUSTOMERS_WRITE,
}
_BUILD = _WORK | {
    Permission.AGENTS_WRITE,
    Permission.KNOWLEDGE_WRITE,
    Permission.INTELLIGENCE_WRITE,
    Permission.CATALOG_WRITE,
    Permission.LEARNING_WRITE,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _READ,
    Role.AGENT: _WORK,
    Role.ADMIN: frozenset(Permission) - {Permission.BILLING_WRITE},
    Role.OWNER: frozenset(Permission),
}
SECRET_KEY_PERMISSIONS = _BUILD
PUBLISHABLE_KEY_PERMISSIONS = frozenset({Permission.VISITORS_TOKEN})
VISITOR_PERMISSIONS = frozenset({Permission.CHAT})

ActorKind = Literal["member", "key", "visitor", "system"]


@dataclass(frozen=True, slots=True)
class Audiences:
    """Which documents somebody may read: the public ones, those for one of their labels, or `everything`."""

    labels: frozenset[str] = frozenset()
    everything: bool = False

    @classmethod
    def of(cls, labels: Iterable[str]) -> Self:
        return cls(frozenset(labels))


PUBLIC = Audiences()
EVERYTHING = Audiences(everything=True)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a member (`id` is the user's), a key, a visitor (bound to one agent), or the system itself.

    `audiences` are the labels of a visitor. A key that stands in the source of a page is `published`.
    """

    kind: ActorKind
    id: UUID | None
    permissions: frozenset[Permission]
    role: Role | None = None
    session_id: UUID | None = None
    agent_id: UUID | None = None
    origin: str | None = None
    audiences: frozenset[str] = frozenset()
    published: bool = False

    @property
    def is_believed(self) -> bool:
        """Whether it may say what somebody else may read: a visitor is anybody, and so is who has a published key."""
        return self.kind != "visitor" and not self.published


SYSTEM = Actor("system", None, frozenset(Permission))


@dataclass(frozen=True, slots=True)
class TenantScope:
    """One organization, seen by one actor. Nothing reads or writes a tenant's row without one."""

    org_id: UUID
    actor: Actor = SYSTEM

    def require(self, permission: Permission) -> None:
        if permission not in self.actor.permissions:
            raise ForbiddenError(
                f"This needs the permission “{permission}”, which you do not have here.",
                code="permission_missing",
                extra={"permission": permission},
            )


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of work: one open transaction that sees one organization."""

    session: Session
    scope: TenantScope
