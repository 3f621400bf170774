"""Who reads a passage is given what stands around it, as far as there is room."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.knowledge.surroundings import Neighbours, Surroundings, surroundings
from tests.factories.tenants import Tenant

MANUAL = "\n\n".join(
    [
        "# Rattan care",
        *(
            f"## {part}\n\n" + " ".join(f"{sentence} {part.lower()} number {n}." for n in range(12))
            for part, sentence in {
                "Cleaning": "Wipe the weave with a soft cloth and lukewarm water for",
                "Oiling": "Rub teak oil along the grain and let it dry for",
                "Storage": "Keep the cushions in a dry and frost free room for",
                "Repair": "Send broken strands to our workshop in Porto for",
            }.items()
        ),
    ]
)


async def search(tenant: Tenant, query: str, **body: Any) -> list[dict[str, Any]]:
    response = await tenant.client.post(
        "/api/v1/knowledge/search", headers=tenant.secret, json={"query": query, "limit": 2, **body}
    )
    assert response.status_code == 200, response.text
    return response.json()["passages"]


@pytest.mark.anyio
async def test_a_passage_and_its_surroundings_are_one_stretch_of_the_document(tenant: Tenant) -> None:
    await tenant.learn(manual=MANUAL)

    bare = await search(tenant, "Which oil do I rub along the grain?")
    found = await search(tenant, "Which oil do I rub along the grain?", surroundings=5_000)

    document = await tenant.client.get(
        f"/api/v1/knowledge/documents/{found[0]['document_id']}", headers=tenant.owner
    )
    whole = document.json()["text"]
    for passage in found:
        start, end = passage["start"] - len(passage["before"]), passage["end"] + len(passage["after"])
        assert whole[start:end] == passage["before"] + passage["text"] + passage["after"]
    assert any(passage["before"] or passage["after"] for passage in found)
    assert [passage["text"] for passage in bare] == [passage["text"] for passage in found]
    assert all(passage["before"] == passage["after"] == "" for passage in bare)


@pytest.mark.anyio
@pytest.mark.parametrize("budget", [-1, 20_001, "all"])
async def test_a_budget_that_is_none_is_refused(tenant: Tenant, budget: object) -> None:
    response = await tenant.client.post(
        "/api/v1/knowledge/search", headers=tenant.secret, json={"query": "oil", "surroundings": budget}
    )

    assert response.status_code == 422


def beside(*documents: Sequence[str]) -> dict[UUID, Neighbours]:
    """Chunks of documents, given as their texts; a chunk's id counts through all of them."""
    numbers = iter(range(1, 1_000))
    found: dict[UUID, Neighbours] = {}
    for texts in documents:
        ids = [UUID(int=next(numbers)) for _ in texts]
        padded = [(None, ""), *zip(ids, texts, strict=True), (None, "")]
        for place, chunk in enumerate(ids):
            found[chunk] = Neighbours(*padded[place], *padded[place + 2])
    return found


def test_what_follows_the_best_passage_comes_first() -> None:
    known = beside(["aaaa", "bbbb", "cccc"], ["dddd", "eeee"])
    best, other = UUID(int=2), UUID(int=4)

    assert surroundings([best, other], known, 4) == {best: Surroundings("", "cccc"), other: Surroundings()}
    assert surroundings([best, other], known, 12) == {
        best: Surroundings("aaaa", "cccc"),
        other: Surroundings("", "eeee"),
    }


def test_nothing_is_given_twice() -> None:
    known = beside(["aaaa", "bbbb", "cccc", "dddd"])

    assert surroundings([UUID(int=1), UUID(int=3), UUID(int=2)], known, 100) == {
        UUID(int=1): Surroundings(),
        UUID(int=3): Surroundings("", "dddd"),
        UUID(int=2): Surroundings(),
    }


def test_a_chunk_removed_meanwhile_has_none() -> None:
    assert surroundings([UUID(int=9)], {}, 100) == {}


@given(
    st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=6), min_size=1, max_size=4),
    st.integers(0, 60),
    st.randoms(use_true_random=False),
)
def test_the_budget_is_never_exceeded(documents: list[list[str]], budget: int, random: Any) -> None:
    known: Mapping[UUID, Neighbours] = beside(*documents)
    chosen = random.sample(sorted(known), min(5, len(known)))

    read = surroundings(chosen, known, budget)

    assert sum(len(entry.before) + len(entry.after) for entry in read.values()) <= budget
