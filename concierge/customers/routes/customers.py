"""Customers, for those who work with them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from concierge.accounts.access import unit_with
from concierge.accounts.scope import Permission, Unit
from concierge.customers.schemas.customers import (
    CustomerIn,
    CustomerOut,
    CustomerPatch,
    CustomerSettingsIn,
    CustomerSettingsOut,
    IdentitySecretOut,
    MergeOut,
    Search,
    StoredProfileType,
)
from concierge.customers.service import CustomerService, IdentityService, MergeService
from concierge.kit.pagination import Page
from concierge.kit.sealing import Sealer

router = APIRouter(prefix="/api/v1/customers", tags=["customers"])

Reader = Annotated[Unit, unit_with(Permission.CUSTOMERS_READ)]
Writer = Annotated[Unit, unit_with(Permission.CUSTOMERS_WRITE)]
Manager = Annotated[Unit, unit_with(Permission.KEYS_MANAGE)]
Limit = Annotated[int, Query(ge=1, le=200)]


def sealer_of(request: Request) -> Sealer:
    sealer: Sealer = request.app.state.identity_sealer
    return sealer


Secrets = Annotated[Sealer, Depends(sealer_of)]


@router.get("")
async def list_customers(
    unit: Reader,
    profile_type: StoredProfileType | None = None,
    search: Annotated[Search | None, Query()] = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[CustomerOut]:
    """List the newest first. `search` is the beginning of an e-mail address, a name or an external id."""
    found = await CustomerService(unit).list(
        profile_type=profile_type, search=search, before=cursor, limit=limit + 1
    )
    return Page.of([CustomerOut.model_validate(row) for row in found], limit)


@router.put("")
async def put_customer(body: CustomerIn, unit: Writer) -> CustomerOut:
    """Say who a customer is, by your own id of them: made if there is none, changed otherwise."""
    return CustomerOut.model_validate(await CustomerService(unit).put(body))


@router.get("/settings")
async def get_customer_settings(unit: Reader, secrets: Secrets) -> CustomerSettingsOut:
    return await IdentityService(unit, secrets).settings()


@router.patch("/settings")
async def change_customer_settings(
    body: CustomerSettingsIn, unit: Manager, secrets: Secrets
) -> CustomerSettingsOut:
    """Say of whom anything may be remembered, and whether hashes that never expire prove who somebody is."""
    return await IdentityService(unit, secrets).set(body)


@router.post("/settings/identity-secret")
async def rotate_identity_secret(unit: Manager, secrets: Secrets) -> IdentitySecretOut:
    """Make a new secret for your server to sign identities with. It is shown this once."""
    return IdentitySecretOut(identity_secret=await IdentityService(unit, secrets).rotate())


@router.post("/merges/{merge_id}/undo")
async def undo_merge(merge_id: UUID, unit: Writer) -> MergeOut:
    """Take back that an anonymous profile became part of an identified one, for 30 days after it did."""
    return MergeOut.model_validate(await MergeService(unit).undo(merge_id))


@router.get("/{customer_id}")
async def get_customer(customer_id: UUID, unit: Reader) -> CustomerOut:
    return CustomerOut.model_validate(await CustomerService(unit).get(customer_id))


@router.patch("/{customer_id}")
async def change_customer(customer_id: UUID, body: CustomerPatch, unit: Writer) -> CustomerOut:
    return CustomerOut.model_validate(await CustomerService(unit).change(customer_id, body))


@router.get("/{customer_id}/merges")
async def list_merges(customer_id: UUID, unit: Reader) -> list[MergeOut]:
    """Which anonymous profiles became part of this one, the newest first."""
    return [MergeOut.model_validate(row) for row in await CustomerService(unit).merges(customer_id)]
