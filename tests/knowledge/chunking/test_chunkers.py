"""What holds for every chunk of any text, and where the late semantic chunker cuts."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings

from concierge.knowledge.chunking import Chunk, Sizes, late_chunks, recursive_chunks
from concierge.knowledge.chunking.recursive import OVERLAP, SIZE
from concierge.knowledge.chunking.spans import MAX_UNIT, Kind, units_of
from concierge.llm.minilm import MiniLM, TokenStates

from .documents import HashEncoder, documents, letters

LARGEST = Sizes().largest


def late(text: str) -> list[Chunk]:
    return late_chunks([text], HashEncoder())[0]


def recursive(text: str) -> list[Chunk]:
    return recursive_chunks([text], HashEncoder())[0]


def check_every_chunk(text: str, chunks: list[Chunk], largest: int) -> None:
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text.strip() == chunk.text != ""
        assert len(chunk.text) <= largest
        assert chunk.sentences
        for start, end in chunk.sentences:
            assert chunk.start <= start < end <= chunk.end
        np.testing.assert_allclose(np.linalg.norm(chunk.vector), 1, atol=1e-4)
        assert chunk.sentence_vectors.shape == (len(chunk.sentences), len(chunk.vector))
        np.testing.assert_allclose(np.linalg.norm(chunk.sentence_vectors, axis=1), 1, atol=1e-4)


@given(documents)
@example("")
@example(" \n\t ")
@example("\x01\x02")
@settings(deadline=None)
def test_late_chunks_partition_the_text(text: str) -> None:
    chunks = late(text)
    check_every_chunk(text, chunks, LARGEST)
    assert letters("".join(chunk.text for chunk in chunks)) == letters(text)
    assert all(before.end <= after.start for before, after in pairwise(chunks))


@given(documents)
@example("")
@example("\x01\x02")
@settings(deadline=None)
def test_recursive_chunks_cover_the_text(text: str) -> None:
    chunks = recursive(text)
    check_every_chunk(text, chunks, SIZE)
    covered = {position for chunk in chunks for position in range(chunk.start, chunk.end)}
    assert all(position in covered or text[position].isspace() for position in range(len(text)))
    assert all(before.start < after.start for before, after in pairwise(chunks))
    assert all(before.end - after.start <= OVERLAP for before, after in pairwise(chunks))


@pytest.mark.parametrize("chunk", [late, recursive])
@pytest.mark.parametrize("text", ["x" * 100_000, "a word, " * 12_500, "é\u0301" * 50_000])
def test_a_line_of_100_kilobytes_is_cut_within_bounds(chunk: Callable[[str], list[Chunk]], text: str) -> None:
    chunks = chunk(text)
    check_every_chunk(text, chunks, SIZE)
    assert sum(len(chunk.text) for chunk in chunks) >= len(letters(text))


@given(documents)
@example("# A chapter\n\n## One\n\nA.\n\n## Two\n\n" + "word " * 80)
@example("# Nothing\n\n## Here\n\n# A chapter\n\nA.\n\n# Another\n\n" + "word " * 80)
@settings(deadline=None)
def test_a_chunk_with_text_crosses_no_heading_of_its_level_or_higher_unless_tiny(text: str) -> None:
    units = units_of(text)
    for chunk in late(text):
        level = next((unit.level for unit in reversed(units) if unit.level and unit.start <= chunk.start), 7)
        has_text = False
        for unit in units:
            if chunk.start <= unit.start < chunk.end:
                crosses = has_text and 0 < unit.level <= level
                assert not crosses or len(chunk.text) <= Sizes().tiny
                level = min(level, unit.level) if unit.level and not has_text else level
                has_text = has_text or unit.kind is not Kind.HEADING


SHOP = """# Shop guide

## Returns

You may return any chair within 30 days. We pay for the way back. {filler}

## Shipping

We ship to all of Europe. {filler}

| Country | Days |
|---|---|
| Norway | 5 |
| Spain | 4 |
"""


@pytest.fixture(scope="module")
def shop(model: MiniLM) -> list[Chunk]:
    text = SHOP.format(filler="Orders are packed by hand in our own workshop near the coast. " * 3)
    return late_chunks([text], model)[0]


def test_a_chunk_begins_with_its_heading_and_knows_the_path(shop: list[Chunk]) -> None:
    shipping = next(chunk for chunk in shop if "all of Europe" in chunk.text)
    assert shipping.text.startswith("## Shipping")
    assert shipping.headings == ("Shop guide", "Shipping")


def test_headings_are_not_quotable_and_rows_are_whole(shop: list[Chunk]) -> None:
    quotes = [
        chunk.text[start - chunk.start : end - chunk.start]
        for chunk in shop
        for start, end in chunk.sentences
    ]
    assert not [quote for quote in quotes if quote.startswith("#")]
    assert "| Norway | 5 |" in quotes
    rows = [chunk for chunk in shop if "Norway" in chunk.text]
    assert len(rows) == 1
    assert "| Country | Days |" in rows[0].text
    assert "Spain" in rows[0].text


def test_the_cut_falls_where_the_subject_changes(model: MiniLM) -> None:
    wood = (
        "Oak is a hard and heavy wood. Its grain takes oil well. Old oak darkens in the sun over the years. "
    )
    tax = "The tax year ends in April. File your return online by then. A late return costs a fine of 100 pounds. "
    sizes = Sizes(target=220, largest=400)
    first, second = late_chunks([wood * 2 + tax * 2], model, sizes=sizes)[0]
    assert "tax" not in first.text
    assert "Oak" not in second.text


def test_many_texts_at_once_give_what_each_gives_alone(model: MiniLM) -> None:
    texts = ["", SHOP, "One sentence only.", "Oak is hard. " * 50]
    together = late_chunks(texts, model)
    for text, chunks in zip(texts, together, strict=True):
        alone = late_chunks([text], model)[0]
        assert [(chunk.start, chunk.end) for chunk in chunks] == [(chunk.start, chunk.end) for chunk in alone]
        for one, other in zip(chunks, alone, strict=True):
            assert float(one.vector @ other.vector) > 0.98


def test_a_row_knows_the_headings_it_stands_under(model: MiniLM) -> None:
    """Alone, "Timeout: 900 seconds" could be about anything."""
    question = model.embed(["How long may a Lambda function run?"])[0]
    row = "| Setting | Value |\n| --- | --- |\n| Timeout | 900 seconds |\n"
    nearness = {
        heading: float(max(late_chunks([f"{heading}\n\n{row}"], model)[0][0].sentence_vectors @ question))
        for heading in ("# AWS Lambda function quotas", "# Settings")
    }
    assert nearness["# AWS Lambda function quotas"] > nearness["# Settings"] + 0.1


def test_a_long_document_is_encoded_in_sections() -> None:
    sizes: list[int] = []

    class Recording(HashEncoder):
        def token_states(self, texts: Sequence[str], prefaces: Sequence[str]) -> list[TokenStates]:
            sizes.append(sum(map(len, texts)))
            return super().token_states(texts, prefaces)

    late_chunks(["Oak is hard. " * 7_000, "Pine is soft."], Recording())
    assert len(sizes) >= 3
    assert max(sizes) <= 40_000 + MAX_UNIT
