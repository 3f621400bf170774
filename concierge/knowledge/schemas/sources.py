from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, HttpUrl, StringConstraints, model_validator

from concierge.accounts.schemas import AudienceLabel
from concierge.kit.fields import Name, PlainText
from concierge.kit.pagination import Identified
from concierge.knowledge.schemas.websites import WebsiteOptions

SourceKind = Literal["text", "file", "folder", "archive", "url", "website", "feed", "faq"]
SourceStatus = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
ItemStatus = Literal[
    "pending", "stored", "duplicate", "near_duplicate", "unchanged", "expanded", "skipped", "failed"
]
Stage = Literal["discovering", "reading", "finishing"]
MAX_TEXT_CHARS = 1_000_000


@dataclass(frozen=True, slots=True)
class NewItem:
    """One thing to read: its name within the source, and its bytes unless it is fetched."""

    uri: str
    data: bytes | None
    media_type: str | None = None
    skipped_because: str | None = None
    depth: int = 0


# Empty is the public.
Audience = Literal[""] | AudienceLabel


@dataclass(frozen=True, slots=True)
class NewSource:
    """`audience` is empty for the public; None leaves it as it is, which of a new source is the public too."""

    kind: SourceKind
    name: str
    uri: str | None
    items: Sequence[NewItem]
    authoritative: bool = False
    credibility: float = 0.5
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    audience: str | None = None


class SourceIn(BaseModel):
    """A source given as JSON: a text with a title, the URL of one page, or that of a website. Files are uploaded.

    A website's `url` is its start page or its sitemap; `website` says how it is to be read.
    """

    kind: Literal["text", "url", "website"]
    title: Name | None = None
    text: Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS), PlainText] | None = None
    url: HttpUrl | None = None
    website: WebsiteOptions | None = None
    authoritative: bool = False
    credibility: float = Field(default=0.5, ge=0, le=1)
    audience: Audience | None = Field(
        default=None,
        description="Who may read it: a label that a visitor must have; empty for everybody. Left out, a source that is "
        "added again keeps the one it has.",
    )

    @model_validator(mode="after")
    def says_what_to_read(self) -> Self:
        if self.kind == "text" and not (self.text and self.text.strip() and self.title):
            raise ValueError("a text source needs a `title` and a `text`")
        if self.kind in {"url", "website"} and self.url is None:
            raise ValueError(f"a {'URL' if self.kind == 'url' else 'website'} source needs a `url`")
        if self.website is not None and self.kind != "website":
            raise ValueError("`website` says how a website is read; this is none")
        return self


TypedText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARS), PlainText
]


class TextIn(BaseModel):
    """A text as it is to be from now on."""

    title: Name
    text: TypedText


class TextOut(BaseModel):
    """A text as answers read it: as it was typed, without what nobody sees."""

    title: str
    text: str


class Rate(BaseModel):
    """How fast a source is being read just now, per second."""

    documents: float
    chunks: float


class Progress(BaseModel):
    """How far a source has been read. `stage`, `rate` and `seconds_left` are null while nobody reads it.

    `seconds_left` is also null until there is something to tell it by, and may grow while pages are still being found.
    """

    stage: Stage | None
    percent: int
    items: int
    done: int
    stored: int
    duplicate: int
    near_duplicate: int
    unchanged: int
    skipped: int
    failed: int
    chunks: int
    rate: Rate | None
    seconds_left: int | None
    current: str | None


class SourceOut(Identified):
    pack_id: UUID
    kind: SourceKind
    name: str
    uri: str | None
    status: SourceStatus
    authoritative: bool
    credibility: float
    audience: str | None
    error_code: str | None
    error: str | None
    progress: Progress
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    synced_at: datetime | None
    next_due_at: datetime | None
    notes: list[str] = Field(default=[], description="What the last reading has to say about the source.")


class ItemOut(Identified):
    uri: str
    size: int
    status: ItemStatus
    document_id: UUID | None
    chunk_count: int
    flags: list[str] = Field(default_factory=list, description="What is special about its document.")
    error_code: str | None
    error: str | None
    finished_at: datetime | None

    def flagged(self, flags: Mapping[UUID, Sequence[str]]) -> Self:
        """The item with the flags of its document."""
        own = flags.get(self.document_id, ()) if self.document_id else ()
        return self.model_copy(update={"flags": list(own)})
