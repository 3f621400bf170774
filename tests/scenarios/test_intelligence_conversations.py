"""Six conversations that must read right, turn by turn, and what another page, another hour or no history changes."""

from collections.abc import Mapping
from typing import Any

import pytest

from concierge.llm.embeddings import LocalEmbedder
from tests.scenarios.reading import conversations, problems, problems_of_variation, read_turns, varied

CONVERSATIONS = conversations()
NAMES = [conversation["name"] for conversation in CONVERSATIONS]


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=NAMES)
def test_every_turn_reads_as_a_careful_reader_reads_it(
    conversation: Mapping[str, Any], embedder: LocalEmbedder
) -> None:
    turns = read_turns(embedder.model, conversation)
    found = [
        f"turn {place + 1}, {problem}" for place in range(len(turns)) for problem in problems(turns, place)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=NAMES)
def test_another_page_hour_or_history_changes_what_it_should(
    conversation: Mapping[str, Any], embedder: LocalEmbedder
) -> None:
    last = read_turns(embedder.model, conversation)[-1]
    found = [
        f"{variation['name']}: {problem}"
        for variation in conversation["variations"]
        for problem in problems_of_variation(last, varied(embedder.model, last, variation))
    ]
    assert not found, "\n".join(found)
