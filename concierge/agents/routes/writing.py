"""Language models with an organization's own keys, and which of them write for whom, at what cost at most."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status

from concierge.accounts.access import scope_with, unit_with
from concierge.accounts.scope import Permission, TenantScope, Unit
from concierge.agents.models import LanguageModelRow
from concierge.agents.routes import Reader
from concierge.agents.schemas.writing import (
    LanguageModelIn,
    LanguageModelOut,
    LanguageModelPatch,
    TriedOut,
    WritingIn,
    WritingOut,
)
from concierge.agents.service import WritingService
from concierge.agents.service.modelling import Modelling
from concierge.agents.service.writing import opened

router = APIRouter(prefix="/api/v1", tags=["language models"])


def modelling_of(request: Request) -> Modelling:
    modelling: Modelling = request.app.state.modelling
    return modelling


Models = Annotated[Modelling, Depends(modelling_of)]
ReadingScope = Annotated[TenantScope, scope_with(Permission.AGENTS_READ)]
WritingScope = Annotated[TenantScope, scope_with(Permission.AGENTS_WRITE)]
ManagingScope = Annotated[TenantScope, scope_with(Permission.KEYS_MANAGE)]
Manager = Annotated[Unit, unit_with(Permission.KEYS_MANAGE)]


@router.get("/language-models")
async def list_language_models(unit: Reader, models: Models) -> list[LanguageModelOut]:
    return [_out(row, models) for row in await WritingService(unit, models.sealer).models()]


@router.post("/language-models", status_code=status.HTTP_201_CREATED)
async def add_language_model(body: LanguageModelIn, scope: ManagingScope, models: Models) -> LanguageModelOut:
    """Add a model with your own key, which is kept sealed and never shown again."""
    await models.check(body)
    async with models.chain.changing(scope) as service:
        return _out(await service.add(body), models)


@router.get("/language-models/{model_id}")
async def get_language_model(model_id: UUID, unit: Reader, models: Models) -> LanguageModelOut:
    return _out(await WritingService(unit, models.sealer).model(model_id), models)


@router.patch("/language-models/{model_id}")
async def change_language_model(
    model_id: UUID, body: LanguageModelPatch, scope: ManagingScope, models: Models
) -> LanguageModelOut:
    async with models.chain.changing(scope) as service:
        row = await service.change(model_id, body)
        await models.check_address(opened(row, models.sealer).address)
        return _out(row, models)


@router.delete("/language-models/{model_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_language_model(model_id: UUID, scope: ManagingScope, models: Models) -> None:
    async with models.chain.changing(scope) as service:
        await service.remove(model_id)


@router.post("/language-models/{model_id}/try")
async def try_language_model(model_id: UUID, scope: ManagingScope, models: Models) -> TriedOut:
    """Ask the model for one word, to see whether its name, key and address are right. It costs a few tokens."""
    return await models.attempt(scope, model_id)


@router.get("/writing")
async def get_writing(scope: ReadingScope, models: Models) -> WritingOut:
    """Which models write for agents that say nothing else, and what all of them together have cost."""
    return await models.told(scope, None)


@router.put("/writing")
async def set_writing(body: WritingIn, scope: ManagingScope, models: Models) -> WritingOut:
    """Say which models write, and what they may cost; everything that was said before is replaced."""
    async with models.chain.changing(scope) as service:
        await service.set_defaults(body)
    return await models.told(scope, None)


@router.get("/agents/{agent_id}/writing")
async def get_agent_writing(agent_id: UUID, scope: ReadingScope, models: Models) -> WritingOut:
    return await models.told(scope, agent_id)


@router.put("/agents/{agent_id}/writing")
async def set_agent_writing(
    agent_id: UUID, body: WritingIn, scope: WritingScope, models: Models
) -> WritingOut:
    """Say which models write for this agent, and what it may cost by itself."""
    async with models.chain.changing(scope) as service:
        await service.set_for_agent(agent_id, body)
    return await models.told(scope, agent_id)


def _out(row: LanguageModelRow, models: Modelling) -> LanguageModelOut:
    price = opened(row, models.sealer).price
    shown = LanguageModelOut.model_validate(row)
    shown.read_price, shown.written_price = (price.read, price.written) if price else (None, None)
    return shown
