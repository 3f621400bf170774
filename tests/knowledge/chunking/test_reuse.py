"""A document that has changed is chunked anew only where it has; what is taken over is as if it were new."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import example, given, settings

from concierge.knowledge.chunking import Chunk, Earlier, Sizes, late_chunks
from concierge.llm.minilm import MiniLM, TokenStates

from .documents import HashEncoder, documents, letters
from .test_chunkers import check_every_chunk, late

SECTIONS = {
    name: f"## {name}\n\n" + f"The {name} is made of oak and costs {price} dollars. It is oiled by hand. " * 4
    for name, price in {"chair": 129, "table": 649, "lamp": 89, "bench": 249}.items()
}


class Recording(HashEncoder):
    """Remembers what was to be encoded."""

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def token_states(self, texts: Sequence[str], prefaces: Sequence[str]) -> list[TokenStates]:
        self.encoded += texts
        return super().token_states(texts, prefaces)


def shop(*names: str, **changed: str) -> str:
    return "\n\n".join(["# Shop", *(changed.get(name, SECTIONS[name]) for name in names)])


def rechunked(before: str, after: str) -> tuple[list[Chunk], list[str]]:
    """The chunks of a changed text, and what of it went through the model."""
    model = Recording()
    chunks = late_chunks([after], model, earlier=[Earlier(before, late(before))])[0]
    return chunks, model.encoded


def check_partition(text: str, chunks: list[Chunk]) -> None:
    check_every_chunk(text, chunks, Sizes().largest)
    assert letters("".join(chunk.text for chunk in chunks)) == letters(text)
    assert all(before.end <= after.start for before, after in pairwise(chunks))


def test_what_did_not_change_is_not_encoded() -> None:
    text = shop("chair", "table", "lamp")

    chunks, encoded = rechunked(text, text)

    assert encoded == []
    assert [(chunk.text, chunk.start, chunk.sentences) for chunk in chunks] == [
        (chunk.text, chunk.start, chunk.sentences) for chunk in late(text)
    ]


def test_only_the_section_that_changed_is_encoded() -> None:
    before = shop("chair", "table", "lamp")
    dearer = SECTIONS["table"].replace("649", "699")
    after = shop("chair", "table", "lamp", table=dearer)

    chunks, encoded = rechunked(before, after)

    assert encoded == [dearer.strip()]
    check_partition(after, chunks)
    assert not any("649" in chunk.text for chunk in chunks)
    assert sum("699" in chunk.text for chunk in chunks) == sum("649" in chunk.text for chunk in late(before))


def test_sections_that_move_or_go_are_not_encoded() -> None:
    before = shop("chair", "table", "lamp", "bench")
    after = shop("bench", "chair", "lamp")

    chunks, encoded = rechunked(before, after)

    # The chairs' first chunk began with the title, and now the benches' does; the lamps' have only moved.
    assert not any("lamp" in text for text in encoded)
    check_partition(after, chunks)


def test_a_section_under_another_heading_is_encoded_anew() -> None:
    before = shop("chair", "table")

    _, encoded = rechunked(before, before.replace("# Shop", "# Museum"))

    assert any("chair" in text for text in encoded)
    assert any("table" in text for text in encoded)


def test_the_same_section_twice_is_taken_over_twice_at_most() -> None:
    before = shop("chair", "lamp", "chair")
    after = shop("chair", "chair", "lamp", "chair")

    chunks, encoded = rechunked(before, after)

    assert sum("chair" in text for text in encoded) <= 2
    check_partition(after, chunks)


def test_what_is_taken_over_has_the_vectors_it_would_get(model: MiniLM) -> None:
    before = shop("chair", "table", "lamp")
    after = shop("chair", "table", "lamp", table=SECTIONS["table"].replace("649", "699"))
    earlier = Earlier(before, late_chunks([before], model)[0])

    taken = late_chunks([after], model, earlier=[earlier])[0]

    fresh = {chunk.text: chunk for chunk in late_chunks([after], model)[0]}
    shared = [chunk for chunk in taken if chunk.text in fresh]
    assert len(shared) >= len(taken) - 1
    for chunk in shared:
        assert float(chunk.vector @ fresh[chunk.text].vector) > 0.99
        np.testing.assert_allclose(chunk.sentence_vectors, fresh[chunk.text].sentence_vectors, atol=0.05)


@given(documents, documents)
@example("# A\n\nOne.\n\n# B\n\nTwo.", "# A\n\nOne.\n\n\n# B\n\nTwo.")
@example("# A\n\n# A\n\nOne.", "# A\n\nOne.\n\n# A")
@settings(deadline=None)
def test_any_change_leaves_chunks_that_partition_the_text(before: str, after: str) -> None:
    chunks, _ = rechunked(before, after)
    check_partition(after, chunks)

    mixed = f"{before}\n{after}"
    check_partition(mixed, rechunked(before, mixed)[0])
