from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from concierge.kit.pagination import Identified

Trigger = Literal["added", "manual", "scheduled", "retry"]
SyncStatus = Literal["running", "paused", "succeeded", "failed", "cancelled"]
# What can become of a document in a sync; each is a counter of it.
Outcome = Literal["added", "changed", "removed", "unchanged", "duplicate", "failed"]
ChangeKind = Literal["added", "changed", "removed"]


class Change(BaseModel):
    """A document that a sync added, changed or removed."""

    uri: str
    title: str
    change: ChangeKind


class SyncOut(Identified):
    """One reading of a source. `changes` names the first 200 documents that changed; the counters count all."""

    trigger: Trigger
    status: SyncStatus
    added: int
    changed: int
    removed: int
    unchanged: int
    duplicate: int
    failed: int
    changes: list[Change]
    error_code: str | None
    error: str | None
    started_at: datetime
    finished_at: datetime | None
