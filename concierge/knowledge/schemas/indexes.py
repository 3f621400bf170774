"""The indexes of a pack: how one is made, and how far it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from concierge.kit.fields import PlainText
from concierge.kit.pagination import Identified
from concierge.llm.embeddings import LOCAL_MODEL, VectorSpace

ChunkerName = Literal["late_semantic", "recursive"]
IndexState = Literal["building", "current", "retired", "failed", "cancelled"]
# A row of the database has to hold a vector beside the words of its chunk.
MOST_DIMENSIONS = 3_072
EmbeddingModelName = Annotated[
    str, StringConstraints(min_length=3, max_length=200, pattern=r"^[^\s:]+:\S+$"), PlainText
]


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """What an index is made by: the model, how long its vectors are, and how documents are cut."""

    space: VectorSpace
    chunker: ChunkerName

    @classmethod
    def of(cls, space: VectorSpace) -> Self:
        """The plan that suits a model: only the local one shows the states that late chunking pools."""
        return cls(space, "late_semantic" if space.model == LOCAL_MODEL else "recursive")


class ReindexIn(BaseModel):
    """What is left out is as the settings say; the chunker then is the one that suits the model."""

    embedding_model: EmbeddingModelName | None = Field(
        default=None, description="`local:minilm`, or any pydantic-ai embedding model such as `openai:…`."
    )
    dimensions: int | None = Field(
        default=None,
        ge=1,
        le=MOST_DIMENSIONS,
        description="How many numbers the model is asked for per text.",
    )
    chunker: ChunkerName | None = None


class IndexProgress(BaseModel):
    """How far a build is. `seconds_left` is None until that can be told."""

    percent: int
    documents: int
    done: int
    chunks: int
    seconds_left: int | None = None


class IndexOut(Identified):
    """An index of a pack. `is_default`: made by what the settings now say; `error` says why a build failed or waits."""

    pack_id: UUID
    number: int
    state: IndexState
    embedding_model: str
    dimensions: int
    chunker: ChunkerName
    is_default: bool
    progress: IndexProgress
    error_code: str | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    switched_at: datetime | None
    ended_at: datetime | None
