from datetime import datetime

from concierge.kit.errors import ConciergeError


class BudgetSpentError(ConciergeError):
    """`budget` is the name of what is spent, `renews_at` when there is some again."""

    status, code, title = 429, "budget_spent", "Budget spent"

    def __init__(self, budget: str, period: str, renews_at: datetime) -> None:
        super().__init__(
            f"What may be spent in one {period} is spent. It begins anew at {renews_at:%Y-%m-%d %H:%M} UTC."
        )
        self.budget = budget
        self.renews_at = renews_at
