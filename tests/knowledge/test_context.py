"""A question is searched with what the conversation was about: more of it where it leans on what was said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.knowledge.context import LEANS, STANDS_ALONE, in_context, leans

AXES = np.eye(4, dtype=np.float32)


@pytest.mark.parametrize(
    "message",
    [
        "And how much is it?",
        "what about Norway?",
        "Is that included",
        "how long do they take to deliver",
        "why?",
        "delivery time",
        "But which one is cheaper?",
    ],
)
def test_a_message_leans_when_it_points_back_goes_on_or_is_a_word_or_two(message: str) -> None:
    assert leans(message)


@pytest.mark.parametrize(
    "message",
    [
        "How long is the warranty on the Palma sofa?",
        "Do you deliver to Norway in winter?",
        "Return policy for furniture bought on sale",
    ],
)
def test_a_message_that_names_its_subject_stands_alone(message: str) -> None:
    assert not leans(message)


def test_without_history_a_question_is_itself() -> None:
    asked = in_context("How long is the warranty?", AXES[0])

    assert asked.vector == pytest.approx(AXES[0])
    assert asked.own == ("long", "warranti")
    assert asked.also == {}


def test_earlier_questions_lend_their_words_and_meaning_the_older_the_less() -> None:
    earlier = [("Is the Palma sofa washable?", AXES[1]), ("Do you deliver to Norway?", AXES[2])]

    asked = in_context("And how much is it?", AXES[0], earlier)

    assert asked.vector[0] > asked.vector[1] > asked.vector[2] > 0
    assert asked.also["palma"] == LEANS.words
    assert 0 < asked.also["norway"] < LEANS.words


def test_a_question_that_stands_alone_takes_less_of_them() -> None:
    earlier = [("Is the Palma sofa washable?", AXES[1])]

    asked = in_context("How long is the warranty on lamps made of husk?", AXES[0], earlier)

    assert asked.also["palma"] == STANDS_ALONE.words
    assert asked.vector[1] < in_context("And that?", AXES[0], earlier).vector[1]


def test_a_word_of_the_question_itself_keeps_its_full_weight() -> None:
    asked = in_context("Is the sofa washable?", AXES[0], [("Which sofa is the largest?", AXES[1])])

    assert "sofa" in asked.own
    assert "sofa" not in asked.also


def test_compound_names_are_also_looked_for_in_parts() -> None:
    assert in_context("Who may use GroundTruth?", AXES[0]).also == {"ground": 1.0, "truth": 1.0}


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=6))
def test_any_conversation_gives_a_vector_of_length_one(message: str, earlier: list[str]) -> None:
    asked = in_context(message, AXES[0], [(text, AXES[1 + place % 3]) for place, text in enumerate(earlier)])

    assert float(np.linalg.norm(asked.vector)) == pytest.approx(1.0, abs=1e-5)
    assert all(0 < weight <= 1 for weight in asked.also.values())
    assert not set(asked.own) & set(asked.also)
