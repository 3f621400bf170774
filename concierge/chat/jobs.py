"""Background jobs of the chat."""

from typing import Final
from uuid import UUID

from procrastinate import App, RetryStrategy

from concierge.accounts.scope import TenantScope
from concierge.chat.remembering import Remembering
from concierge.customers.service import REMEMBER_TASK
from concierge.kit.errors import ConciergeError

# After 4, 16, 64 … seconds, for about an hour and a half: a database or a vendor may come back.
RETRY: Final = RetryStrategy(max_attempts=7, exponential_wait=4, retry_exceptions={ConciergeError})


def register(app: App, remembering: Remembering) -> None:
    @app.task(name=REMEMBER_TASK, retry=RETRY)
    async def remember(org_id: str, turn_id: str) -> None:
        await remembering.run(TenantScope(UUID(org_id)), UUID(turn_id))
