from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from concierge.accounts.schemas import AudienceLabels
from concierge.kit.fields import PlainText
from concierge.knowledge.schemas.passage import Passage
from concierge.knowledge.surroundings import Surroundings

MOST_PASSAGES = 16
MOST_SURROUNDINGS = 20_000
Verdict = Literal["kept", "copy", "beyond_limit", "not_shortlisted"]


class SearchIn(BaseModel):
    """A question to the knowledge of some packs, or of all there are."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000), PlainText]
    pack_ids: Annotated[list[UUID], Field(max_length=50)] = []
    limit: int = Field(default=8, ge=1, le=MOST_PASSAGES)
    surroundings: int = Field(
        default=0,
        ge=0,
        le=MOST_SURROUNDINGS,
        description="So many characters that stand around the passages are given with them, the best ones' first.",
    )
    audiences: AudienceLabels | None = Field(
        default=None,
        description="Find what a visitor of these audiences would, with `[]` one of none. By default everything is found.",
    )
    explain: bool = Field(default=False, description="Also list every candidate, and why it was left out.")


class PassageOut(BaseModel):
    """A passage that was found; `start` and `end` are offsets in its document's text, `page` is where it begins.

    `before` and `after` stand around it there, where surroundings were asked for.
    """

    rank: int
    chunk_id: UUID
    document_id: UUID
    pack_id: UUID
    title: str
    url: str | None
    audience: str | None
    headings: list[str]
    text: str
    start: int
    end: int
    page: int | None
    score: float
    before: str = ""
    after: str = ""

    @classmethod
    def of(cls, passage: Passage, around: Surroundings) -> Self:
        reckoned = {
            "rank": passage.rank + 1,
            "end": passage.start + len(passage.text),
            "page": passage.page_at(passage.start),
            "before": around.before,
            "after": around.after,
        }
        fields = {name: getattr(passage, name) for name in cls.model_fields.keys() - reckoned.keys()}
        return cls(**reckoned, **fields)


class CandidateOut(BaseModel):
    """A chunk that was looked at. `signals` are known of those that were read whole; `same_as` names a copy's chunk."""

    chunk_id: UUID
    document_id: UUID
    title: str
    ordinal: int
    score: float
    cosine: float
    bm25: float
    signals: dict[str, float] | None
    verdict: Verdict
    same_as: UUID | None


class PairOut(BaseModel):
    """A question–answer pair that is asked much like the question; where it asks the `same`, it is the first passage."""

    document_id: UUID
    question: str
    cosine: float
    same: bool
    because: str


class SearchOut(BaseModel):
    """`pairs` are those whose questions are nearest. `term_weights` say how rare each word of the question is in what was searched."""

    passages: list[PassageOut]
    pairs: list[PairOut] = []
    chunks_searched: int
    milliseconds: float
    term_weights: dict[str, float]
    candidates: list[CandidateOut] | None = None
