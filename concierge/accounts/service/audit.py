"""The audit log: security events, each with who, what, from where."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from concierge.accounts.models import AuditEvent
from concierge.accounts.repository import AccountRepository
from concierge.accounts.scope import TenantScope, Unit
from concierge.kit.ids import new_id


def audit_event(
    scope: TenantScope,
    action: str,
    *,
    subject: UUID | str | None = None,
    details: Mapping[str, object] | None = None,
) -> AuditEvent:
    """Make the row; the request's id and address come from the log context of the request."""
    context = structlog.contextvars.get_contextvars()
    return AuditEvent(
        org_id=scope.org_id,
        id=new_id(),
        actor_kind=scope.actor.kind,
        actor_id=scope.actor.id,
        action=action,
        subject=None if subject is None else str(subject),
        ip=context.get("ip"),
        request_id=context.get("request_id"),
        details=dict(details or {}),
    )


async def record(
    unit: Unit,
    action: str,
    *,
    subject: UUID | str | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Note an event in the unit's own transaction, so that it is there exactly when what it tells of was done."""
    event = audit_event(unit.scope, action, subject=subject, details=details)
    await AccountRepository(unit.session, unit.scope).add(event)
