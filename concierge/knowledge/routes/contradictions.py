"""Statements of a pack that disagree, for the operator to settle."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from concierge.kit.pagination import Page
from concierge.knowledge.routes import Limit, Reader, Writer
from concierge.knowledge.schemas.contradictions import ContradictionOut, ContradictionStatus
from concierge.knowledge.service import ContradictionService

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])


@router.get("/packs/{pack_id}/contradictions")
async def list_contradictions(
    pack_id: UUID,
    unit: Reader,
    contradiction_status: Annotated[ContradictionStatus | None, Query(alias="status")] = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[ContradictionOut]:
    """List statements of a pack that disagree: both quotes, which one answers use, and why."""
    found = await ContradictionService(unit).list(
        pack_id, status=contradiction_status, before=cursor, limit=limit + 1
    )
    return Page.of(found, limit)


@router.post("/contradictions/{contradiction_id}/dismiss")
async def dismiss_contradiction(contradiction_id: UUID, unit: Writer) -> ContradictionOut:
    """Take a pair from the list of what is open, for as long as both statements stand."""
    return await ContradictionService(unit).dismiss(contradiction_id)


@router.post("/contradictions/{contradiction_id}/reopen")
async def reopen_contradiction(contradiction_id: UUID, unit: Writer) -> ContradictionOut:
    return await ContradictionService(unit).reopen(contradiction_id)
