from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from concierge.kit.fields import LongText, Name, Out
from concierge.kit.pagination import Identified


def _hex(digest: object) -> object:
    return digest.hex() if isinstance(digest, bytes) else digest


DocumentFlag = Literal["instructions"]
GroundingMode = Literal["blended", "strict"]


class FreshnessPolicy(BaseModel):
    """When the pack's sources are due to be read again."""

    ttl_days: int = Field(default=30, ge=1, le=3650)
    recrawl: Literal["never", "changed", "always"] = "changed"
    priority: Literal["low", "medium", "high"] = "medium"


class PackIn(BaseModel):
    name: Name
    description: LongText = ""
    grounding_mode: GroundingMode = "blended"
    freshness_policy: FreshnessPolicy = FreshnessPolicy()


class PackPatch(BaseModel):
    """What is left out stays as it is."""

    name: Name | None = None
    description: LongText | None = None
    grounding_mode: GroundingMode | None = None
    freshness_policy: FreshnessPolicy | None = None


class PackOut(Out):
    id: UUID
    name: str
    description: str
    grounding_mode: GroundingMode
    freshness_policy: FreshnessPolicy
    document_count: int
    chunk_count: int
    created_at: datetime
    updated_at: datetime


class DocumentOut(Identified):
    source_id: UUID
    uri: str
    title: str
    url: str | None
    media_type: str
    language: str | None
    published_at: datetime | None
    modified_at: datetime | None
    authoritative: bool
    credibility: float
    audience: str | None
    content_hash: Annotated[str, BeforeValidator(_hex)] = Field(description="The SHA-256 of its text.")
    kind: Literal["pack", "faq"]
    flags: list[str]
    chunk_count: int
    created_at: datetime


class DocumentTextOut(DocumentOut):
    """`instruction_spans` are starts and ends, in the text, of sentences that give orders and are never quoted."""

    text: str
    instruction_spans: list[int]
