"""Language models with an organization's own keys: kept sealed, chosen by organization and agent, limited in cost."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from uuid import UUID

from pydantic import SecretStr

from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.errors import (
    AgentNotFoundError,
    LanguageModelInUseError,
    LanguageModelNotFoundError,
    TooManyLanguageModelsError,
)
from concierge.agents.models import LanguageModelRow
from concierge.agents.repository import AgentRepository, WritingRepository
from concierge.agents.schemas.writing import (
    CostUnit,
    LanguageModelIn,
    LanguageModelPatch,
    SpendingLimit,
    Writing,
    WritingIn,
    WritingModel,
)
from concierge.billing.budgets import Budget, Period
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.errors import UnavailableError
from concierge.kit.ids import new_id
from concierge.kit.lately import Lately
from concierge.kit.sealing import Sealer
from concierge.kit.settings import Writer, WriterModel
from concierge.llm.prices import MILLION, Price
from concierge.llm.structured import ModelAddress

MOST_MODELS: Final = 20
# Field of the settings → what it counts and for how long.
LIMITS: Final[Mapping[str, tuple[CostUnit, Period]]] = {
    "daily_usd": ("micro_dollars", "day"),
    "monthly_usd": ("micro_dollars", "month"),
    "daily_tokens": ("tokens", "day"),
    "monthly_tokens": ("tokens", "month"),
}


@dataclass(frozen=True, slots=True)
class _Stored:
    models: Mapping[UUID, WritingModel]
    defaults: WritingIn
    agents: Mapping[UUID, WritingIn]


class ModelChain:
    """Which models write for an agent. What an organization says is remembered for a moment.

    `server` are the models of the server's own settings, for all who name none themselves.
    """

    def __init__(self, db: Database, sealer: Sealer, server: Writing) -> None:
        self._db = db
        self._sealer = sealer
        self._server = server
        self._lately: Lately[_Stored] = Lately(monotonic)

    async def of(self, scope: TenantScope, agent_id: UUID | None = None) -> Writing:
        """What holds for an agent, or for those that say nothing else. Costs three statements in a transaction of its own,
        or none. Errors: UnavailableError.
        """
        return self._chosen(await self._lately.get(scope.org_id, lambda: self._loaded(scope)), agent_id)

    @asynccontextmanager
    async def changing(self, scope: TenantScope) -> AsyncGenerator["WritingService"]:
        """A unit of work that may change this; what is remembered goes once that is done."""
        try:
            async with self._db.transaction(scope.org_id) as session:
                yield WritingService(Unit(session, scope), self._sealer)
        finally:
            self._lately.forget(scope.org_id)

    def _chosen(self, stored: _Stored, agent_id: UUID | None) -> Writing:
        own = (stored.agents.get(agent_id) if agent_id else None) or WritingIn()
        named = stored.defaults.models if own.models is None else own.models
        limits = [*_limits("organization", stored.defaults), *_limits(f"agent:{agent_id}", own)]
        if named is None:
            return Writing(self._server.models, (*self._server.limits, *limits))
        return Writing(tuple(stored.models[name] for name in named if name in stored.models), tuple(limits))

    async def _loaded(self, scope: TenantScope) -> _Stored:
        async with self._db.transaction(scope.org_id) as session:
            repository = WritingRepository(session, scope)
            rows, defaults = await repository.models(), await repository.defaults()
            agents = await repository.of_agents()
        return _Stored(
            {row.id: opened(row, self._sealer) for row in rows},
            WritingIn.model_validate(defaults),
            {agent_id: WritingIn.model_validate(own) for agent_id, own in agents.items()},
        )


class WritingService:
    def __init__(self, unit: Unit, sealer: Sealer, clock: Clock = utc_now) -> None:
        self._org_id = unit.scope.org_id
        self._repository = WritingRepository(unit.session, unit.scope)
        self._agents = AgentRepository(unit.session, unit.scope)
        self._sealer = sealer
        self._clock = clock

    async def models(self) -> Sequence[LanguageModelRow]:
        return await self._repository.models()

    async def model(self, model_id: UUID) -> LanguageModelRow:
        """Errors: LanguageModelNotFoundError, also for another organization's."""
        found = await self._repository.model(model_id)
        if found is None:
            raise LanguageModelNotFoundError
        return found

    async def add(self, wanted: LanguageModelIn) -> LanguageModelRow:
        """Errors: LanguageModelNameTakenError, TooManyLanguageModelsError."""
        if await self._repository.count() >= MOST_MODELS:
            raise TooManyLanguageModelsError(MOST_MODELS)
        now = self._clock()
        row = LanguageModelRow(
            org_id=self._org_id,
            id=new_id(),
            sealed_key=self._sealer.seal(wanted.key.get_secret_value()),
            created_at=now,
            updated_at=now,
            **wanted.model_dump(exclude={"key"}),
        )
        await self._repository.keep(row)
        return row

    async def change(self, model_id: UUID, patch: LanguageModelPatch) -> LanguageModelRow:
        """Errors: LanguageModelNotFoundError, LanguageModelNameTakenError."""
        row = await self.model(model_id)
        for name, value in patch.model_dump(exclude={"key"}, exclude_none=True).items():
            setattr(row, name, value)
        if patch.key is not None:
            row.sealed_key = self._sealer.seal(patch.key.get_secret_value())
        row.updated_at = self._clock()
        await self._repository.keep(row)
        return row

    async def remove(self, model_id: UUID) -> None:
        """Errors: LanguageModelNotFoundError, LanguageModelInUseError."""
        row = await self.model(model_id)
        said = [await self._repository.defaults(), *(await self._repository.of_agents()).values()]
        if any(str(model_id) in (own.get("models") or ()) for own in said):
            raise LanguageModelInUseError
        await self._repository.remove(row)

    async def defaults(self) -> WritingIn:
        return WritingIn.model_validate(await self._repository.defaults())

    async def set_defaults(self, wanted: WritingIn) -> None:
        """Errors: LanguageModelNotFoundError."""
        await self._repository.save_defaults(await self._checked(wanted), self._clock())

    async def of_agent(self, agent_id: UUID) -> WritingIn:
        """Errors: AgentNotFoundError."""
        if await self._agents.get(agent_id) is None:
            raise AgentNotFoundError
        return WritingIn.model_validate((await self._repository.of_agents()).get(agent_id, {}))

    async def set_for_agent(self, agent_id: UUID, wanted: WritingIn) -> None:
        """Errors: AgentNotFoundError, LanguageModelNotFoundError."""
        await self.of_agent(agent_id)
        await self._repository.save_for_agent(agent_id, await self._checked(wanted), self._clock())

    async def _checked(self, wanted: WritingIn) -> Mapping[str, Any]:
        known = {row.id for row in await self._repository.models()}
        if wanted.models and not known.issuperset(wanted.models):
            raise LanguageModelNotFoundError
        return wanted.model_dump(mode="json", exclude_none=True)


def opened(row: LanguageModelRow, sealer: Sealer) -> WritingModel:
    """A stored model, ready to be asked.

    A key that was sealed by another server is no reason for a turn to fail: the vendor will refuse what is sent instead.
    """
    try:
        key = SecretStr(sealer.open(row.sealed_key))
    except UnavailableError:
        key = SecretStr("unreadable")
    address = ModelAddress(row.model, key, row.url, guarded=True)
    return _priced(row, address)


def _priced(said: LanguageModelRow | WriterModel, address: ModelAddress) -> WritingModel:
    """It costs what its operator says, else what the price list says."""
    if said.read_price is None or said.written_price is None:
        return WritingModel(address, Price.listed(address))
    return WritingModel(address, Price(said.read_price, said.written_price))


def of_settings(settings: Writer) -> Writing:
    """What the server's own settings say, which holds for organizations that name no models."""
    named = [own for own in (settings, settings.fallback) if own.model]
    said = WritingIn(daily_usd=settings.daily_usd, monthly_usd=settings.monthly_usd)
    return Writing(tuple(map(_of_settings, named)), tuple(_limits("server", said)))


def _of_settings(settings: WriterModel) -> WritingModel:
    url = str(settings.url) if settings.url else None
    return _priced(settings, ModelAddress(settings.model or "", settings.key, url))


def _limits(of: str, said: WritingIn) -> list[SpendingLimit]:
    return [
        SpendingLimit(
            Budget(
                f"models:{of}:{unit}", period, int(value * MILLION) if unit == "micro_dollars" else int(value)
            ),
            unit,
        )
        for name, (unit, period) in LIMITS.items()
        if (value := getattr(said, name)) is not None
    ]
