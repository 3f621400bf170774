"""Background jobs of the learning room."""

from uuid import UUID

from procrastinate import App, RetryStrategy

from concierge.accounts.scope import TenantScope
from concierge.learning.service import JUDGE_TASK, Judgement

ATTEMPTS = 5


def register(app: App, judgement: Judgement) -> None:
    @app.task(name=JUDGE_TASK, retry=RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=2))
    async def judge(org_id: str) -> None:
        await judgement.run(TenantScope(UUID(org_id)))
