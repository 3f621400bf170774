"""Background jobs of the knowledge room."""

from asyncio import CancelledError
from typing import Final
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.jobs import Job

from concierge.accounts.scope import TenantScope
from concierge.kit.errors import ConciergeError
from concierge.knowledge.ingestion import Ingestion
from concierge.knowledge.reindexing import Reindexing
from concierge.knowledge.service import (
    CONTRADICTIONS_TASK,
    INGEST_TASK,
    REFRESH_TASK,
    REINDEX_TASK,
    REMOVE_INDEX_TASK,
    ContradictionSearch,
)

ATTEMPTS: Final = 20
LONGEST_WAIT_S: Final = 300


class Patience(BaseRetryStrategy):
    """Goes on after 1, 2, 4 … 300 seconds: about an hour and a half for a disk to be cleared or a vendor to come back.

    A job that a stopping process abandons is free at once, for another process or the next start.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, ConciergeError) and not is_last(job.attempts):
            return RetryDecision(retry_in={"seconds": min(2**job.attempts, LONGEST_WAIT_S)})
        return None


def is_last(attempts_before: int) -> bool:
    return attempts_before + 1 >= ATTEMPTS


def register(
    app: App, ingestion: Ingestion, contradictions: ContradictionSearch, reindexing: Reindexing
) -> None:
    @app.task(name=INGEST_TASK, retry=Patience(), pass_context=True)
    async def ingest(context: JobContext, org_id: str, source_id: str) -> None:
        scope = TenantScope(UUID(org_id))
        await ingestion.run(scope, UUID(source_id), last_attempt=is_last(context.job.attempts))

    @app.task(name=REFRESH_TASK, retry=Patience())
    async def refresh(org_id: str, source_id: str) -> None:
        await ingestion.refresh(TenantScope(UUID(org_id)), UUID(source_id))

    @app.task(name=CONTRADICTIONS_TASK, retry=Patience())
    async def compare(org_id: str, pack_id: str) -> None:
        await contradictions.run(TenantScope(UUID(org_id)), UUID(pack_id))

    @app.task(name=REINDEX_TASK, retry=Patience(), pass_context=True)
    async def reindex(context: JobContext, org_id: str, index_id: str) -> None:
        scope = TenantScope(UUID(org_id))
        await reindexing.run(scope, UUID(index_id), last_attempt=is_last(context.job.attempts))

    @app.task(name=REMOVE_INDEX_TASK, retry=Patience())
    async def remove_index(org_id: str, index_id: str) -> None:
        await reindexing.remove(TenantScope(UUID(org_id)), UUID(index_id))
