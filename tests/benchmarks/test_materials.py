"""What benchmarks are made of: mixtures look like what they are mixed from, and memory is told by quarters."""

from uuid import UUID

import numpy as np
import pytest

from benchmarks.bulk import CHUNKS_PER_DOCUMENT, documents_of
from benchmarks.corpus import Halves, Mixture, made_up_corpus
from benchmarks.ingestion import SAMPLE_PAGES, sample
from benchmarks.memory import quarters
from concierge.knowledge.lexical import document_weights, terms

CORPUS = made_up_corpus(40, questions=1)
PACK, SOURCE = UUID(int=1), UUID(int=2)


def test_a_mixture_is_as_long_as_asked_and_the_same_each_time() -> None:
    mixture = Mixture(Halves.of(CORPUS), 2_100, seed=3)
    one, other = list(mixture.pieces()), list(mixture.pieces())
    assert len(one) == len(mixture) == 2_100
    assert [piece.text for piece in one] == [piece.text for piece in other]
    assert len({piece.text for piece in one}) > len(CORPUS)
    assert np.allclose([np.linalg.norm(piece.vector) for piece in one], 1, atol=1e-3)
    assert mixture.identity != Mixture(Halves.of(CORPUS), 2_100, seed=4).identity


def test_a_mixed_piece_has_the_terms_of_its_text() -> None:
    for piece in Mixture(Halves.of(CORPUS), 50, seed=3).pieces():
        assert list(piece.words) == terms(piece.text)


def test_halves_join_to_what_they_were() -> None:
    halves = Halves.of(CORPUS)
    joined = [a + b for (a, _), (b, _) in zip(halves.openings, halves.closings, strict=True)]
    assert joined == CORPUS.texts


def test_documents_hold_every_piece_once_with_its_own_postings() -> None:
    documents = list(documents_of(CORPUS.first(CHUNKS_PER_DOCUMENT + 1), PACK, SOURCE))
    assert [len(chunks) for _, chunks in documents] == [CHUNKS_PER_DOCUMENT, 1]
    chunk = documents[1][1][0]
    assert chunk.text == CORPUS.texts[CHUNKS_PER_DOCUMENT]
    assert chunk.weights == document_weights(terms(chunk.text), 100.0)
    assert len(chunk.postings) == len(set(terms(chunk.text)))
    assert chunk.sentences[-1][1] == len(chunk.text)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [([1.0, 2, 3, 4], [1, 2, 3, 4]), ([1.0] * 4 + [9.0] * 4, [1, 1, 9, 9]), ([5.0], [5]), ([], [])],
)
def test_memory_is_told_by_quarters(samples: list[float], expected: list[float]) -> None:
    assert quarters(samples) == expected


def test_a_sample_is_drawn_the_same_each_time() -> None:
    pages = {f"{number}.md": b"" for number in range(SAMPLE_PAGES + 100)}
    assert len(sample(pages)) == SAMPLE_PAGES
    assert sample(pages) == sample(dict(reversed(pages.items())))
    assert sample({"a.md": b""}) == {"a.md": b""}
