"""What an organization, or one of its agents, allows a strategy to be: data, each value with its default."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from concierge.kit.fields import PlainText

FallbackStrategy = Literal["discovery", "assumption", "exploration", "showcase", "helpful"]
EscalationReason = Literal[
    "customer_request",
    "anger",
    "missing_knowledge",
    "unsupported_request",
    "policy_restriction",
    "tool_failure",
    "loop",
    "budget",
    "vip",
]
FALLBACKS: Final[tuple[FallbackStrategy, ...]] = get_args(FallbackStrategy)
ESCALATIONS: Final[tuple[EscalationReason, ...]] = get_args(EscalationReason)
# Of questions about AWS whose page was taken away almost half are answered from here on, and one of six from 0.63 on.
STRICT_ABOVE: Final = 0.5


@dataclass(frozen=True, slots=True)
class StrategyPolicy:
    """What holds for one agent. Confidences are 0 to 1, tokens those of a whole reply.

    `discover_below` is the confidence in a customer's context under which questions come first, `assume_above` the one from
    which on the signals are acted on. `allowed` are the strategies that may be taken; exploration and helpful always may.
    `loop_after` is the number of messages on the same unsolved matter that make a loop. `strict_above` is the probability
    that the evidence answers, from which on an agent with strict grounding gives an answer as one.
    """

    discover_below: float = 0.2
    assume_above: float = 0.3
    allowed: tuple[FallbackStrategy, ...] = FALLBACKS
    escalate_for: tuple[EscalationReason, ...] = ESCALATIONS
    vip_labels: tuple[str, ...] = ("vip",)
    loop_after: int = 3
    purchase_steps: bool = True
    remember_aloud: bool = True
    strict_above: float = STRICT_ABOVE
    formal_temperature: float = 0.4
    casual_temperature: float = 0.8
    usual_temperature: float = 0.6
    brief_tokens: int = 300
    usual_tokens: int = 500
    detailed_tokens: int = 800

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "StrategyPolicy":
        """Take what is stored; what is not there, or is no longer known, has its default."""
        return _POLICY.validate_python({name: stored[name] for name in _NAMES & stored.keys()})


_POLICY: Final = TypeAdapter(StrategyPolicy)
_NAMES: Final = frozenset(own.name for own in fields(StrategyPolicy))


def _always(allowed: list[FallbackStrategy]) -> list[FallbackStrategy]:
    if not {"exploration", "helpful"} <= set(allowed):
        raise ValueError("`exploration` and `helpful` cannot be left out: something must always be possible")
    return allowed


Share = Annotated[float, Field(ge=0, le=1)]
Temperature = Annotated[float, Field(ge=0, le=2)]
Tokens = Annotated[int, Field(ge=50, le=8_000)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), PlainText]


class StrategyPatch(BaseModel):
    """What is said here holds; what is left out, or null, is as it would be without."""

    model_config = ConfigDict(extra="forbid")

    discover_below: Share | None = None
    assume_above: Share | None = None
    allowed: Annotated[list[FallbackStrategy], Field(max_length=5), AfterValidator(_always)] | None = None
    escalate_for: Annotated[list[EscalationReason], Field(max_length=20)] | None = None
    vip_labels: Annotated[list[Label], Field(max_length=20)] | None = None
    loop_after: Annotated[int, Field(ge=2, le=20)] | None = None
    purchase_steps: bool | None = None
    remember_aloud: bool | None = None
    strict_above: Annotated[float, Field(ge=0.4, le=0.95)] | None = None
    formal_temperature: Annotated[float, Field(ge=0, le=0.5)] | None = None
    casual_temperature: Annotated[float, Field(ge=0.8, le=2)] | None = None
    usual_temperature: Temperature | None = None
    brief_tokens: Annotated[int, Field(ge=50, le=300)] | None = None
    usual_tokens: Tokens | None = None
    detailed_tokens: Annotated[int, Field(ge=800, le=8_000)] | None = None


class StrategyOut(BaseModel):
    """`own` is what was said here, `effective` what holds, with everything else from the organization or the defaults."""

    own: StrategyPatch
    effective: StrategyPolicy
