from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, EmailStr, Field, StringConstraints

from concierge.accounts.scope import Permission, Role
from concierge.accounts.tokens import KeyKind
from concierge.kit.fields import Name, Out, PlainText
from concierge.kit.pagination import Identified

MOST_LABELS = 20
PUBLIC_LABEL = "public"


def _restricting(label: str) -> str:
    if label == PUBLIC_LABEL:
        raise ValueError("“public” is what has no audience; leave it empty instead")
    return label


# Who a document is for, where it is not for everybody.
AudienceLabel = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$"),
    AfterValidator(_restricting),
]
AudienceLabels = Annotated[list[AudienceLabel], Field(max_length=MOST_LABELS)]

Password = Annotated[str, Field(min_length=10, max_length=256), PlainText]
Email = Annotated[EmailStr, Field(max_length=254), PlainText]


class SignUpIn(BaseModel):
    organization: Name
    name: Name
    email: Email
    password: Password


class LoginIn(BaseModel):
    email: Email
    password: Annotated[str, Field(min_length=1, max_length=256), PlainText]
    org_id: UUID | None = None


class RefreshIn(BaseModel):
    refresh_token: Annotated[str, Field(min_length=1, max_length=4096)]


class TokenPairOut(Out):
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105  # The name of a scheme, not a token.
    org_id: UUID
    user_id: UUID


class OrganizationOut(Out):
    id: UUID
    name: str
    slug: str
    created_at: datetime


class MeOut(BaseModel):
    """Who you are here: an organization, seen as a member or through a key."""

    organization: OrganizationOut
    actor: str
    actor_id: UUID | None
    role: Role | None
    permissions: list[Permission]


class MemberIn(BaseModel):
    email: Email
    name: Name
    role: Role
    password: Password


class RoleIn(BaseModel):
    role: Role


class MemberOut(BaseModel):
    id: UUID
    user_id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime


class KeyIn(BaseModel):
    kind: KeyKind
    name: Name
    scopes: list[Permission] | None = None


class KeyOut(Out):
    id: UUID
    kind: KeyKind
    name: str
    hint: str
    scopes: list[Permission]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyMadeOut(KeyOut):
    """The only answer that ever holds the key itself."""

    key: str


class AuditEventOut(Identified):
    actor_kind: str
    actor_id: UUID | None
    action: str
    subject: str | None
    ip: str | None
    request_id: str | None
    details: dict[str, object]
    created_at: datetime
