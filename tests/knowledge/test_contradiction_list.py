"""The operator's list of contradictions: found after reading, kept up to date, and dismissed for as long as both stand."""

from typing import Any
from uuid import UUID

import pytest

from concierge.accounts.scope import TenantScope
from concierge.knowledge.schemas import NewItem, NewSource
from concierge.knowledge.service import contradictions as module
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

THIRTY = "# Returns\n\nYou have 30 days from delivery to return a product.\n"
FOURTEEN = THIRTY.replace("30", "14")
FILLER = "# Chairs {n}\n\nThe Kelapa chair number {n} is made of oak in Norway and seats one person.\n"


async def learn(tenant: Tenant, name: str, text: str, *, authoritative: bool = False) -> UUID:
    item = NewItem(f"{name}.md", text.encode())
    return await tenant.read(NewSource("folder", name, name, [item], authoritative=authoritative))


async def compare(tenant: Tenant) -> int:
    """Run the job of the tenant's pack. Returns how many documents it compared."""
    return (await tenant.platform.contradictions.run(tenant.scope, tenant.pack_id)).documents


async def listed(tenant: Tenant, **query: str) -> list[dict[str, Any]]:
    response = await tenant.client.get(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/contradictions", headers=tenant.owner, params=query
    )
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def decide(tenant: Tenant, contradiction_id: str, what: str) -> dict[str, Any]:
    response = await tenant.client.post(
        f"/api/v1/knowledge/contradictions/{contradiction_id}/{what}", headers=tenant.owner
    )
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_pair_is_listed_with_both_quotes_and_what_answers_use(tenant: Tenant) -> None:
    await learn(tenant, "shop", THIRTY)
    await learn(tenant, "terms", FOURTEEN, authoritative=True)
    await compare(tenant)

    (pair,) = await listed(tenant)

    assert (pair["kind"], pair["status"], pair["reason"]) == ("duration", "open", "authoritative")
    assert pair["used"]["quote"] == "You have 14 days from delivery to return a product."
    assert pair["other"]["quote"] == "You have 30 days from delivery to return a product."
    assert "authoritative" in pair["explanation"]
    document = await tenant.client.get(
        f"/api/v1/knowledge/documents/{pair['used']['document_id']}", headers=tenant.owner
    )
    assert document.json()["text"][pair["used"]["start"] : pair["used"]["end"]] == pair["used"]["quote"]


async def test_the_newer_statement_is_used_and_both_dates_are_said(tenant: Tenant) -> None:
    await learn(tenant, "old", f"---\ndate: 2024-03-01\n---\n\n{THIRTY}")
    await learn(tenant, "new", f"---\ndate: 2026-05-03\n---\n\n{FOURTEEN}")
    await compare(tenant)

    (pair,) = await listed(tenant)

    assert (pair["used"]["quote"][:16], pair["reason"]) == ("You have 14 days", "newer")
    assert "3 May 2026" in pair["explanation"]
    assert "1 March 2024" in pair["explanation"]


async def test_where_neither_is_better_the_list_says_what_to_do(tenant: Tenant) -> None:
    await learn(tenant, "one", THIRTY)
    await learn(tenant, "two", FOURTEEN)
    await compare(tenant)

    (pair,) = await listed(tenant)

    assert pair["settled"] is False
    assert "mark the source" in pair["explanation"]


async def test_reading_a_source_compares_it(tenant: Tenant) -> None:
    await learn(tenant, "one", THIRTY)
    await learn(tenant, "two", FOURTEEN)

    runner = tenant.platform.job_runner()
    async with runner.app.open_async():
        await runner.app.run_worker_async(wait=False, install_signal_handlers=False)

    assert len(await listed(tenant)) == 1


async def test_a_pair_goes_with_its_document(tenant: Tenant) -> None:
    await learn(tenant, "one", THIRTY)
    source = await learn(tenant, "two", FOURTEEN)
    await compare(tenant)
    assert len(await listed(tenant)) == 1

    removed = await tenant.client.delete(f"/api/v1/knowledge/sources/{source}", headers=tenant.owner)

    assert removed.status_code == 204
    assert await listed(tenant) == []


async def test_a_dismissed_pair_stays_so_while_both_statements_stand(tenant: Tenant) -> None:
    await learn(tenant, "one", THIRTY)
    await learn(tenant, "two", FOURTEEN)
    await compare(tenant)
    (pair,) = await listed(tenant)
    assert (await decide(tenant, pair["id"], "dismiss"))["status"] == "dismissed"
    assert await listed(tenant, status="open") == []

    # The page changes around the statement: its document is another one then, the statement the same.
    await learn(tenant, "two", FOURTEEN + "\nWe collect it for free.\n")
    await compare(tenant)
    (again,) = await listed(tenant)
    assert again["id"] != pair["id"]
    assert again["status"] == "dismissed"

    # The statement itself changes: this is another contradiction.
    await learn(tenant, "two", FOURTEEN.replace("14", "21"))
    await compare(tenant)
    (other,) = await listed(tenant)
    assert other["status"] == "open"

    # And the dismissal does not wait for a statement that went and came back.
    await learn(tenant, "two", FOURTEEN)
    await compare(tenant)
    (back,) = await listed(tenant)
    assert back["status"] == "open"


async def test_a_dismissed_pair_can_be_opened_again(tenant: Tenant) -> None:
    await learn(tenant, "one", THIRTY)
    await learn(tenant, "two", FOURTEEN)
    await compare(tenant)
    (pair,) = await listed(tenant)
    await decide(tenant, pair["id"], "dismiss")

    assert (await decide(tenant, pair["id"], "reopen"))["status"] == "open"

    assert [entry["id"] for entry in await listed(tenant, status="open")] == [pair["id"]]


async def test_only_what_is_new_is_compared_and_with_all_there_is(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await learn(tenant, "one", THIRTY)
    await tenant.read(
        NewSource(
            "folder", "fill", "fill", [NewItem(f"{n}.md", FILLER.format(n=n).encode()) for n in range(12)]
        )
    )
    assert await compare(tenant) == 13
    assert await compare(tenant) == 0
    read: list[int] = []
    add = module._Pile.add  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # To see what is read.

    def counting(self: Any, passages: Any) -> None:
        read.extend({passage.document_id: 1 for passage in passages}.values())
        add(self, passages)

    monkeypatch.setattr(module._Pile, "add", counting)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # As above.
    await learn(tenant, "two", FOURTEEN)

    assert await compare(tenant) == 1
    assert len(await listed(tenant)) == 1
    assert sum(read) == 2


async def test_a_page_with_another_title_is_compared_anew(tenant: Tenant) -> None:
    await learn(tenant, "one", THIRTY)
    await learn(tenant, "two", f"---\ntitle: Palma sofa\n---\n\n{FOURTEEN}")
    await compare(tenant)
    assert await listed(tenant) == []

    await learn(tenant, "two", f"---\ntitle: Returns\n---\n\n{FOURTEEN}")
    await compare(tenant)

    assert len(await listed(tenant)) == 1


async def test_the_list_comes_in_pages(tenant: Tenant) -> None:
    await learn(tenant, "one", THIRTY)
    for days in (14, 21, 45):
        await learn(tenant, f"other{days}", THIRTY.replace("30", str(days)))
    await compare(tenant)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        response = await tenant.client.get(
            f"/api/v1/knowledge/packs/{tenant.pack_id}/contradictions", headers=tenant.owner, params=query
        )
        seen += [pair["id"] for pair in response.json()["items"]]
        cursor = response.json()["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 6


async def test_another_organization_compares_nothing_of_ours(tenant: Tenant, stranger: Tenant) -> None:
    await learn(tenant, "one", THIRTY)
    await learn(tenant, "two", FOURTEEN)

    found = await stranger.platform.contradictions.run(TenantScope(stranger.org_id), tenant.pack_id)

    assert (found.documents, found.found) == (0, 0)
    assert await listed(tenant) == []
