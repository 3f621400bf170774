import httpx
import pytest

from concierge.accounts.scope import Role
from concierge.entrypoints.wiring import Platform
from tests.accounts.people import signed_in_as
from tests.factories.tenants import make_tenant


@pytest.fixture(scope="session")
async def crew(platform: Platform, client: httpx.AsyncClient) -> dict[str, dict[str, str]]:
    """The headers of every kind of caller an organization can have, by name; nobody in particular has none."""
    tenant = await make_tenant(platform, client)
    members = {role: (await signed_in_as(tenant, role))[0] for role in Role if role is not Role.OWNER}
    return {
        **members,
        Role.OWNER: tenant.owner,
        "secret": tenant.secret,
        "publishable": tenant.publishable,
        "visitor": await tenant.visitor(),
        "nobody": {},
    }
