"""What a prompt says and what it keeps to itself."""

import re
from dataclasses import replace
from typing import get_args

import pytest

from concierge.chat import prompting
from concierge.chat.prompting import Persona, guidance, render
from concierge.chat.strategy.schemas import Depth, FallbackStrategy, Length, NextStep, Opening, Tone
from tests.chat.situations import PALMA, SHOP, brief, fact, passage, returning, strategy

COCO = Persona("Coco", "Coconut Furniture")
RETURNS = passage("Returns", "You have 30 days from delivery to return any standard product.")


def test_every_number_stands_for_its_source_and_a_row_shown_twice_has_one() -> None:
    looking = strategy(fallback="exploration", next_step="show_ways", open_ended=True)
    found = prompting.passage_of(PALMA, 0)
    prompt = render(COCO, brief("A sofa?", [RETURNS, found], strategy=looking, products=SHOP))

    assert [source.title for source in prompt.sources] == [
        "Returns",
        "Palma sofa",
        "Kelapa chair",
        "Free delivery",
    ]
    numbers = re.findall(r"^\[(\d+)\] .+\n> (.+)$", prompt.user, re.MULTILINE)
    assert numbers == [(str(at), source.title) for at, source in enumerate(prompt.sources, 1)]


def test_nobody_upset_is_shown_what_could_be_bought() -> None:
    for tone in ("empathetic", "reassuring"):
        upset = strategy(tone=tone, open_ended=True)
        prompt = render(COCO, brief("What does it cost?", [RETURNS], strategy=upset, products=SHOP))

        assert prompt.sources == (RETURNS,)
        assert "Say nothing that steers them towards buying." in prompt.system


def test_a_definite_question_brings_no_offers_and_is_left_when_answered() -> None:
    definite = strategy(next_step="show_ways", fallback="discovery")
    prompt = render(COCO, brief("How long can I return it?", [RETURNS], strategy=definite, products=SHOP))

    assert prompt.sources == (RETURNS,)
    assert "End when it is answered." in prompt.system
    assert "End by asking" not in prompt.system


def test_what_must_not_be_said_is_not_told() -> None:
    secret = fact("health", "has a bad back", relevance=0.1)
    prompt = render(COCO, brief("Hi", strategy=strategy(), customer=returning(secret)))

    for private in ("anna@example.org", "vip", "bad back"):
        assert private not in prompt.user + prompt.system


def test_a_name_somebody_merely_gave_is_not_used_as_theirs() -> None:
    claimed = replace(returning(), profile_type="anonymous")

    assert "Anna" not in render(COCO, brief("Hi", strategy=strategy(), customer=claimed)).user


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("fallback", get_args(FallbackStrategy)),
        ("tone", get_args(Tone)),
        ("opening", get_args(Opening)),
        ("depth", get_args(Depth)),
        ("length", get_args(Length)),
        ("next_step", get_args(NextStep)),
    ],
)
def test_there_is_a_sentence_for_every_value_a_strategy_can_have(table: str, values: tuple[str, ...]) -> None:
    assert set(prompting.sentences()[table]) == set(values)


@pytest.mark.parametrize("step", get_args(NextStep))
@pytest.mark.parametrize("mood", get_args(Tone))
def test_a_briefing_is_short(step: NextStep, mood: Tone) -> None:
    sentences = list(guidance(brief("?", strategy=strategy(tone=mood, next_step=step, open_ended=True))))

    assert len(" ".join(sentences).split()) < 90
    assert all(sentence.endswith(".") and "  " not in sentence for sentence in sentences)
