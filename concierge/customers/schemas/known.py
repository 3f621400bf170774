"""A profile as a turn reads it, in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from concierge.customers.schemas.context import ProfileType

MemoryConsent = Literal["off", "anonymous_off", "on"]


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """`previous_visit_at` is when the visit before this one ended, None on the first. `traits` are as they are stored."""

    customer_id: UUID
    profile_type: ProfileType
    external_id: str | None
    email: str | None
    name: str | None
    labels: frozenset[str]
    attributes: Mapping[str, Any]
    traits: Mapping[str, Any]
    visits: int
    turns: int
    conversions: int
    satisfaction: float | None
    created_at: datetime
    previous_visit_at: datetime | None
    memory: MemoryConsent

    @property
    def memory_allowed(self) -> bool:
        return self.memory == "on" or (self.memory == "anonymous_off" and self.profile_type != "anonymous")
