import httpx
import pytest

from concierge.entrypoints.wiring import Platform
from tests.catalog.selling import Shop
from tests.factories.tenants import Tenant, make_tenant


@pytest.fixture
def seller(tenant: Tenant) -> Shop:
    """A shop that sells nothing yet."""
    return Shop.of(tenant)


@pytest.fixture(scope="session")
async def coconut(platform: Platform, client: httpx.AsyncClient) -> Shop:
    """The demo shop, for tests that change nothing in it."""
    found = Shop.of(await make_tenant(platform, client))
    await found.furnish()
    return found
