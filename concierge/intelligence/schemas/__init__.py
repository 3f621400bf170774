"""The eight-dimensional reading of a message, as it is stored, traced and sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from concierge.customers.schemas.context import CommunicationStyle, ResponseStyle, TechnicalLevel
from concierge.kit.fields import Out

EmotionalState = Literal[
    "frustrated", "excited", "confused", "angry", "neutral", "happy", "satisfied", "worried"
]
UrgencyLevel = Literal["critical", "high", "medium", "low"]
IntentCategory = Literal[
    "information_seeking",
    "problem_solving",
    "purchase_intent",
    "support_request",
    "complaint",
    "comparison",
    "exploration",
    "cancellation",
]
OpportunityKind = Literal[
    "offer_demo",
    "upsell",
    "cross_sell",
    "retention_save",
    "consulting",
    "education",
    "purchase_help",
    "referral",
]
ActionKind = Literal[
    "answer",
    "ask_for_detail",
    "share_link",
    "offer_demo",
    "offer_discount_if_allowed",
    "escalate_to_human",
    "apologise",
    "step_by_step",
    "compare_options",
    "check_order",
    "retain",
    "close_warmly",
]
EMOTIONS: tuple[EmotionalState, ...] = get_args(EmotionalState)
URGENCIES: tuple[UrgencyLevel, ...] = get_args(UrgencyLevel)
INTENTS: tuple[IntentCategory, ...] = get_args(IntentCategory)
PLEASANT: frozenset[str] = frozenset({"excited", "happy", "satisfied"})
UNPLEASANT: frozenset[str] = frozenset({"frustrated", "angry", "confused", "worried"})

Source = Literal["message", "history", "context", "reading", "rule", "model", "operator"]
SettledBy = Literal["local", "rule", "llm", "operator"]
Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a value was read. `start` and `end` are characters of the message; None where another thing than its words
    is the reason. `weight` is how much it counts, within its dimension.
    """

    because: str
    weight: float
    source: Source = "message"
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Reading(Generic[Value_co]):
    """One dimension's value. `confidence` is the probability that it is right; `scores` are its rivals' (0 to 1)."""

    value: Value_co
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    settled_by: SettledBy = "local"


@dataclass(frozen=True, slots=True)
class Opportunity:
    """Something worth offering, and the words that show it."""

    kind: OpportunityKind
    text: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class PersonalizationCues:
    """`language` is a two-letter code (ISO 639-1)."""

    technical_level: TechnicalLevel
    response_style: ResponseStyle
    communication_style: CommunicationStyle
    language: str


@dataclass(frozen=True, slots=True)
class ConversationAnalysis:
    """What a message says about its writer. The mappings at the end have one entry for each dimension."""

    emotional_state: EmotionalState
    urgency_level: UrgencyLevel
    intent_category: IntentCategory
    key_topics: tuple[str, ...]
    pain_points: tuple[str, ...]
    opportunities: tuple[Opportunity, ...]
    next_best_actions: tuple[ActionKind, ...]
    personalization_cues: PersonalizationCues
    confidence_score: float
    confidence: Mapping[str, float]
    evidence: Mapping[str, tuple[Evidence, ...]]
    settled_by: Mapping[str, SettledBy]
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


LONGEST_MESSAGE = 100_000


def _readable(text: Any) -> Any:
    """What no text may hold is replaced, character by character, so that places stay."""
    if not isinstance(text, str):
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", " ")


Said = Annotated[str, BeforeValidator(_readable), StringConstraints(max_length=LONGEST_MESSAGE)]


class AnalyzeIn(BaseModel):
    """A message to be read. An empty one, and one of signs only, is read as well: as hardly anything."""

    model_config = ConfigDict(extra="ignore")

    text: Said
    history: Annotated[list[Said], Field(max_length=100)] = Field(
        default=[], description="The visitor's earlier messages, oldest first."
    )
    context: dict[str, Any] = Field(
        default={},
        description="What the page knows: `current_page`, `referrer`, `device`, `local_time`, `language`.",
        max_length=50,
    )


class IntelligenceMetrics(Out):
    """`hits` are messages that had been read before; `hit_rate` is their share."""

    hits: int
    misses: int
    hit_rate: float
