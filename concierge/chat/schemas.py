from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from concierge.accounts.schemas import AudienceLabels
from concierge.agents.schemas.policy import FallbackStrategy
from concierge.chat.writers.brief import Citation
from concierge.customers.schemas.context import EngagementLevel
from concierge.customers.schemas.customers import ExternalId
from concierge.intelligence.schemas import (
    ActionKind,
    ConversationAnalysis,
    EmotionalState,
    IntentCategory,
    PersonalizationCues,
    UrgencyLevel,
)
from concierge.kit.fields import PlainText

Short = Annotated[str, StringConstraints(max_length=500), PlainText]
Url = Annotated[str, StringConstraints(max_length=2_000), PlainText]


class SessionContext(BaseModel):
    """What the page knows about the visit; every field is optional, none is trusted."""

    model_config = ConfigDict(extra="ignore")

    current_page: Url | None = None
    referrer: Url | None = None
    user_agent: Short | None = None
    device: Literal["mobile", "tablet", "desktop"] | None = None
    local_time: Short | None = None
    language: Short | None = None
    utm: Annotated[dict[Short, Short], Field(max_length=20)] = {}


class ChatIn(BaseModel):
    """A visitor's message. Its length is checked against the server's setting, not here."""

    message: Annotated[str, StringConstraints(strip_whitespace=True), PlainText]
    conversation_id: UUID | None = None
    visitor_id: UUID | None = Field(
        default=None, description="Who writes, when a secret key asks on somebody's behalf."
    )
    user_id: ExternalId | None = Field(
        default=None,
        description="Your own id of the customer you ask for. Believed of a secret key; from a page it says nothing.",
    )
    audiences: AudienceLabels = Field(
        default=[],
        description="What besides public documents may be used, when a secret key or a member asks. A visitor's token "
        "says it for them.",
    )
    session_context: SessionContext = SessionContext()
    stream: bool = False


class SourceOut(BaseModel):
    """A numbered source: `quote` is the exact text from `start` to `end` of the document, and begins on its `page`."""

    number: int
    document_id: UUID
    title: str
    url: str | None
    type: str
    score: float
    quote: str
    start: int
    end: int
    page: int | None

    @classmethod
    def of(cls, citation: Citation) -> Self:
        score = round(citation.score, 4)
        fields = {name: getattr(citation, name) for name in cls.model_fields.keys() - {"type", "score"}}
        return cls(type=citation.kind, score=score, **fields)


class ClaimOut(BaseModel):
    text: str
    status: Literal["supported", "partial", "unsupported", "no_claim"]
    source: int | None


class UserIntelligenceOut(BaseModel):
    """What the message says of its writer, in eight dimensions."""

    emotional_state: EmotionalState
    urgency_level: UrgencyLevel
    intent_category: IntentCategory
    key_topics: list[str]
    pain_points: list[str]
    opportunities: list[str]
    next_best_actions: list[ActionKind]
    personalization_cues: PersonalizationCues
    confidence_score: float
    escalation_needed: bool

    @classmethod
    def of(cls, analysis: ConversationAnalysis, *, escalation_needed: bool) -> Self:
        return cls(
            emotional_state=analysis.emotional_state,
            urgency_level=analysis.urgency_level,
            intent_category=analysis.intent_category,
            key_topics=list(analysis.key_topics),
            pain_points=list(analysis.pain_points),
            opportunities=[found.kind for found in analysis.opportunities],
            next_best_actions=list(analysis.next_best_actions),
            personalization_cues=analysis.personalization_cues,
            confidence_score=analysis.confidence_score,
            escalation_needed=escalation_needed,
        )


class CustomerContextOut(BaseModel):
    """`user_intelligence` is for callers with a secret key or a member's session; for a visitor's token only where the
    agent says so.
    """

    visitor_id: UUID | None
    user_intelligence: UserIntelligenceOut | None = None
    engagement_level: EngagementLevel = "new"
    returning_customer: bool = False
    personalization_applied: bool = False


class ChatOut(BaseModel):
    """The reply to a message: the whole, verified text with its sources."""

    response: str
    conversation_id: UUID
    turn_id: UUID
    confidence_score: float = Field(ge=0, le=1)
    sources: list[SourceOut]
    claims: list[ClaimOut]
    grounding_mode: Literal["blended", "strict"]
    persona_applied: str | None = None
    escalation_suggested: bool
    web_search_used: bool = False
    fallback_strategy: FallbackStrategy | None = None
    customer_context: CustomerContextOut


class VisitorTokenIn(BaseModel):
    agent_id: UUID
    token: Annotated[str, StringConstraints(max_length=4_096)] | None = Field(
        default=None, description="The visitor's earlier token, so that they stay the same visitor."
    )
    audiences: AudienceLabels = Field(
        default=[], description="What besides public documents the visitor may read. Needs a secret key."
    )


class VisitorTokenOut(BaseModel):
    token: str
    visitor_id: UUID
    expires_at: Any
