"""Large packs are kept in memory without their texts: what is nearest is found there, and nobody waits for it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector

from concierge.accounts.scope import EVERYTHING, PUBLIC, Audiences
from concierge.kit.errors import UnavailableError
from concierge.knowledge import indexes
from concierge.knowledge.models import TERM_SPACE
from concierge.knowledge.repository.search import CurrentIndex, OutlineRow, SearchRepository
from concierge.knowledge.resident import ResidentPacks, sketching
from concierge.knowledge.resident.postings import Rows
from concierge.knowledge.resident.sketch import LOOKED_AT, Drawing, Sketch
from concierge.knowledge.search import Query, Search
from concierge.llm.embeddings import VectorSpace
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

NOTES = {
    f"note{number}": f"# Note {number}\n\nArticle {number} weighs {number} kilograms." for number in range(5)
}
QUESTION = "How heavy is article 3?"
WANTED = 60


def row(number: int, vector: NDArray[np.float32], audience: str | None = None) -> OutlineRow:
    """A chunk as PostgreSQL sends it; its only word is its number."""
    chunk, document = (UUID(int=own).bytes for own in (number, 1_000_000 + number))
    words = SparseVector({number + 1: 1.0}, TERM_SPACE).to_binary()
    return chunk, document, number, audience, HalfVector(vector).to_binary(), words


def sketch(
    vectors: NDArray[np.float32],
    audience: Callable[[int], str | None] = lambda _: None,
    *,
    part_chunks: int = 3_000,
    portion: int = 700,
) -> Sketch:
    index = CurrentIndex(UUID(int=1), len(vectors), 1, VectorSpace("some:model", vectors.shape[1]))
    drawing = Drawing(index, part_chunks)
    rows = [row(number, vector, audience(number)) for number, vector in enumerate(vectors)]
    for begin in range(0, len(rows), portion):
        drawing.add(rows[begin : begin + portion])
    return drawing.finished()


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def crowd() -> NDArray[np.float32]:
    """Ten thousand vectors about two hundred subjects, all leaning one way, as those of a model do."""
    chance = np.random.default_rng(7)
    subjects = chance.normal(size=(200, 384))
    return unit(subjects.repeat(50, axis=0) + 0.7 * chance.normal(size=(10_000, 384)) + 0.5)


def test_the_nearest_of_many_are_found_by_signs(crowd: NDArray[np.float32]) -> None:
    kept = sketch(crowd)
    shares: list[float] = []
    for own in range(0, 10_000, 500):
        exact = set(np.argsort(-(crowd @ crowd[own]))[:WANTED].tolist())
        shares.append(len(exact & set(kept.by_meaning(crowd[own], None, WANTED).tolist())) / WANTED)

    assert np.mean(shares) >= 0.9


@given(st.integers(1, 40), st.sampled_from((3, 64, 100, 384)), st.integers(0, 2**32 - 1))
def test_of_few_the_nearest_are_exact(count: int, dimensions: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    vectors = unit(chance.normal(size=(count, dimensions)))
    asked = unit(chance.normal(size=dimensions))
    halves = vectors.astype(np.float16).astype(np.float32)

    near = sketch(vectors).by_meaning(asked, None, 5)

    assert np.sort(halves[near] @ asked).tolist() == pytest.approx(
        np.sort(halves @ asked)[-5:].tolist(), abs=1e-6
    )


def test_what_may_not_be_read_is_not_among_the_nearest(crowd: NDArray[np.float32]) -> None:
    kept = sketch(crowd[:2_000], lambda number: "staff" if number % 10 else None)
    public = kept.readable(PUBLIC)

    near = kept.by_meaning(crowd[5], public, WANTED)

    assert len(near) == WANTED
    assert not np.any(near % 10)
    assert kept.frequency(6, None) == 1
    assert kept.frequency(6, public) == 0
    assert kept.readable(EVERYTHING) is None
    assert kept.readable(Audiences.of(["staff"])) is None


def test_an_index_in_parts_finds_what_one_of_a_piece_does(crowd: NDArray[np.float32]) -> None:
    chunks = crowd[:2_000]
    whole, parts = (
        sketch(chunks, lambda number: "staff" if number % 3 else None, part_chunks=size, portion=150)
        for size in (10_000, 200)
    )
    weights = {3: 1.0, 1_501: 2.0}

    for readable in (None, whole.readable(PUBLIC)):
        assert parts.by_meaning(crowd[5], readable, WANTED).tolist() == (
            whole.by_meaning(crowd[5], readable, WANTED).tolist()
        )
        assert parts.by_words(weights, readable, 5)[0].tolist() == [
            number for number in (2, 1_500) if readable is None or readable[number]
        ]
        assert parts.frequency(1_501, readable) == whole.frequency(1_501, readable) == 1
    rows = np.array([0, 199, 1_999])
    assert parts.cosines(rows, crowd[5]) == pytest.approx(chunks[rows] @ crowd[5], abs=1e-3)
    assert parts.size == pytest.approx(whole.size, rel=0.01)


def test_of_those_that_are_equally_near_not_all_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    alike = unit(np.ones(384)).repeat(5_000).reshape(384, 5_000).T
    compared: list[int] = []
    exactly = Sketch.cosines

    def counted(self: Sketch, rows: Rows, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        compared.append(len(rows))
        return exactly(self, rows, vector)

    monkeypatch.setattr(Sketch, "cosines", counted)

    assert len(sketch(alike).by_meaning(alike[0], None, WANTED)) == WANTED
    assert compared == [LOOKED_AT]


def test_an_empty_index_has_nothing_near() -> None:
    empty = Drawing(CurrentIndex(UUID(int=1), 0, 1, None)).finished()

    assert len(empty) == 0
    assert empty.by_meaning(unit(np.ones(384)), None, WANTED).tolist() == []


def test_a_candidate_has_the_ids_and_the_place_of_its_chunk(crowd: NDArray[np.float32]) -> None:
    kept = sketch(crowd[:10])

    words, scores = kept.by_words({4: 2.0}, None, WANTED)
    found = kept.candidate(int(words[0]), float(scores[words[0]]), 0.5)

    assert (found.chunk_id, found.document_id) == (UUID(int=3), UUID(int=1_000_003))
    assert (found.ordinal, found.bm25, found.cosine) == (3, 2.0, 0.5)


@pytest.fixture
async def large(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    monkeypatch.setattr(indexes, "EXACT_SCAN_CHUNKS", 0)
    await tenant.learn(**NOTES)
    return tenant


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The indexes that were read for a sketch; each reading takes a while."""
    indexes_read: list[UUID] = []
    read = SearchRepository.outline

    async def slowly(self: SearchRepository, index_id: UUID) -> AsyncGenerator[list[OutlineRow]]:
        indexes_read.append(index_id)
        await asyncio.sleep(0.3)
        async for rows in read(self, index_id):
            yield rows

    monkeypatch.setattr(SearchRepository, "outline", slowly)
    return indexes_read


async def ask(search: Search, tenant: Tenant) -> list[str]:
    vector = await tenant.platform.embedder.embed_query(QUESTION)
    found = await search.find(tenant.scope, [tenant.pack_id], Query(QUESTION, vector))
    return [passage.text for passage in found.passages]


async def change_twice(search: Search, tenant: Tenant, word: str) -> None:
    """Each change is followed by questions that are worth a sketch."""
    for number in range(2):
        await tenant.learn(news=f"# News\n\nThis is {word} number {number}.")
        for _ in range(2):
            await ask(search, tenant)
        await search.warmed()


async def test_a_pack_is_sketched_once_while_everybody_is_answered(large: Tenant, drawn: list[UUID]) -> None:
    search = Search(large.platform.db)
    first = await ask(search, large)

    meanwhile = await asyncio.gather(*(ask(search, large) for _ in range(8)))
    assert len(drawn) == 1
    await search.warmed()

    assert await ask(search, large) == first
    assert all(answer == first for answer in meanwhile)
    assert len(drawn) == 1


@pytest.mark.parametrize(
    "error",
    [UnavailableError("The database did not answer."), MemoryError()],
    ids=lambda error: type(error).__name__,
)
async def test_where_a_sketch_cannot_be_made_searches_go_on_in_the_database(
    large: Tenant, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tried: list[UUID] = []

    async def broken(_self: SearchRepository, index_id: UUID) -> AsyncGenerator[list[OutlineRow]]:
        tried.append(index_id)
        raise error
        yield []

    monkeypatch.setattr(SearchRepository, "outline", broken)
    search = Search(large.platform.db)

    answers = []
    for _ in range(3):
        answers.append(await ask(search, large))
        await search.warmed()

    assert answers[0] == answers[1] == answers[2] != []
    assert len(tried) == 1


async def test_a_pack_that_keeps_changing_is_not_sketched_all_the_time(
    large: Tenant, drawn: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Search(large.platform.db)
    await change_twice(search, large, "news")
    assert len(drawn) == 1

    search = Search(large.platform.db)
    monkeypatch.setattr(sketching, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(sketching, "RESTS", 0)
    await change_twice(search, large, "newer")
    assert len(drawn) == 3


async def test_a_sketch_that_took_long_is_not_drawn_again_soon(
    large: Tenant, drawn: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sketching, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(sketching, "RESTS", 1_000)
    search = Search(large.platform.db)
    await change_twice(search, large, "news")

    assert len(drawn) == 1


async def test_closing_gives_up_what_is_being_sketched(
    large: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def endless(_self: SearchRepository, _index: UUID) -> AsyncGenerator[list[OutlineRow]]:
        begun.set()
        await asyncio.Event().wait()
        yield []

    monkeypatch.setattr(SearchRepository, "outline", endless)
    search = Search(large.platform.db)
    for _ in range(2):
        await ask(search, large)

    async with asyncio.timeout(5):
        await begun.wait()
        await search.close()
        await search.warmed()


async def test_a_pack_that_can_never_have_room_is_not_read_for_it(large: Tenant, drawn: list[UUID]) -> None:
    search = Search(large.platform.db, resident=ResidentPacks(budget_bytes=1_000))
    for _ in range(3):
        assert await ask(search, large)
    await search.warmed()

    assert drawn == []
