"""What is remembered of customers: for operators, and for the customers themselves."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, status

from concierge.accounts.access import scope_with, unit_with
from concierge.accounts.scope import Permission, TenantScope, Unit
from concierge.customers.errors import FactNotFoundError
from concierge.customers.schemas.memory import (
    FactIn,
    FactOut,
    FactPatch,
    MemorySettings,
    MemorySettingsOut,
    OwnFactOut,
    OwnFactPatch,
)
from concierge.customers.service import Memory, MemoryView
from concierge.kit.pagination import Page

router = APIRouter(prefix="/api/v1", tags=["customers"])


def _memory(request: Request) -> Memory:
    memory: Memory = request.app.state.memory
    return memory


Remembered = Annotated[Memory, Depends(_memory)]
Reader = Annotated[Unit, unit_with(Permission.CUSTOMERS_READ)]
SettingsWriter = Annotated[Unit, unit_with(Permission.CUSTOMERS_WRITE)]
Writer = Annotated[TenantScope, scope_with(Permission.CUSTOMERS_WRITE)]
OwnUnit = Annotated[Unit, unit_with(Permission.CHAT)]
OwnScope = Annotated[TenantScope, scope_with(Permission.CHAT)]
Limit = Annotated[int, Query(ge=1, le=200)]
WithClosed = Annotated[bool, Query(description="Also what no longer holds.")]


@router.get("/customers/memory-settings")
async def get_memory_settings(unit: Reader) -> MemorySettingsOut:
    return await MemoryView(unit).settings()


@router.put("/customers/memory-settings")
async def change_memory_settings(body: MemorySettings, unit: SettingsWriter) -> MemorySettingsOut:
    """Say of whom anything may be kept, and for how long. What was kept before stays until it expires or is erased."""
    return await MemoryView(unit).change_settings(body)


@router.get("/customers/{customer_id}/memory")
async def list_memory(
    customer_id: UUID,
    unit: Reader,
    *,
    cursor: UUID | None = None,
    limit: Limit = 50,
    history: WithClosed = False,
) -> Page[FactOut]:
    """List what is remembered of a customer, the newest first."""
    found = await MemoryView(unit).of(customer_id, before=cursor, limit=limit + 1, with_closed=history)
    return Page.of([FactOut.model_validate(fact) for fact in found], limit)


@router.post("/customers/{customer_id}/memory", status_code=status.HTTP_201_CREATED)
async def add_memory(customer_id: UUID, body: FactIn, scope: Writer, memory: Remembered) -> FactOut:
    """Remember something. What is remembered of the same kind and subject is closed, and stays in the history."""
    return FactOut.model_validate(await memory.add(scope, customer_id, body))


@router.patch("/customers/{customer_id}/memory/{fact_id}")
async def change_memory(
    customer_id: UUID, fact_id: UUID, body: FactPatch, scope: Writer, memory: Remembered
) -> FactOut:
    """Say what holds from now on; what held until now stays in the history."""
    return FactOut.model_validate(await memory.change(scope, customer_id, fact_id, body.value))


@router.delete("/customers/{customer_id}/memory/{fact_id}", status_code=status.HTTP_204_NO_CONTENT)
async def erase_memory(customer_id: UUID, fact_id: UUID, scope: Writer, memory: Remembered) -> None:
    await memory.erase(scope, customer_id, [fact_id])


@router.delete("/customers/{customer_id}/memory", status_code=status.HTTP_204_NO_CONTENT)
async def erase_whole_memory(customer_id: UUID, scope: Writer, memory: Remembered) -> None:
    """Erase all that is remembered of a customer, and have nothing said before now remembered later on."""
    await memory.forget(scope, customer_id)


@router.get("/memory")
async def list_own_memory(
    unit: OwnUnit, *, cursor: UUID | None = None, limit: Limit = 50, history: WithClosed = False
) -> Page[OwnFactOut]:
    """List what is remembered of the visitor whose token this is. Of anybody else who calls, nothing is."""
    customer_id = await _own_customer(unit)
    if customer_id is None:
        return Page(items=[], next_cursor=None)
    found = await MemoryView(unit).of(customer_id, before=cursor, limit=limit + 1, with_closed=history)
    return Page.of([OwnFactOut.model_validate(fact) for fact in found], limit)


@router.patch("/memory/{fact_id}")
async def correct_own_memory(
    fact_id: UUID, body: OwnFactPatch, scope: OwnScope, memory: Remembered
) -> OwnFactOut:
    """Put something right that is remembered of the visitor whose token this is; what was wrong is erased."""
    customer_id = await memory.customer_of(scope)
    if customer_id is None:
        raise FactNotFoundError
    fact = await memory.change(scope, customer_id, fact_id, body.value, erasing=True)
    return OwnFactOut.model_validate(fact)


@router.delete("/memory/{fact_id}", status_code=status.HTTP_204_NO_CONTENT)
async def erase_own_memory(fact_id: UUID, scope: OwnScope, memory: Remembered) -> None:
    customer_id = await memory.customer_of(scope)
    if customer_id is None:
        raise FactNotFoundError
    await memory.erase(scope, customer_id, [fact_id])


@router.delete("/memory", status_code=status.HTTP_204_NO_CONTENT)
async def erase_own_whole_memory(scope: OwnScope, memory: Remembered) -> None:
    """Erase all that is remembered of the visitor whose token this is."""
    customer_id = await memory.customer_of(scope)
    if customer_id is not None:
        await memory.forget(scope, customer_id)


async def _own_customer(unit: Unit) -> UUID | None:
    actor = unit.scope.actor
    if actor.kind != "visitor" or actor.id is None:
        return None
    return await MemoryView(unit).customer_of(actor.id)
