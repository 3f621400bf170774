"""Customers as they cross HTTP."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    model_validator,
)

from concierge.customers.schemas.known import MemoryConsent
from concierge.kit.fields import Name, Out, PlainText
from concierge.kit.pagination import Identified

MOST_LABELS = 50
MOST_ATTRIBUTES = 200
MOST_ATTRIBUTE_BYTES = 16_384
MOST_DEPTH = 12
StoredProfileType = Literal["anonymous", "identified", "registered"]
ExternalId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), PlainText]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), PlainText]
Search = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), PlainText]


def _deeper_than(most: int, value: Any) -> bool:
    inner: Iterable[Any] = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return any(most == 0 or _deeper_than(most - 1, own) for own in inner)


def small(attributes: dict[str, Any]) -> dict[str, Any]:
    """Errors: ValueError for what is too large, or holds what no database can."""
    if _deeper_than(MOST_DEPTH, attributes):
        raise ValueError(f"must not be nested more than {MOST_DEPTH} deep")
    try:
        written = json.dumps(attributes, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ValueError("must hold only finite numbers") from error
    if len(written.encode("utf-8", "replace")) > MOST_ATTRIBUTE_BYTES:
        raise ValueError(f"must not be larger than {MOST_ATTRIBUTE_BYTES:,} bytes together")
    if "\\u0000" in written or any(0xD800 <= ord(letter) <= 0xDFFF for letter in written):
        raise ValueError("must be valid Unicode text without the character NUL")
    return attributes


def fits(attributes: dict[str, Any]) -> bool:
    """Whether attributes that were put together can still be kept."""
    try:
        small(attributes)
    except ValueError:
        return False
    return len(attributes) <= MOST_ATTRIBUTES


Attributes = Annotated[dict[str, Any], Field(max_length=MOST_ATTRIBUTES), AfterValidator(small)]
Labels = Annotated[list[Label], Field(max_length=MOST_LABELS)]


class CustomerIn(BaseModel):
    """A customer as the business knows them; one that has the external id already is changed."""

    model_config = ConfigDict(extra="forbid")

    external_id: ExternalId
    email: EmailStr | None = None
    name: Name | None = None
    labels: Labels | None = None
    attributes: Attributes | None = None
    profile_type: Literal["identified", "registered"] = "registered"


class CustomerPatch(BaseModel):
    """What is left out stays; `attributes` are added to those there are, and null takes one away."""

    model_config = ConfigDict(extra="forbid")

    email: EmailStr | None = None
    name: Name | None = None
    labels: Labels | None = None
    attributes: Attributes | None = None
    profile_type: Literal["identified", "registered"] | None = None


class CustomerOut(Identified):
    profile_type: StoredProfileType
    external_id: str | None
    email: str | None
    name: str | None
    labels: list[str]
    attributes: dict[str, Any]
    visits: int
    turns: int
    conversions: int
    satisfaction: float | None
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime


class MergeOut(Identified):
    """An anonymous profile that became part of this customer's; `undone_at` is when that was taken back."""

    into_customer_id: UUID
    merged_at: datetime
    undone_at: datetime | None


class CustomerSettingsIn(BaseModel):
    """`memory`: `off` keeps nothing of anybody, `anonymous_off` only of people who were identified, `on` of everybody."""

    model_config = ConfigDict(extra="forbid")

    memory: MemoryConsent | None = None
    user_hash_allowed: bool | None = None


class CustomerSettingsOut(Out):
    memory: MemoryConsent
    user_hash_allowed: bool
    has_identity_secret: bool


class IdentitySecretOut(BaseModel):
    """The secret your server signs identities with. It is shown once; the former one no longer counts."""

    identity_secret: str


class IdentifyIn(BaseModel):
    """Either a `user_token` that your server signed, or a `user_id` with the `user_hash` your server made of it."""

    model_config = ConfigDict(extra="forbid")

    user_token: Annotated[str, StringConstraints(max_length=8_192), PlainText] | None = None
    user_id: ExternalId | None = None
    user_hash: Annotated[str, StringConstraints(max_length=200), PlainText] | None = None

    @model_validator(mode="after")
    def _one_proof(self) -> "IdentifyIn":
        by_hash = self.user_id is not None and self.user_hash is not None
        if (self.user_token is not None) == by_hash or (self.user_id is None) != (self.user_hash is None):
            raise ValueError("send either `user_token`, or `user_id` together with `user_hash`")
        return self


class IdentifiedOut(BaseModel):
    """The token to go on with: another visitor's than before, where this browser had served somebody else."""

    token: str
    visitor_id: UUID
    expires_at: datetime
