"""Which writer writes a turn's answer: language models where somebody has named some, the house writer otherwise."""

from concierge.accounts.scope import TenantScope
from concierge.agents.schemas import AgentConfiguration
from concierge.agents.service import ModelChain
from concierge.billing.budgets import Budgets
from concierge.chat.prompting import Persona
from concierge.chat.writers.brief import Writer
from concierge.chat.writers.drafting import DraftWriter, Rests
from concierge.chat.writers.house import HouseWriter
from concierge.chat.writers.spending import Spending
from concierge.kit.errors import UnavailableError
from concierge.llm.writing import TextModels
from concierge.tools.calculator import Calculator


class Writers:
    def __init__(
        self, chain: ModelChain, models: TextModels, budgets: Budgets, calculator: Calculator
    ) -> None:
        self._calculator = calculator
        self._chain = chain
        self._models = models
        self._budgets = budgets
        self._rests = Rests()

    async def of(self, scope: TenantScope, agent: AgentConfiguration) -> Writer:
        """Without a database that says which models write, none does."""
        try:
            writing = await self._chain.of(scope, agent.id)
        except UnavailableError:
            return HouseWriter()
        if not writing.models:
            return HouseWriter()
        spending = Spending(self._budgets, scope, writing.limits)
        calculator = self._calculator if agent.expertise and agent.tools.code_exec else None
        return DraftWriter(writing, spending, self._models, self._rests, Persona.of(agent), calculator)
