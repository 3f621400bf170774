"""A local website, a clock that a test moves, a model that counts, and a tenant whose platform has all three."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from concierge.accounts.scope import Unit
from concierge.entrypoints.wiring import Platform, build
from concierge.kit.fetch import Fetcher, FetchLimits
from concierge.knowledge.chunker import LateChunker
from concierge.knowledge.ingestion import Ingestion
from concierge.knowledge.schemas import FreshnessPolicy, PackPatch
from concierge.knowledge.service import PackService, SourceService
from concierge.knowledge.sources.pairs import PairIndexer
from concierge.llm.minilm import MiniLM, TokenStates
from tests.conftest import SETTINGS
from tests.factories.tenants import Tenant
from tests.kit.site import LOCAL, Answer, Site, page

START = datetime(2030, 5, 1, 12, tzinfo=UTC)
BODY = "It is made by hand of oak, and it is oiled twice a year with a soft cloth. " * 5
PAGE = f"""<html><head><title>Shop</title></head><body><main><h1>Shop</h1>
<h2>Chairs</h2><p>The Kelapa chair costs 129 dollars. {BODY}</p>
<h2>Tables</h2><p>The Lagoon table costs 649 dollars. {BODY}</p>
<h2>Lamps</h2><p>The Husk lamp costs 89 dollars. {BODY}</p></main></body></html>"""


@dataclass(slots=True)
class FrozenClock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


@dataclass(slots=True)
class CountingModel:
    """The real model, which notes every text it is given."""

    model: MiniLM
    encoded: list[str] = field(default_factory=list[str])

    def token_states(self, texts: Sequence[str], prefaces: Sequence[str]) -> list[TokenStates]:
        self.encoded += texts
        return self.model.token_states(texts, prefaces)

    def embed(self, texts: Sequence[str]) -> Any:
        self.encoded += texts
        return self.model.embed(texts)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def counting(platform: Platform) -> CountingModel:
    return CountingModel(platform.embedder.model)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]  # The tests' embedder is the local one.


@pytest.fixture
async def reaching(
    platform: Platform, clock: FrozenClock, counting: CountingModel
) -> AsyncIterator[Platform]:
    """A platform with a clock of its own, which counts what goes through the model and may reach the local site."""
    limits = FetchLimits(total_s=3, connect_s=1, read_s=1, max_bytes=1_000_000)
    fetcher = Fetcher(limits=limits, allowed_private_hosts=frozenset({LOCAL}))
    reaching = build(SETTINGS, platform.address, embedder=platform.embedder, fetcher=fetcher, clock=clock)
    chunker = LateChunker(counting)  # pyright: ignore[reportArgumentType]  # It asks for no more than this has.
    indexer = PairIndexer(chunker, platform.embedder)
    yield replace(reaching, ingestion=Ingestion(reaching.db, indexer, fetcher, clock))
    await reaching.db.close()


@pytest.fixture
def surfer(tenant: Tenant, reaching: Platform) -> Tenant:
    return replace(tenant, platform=reaching)


def conditional(body: str, etag: str) -> Answer:
    """A page that says when it has not changed."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("If-None-Match") == etag:
            page(b"", 304, ETag=etag)(handler)
        else:
            page(body.encode(), Content_Type="text/html", ETag=etag)(handler)

    return answer


def sees(site: Site) -> list[str | None]:
    """The validators of the requests so far."""
    return [seen.get("if-none-match") for seen in site.seen]


async def policy(tenant: Tenant, **values: Any) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        patch = PackPatch(freshness_policy=FreshnessPolicy(**values))
        await PackService(Unit(session, tenant.scope)).change(tenant.pack_id, patch)


async def sync(tenant: Tenant, source_id: UUID, *, read: bool = True) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await SourceService(Unit(session, tenant.scope)).sync(source_id)
    if read:
        await tenant.platform.ingestion.run(tenant.scope, source_id)


async def latest(tenant: Tenant, source_id: UUID) -> dict[str, Any]:
    """The last sync of a source, over HTTP; the counters that are not 0."""
    found = await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}/syncs", headers=tenant.owner)
    entry: dict[str, Any] = found.json()["items"][0]
    return {name: value for name, value in entry.items() if value not in (0, [], None)}


async def planned(tenant: Tenant, source_id: UUID) -> list[tuple[datetime, int]]:
    """When the source is to be looked at again, and how important that is."""
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        rows = await session.execute(
            text(
                "SELECT scheduled_at, priority FROM procrastinate_jobs "
                "WHERE task_name = 'knowledge.refresh' AND args->>'source_id' = :id AND status = 'todo'"
            ),
            {"id": str(source_id)},
        )
        return [(row[0].astimezone(UTC), row[1]) for row in rows]
