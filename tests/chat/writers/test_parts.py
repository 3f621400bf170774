"""The small decisions of the house writer: plain words, structure, pronouns, marks, what is missing."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.citations import marked
from concierge.chat.writers.house import compose
from concierge.chat.writers.markup import plain
from concierge.chat.writers.phrases import small_talk
from concierge.chat.writers.repair import Standing, capital, stands_alone, without_connective
from concierge.chat.writers.selection import expectation_of, read
from concierge.chat.writers.structure import Unit, units_of
from concierge.chat.writers.support import (
    COEFFICIENTS,
    ENOUGH,
    FEATURES,
    SOME,
    judge,
    misspelled,
    probability,
)
from concierge.knowledge.schemas import Passage, Span
from tests.chat.writers.library import Library


def passage(
    text: str, title: str = "Palma sofa", start: int = 0, sentences: tuple[Span, ...] = ()
) -> Passage:
    none = UUID(int=0)
    vectors = np.zeros((len(sentences), 384), dtype=np.float32)
    return Passage(
        none,
        none,
        none,
        title,
        None,
        "pack",
        (title,),
        text,
        start,
        sentences,
        vectors,
        1,
        1,
        0.5,
        0,
        None,
        1,
    )


def units(text: str, title: str = "Palma sofa") -> tuple[Unit, ...]:
    return units_of(passage(text, title), 0)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('See [our **guide**](https://x.example/a_(b) "t").', "See our guide."),
        ("It was built in 1920.[12][note 3]", "It was built in 1920."),
        ("*Now* __$899__ instead of ~~$999~~", "Now $899 instead of ~~$999~~"),
        ("a\\-b \\(c\\) snake_case_name", "a-b (c) snake_case_name"),
        ('## Heading<a name="x"></a>', "## Heading"),
        ("2 * 3 * 4 = 24", "2 * 3 * 4 = 24"),
        ("use `a_b_c` here", "use `a_b_c` here"),
        ("![photo](a.png) Oak", "Oak"),
        ("wrapped\nover  lines", "wrapped over lines"),
    ],
)
def test_markup_falls_away_and_nothing_is_added(source: str, words: str) -> None:
    assert plain(source) == words


@pytest.mark.parametrize(
    ("sentence", "with_mark"),
    [
        ("It is free.", "It is free [2]."),
        ("Is it free", "Is it free [2]."),
        ("She said “no.”", "She said “no.” [2]"),
        ("Two kinds:", "Two kinds [2]."),
        ("Really!", "Really [2]!"),
    ],
)
def test_a_mark_stands_before_the_full_stop(sentence: str, with_mark: str) -> None:
    assert marked(sentence, 2) == with_mark


def test_every_kind_of_line_is_told_apart() -> None:
    text = """# Returns
Send it back. It is free.

Bring:
- the label
  and the box
- the bill

1. Pack it.
2. Send it.

| Item | Days |
|---|---|
| Sofa | 30 |

**Can I keep it?**
A: Yes.

```
npm install
```
"""
    found = [(unit.kind, unit.text) for unit in units(text)]

    assert found == [
        ("heading", "Returns"),
        ("prose", "Send it back."),
        ("prose", "It is free."),
        ("prose", "Bring:"),
        ("item", "the label and the box"),
        ("item", "the bill"),
        ("step", "Pack it."),
        ("step", "Send it."),
        ("row", "| Sofa | 30 |"),
        ("heading", "Can I keep it?"),
        ("prose", "Yes."),
        ("code", "``` npm install ```"),
    ]


def test_items_know_their_introduction_and_rows_their_header() -> None:
    found = units("You may pay by:\n\n- card\n- transfer\n\n| Card | Fee |\n|---|---|\n| Visa | $0 |\n")

    assert [found[unit.lead].text for unit in found if unit.lead is not None] == ["You may pay by:"] * 2
    assert found[-1].header == ("Card", "Fee")
    assert found[-1].cells == ("Visa", "$0")


def test_front_matter_is_no_text() -> None:
    assert [unit.text for unit in units("---\ntitle: A\nurl: b\n---\n\nHello world.\n")] == ["Hello world."]


@pytest.mark.parametrize(
    ("paragraph", "title", "expected"),
    [
        ("The Palma has three seats. It weighs 58 kg.", "Palma sofa", "The Palma weighs 58 kg."),
        ("A Palma costs $899. Its cover is washable.", "Palma sofa", "The Palma’s cover is washable."),
        ("The returns are free. They take 14 days.", "Returns", "The returns take 14 days."),
        ("Rollo Jensen was a carpenter. He built chairs.", "Our story", "Rollo Jensen built chairs."),
        ("It weighs 58 kg.", "Palma sofa", "The Palma sofa weighs 58 kg."),
        ("It ships from Hamburg.", "Coconut Furniture", "Coconut Furniture ships from Hamburg."),
    ],
)
def test_a_pronoun_gives_way_to_a_certain_subject(paragraph: str, title: str, expected: str) -> None:
    *before, last = units(paragraph, title=title)
    standing = stands_alone(last, before, title)

    assert standing.text == expected
    assert not standing.needs_previous
    assert standing.replaced is not None


@pytest.mark.parametrize(
    "paragraph",
    [
        "The Palma and the Copra share a frame. It is strong.",  # two candidates
        "The zip of the cover is hidden. It opens at the back.",  # which of them?
        "The chairs are light. It is a joy.",  # a plural for a singular
        "A neighbor was here. It rained.",  # not what the page is about
        "We changed the frame. This makes it stronger.",
        "Some covers shrink. In that case we help.",
    ],
)
def test_an_uncertain_subject_is_never_guessed(paragraph: str) -> None:
    *before, last = units(paragraph)
    standing = stands_alone(last, before, "Palma sofa")

    assert standing == Standing(last.text, needs_previous=True)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("However, it is free.", "It is free."),
        ("And the legs come off.", "The legs come off."),
        ("Butter melts.", "Butter melts."),
        ("Also included is a lamp.", "Also included is a lamp."),
    ],
)
def test_only_a_connective_is_dropped(sentence: str, expected: str) -> None:
    assert without_connective(sentence) == expected


def test_a_word_with_its_own_capitals_stays_as_it_is() -> None:
    assert [capital(text) for text in ("oak", "iPhone cases", "`npm` runs")] == [
        "Oak",
        "iPhone cases",
        "`npm` runs",
    ]


@pytest.mark.parametrize(
    ("question", "fitting", "other"),
    [
        ("When was it built?", "It was built in 1920.", "It was built of oak."),
        ("How much does it cost?", "It costs $89.", "It seats 3."),
        ("How many seats?", "It has three seats.", "It has seats."),
        ("Who drew it?", "It was drawn by Ada Holm.", "It was drawn by hand."),
    ],
)
def test_a_question_expects_its_kind_of_answer(question: str, fitting: str, other: str) -> None:
    wanted = expectation_of(question)

    assert wanted is not None
    assert wanted.search(fitting)
    assert not wanted.search(other)


def test_a_typing_mistake_is_not_something_we_lack() -> None:
    known = frozenset({"mattress", "deliveri", "sofa"})

    assert [misspelled(stem, known) for stem in ("matress", "mattrses", "deliverz", "iceland")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("question", "least", "most"),
    [
        ("How long does a refund take?", ENOUGH, 1.0),
        ("How do I get a refund?", SOME, 1.0),
        ("Do you repair bicycles?", 0.0, SOME),
    ],
)
def test_knowledge_of_one_sentence_is_enough_for_what_it_answers(
    library: Library, question: str, least: float, most: float
) -> None:
    handbook = "# Refunds\n\nA refund takes five working days and goes back to the card you paid with.\n"
    small = Library(library.model, {"Refunds": handbook})

    assert least <= judge(read(small.brief(question))).probability < most


def test_nearer_evidence_that_stands_out_means_more_support() -> None:
    low, high = (
        dict.fromkeys(FEATURES, 0.0) | {"first_sentence": value, "best_cosine": value, "gap": value}
        for value in (0.1, 0.9)
    )

    assert set(COEFFICIENTS) == set(FEATURES)
    assert 0 < probability(low) < probability(high) < 1


@pytest.mark.parametrize(
    "message", ["Hello, where is my order?", "thank you note cards", "who are you shipping with", "hi" * 60]
)
def test_a_real_question_is_not_small_talk(message: str) -> None:
    assert small_talk(message, turn=0, agent_name=None) is None


LINES = st.sampled_from(
    [
        "# Heading", "", "Plain words here. It is *bold*.", "- item one", "  - nested", "3. step", "| a | b |", "|---|---|", "| 1 | |",
        "```", "Q: Really?", "A: yes [1](x)", "ends with:", "**Bold line**", "---", "> quoted", "However, not this.", "   ", "ünï çödé 12,5 %",
    ]
)  # fmt: skip


@given(lines=st.lists(LINES, max_size=14), start=st.integers(0, 3))
def test_whatever_the_text_quotes_are_exact_and_claims_come_from_them(lines: list[str], start: int) -> None:
    text = "\n".join(lines)
    document = "x" * start + text
    spans = tuple((start + i, start + i + 9) for i in range(0, max(len(text) - 9, 0), 9))
    brief = AnswerBrief(
        "how bold is item 1?",
        np.zeros(384, dtype=np.float32),
        {"bold": 2.0, "item": 1.0},
        (passage(text, start=start, sentences=spans),),
    )
    answer = compose(brief)

    for unit in read(brief).units[0] if read(brief).units else ():
        assert unit.text in {
            plain(document[unit.start : unit.end]),
            plain(document[unit.start : unit.end].lstrip("#")).rstrip(":").strip(),
        }
    for entry in (*answer.claims, *answer.citations):
        assert document[entry.start : entry.end] == entry.quote
    assert "".join(answer.pieces) == answer.text
