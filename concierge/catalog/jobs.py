"""Background jobs of the catalogue room."""

from asyncio import CancelledError
from typing import Final
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from concierge.accounts.scope import TenantScope
from concierge.catalog.service.reading import READ_TASK, CatalogReading
from concierge.kit.errors import ConciergeError

ATTEMPTS: Final = 20
LONGEST_WAIT_S: Final = 300


class Patience(BaseRetryStrategy):
    """Goes on after 1, 2, 4 … 300 seconds; a job that a stopping process abandons is free at once."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, ConciergeError) and job.attempts + 1 < ATTEMPTS:
            return RetryDecision(retry_in={"seconds": min(2**job.attempts, LONGEST_WAIT_S)})
        return None


def register(app: App, reading: CatalogReading) -> None:
    @app.task(name=READ_TASK, retry=Patience())
    async def read(org_id: str) -> None:
        await reading.run(TenantScope(UUID(org_id)))
