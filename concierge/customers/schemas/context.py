"""What is known about who writes, as a turn uses it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

ProfileType = Literal["unknown", "anonymous", "identified", "registered"]
EngagementLevel = Literal["new", "casual", "engaged", "highly_engaged"]
JourneyStage = Literal["awareness", "consideration", "decision", "retention", "advocacy"]
TechnicalLevel = Literal["beginner", "intermediate", "expert"]
ResponseStyle = Literal["concise", "detailed", "neutral"]
CommunicationStyle = Literal["formal", "casual", "neutral"]
FactKind = Literal["preference", "goal", "problem", "plan", "constraint", "event"]
Inferable = Literal["interest", "stage", "response_style", "technical_level", "need", "preference"]


@dataclass(frozen=True, slots=True)
class Inferred:
    """One thing the session says by itself. `source` is what said it (page, referrer, utm, device, local_time, language),
    `rule` the row of the table that read it so.
    """

    what: Inferable
    value: str
    confidence: float
    source: str
    rule: str


@dataclass(frozen=True, slots=True)
class RememberedFact:
    """Something the customer said, in words fit to be said back: “wants a sofa under $900”, of the subject “sofa”.

    `relevance` is its cosine to the current message; `turn_id` the message it came from, None where an operator or
    the business said so.
    """

    id: UUID
    kind: FactKind
    subject: str
    value: str
    confidence: float
    valid_from: datetime
    relevance: float = 0.0
    turn_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    conversation_id: UUID
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class CustomerContext:
    """Everything a turn may know of who writes; of somebody unknown only what the session says.

    `confidence_score` (0 to 1) is how well we know them; `data_sources` names where each field is from, and `rules` which
    rule derived it. `satisfaction_score` is 0 to 1. `labels` and `attributes` are what the business itself said, such as
    the label “vip”. `memory_allowed` is whether anything may be kept of them.
    """

    customer_id: UUID | None = None
    visitor_id: UUID | None = None
    email: str | None = None
    name: str | None = None
    profile_type: ProfileType = "unknown"
    engagement_level: EngagementLevel = "new"
    communication_style: CommunicationStyle = "neutral"
    technical_level: TechnicalLevel | None = None
    response_style: ResponseStyle = "neutral"
    session: tuple[Inferred, ...] = ()
    current_interests: tuple[str, ...] = ()
    pain_points: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    preferences: tuple[str, ...] = ()
    recent_turns: tuple[str, ...] = ()
    memories: tuple[RememberedFact, ...] = ()
    summaries: tuple[ConversationSummary, ...] = ()
    satisfaction_score: float | None = None
    journey_stage: JourneyStage = "awareness"
    returning: bool = False
    last_interaction: datetime | None = None
    confidence_score: float = 0.0
    labels: frozenset[str] = frozenset()
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    data_sources: Mapping[str, str] = field(default_factory=dict[str, str])
    rules: Mapping[str, str] = field(default_factory=dict[str, str])
    memory_allowed: bool = True
