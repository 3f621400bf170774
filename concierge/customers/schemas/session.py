"""What an organization says of what a visit says by itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from concierge.customers.inference import Source
from concierge.customers.schemas.context import Inferable
from concierge.kit.fields import Name, PlainText
from concierge.kit.pagination import Identified

MOST_RULES = 200
MOST_PATTERNS = 30
MOST_INFERENCES = 6
# The values that mean something to the rest of a turn; an interest, a need or a preference may be anything.
KNOWN_VALUES: dict[str, tuple[str, ...]] = {
    "stage": ("awareness", "consideration", "decision", "retention", "advocacy"),
    "response_style": ("concise", "detailed", "neutral"),
    "technical_level": ("beginner", "intermediate", "expert"),
}


def _known(inference: "Inference") -> "Inference":
    values = KNOWN_VALUES.get(inference.what)
    if values is not None and inference.value not in values:
        raise ValueError(f"“{inference.what}” is one of: {', '.join(values)}")
    return inference


def _different(inferences: "tuple[Inference, ...]") -> "tuple[Inference, ...]":
    if len({inference.what for inference in inferences}) != len(inferences):
        raise ValueError("each `what` may be inferred once")
    return inferences


Pattern = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), PlainText]
InferredValue = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), PlainText
]


@dataclass(frozen=True, slots=True)
class When:
    """Which sessions a rule is about: `source` says one of `any`. Of a page it is a part of the path, or the beginning of
    the path if it holds a slash; of a referrer a host; of `utm` a parameter and its value, `medium:email`. `*` stands for
    anything.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    source: Source
    any: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=MOST_PATTERNS)]


@dataclass(frozen=True, slots=True)
class Inference:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    what: Inferable
    value: InferredValue
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.8


KnownInference = Annotated[Inference, AfterValidator(_known)]
Then = Annotated[
    tuple[KnownInference, ...],
    Field(min_length=1, max_length=MOST_INFERENCES),
    AfterValidator(_different),
]


class SessionRuleIn(BaseModel):
    """A rule of one's own. It goes before those that are built in; among one's own the oldest decides."""

    name: Name
    enabled: bool = True
    when: When
    then: Then


class SessionRulePatch(BaseModel):
    """What is left out stays as it is. Of a built-in rule only `enabled` can be changed."""

    name: Name | None = None
    enabled: bool | None = None
    when: When | None = None
    then: Then | None = None


class SessionRuleOut(Identified):
    name: str
    built_in: bool
    enabled: bool
    when: When
    then: list[Inference]
    created_at: datetime | None
    updated_at: datetime | None


Text = Annotated[str, StringConstraints(max_length=2_000), PlainText]


class SessionPreviewIn(BaseModel):
    """A visit, as the page would tell of it with a message."""

    model_config = ConfigDict(extra="ignore")

    current_page: Text | None = None
    referrer: Text | None = None
    user_agent: Text | None = None
    device: Text | None = None
    local_time: Text | None = None
    language: Text | None = None
    utm: Annotated[dict[Text, Text], Field(max_length=20)] = {}

    def context(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class InferredOut(BaseModel):
    what: Inferable
    value: str
    confidence: float
    source: str
    rule: str


class SessionPreview(BaseModel):
    """What would be inferred, the surest first, and the name of the rule that did."""

    inferred: list[InferredOut]


@dataclass(frozen=True, slots=True)
class StoredRule:
    id: UUID
    name: str
    enabled: bool
    when: dict[str, Any]
    then: dict[str, Any]
