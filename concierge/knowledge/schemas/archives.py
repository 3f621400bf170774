"""What a pack's archive holds: a zip of one JSON file per document, and a manifest that vouches for them.

Nothing in it names an organization, a member or a key, and no id in it is ever read.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints, model_validator

from concierge.accounts.schemas import AudienceLabel
from concierge.kit.fields import PlainText
from concierge.knowledge.schemas.faqs import BETWEEN, MOST_WORDINGS, Question
from concierge.knowledge.schemas.feeds import FeedOptions
from concierge.knowledge.schemas.judgements import DocumentPatch
from concierge.knowledge.schemas.packs import PackIn
from concierge.knowledge.schemas.sources import SourceKind
from concierge.knowledge.schemas.websites import WebsiteOptions, WebsiteSeen

FORMAT: Final = "concierge-pack"
FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
MOST_DOCUMENTS: Final = 50_000
MOST_SOURCES: Final = 10_000
MAX_OPTIONS_CHARS: Final = 256 * 1024
EARLIEST_YEAR: Final = 1900
LATEST_YEAR: Final = 2200
MAX_TEXT_CHARS: Final = 10_000_000
# A document as it travels within the product, so that its text is taken as it is.
DOCUMENT_TYPE: Final = "application/vnd.concierge.document+json"
KINDS: Final[tuple[str, ...]] = get_args(SourceKind)
# Options of a source that may hold what opens another door.
_SECRET_OPTION: Final = re.compile(
    r"(?:^|[_-])(?:api[_-]?key|secret|token|password|authori[sz]ation|cookies?|headers?|credentials?)$",
    re.IGNORECASE,
)
# Options that others rely on the shape of.
_OPTION_SHAPES: Final[Mapping[str, type[BaseModel]]] = {
    "website": WebsiteOptions,
    "seen": WebsiteSeen,
    "feed": FeedOptions,
}
_FETCHED_KINDS: Final = ("url", "website")

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Uri = Annotated[str, StringConstraints(min_length=1, max_length=4_000), PlainText]
Title = Annotated[str, StringConstraints(max_length=1_000), PlainText]
Url = Annotated[str, StringConstraints(max_length=4_000, pattern=r"^https?://"), PlainText]
Short = Annotated[str, StringConstraints(max_length=120), PlainText]


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"must be one of {', '.join(KINDS)}")
    return kind


def _modest(options: dict[str, Any]) -> dict[str, Any]:
    written = json.dumps(options)
    if len(written) > MAX_OPTIONS_CHARS:
        raise ValueError("must not be so large")
    # PostgreSQL has no place for it, in no string of any depth.
    if "\\u0000" in written:
        raise ValueError("must not contain the character NUL")
    return {
        name: shape.model_validate(value).model_dump() if (shape := _OPTION_SHAPES.get(name)) else value
        for name, value in options.items()
    }


def _believable(moment: datetime) -> datetime:
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(f"must be between {EARLIEST_YEAR} and {LATEST_YEAR}")
    return moment


class ArchivedSource(BaseModel):
    kind: Annotated[str, AfterValidator(_known_kind)]
    name: Title
    uri: Uri | None = None
    authoritative: bool = False
    credibility: float = Field(default=0.5, ge=0, le=1)
    audience: AudienceLabel | None = None
    options: Annotated[dict[str, Any], AfterValidator(_modest)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def has_an_address_to_fetch(self) -> Self:
        if self.kind in _FETCHED_KINDS and not (self.uri or "").startswith(("https://", "http://")):
            raise ValueError("must have an address to be fetched from")
        return self


Moment = Annotated[AwareDatetime, AfterValidator(_believable)]


class ArchivedDocument(BaseModel):
    """`source` is the place of its source in the manifest; `sha256` is that of the text in UTF-8.

    `judged` is what an operator says of it other than of its source.
    """

    source: Annotated[int, Field(ge=0)]
    uri: Uri
    title: Title
    url: Url | None = None
    media_type: Short
    language: Short | None = None
    published_at: Moment | None = None
    modified_at: Moment | None = None
    page_starts: Annotated[
        list[Annotated[int, Field(ge=0, le=MAX_TEXT_CHARS)]], Field(max_length=50_000)
    ] = []
    judged: DocumentPatch = DocumentPatch()
    kind: Literal["pack", "faq"] = "pack"
    questions: Annotated[list[Question], Field(max_length=MOST_WORDINGS + 1)] = []
    sha256: Digest
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_CHARS), PlainText]

    @model_validator(mode="after")
    def is_asked_if_it_is_a_pair(self) -> Self:
        if self.kind == "faq" and not (
            self.questions and self.text.startswith(f"{self.questions[0]}{BETWEEN}")
        ):
            raise ValueError("a question–answer pair must begin with its question")
        return self

    @property
    def is_whole(self) -> bool:
        return digest_of_text(self.text) == self.sha256


class Manifest(BaseModel):
    """`digest` is the SHA-256 of the documents' own in their order, so that none can be missing or exchanged."""

    format: Literal["concierge-pack"]
    version: Literal[1]
    exported_at: datetime
    pack: PackIn
    sources: Annotated[list[ArchivedSource], Field(max_length=MOST_SOURCES)]
    documents: Annotated[int, Field(ge=0, le=MOST_DOCUMENTS)]
    digest: Digest


def document_name(number: int) -> str:
    """The name of a document in the archive, counted from 1."""
    return f"documents/{number:06}.json"


def digest_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(digests: Iterable[str]) -> str:
    whole = hashlib.sha256()
    for digest in digests:
        whole.update(digest.encode())
    return whole.hexdigest()


def shareable(options: Mapping[str, Any]) -> dict[str, Any]:
    """A source's options without those that may be secret."""
    return {
        name: shareable(value) if isinstance(value, dict) else value  # pyright: ignore[reportUnknownArgumentType]  # JSON.
        for name, value in options.items()
        if not _SECRET_OPTION.search(name)
    }
