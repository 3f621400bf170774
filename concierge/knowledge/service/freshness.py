"""When a source is due to be read again, and the job that waits for it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.kit.jobs import defer, withdraw
from concierge.knowledge.models import KnowledgePack, Source
from concierge.knowledge.schemas import FreshnessPolicy

REFRESH_TASK: Final = "knowledge.refresh"
FETCHED_KINDS: Final = frozenset({"url", "website", "feed"})
UNDER_WAY: Final = ("queued", "running")
# A website that was away is asked again after a day, however long its pages are good for.
FAILED_WAIT: Final = timedelta(days=1)
PRIORITIES: Final[Mapping[str, int]] = {"low": -10, "medium": 0, "high": 10}
# Whoever asks for something waits for nothing that is only routine.
ASKED_FOR: Final = 100


def policy_of(pack: KnowledgePack) -> FreshnessPolicy:
    return FreshnessPolicy.model_validate(pack.freshness_policy)


def is_fetched(source: Source) -> bool:
    """Whether there is an address to read a source from anew; what was uploaded has none."""
    return source.kind in FETCHED_KINDS and (source.uri or "").startswith(("http://", "https://"))


def next_due(source: Source, policy: FreshnessPolicy) -> datetime | None:
    """When a source is to be read again; None when never, or while it is being read or paused."""
    if policy.recrawl == "never" or source.finished_at is None or not is_fetched(source):
        return None
    if source.status in {*UNDER_WAY, "paused"}:
        return None
    wait = timedelta(days=policy.ttl_days)
    return source.finished_at + (min(wait, FAILED_WAIT) if source.status == "failed" else wait)


class RefreshPlan:
    """The waiting jobs of an organization's sources: one for each that will be due."""

    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def plan(self, source: Source, policy: FreshnessPolicy) -> None:
        """Have the source looked at when it is due, and not at any other time. The caller has locked it."""
        name = f"refresh:{source.id}"
        await withdraw(self._session, [name])
        due = next_due(source, policy)
        if due is None:
            return
        # It must not share the lock of the reading that plans it, which would then wait for it.
        await defer(
            self._session,
            REFRESH_TASK,
            args={"org_id": str(self._scope.org_id), "source_id": str(source.id)},
            once=name,
            priority=PRIORITIES[policy.priority],
            at=due,
        )

    async def forget(self, source: Source) -> None:
        await withdraw(self._session, [f"refresh:{source.id}"])
