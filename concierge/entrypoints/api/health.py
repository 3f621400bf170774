"""Is the process alive, and can it answer?"""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import text

from concierge import __version__
from concierge.entrypoints.wiring import Platform

router = APIRouter(tags=["health"])


class HealthOut(BaseModel):
    status: Literal["ok"] = "ok"
    version: str = __version__


@router.get("/healthz")
async def is_alive() -> HealthOut:
    return HealthOut()


@router.get("/readyz")
async def is_ready(request: Request) -> HealthOut:
    """Answer once the database does; 503 with `Retry-After` until then."""
    platform: Platform = request.app.state.platform
    async with platform.db.transaction() as session:
        await session.execute(text("SELECT 1"))
    return HealthOut()
