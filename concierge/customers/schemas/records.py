"""Everything that is kept of one customer, as it is handed over."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from concierge.customers.schemas.context import ProfileType
from concierge.kit.pagination import Identified


class VisitorRecord(Identified):
    agent_id: UUID | None
    created_at: datetime
    ended_at: datetime | None


class MergeRecord(Identified):
    """An anonymous profile as it was before it became part of another; `moved` are the rows that went along."""

    into_customer_id: UUID
    profile: dict[str, Any]
    moved: dict[str, Any]
    merged_at: datetime
    undone_at: datetime | None


class CustomerRecord(Identified):
    profile_type: ProfileType
    external_id: str | None
    email: str | None
    name: str | None
    labels: list[str]
    attributes: dict[str, Any]
    traits: dict[str, Any]
    visits: int
    turns: int
    conversions: int
    satisfaction: float | None
    last_page: str | None
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime
    previous_visit_at: datetime | None
    visitors: list[VisitorRecord] = Field(default_factory=list[VisitorRecord])
    merges: list[MergeRecord] = Field(default_factory=list[MergeRecord])

    @property
    def visitor_ids(self) -> list[UUID]:
        return [visitor.id for visitor in self.visitors]
