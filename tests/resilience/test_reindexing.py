"""A build of an index that is killed goes on in another process, and visitors never notice."""

import asyncio
import time

import pytest

from concierge.llm.embeddings import LocalEmbedder
from tests.factories.tenants import Tenant
from tests.knowledge.indexing import begin, indexes_of
from tests.knowledge.reading import assert_counters_are_true
from tests.resilience.support import PATIENCE_S, Installation

pytestmark = pytest.mark.anyio

CARE = "The joint of leg {0} is tightened by hand, and oiled in the spring of every second year. " * 12
NOTES = {
    f"note{number}": f"# Article {number}\n\nArticle {number} costs {number + 100} dollars.\n\n{CARE.format(number)}"
    for number in range(60)
}


async def test_a_killed_build_is_taken_over_while_visitors_are_answered(
    installation: Installation, embedder: LocalEmbedder
) -> None:
    server = installation.serve()
    async with installation.tenant(embedder) as tenant:
        await tenant.learn(**NOTES)
        index = await begin(tenant, chunker="recursive")
        while (half := (await indexes_of(tenant))[0]).progress.done < 5:
            await asyncio.sleep(0.02)
        await answered(tenant)
        assert half.state == "building"
        server.kill()
        killed = (await indexes_of(tenant))[0]
        assert (killed.id, killed.state) == (index.id, "building")
        assert killed.progress.done < len(NOTES)

        installation.serve()
        deadline = time.monotonic() + PATIENCE_S
        while (ended := (await indexes_of(tenant))[0]).state == "building":
            await answered(tenant)
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)

        assert (ended.id, ended.state, ended.progress.done) == (index.id, "current", len(NOTES))
        await answered(tenant)
        await assert_counters_are_true(tenant)


async def answered(tenant: Tenant) -> None:
    reply = await tenant.ask("How much does article 3 cost?")
    assert "103 dollars" in reply["response"]
