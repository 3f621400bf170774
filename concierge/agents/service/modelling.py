"""Language models tried out, and what they have cost: what an operator needs to see of them."""

from contextlib import aclosing
from time import monotonic
from typing import Final
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.errors import LanguageModelUnusableError
from concierge.agents.schemas.writing import (
    LanguageModelIn,
    SpendingLimit,
    SpentOut,
    TriedOut,
    Writing,
    WritingOut,
)
from concierge.agents.service.writing import ModelChain, WritingService, opened
from concierge.billing.budgets import Budgets
from concierge.billing.service import Usage
from concierge.kit.db import Database
from concierge.kit.errors import UnavailableError
from concierge.kit.sealing import Sealer
from concierge.llm.structured import FailureKind, ModelAddress
from concierge.llm.writing import Finished, ModelFailedError, Request, TextModels

TRY: Final = Request(
    system="You are being tried out.",
    user="Reply with the one word: ready",
    max_tokens=64,
    total_tokens=2_000,
    temperature=0.0,
    whole_s=15.0,
)
DETAILS: Final[dict[FailureKind | None, str]] = {
    None: "The model answers.",
    "late": "The model did not answer in time. Its server may be busy, or its address wrong.",
    "limited": "The vendor takes no more requests with this key just now: its quota is used up, or it is asked too often.",
    "spent": "The model wrote more than it was asked to.",
    "unavailable": "The model's server could not be reached, or failed. Check the address, and the vendor's status page.",
    "refused": "The vendor refused the request. Check that the key is right, and that the model exists and is open to you.",
    "malformed": "The server answered, but not as a language model does. Check the address.",
}


class Modelling:
    def __init__(
        self,
        db: Database,
        chain: ModelChain,
        models: TextModels,
        budgets: Budgets,
        sealer: Sealer,
        usage: Usage,
    ) -> None:
        self._usage = usage
        self._db = db
        self.chain = chain
        self.sealer = sealer
        self.models = models
        self._budgets = budgets

    async def check(self, wanted: LanguageModelIn) -> None:
        """Errors: LanguageModelUnusableError when such a model cannot even be set up."""
        await self.check_address(ModelAddress(wanted.model, wanted.key, wanted.url, guarded=True))

    async def check_address(self, address: ModelAddress) -> None:
        """Errors: LanguageModelUnusableError."""
        try:
            await self.models.of(address)
        except UnavailableError as error:
            raise LanguageModelUnusableError(error.detail) from error

    async def attempt(self, scope: TenantScope, model_id: UUID) -> TriedOut:
        """Errors: LanguageModelNotFoundError, LanguageModelUnusableError."""
        async with self._db.transaction(scope.org_id) as session:
            row = await WritingService(Unit(session, scope), self.sealer).model(model_id)
            address = opened(row, self.sealer).address
        await self.check_address(address)
        began = monotonic()
        failure = await self._failure(address)
        taken = round((monotonic() - began) * 1_000, 1)
        return TriedOut(works=failure is None, failure=failure, detail=DETAILS[failure], milliseconds=taken)

    async def _failure(self, address: ModelAddress) -> FailureKind | None:
        model = await self.models.of(address)
        try:
            async with aclosing(model.write(TRY)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        return None
        except ModelFailedError as error:
            return error.kind
        return "malformed"

    async def told(self, scope: TenantScope, agent_id: UUID | None) -> WritingOut:
        """What holds for an agent, or for those that say nothing else. Errors: AgentNotFoundError."""
        async with self._db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            service = WritingService(unit, self.sealer)
            used = await self._usage.of_month(unit, agent_id)
            own = await (service.of_agent(agent_id) if agent_id else service.defaults())
        writing = await self.chain.of(scope, agent_id)
        return WritingOut(
            own=own,
            asked=[model.address.model for model in writing.models],
            spent=await self._spent(scope, writing),
            used=used,
        )

    async def _spent(self, scope: TenantScope, writing: Writing) -> list[SpentOut]:
        spent = await self._budgets.spent(scope, [limit.budget for limit in writing.limits])
        return [_spent_out(limit, spent[limit.budget]) for limit in writing.limits]


def _spent_out(limit: SpendingLimit, spent: int) -> SpentOut:
    return SpentOut(
        of="agent" if limit.budget.name.startswith("models:agent") else "organization",
        unit=limit.unit,
        period=limit.budget.period,
        limit=limit.budget.limit,
        spent=spent,
    )
