"""What an organization says of how messages are read: rules, attributes of its own, and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from concierge.intelligence.schemas import (
    ActionKind,
    ConversationAnalysis,
    EmotionalState,
    IntentCategory,
    PersonalizationCues,
    UrgencyLevel,
)
from concierge.intelligence.tokens import Token, tokens
from concierge.intelligence.view import FloatArray, OfficeHours
from concierge.kit.fields import Name, PlainText
from concierge.kit.pagination import Identified

MOST_RULES = 200
MOST_PHRASES = 20
MOST_ATTRIBUTES = 20
MOST_VALUES = 12
MOST_PHRASES_OF_VALUE = 10
UNKNOWN = "unknown"  # The value of an attribute that a message says nothing about.


def units_of(text: str) -> tuple[Token, ...]:
    """The words and pictures of a phrase, as `MessageView.units` has those of a message."""
    return tuple(token for token in tokens(text) if token.is_word or token.is_pictured)


def said_in(text: str) -> tuple[str, ...]:
    """The words and pictures of a phrase, folded."""
    return tuple(unit.text for unit in units_of(text))


def _sayable(text: str) -> str:
    if not said_in(text):
        raise ValueError("must contain a word or an emoji")
    return text


def _says_something(wanted: "Condition") -> "Condition":
    if wanted == Condition():
        raise ValueError("must name at least one condition, such as `phrases` or `intent`")
    return wanted


def _does_one_thing(wanted: "Consequence") -> "Consequence":
    said = [name for name in EFFECTS if getattr(wanted, name) is not None]
    if len(said) != 1:
        raise ValueError(f"must do exactly one thing: one of {', '.join(f'`{name}`' for name in EFFECTS)}")
    if (wanted.dimension is not None) != (said[0] in {"set_to", "raise_to"}):
        raise ValueError("must name a `dimension` with `set_to` and `raise_to`, and with nothing else")
    if wanted.raise_to is not None and wanted.dimension != "urgency_level":
        raise ValueError("only `urgency_level` can be raised; use `set_to` for other dimensions")
    return wanted


def _named(name: str) -> str:
    if name in RESERVED_NAMES:
        raise ValueError(f"“{name}” is read of every message already; choose another name")
    return name


def _different(values: tuple["AttributeValue", ...]) -> tuple["AttributeValue", ...]:
    names = [value.value.casefold() for value in values]
    if UNKNOWN in names:
        raise ValueError(f"“{UNKNOWN}” is what a message says nothing about; it need not be listed")
    if len(set(names)) != len(names):
        raise ValueError("no two values may be the same")
    return values


EFFECTS = ("set_to", "raise_to", "add_topic", "add_pain_point", "add_action")
RESERVED_NAMES = frozenset(
    own.name for analysis in (ConversationAnalysis, PersonalizationCues) for own in fields(analysis)
)
Phrase = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    PlainText,
    AfterValidator(_sayable),
]
Identifier = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
Described = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), PlainText]
ValueName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=60),
    PlainText,
    AfterValidator(_sayable),
]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), PlainText]


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule holds: everything that is given must be so; of several phrases, one."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    phrases: Annotated[tuple[Phrase, ...], Field(max_length=MOST_PHRASES)] = ()
    page_contains: Address | None = None
    intent: IntentCategory | None = None
    emotion: EmotionalState | None = None
    urgency_at_least: UrgencyLevel | None = None
    language: LanguageCode | None = None


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a rule does: sets or raises a `dimension`, or adds to a list. One thing only."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    dimension: Identifier | None = None
    set_to: ValueName | None = None
    raise_to: UrgencyLevel | None = None
    add_topic: Phrase | None = None
    add_pain_point: Phrase | None = None
    add_action: ActionKind | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """When a message is like this, it is read like that."""

    name: str
    when: Condition
    then: Consequence
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class AttributeValue:
    """One value of an attribute: what it means, and what is said by those it fits."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    value: ValueName
    description: Described = ""
    phrases: Annotated[tuple[Phrase, ...], Field(max_length=MOST_PHRASES_OF_VALUE)] = ()

    @property
    def text(self) -> str:
        """What a message is compared with."""
        return f"{self.value}: {self.description}" if self.description else self.value


@dataclass(frozen=True, slots=True)
class Attribute:
    """A ninth dimension, of one organization's own."""

    name: str
    values: tuple[AttributeValue, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Guidance:
    """What an organization says of how its visitors' messages are read.

    `vectors` are the embeddings of an attribute's values, (n, 384) of length 1, by its name; an attribute without them
    is judged by its phrases alone. Two of the same `version` say the same.
    """

    rules: tuple[Rule, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    vectors: Mapping[str, FloatArray] = field(default_factory=dict[str, FloatArray], compare=False)
    office_hours: OfficeHours = field(default_factory=OfficeHours)
    llm_allowed: bool = True
    version: str = ""


NO_GUIDANCE = Guidance()

When = Annotated[Condition, AfterValidator(_says_something)]
Then = Annotated[Consequence, AfterValidator(_does_one_thing)]
Values = Annotated[
    tuple[AttributeValue, ...], Field(min_length=2, max_length=MOST_VALUES), AfterValidator(_different)
]
AttributeName = Annotated[Identifier, AfterValidator(_named)]


class RuleIn(BaseModel):
    """Where several rules that hold set the same dimension, the oldest of them decides."""

    name: Name
    enabled: bool = True
    when: When
    then: Then


class RulePatch(BaseModel):
    """What is left out stays as it is; `when` and `then` are replaced as a whole."""

    name: Name | None = None
    enabled: bool | None = None
    when: When | None = None
    then: Then | None = None


class RuleOut(Identified):
    name: str
    enabled: bool
    when: Condition
    then: Consequence
    created_at: datetime
    updated_at: datetime


class AttributeIn(BaseModel):
    """Something the organization wants read of every message besides the eight dimensions."""

    name: AttributeName
    description: Described = ""
    values: Values


class AttributePatch(BaseModel):
    """What is left out stays as it is; `values` are replaced as a whole."""

    name: AttributeName | None = None
    description: Described | None = None
    values: Values | None = None


class AttributeOut(Identified):
    name: str
    description: str
    values: list[AttributeValue]
    created_at: datetime
    updated_at: datetime


class IntelligenceSettings(BaseModel):
    """Office hours by the visitor's clock, "HH:MM"; they may pass midnight, and "24:00" ends a day. `llm_allowed`:
    whether a language model may settle what the reading here leaves unsure.
    """

    opens: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "09:00"
    closes: Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")] = "18:00"
    llm_allowed: bool = True

    @model_validator(mode="after")
    def some_time_is_between(self) -> Self:
        if self.opens == self.closes:
            raise ValueError("`opens` and `closes` must differ; around the clock is 00:00 to 24:00")
        return self
