from collections.abc import AsyncIterator

import httpx
import pytest

from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.wiring import DatabaseAddress, Platform, build
from concierge.llm.embeddings import LocalEmbedder
from tests.billing.stripe_server import StripeServer, settings_for, standing_in
from tests.conftest import SETTINGS
from tests.factories.tenants import Tenant, make_tenant


@pytest.fixture(scope="module")
async def stripe_server() -> AsyncIterator[StripeServer]:
    async with standing_in() as server:
        yield server


@pytest.fixture(autouse=True)
def _stripe_forgets(request: pytest.FixtureRequest) -> None:
    """A server that was told to fail answers the next test as usual."""
    if "stripe_server" in request.fixturenames:
        server: StripeServer = request.getfixturevalue("stripe_server")
        server.status, server.delay_s, server.body, server.forgotten = 200, 0.0, None, frozenset()
        server.requests.clear()


@pytest.fixture(scope="module")
async def selling(
    database: DatabaseAddress, embedder: LocalEmbedder, stripe_server: StripeServer
) -> AsyncIterator[Platform]:
    """The product where plans are paid for through Stripe."""
    settings = SETTINGS.model_copy(update={"billing": settings_for(stripe_server)})
    platform = build(settings, database, embedder=embedder)
    yield platform
    await platform.close()


@pytest.fixture(scope="module")
async def shop_client(selling: Platform) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(selling), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        yield client


@pytest.fixture
async def buyer(selling: Platform, shop_client: httpx.AsyncClient) -> Tenant:
    """An organization that has bought nothing yet, where plans are sold."""
    return await make_tenant(selling, shop_client)


@pytest.fixture
async def other_buyer(selling: Platform, shop_client: httpx.AsyncClient) -> Tenant:
    return await make_tenant(selling, shop_client)
