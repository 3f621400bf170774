"""What a call of a model may cost, and did: set aside before it, settled after it. Fails closed."""

from collections.abc import Sequence

from concierge.accounts.scope import TenantScope
from concierge.agents.schemas.writing import SpendingLimit, WritingModel
from concierge.billing.budgets import Budget, Budgets, Reservation
from concierge.llm.prices import Price
from concierge.llm.writing import Tokens


class UnpricedError(Exception):
    """Money is limited, and nobody has said what the model costs."""


class Spending:
    """For one turn: whose it is, and within which limits."""

    def __init__(self, budgets: Budgets, scope: TenantScope, limits: Sequence[SpendingLimit]) -> None:
        self._budgets = budgets
        self._scope = scope
        self._limits = limits

    async def reserve(self, model: WritingModel, most: Tokens) -> Reservation:
        """Set aside what a call costs at most. Errors: BudgetSpentError, UnpricedError, UnavailableError."""
        if model.price is None and any(limit.unit == "micro_dollars" for limit in self._limits):
            raise UnpricedError
        return await self._budgets.reserve(self._scope, self._amounts(model.price, most))

    async def settle(self, reservation: Reservation, model: WritingModel, used: Tokens) -> None:
        """Errors: UnavailableError; then what was set aside stays so until it expires."""
        await self._budgets.commit(self._scope, reservation, self._amounts(model.price, used))

    def _amounts(self, price: Price | None, tokens: Tokens) -> dict[Budget, int]:
        cost = price.of(tokens) if price else 0
        amounts = {"micro_dollars": cost, "tokens": tokens.read + tokens.written}
        return {limit.budget: amounts[limit.unit] for limit in self._limits}
