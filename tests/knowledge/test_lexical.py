"""Words, hashes and BM25, the last against the formula written out plainly."""

import math
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.knowledge.lexical import (
    K1,
    MAX_TERM_LENGTH,
    TERM_DIMENSIONS,
    B,
    codes_in,
    document_weights,
    idf,
    index_term,
    term_id,
    terms,
)

WORDS = ["chair", "oak", "sofa", "return", "ship", "lamp"]
texts = st.lists(st.sampled_from(WORDS), max_size=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Returned chairs, returning CHAIR", ["return", "chair", "return", "chair"]),
        ("Is the café’s Crème brûlée good?", ["cafe", "creme", "brule", "good"]),
        ("CF-1042 costs $32.50", ["cf", "1042", "cost", "32", "50"]),
        ("ＦＵＬＬ width", ["full", "width"]),
        ("user_name", ["user", "name"]),
        ("日本語", ["日本", "本語"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Größe Straße", ["gross", "strass"]),
        ("What is this?", []),
        ("", []),
        ("\ud83d — …", []),
    ],
)
def test_terms_are_the_stems_of_the_words(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@given(st.text())
@settings(deadline=None)
def test_terms_of_any_text_can_be_hashed(text: str) -> None:
    for term in terms(text):
        assert 0 < len(term) <= MAX_TERM_LENGTH
        assert 1 <= term_id(term) <= TERM_DIMENSIONS


@given(st.text(st.characters(max_codepoint=127)))
@settings(deadline=None)
def test_case_does_not_matter(text: str) -> None:
    assert terms(text.upper()) == terms(text.lower())


def test_hashes_are_the_same_in_every_process() -> None:
    """Stored rows carry these numbers: a change here needs a migration that indexes everything again."""
    assert term_id("chair") == 478060301
    assert index_term(UUID(int=7), "chair") == 4356563951181130946


@given(st.sampled_from(WORDS), st.uuids(), st.uuids())
@settings(deadline=None)
def test_a_term_differs_between_packs_and_fits_64_bits(term: str, one: UUID, other: UUID) -> None:
    assert -(2**63) <= index_term(one, term) < 2**63
    assert (index_term(one, term) == index_term(other, term)) == (one == other)


def reference_bm25(query: list[str], document: list[str], corpus: list[list[str]]) -> float:
    """Robertson and Zaragoza's formula with Lucene's non-negative IDF, written for reading."""
    average = sum(len(other) for other in corpus) / len(corpus)
    score = 0.0
    for term in set(query):
        holding = sum(term in other for other in corpus)
        tf = document.count(term)
        weight = math.log(1 + (len(corpus) - holding + 0.5) / (holding + 0.5))
        score += weight * tf * (K1 + 1) / (tf + K1 * (1 - B + B * len(document) / average)) if tf else 0.0
    return score


@given(texts, st.lists(texts, min_size=1, max_size=8))
@settings(deadline=None)
def test_the_two_halves_multiply_to_bm25(query: list[str], corpus: list[list[str]]) -> None:
    average = sum(map(len, corpus)) / len(corpus)
    df = Counter(term for document in corpus for term in set(document))
    query_weights = {term_id(term): idf(len(corpus), df[term]) for term in query}
    for document in corpus:
        stored = document_weights(document, average)
        score = sum(query_weights.get(term, 0.0) * weight for term, weight in stored.items())
        assert score == pytest.approx(reference_bm25(query, document, corpus) if average else 0.0)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
@settings(deadline=None)
def test_idf_is_never_negative_and_falls_with_frequency(documents: int, df: int) -> None:
    assert idf(documents, df) >= 0
    assert idf(documents, df + 1) <= idf(documents, df) or df >= documents


def test_threads_stem_independently() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(map(tuple, pool.map(terms, ["returning chairs"] * 200))) == {("return", "chair")}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("What may db.t2.small hold, and what db.M5.12xlarge?", ["db.t2.small", "db.m5.12xlarge"]),
        ("Is it in us-east-2?", ["us-east-2"]),
        ("Does it log runtime_InvokeEndpoint?", ["runtime_invokeendpoint"]),
        ("Is there an end-to-end test of the load-balancer?", []),
        ("Plain words. And more of them", []),
    ],
)
def test_codes_are_what_names_one_thing_by_letters_and_digits(text: str, codes: list[str]) -> None:
    assert codes_in(text) == codes


@pytest.mark.parametrize("text", ["x" * 100_000, "x." * 50_000, "a_" * 50_000, "1-" * 50_000 + "!"])
def test_codes_of_hostile_texts_are_looked_for_once(text: str) -> None:
    """A pattern that begins anew at every letter would take minutes."""
    began = time.process_time()
    codes_in(text)

    assert time.process_time() - began < 1
