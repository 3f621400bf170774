"""Answers that were weak once: to several questions, to trouble, from the heads of pages, and in other languages."""

import re
import tomllib
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest

from concierge.chat.writers import asking, house, phrases, showing, tongues
from concierge.chat.writers.voice import openings, steps
from concierge.chat.writers.wishes import compares
from concierge.kit.everyday import also_called
from tests.chat.writers.library import Library


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        (
            "How wide is the Palma, what does it cost and how long does delivery take?",
            ["How wide is the Palma", "what does it cost", "how long does delivery take?"],
        ),
        (
            "Does it come with a mattress, and how heavy is it?",
            ["Does it come with a mattress", "how heavy is it?"],
        ),
        ("Is the frame certified or just marketing?", ["Is the frame certified or just marketing?"]),
        ("I know how it works and what I want", ["I know how it works", "what I want"]),
        ("Tell me about returns, please", ["Tell me about returns, please"]),
    ],
)
def test_the_questions_of_a_message_are_told_apart(text: str, questions: list[str]) -> None:
    assert asking.questions_in(text) == questions


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("How long do I have to send a chair back?", "return"),
        ("The table wobbles", "rock"),
        ("how wide is it", "width"),
        ("do you ship to Iceland?", "deliveri"),
        ("May I speak to a real person?", "colleagu"),
    ],
)
def test_what_visitors_say_is_also_looked_for_under_other_words(said: str, called: str) -> None:
    assert called in set(also_called(said))


def test_a_question_without_such_words_is_looked_for_as_it_is() -> None:
    assert list(also_called("Which colours are there?")) == []
    assert list(also_called("What do human T cells respond to?")) == []


@pytest.mark.parametrize(
    ("message", "replies"),
    [
        ("ok thanks, bye!", ("Goodbye", "Bye", "See you")),
        ("great, that worked!", ("Good to hear", "good news", "settled")),
        ("it is better now, thank you", ("Good to hear", "good news", "settled")),
        ("Danke, tschüss!", ("Auf Wiedersehen", "Tschüss", "Bis bald")),
        ("Vielen Dank", ("Gern", "gern")),
        ("muchas gracias", ("De nada", "gusto", "placer")),
        ("Hasta luego, gracias", ("Hasta pronto", "Adiós")),
        ("merci beaucoup", ("prie", "plaisir")),
    ],
)
def test_courtesies_are_returned_in_their_language(message: str, replies: tuple[str, ...]) -> None:
    said = phrases.small_talk(message, turn=1, agent_name=None)

    assert said is not None
    assert any(reply in said for reply in replies)


@pytest.mark.parametrize("message", ["thanks, but where is my table?", "bye the way, what does it cost?"])
def test_more_than_a_courtesy_is_none(message: str) -> None:
    assert phrases.small_talk(message, turn=1, agent_name=None) is None


def english() -> set[str]:
    """The first phrase of every set that the house has."""
    modules = (phrases, showing, steps, openings, house)
    sets = [value for module in modules for name, value in vars(module).items() if name.isupper()]
    plain = [own for own in sets if isinstance(own, tuple) and own and isinstance(own[0], str)]
    mapped = [
        own for table in sets if isinstance(table, dict) for own in table.values() if isinstance(own, tuple)
    ]
    single = {own for own in sets if isinstance(own, str)}
    return {own[0] for own in (*plain, *mapped) if own} | single


def test_every_translation_stands_for_phrases_of_the_house_and_keeps_their_gaps() -> None:
    known = english()
    text = (files("concierge.chat.writers") / "tongues.toml").read_text("utf-8")

    for language, table in tomllib.loads(text).items():
        for first, options in table.items():
            assert first in known, f"{language}: nobody says “{first}”"
            gaps = set(re.findall(r"\{\w+\}", first))
            assert all(set(re.findall(r"\{\w+\}", option)) == gaps for option in options), first


def test_all_languages_say_the_same_things() -> None:
    tables = [set(table) for table in tongues.tongues().values()]

    assert all(table == tables[0] for table in tables)


def test_what_a_language_lacks_is_said_in_english() -> None:
    assert tongues.in_tongue(phrases.OFFERS, "sv") == phrases.OFFERS
    assert tongues.in_tongue(("Nobody translated this.",), "de") == ("Nobody translated this.",)
    assert tongues.in_tongue(phrases.OFFERS, "de") != phrases.OFFERS
    assert not tongues.has_tongue("en")


@pytest.mark.parametrize(
    "text", ["What's the difference between the two?", "Palma vs Pandan", "Which one is better?"]
)
def test_what_sets_things_apart_may_be_asked(text: str) -> None:
    assert compares(text)


def test_a_question_with_a_criterion_asks_for_more_than_a_comparison() -> None:
    assert not compares("Which one is better for a bad back?")


PAGES = {
    "Assembly guide: Lagoon table": """Assembly guide: Lagoon table

URL: https://coconut.example/assembly · Updated: 2026-01-12

## If something is not right

The table rocks.

Loosen the bolts of the shortest leg by one turn,
lean on that corner, and tighten again.

If it still rocks, put a second felt pad under that leg.
""",
    "Returns": """# Returns

## How long do I have to send something back?

You have 30 days from delivery. The collection may be later.

## What it costs

We collect for free.
""",
    "Second Season": """# Second Season

How it works: send photos of the chair, and receive an offer back within 5 working days.
""",
    "Palma sofa": """# Palma sofa

| | |
|---|---|
| Width × depth × height | 212 × 92 × 78 cm |
| Delivery time | 2–3 weeks |

The Palma costs $899.
""",
}


@pytest.fixture(scope="module")
def pages(library: Library) -> Library:
    return Library(library.model, PAGES)


def written(pages: Library, question: str, **fields: Any) -> str:
    brief = pages.brief(question)
    also = dict.fromkeys(also_called(question), 2.0)
    return house.HouseWriter().write(replace(brief, idf={**also, **brief.idf}, **fields)).text


def test_a_page_that_asks_the_same_comes_before_one_that_shares_words(pages: Library) -> None:
    assert written(pages, "How long do I have to send a chair back?").startswith(
        "You have 30 days from delivery"
    )


def test_each_of_several_questions_is_answered_in_its_order(pages: Library) -> None:
    text = written(pages, "How wide is the Palma, what does it cost and how long does delivery take?")

    places = [text.index(said) for said in ("212", "$899", "2–3 weeks")]
    assert places == sorted(places)


def test_trouble_is_answered_with_what_helps_and_the_head_of_a_page_is_never_said(pages: Library) -> None:
    text = written(pages, "My Lagoon table wobbles", trouble=("Lagoon table wobbles",))

    assert "Loosen the bolts of the shortest leg by one turn, lean on that corner, and tighten again" in text
    assert "URL" not in text
    assert "Assembly guide" not in text


def test_what_helped_once_is_not_said_again(pages: Library) -> None:
    trouble = ("Lagoon table wobbles",)
    first = written(pages, "My Lagoon table wobbles", trouble=trouble)
    second = written(pages, "My Lagoon table still wobbles", trouble=trouble, said=(first,), turn=1)

    assert "Loosen" in first
    assert "Loosen" not in second


def test_not_knowing_is_said_in_the_visitors_language(pages: Library) -> None:
    text = written(pages, "Wie groß ist der Mond?", language="de")

    assert text.endswith("?")
    assert any(word in text for word in ("Dazu", "Darauf"))
