"""Attributes of an organization's own: judged by meaning and by phrases, and unknown where neither says anything."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as some

from concierge.intelligence.attributes import (
    LEAST_LIKENESS,
    MOST_BY_LIKENESS,
    MOST_BY_PHRASE,
    UNKNOWN_CONFIDENCE,
    judge,
    judge_all,
)
from concierge.intelligence.schemas import Reading
from concierge.intelligence.schemas.control import Attribute, AttributeValue, Guidance
from concierge.intelligence.view import FloatArray, MessageView
from concierge.intelligence.weighing import FOREIGN_CONFIDENCE
from concierge.llm.embeddings import LocalEmbedder

DEPARTMENT = Attribute(
    "department",
    (
        AttributeValue("billing", "invoices, payments, refunds and prices", ("charged twice", "vat number")),
        AttributeValue("delivery", "shipping, parcels, couriers and when something arrives", ("tracking",)),
        AttributeValue("repairs", "something is broken and must be mended", ("warranty case",)),
    ),
)
SIZE = Attribute("company_size", (AttributeValue("small"), AttributeValue("large", phrases=("enterprise",))))


def embedded(embedder: LocalEmbedder, attribute: Attribute) -> FloatArray:
    return embedder.model.embed([value.text for value in attribute.values])


def seen(embedder: LocalEmbedder, text: str, **more: Any) -> MessageView:
    return MessageView(text, embedder.model.embed([text])[0], **more)


def judged(embedder: LocalEmbedder, text: str) -> Reading[str]:
    return judge(DEPARTMENT, embedded(embedder, DEPARTMENT), seen(embedder, text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("When will my package be here?", "delivery"),
        ("I would like my money back for last month", "billing"),
        ("The handle came off and the lid no longer closes", "repairs"),
        ("The courier left it at the wrong house", "delivery"),
    ],
)
def test_a_message_is_judged_by_what_values_mean(text: str, value: str, embedder: LocalEmbedder) -> None:
    found = judged(embedder, text)

    assert found.value == value
    assert 0.4 < found.confidence <= MOST_BY_LIKENESS
    assert found.settled_by == "local"
    (because,) = found.evidence
    assert (because.source, because.start) == ("model", None)
    assert because.weight >= LEAST_LIKENESS
    assert sum(found.scores.values()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("text", ["Tell me a joke about cats", "Who won the match?", "ok", "", "???"])
def test_a_message_about_something_else_is_unknown(text: str, embedder: LocalEmbedder) -> None:
    found = judged(embedder, text)

    assert (found.value, found.confidence, found.evidence) == ("unknown", UNKNOWN_CONFIDENCE, ())
    assert set(found.scores) == {"billing", "delivery", "repairs"}


def test_a_phrase_is_strong_and_shown(embedder: LocalEmbedder) -> None:
    text = "The parcel came, but I was CHARGED  TWICE for it"

    found = judged(embedder, text)

    assert found.value == "billing"
    assert MOST_BY_LIKENESS < found.confidence <= MOST_BY_PHRASE
    (because,) = found.evidence
    assert because.source == "message"
    assert text[because.start : because.end] == "CHARGED  TWICE"


def test_meaning_alone_is_never_quite_sure(embedder: LocalEmbedder) -> None:
    """However much a message is like a value, and unlike the others."""
    one = np.eye(2, 384, dtype=np.float32)

    found = judge(SIZE, one, MessageView("We are two people", one[0]))

    assert (found.value, found.confidence) == ("small", MOST_BY_LIKENESS)
    assert judge(SIZE, one, seen(embedder, "We are an enterprise")).confidence > MOST_BY_LIKENESS


def test_a_phrase_inside_another_word_says_nothing() -> None:
    assert judge(SIZE, None, MessageView("Two enterprisers")).value == "unknown"
    assert judge(SIZE, None, MessageView("An enterprise")).value == "large"


def test_a_phrase_that_is_denied_says_nothing() -> None:
    assert judge(SIZE, None, MessageView("We are not an enterprise")).value == "unknown"


def test_in_another_language_meaning_is_less_sure() -> None:
    vectors = np.eye(2, 384, dtype=np.float32)
    german = MessageView("Wir sind nur zwei Leute und haben eine Frage", vectors[0])

    assert judge(SIZE, vectors, german).confidence <= FOREIGN_CONFIDENCE


def test_without_vectors_phrases_decide() -> None:
    with_phrase = judge(DEPARTMENT, None, MessageView("Where is the tracking number?"))
    without = judge(DEPARTMENT, None, MessageView("When will my package be here?"))

    assert (with_phrase.value, without.value) == ("delivery", "unknown")
    assert with_phrase.confidence > MOST_BY_LIKENESS


def test_where_phrases_of_two_values_are_said_meaning_decides(embedder: LocalEmbedder) -> None:
    invoice = "I was charged twice, the tracking says nothing, and the invoice with the payment is wrong"
    courier = "I was charged twice, the tracking says nothing, and the courier never brought the parcel"

    assert (judged(embedder, invoice).value, judged(embedder, courier).value) == ("billing", "delivery")


def test_every_attribute_is_read(embedder: LocalEmbedder) -> None:
    guidance = Guidance(
        attributes=(DEPARTMENT, SIZE), vectors={DEPARTMENT.name: embedded(embedder, DEPARTMENT)}
    )

    found = judge_all(guidance, seen(embedder, "An enterprise asks: when will the package arrive?"))

    assert {name: own.value for name, own in found.items()} == {
        "department": "delivery",
        "company_size": "large",
    }


@over(some.text(max_size=200))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_whatever_is_written_has_a_value(text: str) -> None:
    vectors = np.eye(3, 384, dtype=np.float32)

    found = judge(DEPARTMENT, vectors, MessageView(text, vectors[1]))

    assert found.value in {"billing", "delivery", "repairs", "unknown"}
    assert 0 <= found.confidence <= MOST_BY_PHRASE
