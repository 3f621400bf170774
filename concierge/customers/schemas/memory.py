"""What is remembered of a customer, as it crosses borders: into a turn, out to operators, and to the customers themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from concierge.customers.schemas.context import ConversationSummary, FactKind, RememberedFact
from concierge.customers.schemas.known import MemoryConsent
from concierge.kit.fields import Out, PlainText
from concierge.kit.pagination import Identified

MOST_DAYS = 3_650

Subject = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), PlainText]
Value = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=160), PlainText]
Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]


@dataclass(frozen=True, slots=True)
class Recalled:
    """A fact as it was found; `confirmed_at` is when it was last said."""

    fact: RememberedFact
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Memories:
    """What a turn may use of the past: the facts worth its attention, the best first, and the latest conversations."""

    facts: tuple[RememberedFact, ...] = ()
    summaries: tuple[ConversationSummary, ...] = ()


class FactIn(BaseModel):
    """Something to be remembered. It takes the place of what is remembered of the same kind and subject."""

    kind: FactKind
    subject: Subject
    value: Value
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.95


class FactPatch(BaseModel):
    """What is right instead. What was remembered is closed, and the new value holds from now on."""

    value: Value


class OwnFactPatch(BaseModel):
    """What is right instead. What was remembered is erased."""

    value: Value


class FactOut(Identified):
    """It held until `valid_until`, or holds still; `turn_id` is the message it came from."""

    kind: FactKind
    subject: str
    value: str
    confidence: float
    valid_from: datetime
    valid_until: datetime | None
    confirmed_at: datetime
    expires_at: datetime | None
    superseded_by: UUID | None
    conversation_id: UUID | None
    turn_id: UUID | None


class OwnFactOut(Identified):
    """What a customer may see of what is remembered of them: all that it says."""

    kind: FactKind
    subject: str
    value: str
    valid_from: datetime
    valid_until: datetime | None
    expires_at: datetime | None


class MemorySettings(BaseModel):
    """Of whom anything may be kept, and for how many days by kind of fact. What is left out is as at first.

    `off` keeps and recalls nothing, `anonymous_off` nothing of customers who are not identified. What was kept before
    stays until it expires or is erased.
    """

    memory: MemoryConsent = "on"
    days: Annotated[dict[FactKind, Days], Field(max_length=10)] = {}


class MemorySettingsOut(Out):
    memory: MemoryConsent
    days: dict[FactKind, int]


@dataclass(frozen=True, slots=True)
class MemoryExport:
    """All that is remembered of a customer, as plain values."""

    facts: list[dict[str, Any]]
    summaries: list[dict[str, Any]]
