"""What holds of every draft, rubbish included."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.agents.schemas import GroundingMode
from concierge.chat.grounding import Grounded, ground
from concierge.knowledge.schemas import Passage
from tests.chat.grounding.sources import SOURCES

SENTENCES = (
    "Gift cards cannot be returned",
    "You have 60 days from delivery to return any product",
    "The Palma sofa costs $899",
    "The Palma sofa costs $1,299",
    "Delivery to Norway costs $39",
    "Delivery is free above $500, and assembly is not included",
    "It weighs 58 kg",
    "However, linen covers can be washed at 30 degrees",
    "Our owls deliver at night",
    "Here is why:",
    "Yes",
    "Hi there",
    "Linen keeps people cooler than polyester",
    "**The frame has a warranty of ten years",
    "See [this page](https://x.example)",
    "Would you like to know more?",
)
MARKS = ("", " [1]", "[2]", " [1, 4]", " 【3】", " [77]", "[^2]", " [3](https://x.example)")
OPENINGS = ("", "- ", "1. ", "7) ", "## ", "> ", "  - ", "| ", "```\n")
ENDS = (". ", "! ", "\n", "\n\n", " |\n", ".\n", ": ")
NUMBER = re.compile(r"\[(\d+)\]")
CODE = re.compile(r"```.*?(```|\Z)|`[^`\n]+`", re.DOTALL)

drafts = st.lists(
    st.tuples(*(st.sampled_from(choices) for choices in (OPENINGS, SENTENCES, MARKS, ENDS))).map("".join),
    max_size=12,
).map("".join)
modes = st.sampled_from(["blended", "strict"])


def in_order(found: Grounded) -> list[Passage]:
    """The sources as the grounded text numbers them."""
    by_chunk = {source.chunk_id: source for source in SOURCES}
    cited = [by_chunk.pop(citation.chunk_id) for citation in found.citations]
    return [*cited, *by_chunk.values()]


def check(draft: str, found: Grounded, sources: tuple[Passage, ...] = SOURCES) -> None:
    numbers = {citation.number for citation in found.citations}
    assert {int(number) for number in NUMBER.findall(CODE.sub("", found.text))} <= numbers
    assert numbers == set(range(1, len(numbers) + 1))
    position = 0
    for entry in found.checked:
        start, end = entry.span
        assert position <= start < end <= len(draft)
        position = end
        for evidence in entry.evidence:
            assert evidence.quote == sources[evidence.source - 1].text[evidence.start : evidence.end] != ""
        assert (entry.shown is None) == (entry.fate == "dropped")
    for citation in found.citations:
        source = next(source for source in sources if source.chunk_id == citation.chunk_id)
        assert citation.quote == source.text[citation.start - source.start : citation.end - source.start]
    assert found.empty == (not found.text)


@given(drafts, modes)
@settings(max_examples=60, deadline=None)
def test_spans_and_quotes_are_exact_and_no_mark_is_unknown(draft: str, mode: GroundingMode) -> None:
    check(draft, ground(draft, SOURCES, mode))


@given(drafts)
@settings(max_examples=60, deadline=None)
def test_what_was_grounded_says_nothing_new_when_it_is_grounded_again(draft: str) -> None:
    """A sentence whose "it" has lost its heading may be put in the source's words, or be dropped as said already."""
    first = ground(draft, SOURCES, "blended")

    again = ground(first.text, in_order(first), "blended")

    assert {claim.quote for claim in again.claims} <= {claim.quote for claim in first.claims}


@given(st.text(max_size=400) | st.text(alphabet="[]()|#*-`~>1. \n:【】†aé\u202e\0🙂", max_size=400), modes)
@settings(max_examples=100, deadline=None)
def test_rubbish_does_no_harm(draft: str, mode: GroundingMode) -> None:
    check(draft, ground(draft, SOURCES, mode))


@pytest.mark.parametrize(
    "draft",
    [
        "Gift cards cannot be returned [1]. " * 3_000,
        "Our owls deliver 12 parcels for $5 at night, and " * 2_000,
        "> - 1. " * 15_000,
        "[" * 100_000,
        "[1" * 50_000,
        "[1, " * 25_000,
        "|" * 100_000,
        "| a " * 25_000 + "\n|---" * 3,
        "`" * 100_000,
        "**" * 50_000,
        "#" * 100_000,
        "1" * 100_000,
        "1,000 to " * 11_000,
        "a.b" * 33_000,
        "a@" * 50_000,
        "\0" * 100_000,
        "🙂 " * 30_000,
        "\u202eשלום עולם. " * 8_000,
        "ا" * 100_000,
        "![x](" * 20_000,
        "[x](" * 25_000,
        "<a " * 33_000,
        " " * 100_000 + "x",
        "\n" * 100_000,
        "twenty-" * 14_000,
        "not un" * 16_000,
        "- " * 50_000,
    ],
    ids=lambda draft: ascii(draft[:12]),
)
def test_a_hundred_kilobytes_of_anything_take_seconds_at_most(draft: str) -> None:
    began = time.thread_time()

    found = ground(draft, SOURCES, "blended")

    assert time.thread_time() - began < 10
    check(draft, found)


def test_without_sources_nothing_is_proven() -> None:
    found = ground("Gift cards cannot be returned [1].", (), "blended")

    assert found.empty
    assert found.checked[0].reason == "elsewhere"
