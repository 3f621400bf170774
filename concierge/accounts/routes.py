from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from concierge.accounts.access import Services, scope_with, unit_with
from concierge.accounts.models import ApiKey, Member, User
from concierge.accounts.schemas import (
    AuditEventOut,
    KeyIn,
    KeyMadeOut,
    KeyOut,
    LoginIn,
    MemberIn,
    MemberOut,
    MeOut,
    OrganizationOut,
    RefreshIn,
    RoleIn,
    SignUpIn,
    TokenPairOut,
)
from concierge.accounts.scope import Permission, Role, TenantScope, Unit
from concierge.accounts.service import KeyService, MemberService
from concierge.kit.pagination import Page

router = APIRouter(prefix="/api/v1")

Members = Annotated[Unit, unit_with(Permission.MEMBERS_MANAGE)]
Keys = Annotated[Unit, unit_with(Permission.KEYS_MANAGE)]
Known = Annotated[Unit, unit_with(Permission.ORGANIZATION_READ)]
Auditor = Annotated[Unit, unit_with(Permission.AUDIT_READ)]


@router.post("/auth/sign-up", status_code=status.HTTP_201_CREATED, tags=["auth"])
async def sign_up(body: SignUpIn, services: Services) -> TokenPairOut:
    pair = await services.sign_in.sign_up(
        organization=body.organization, name=body.name, email=body.email, password=body.password
    )
    return TokenPairOut.model_validate(pair)


@router.post("/auth/login", tags=["auth"])
async def login(body: LoginIn, services: Services) -> TokenPairOut:
    pair = await services.sign_in.login(email=body.email, password=body.password, org_id=body.org_id)
    return TokenPairOut.model_validate(pair)


@router.post("/auth/refresh", tags=["auth"])
async def refresh(body: RefreshIn, services: Services) -> TokenPairOut:
    return TokenPairOut.model_validate(await services.sign_in.refresh(body.refresh_token))


@router.post("/auth/logout", status_code=status.HTTP_204_NO_CONTENT, tags=["auth"])
async def logout(body: RefreshIn, services: Services) -> None:
    await services.sign_in.logout(body.refresh_token)


@router.get("/me", tags=["auth"])
async def me(unit: Known) -> MeOut:
    actor = unit.scope.actor
    return MeOut(
        organization=OrganizationOut.model_validate(await MemberService(unit).organization()),
        actor=actor.kind,
        actor_id=actor.id,
        role=actor.role,
        permissions=sorted(actor.permissions),
    )


@router.get("/members", tags=["members"])
async def list_members(unit: Members) -> list[MemberOut]:
    return [_member_out(*pair) for pair in await MemberService(unit).list()]


@router.post("/members", status_code=status.HTTP_201_CREATED, tags=["members"])
async def add_member(
    body: MemberIn,
    scope: Annotated[TenantScope, scope_with(Permission.MEMBERS_MANAGE)],
    services: Services,
) -> MemberOut:
    pair = await services.invitations.add(
        scope, email=body.email, name=body.name, role=body.role, password=body.password
    )
    return _member_out(*pair)


@router.patch("/members/{member_id}", tags=["members"])
async def change_member_role(member_id: UUID, body: RoleIn, unit: Members) -> MemberOut:
    return _member_out(*await MemberService(unit).change_role(member_id, body.role))


@router.delete("/members/{member_id}", status_code=status.HTTP_204_NO_CONTENT, tags=["members"])
async def remove_member(member_id: UUID, unit: Members) -> None:
    await MemberService(unit).remove(member_id)


@router.get("/api-keys", tags=["api-keys"])
async def list_api_keys(unit: Keys) -> list[KeyOut]:
    return [KeyOut.model_validate(key) for key in await KeyService(unit).list()]


@router.post("/api-keys", status_code=status.HTTP_201_CREATED, tags=["api-keys"])
async def create_api_key(body: KeyIn, unit: Keys) -> KeyMadeOut:
    key, plain = await KeyService(unit).create(kind=body.kind, name=body.name, scopes=body.scopes)
    return _key_made(key, plain)


@router.delete("/api-keys/{key_id}", status_code=status.HTTP_204_NO_CONTENT, tags=["api-keys"])
async def revoke_api_key(key_id: UUID, unit: Keys) -> None:
    await KeyService(unit).revoke(key_id)


@router.get("/audit-log", tags=["audit"])
async def read_audit_log(
    unit: Auditor, cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[AuditEventOut]:
    events = await MemberService(unit).audit_log(cursor, limit + 1)
    return Page.of([AuditEventOut.model_validate(event) for event in events], limit)


def _member_out(member: Member, user: User) -> MemberOut:
    return MemberOut(
        id=member.id,
        user_id=user.id,
        email=user.email,
        name=user.name,
        role=Role(member.role),
        created_at=member.created_at,
    )


def _key_made(key: ApiKey, plain: str) -> KeyMadeOut:
    return KeyMadeOut(**KeyOut.model_validate(key).model_dump(), key=plain)
