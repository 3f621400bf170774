from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from concierge.kit.fields import Out
from concierge.kit.pagination import Identified

ContradictionStatus = Literal["open", "dismissed"]
StandingReason = Literal["authoritative", "more_credible", "newer", "undecided"]


class StatementOut(Out):
    """A sentence of a document; `start` and `end` are offsets in its text."""

    document_id: UUID
    title: str
    url: str | None
    quote: str
    start: int
    end: int
    dated: datetime | None
    authoritative: bool
    credibility: float


class ContradictionOut(Identified):
    """Two statements that disagree. `used` is the one answers rest on, unless neither is known to be better."""

    pack_id: UUID
    kind: str
    status: ContradictionStatus
    used: StatementOut
    other: StatementOut
    settled: bool
    reason: StandingReason
    explanation: str
    found_at: datetime


class ContradictionsFound(BaseModel):
    """What a search for contradictions did."""

    documents: int
    found: int
