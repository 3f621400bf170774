from concierge.accounts.scope import Unit
from concierge.learning.repository import LearningRepository
from concierge.learning.schemas.strategies import StrategyUse


class UseService:
    def __init__(self, unit: Unit) -> None:
        self._repository = LearningRepository(unit.session, unit.scope)

    async def note(self, use: StrategyUse) -> None:
        """Store that a turn followed a strategy, in the transaction that stores the turn. Costs one statement."""
        await self._repository.add_use(use)
