"""How a reading ends: what the source and its sync then say, and when the next one is due."""

from datetime import datetime
from typing import Literal

from concierge.accounts.scope import Unit
from concierge.knowledge.models import KnowledgePack, Source
from concierge.knowledge.repository import SyncRepository
from concierge.knowledge.service.freshness import RefreshPlan, policy_of

# Queued: it goes on by itself; paused: when somebody says so; otherwise it is over.
Ending = Literal["queued", "paused", "succeeded", "failed", "cancelled"]


async def end_reading(
    unit: Unit,
    source: Source,
    pack: KnowledgePack,
    status: Ending,
    now: datetime,
    reason: tuple[str, str] | None = None,
) -> None:
    """Leave a source, which the caller has locked, as what it has become. `reason` is a code and a sentence."""
    over = status not in {"queued", "paused"}
    source.status = status
    source.current_item = None
    source.finished_at = now if over else None
    source.error_code, source.error = reason or (None, None)
    source.pause_requested = False
    if status == "succeeded":
        source.synced_at = now
    if source.sync_id is not None:
        noted = "running" if status == "queued" else status
        await SyncRepository(unit.session, unit.scope).set_status(
            source.sync_id, noted, source.finished_at, reason
        )
    if over:
        await RefreshPlan(unit.session, unit.scope).plan(source, policy_of(pack))
