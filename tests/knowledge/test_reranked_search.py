"""With a cross-encoder configured, what it prefers comes first; without its answer a search goes on as ever."""

from typing import Any

import pytest

from concierge.knowledge.search import Found, Query, Search
from concierge.llm.reranking import HostedReranker
from tests.factories.tenants import Tenant
from tests.llm.rerankers import cohere, hosted

pytestmark = pytest.mark.anyio

NOTES = {
    "returns": "# Returns\n\nYou have 30 days from delivery to return a sofa.",
    "gifts": "# Gifts\n\nWhoever got a sofa as a gift may return it for a voucher within 90 days.",
    "shipping": "# Shipping\n\nA sofa is delivered within five working days.",
}


def prefers(word: str) -> Any:
    """A cross-encoder that cares for one word only."""

    def scores(body: Any) -> bytes:
        return cohere(*((place, float(word in text)) for place, text in enumerate(body["documents"])))

    return scores


async def find(tenant: Tenant, reranker: HostedReranker | None) -> Found:
    question = "How many days do I have to return a sofa?"
    vector = await tenant.platform.embedder.embed_query(question)
    search = Search(tenant.platform.db, reranker=reranker)
    return await search.find(tenant.scope, [tenant.pack_id], Query(question, vector))


def titles(found: Found) -> list[str]:
    return [passage.title for passage in found.passages]


async def test_a_cross_encoder_has_the_last_word(tenant: Tenant) -> None:
    await tenant.learn(**NOTES)
    plain = await find(tenant, None)

    async with hosted(prefers("voucher")) as (reranker, requests):
        found = await find(tenant, reranker)

    assert titles(plain)[0] == "Returns"
    assert titles(found)[0] == "Gifts"
    assert found.candidates[0].signals
    assert found.candidates[0].signals.cross == 1.0
    assert found.candidates[0].evidence == pytest.approx(
        next(entry.score for entry in plain.candidates if entry.candidate == found.candidates[0].candidate),
        abs=1e-6,
    )
    assert len(requests[0][1]["documents"]) == len(NOTES)
    assert all(text.startswith(("Returns", "Gifts", "Shipping")) for text in requests[0][1]["documents"])


async def test_one_that_fails_or_is_slow_changes_nothing(tenant: Tenant) -> None:
    await tenant.learn(**NOTES)
    plain = titles(await find(tenant, None))

    async with hosted(b"{}", "503 Service Unavailable") as (reranker, _):
        assert titles(await find(tenant, reranker)) == plain
    async with hosted(prefers("voucher"), delay_s=3) as (reranker, _):
        assert titles(await find(tenant, reranker)) == plain


async def test_nothing_found_is_nothing_asked(tenant: Tenant) -> None:
    async with hosted(prefers("voucher")) as (reranker, requests):
        assert titles(await find(tenant, reranker)) == []

    assert requests == []
