"""A tenant's model on a real local server; names are resolved by a table, as in the tests of fetching."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx2
import pytest

from concierge.kit.addresses import is_public_address
from concierge.llm import guarded
from concierge.llm.guarded import GuardedTransport
from tests.kit.site import LOCAL, Site, certificate_for, page

pytestmark = pytest.mark.anyio

# The site listens only on the machine's IPv4 address.
DEAD = "::1"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    server, client = certificate_for("models.test", tmp_path)
    monkeypatch.setattr(guarded, "default_tls", lambda: client)
    running = Site(server)
    running.pages["/v1/models"] = page(b"[]")
    yield running
    running.close()


@pytest.fixture
def _this_machine_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_public(address: str) -> bool:
        return address in {LOCAL, DEAD} or is_public_address(address)

    monkeypatch.setattr(guarded, "is_public_address", is_public)


async def asked(site: Site, *lookups: Sequence[str]) -> httpx2.Response:
    """Ask for the site by its name, which resolves to the next of `lookups` each time."""
    left = iter(lookups)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return next(left)

    async with httpx2.AsyncClient(transport=GuardedTransport(httpx2.Limits(), resolve)) as client:
        return await client.get(site.url("/v1/models", "models.test", "https"))


@pytest.mark.usefixtures("_this_machine_is_public")
@pytest.mark.parametrize("dead", range(4))
async def test_an_address_that_does_not_answer_gives_way_to_the_next(site: Site, dead: int) -> None:
    assert (await asked(site, [*[DEAD] * dead, LOCAL])).content == b"[]"
    assert site.seen[0]["host"] == f"models.test:{site.port}"


@pytest.mark.usefixtures("_this_machine_is_public")
async def test_only_so_many_addresses_of_a_name_are_tried(site: Site) -> None:
    with pytest.raises(httpx2.ConnectError):
        await asked(site, [*[DEAD] * 4, LOCAL])
    assert site.seen == []


@pytest.mark.usefixtures("_this_machine_is_public")
async def test_only_addresses_that_were_checked_are_tried(site: Site) -> None:
    with pytest.raises(httpx2.ConnectError):
        await asked(site, [DEAD], [LOCAL])
    assert site.seen == []


@pytest.mark.parametrize("addresses", [["1.1.1.1", LOCAL], [LOCAL, "1.1.1.1"], [DEAD, LOCAL]])
async def test_one_private_address_is_enough_to_refuse_a_name(site: Site, addresses: list[str]) -> None:
    with pytest.raises(httpx2.ConnectError, match="no server of the public internet"):
        await asked(site, addresses)
    assert site.seen == []
