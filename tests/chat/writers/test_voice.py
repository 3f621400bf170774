"""The house speaks as its concierge would: each of the ten rules, over whole conversations."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain

import pytest

from concierge.chat.steps.verify import verify
from concierge.chat.writers.catalog import passage_of, passage_of_promotion
from concierge.chat.writers.voice.steps import STEPS
from concierge.knowledge.schemas import Passage
from tests.chat.writers.library import Library
from tests.chat.writers.speaking import Said
from tests.chat.writers.visits import MESSAGES, spoken

TURNS = [(name, place) for name, (_, _, messages) in MESSAGES.items() for place in range(len(messages))]
BANNED = re.compile(
    r"according to|based on|great question|(?:provided|given) (?:context|documents?|information)|as an ai|i hope this helps|"
    r"don['’]t hesitate|feel free|happy to (?:help|assist)|i understand your (?:frustration|concern)|valued customer|"
    r"apologi[sz]e for (?:any|the) inconvenience|rest assured|unfortunately|please note|delve|assist you",
    re.IGNORECASE,
)
PROMISED = re.compile(
    r"\bi(?:['’]ve| have) (?:passed|forwarded|told|asked|notified|escalated)|\b(?:i|we)(?:['’]ll| will) (?:get back|check|look into|"
    r"contact|call|e-?mail|let you know|make sure)|has been (?:forwarded|passed|escalated)",
    re.IGNORECASE,
)
SORRY = re.compile(r"\b(?:sorry|apolog\w+|regret)\b", re.IGNORECASE)
SELLING = re.compile(
    r"\b(?:how to order|the order\?|how ordering works|buy now|add (?:it )?to)\b", re.IGNORECASE
)
MARK = re.compile(r"\[(\d+)\]")
ENDING = re.compile(r"\n+|(?<=[.!?]) (?=[A-Z])")
LEISURELY = re.compile(r"\bjust (?:looking|browsing)\b")
UPSET = {"acknowledge", "apologise"}


@pytest.fixture(scope="module")
def visits(library: Library) -> dict[str, list[Said]]:
    return spoken(library)


@pytest.fixture
def turn(visits: dict[str, list[Said]], at: tuple[str, int]) -> Said:
    return visits[at[0]][at[1]]


every_turn = pytest.mark.parametrize(
    "at", TURNS, ids=[MESSAGES[name][2][place][:40] for name, place in TURNS]
)


def own_words(said: Said) -> list[str]:
    """What the house says of itself, piece by piece: whatever rests on no source."""
    return [piece.strip() for piece in said.answer.pieces if piece.strip() and not MARK.search(piece)]


def sentences(text: str) -> Iterator[str]:
    yield from filter(None, ENDING.split(re.sub(r"^\d+\. ", "", text, flags=re.MULTILINE)))


def citable(said: Said) -> Sequence[Passage]:
    products = said.brief.products
    assert products is not None
    rows = [*products.featured, *(price.entry for price in products.pricing if price.entry)]
    return [
        *said.brief.passages,
        *(passage_of(row, 0) for row in rows),
        *(passage_of_promotion(promotion, 0) for promotion in products.promotions),
    ]


def test_there_are_enough_turns_to_tell() -> None:
    assert len(TURNS) >= 40


@every_turn
def test_1_the_answer_comes_first(turn: Said) -> None:
    assert not BANNED.search(turn.text)
    if len(turn.message.split()) > 2:
        assert turn.message.rstrip("?!. ").lower() not in turn.text.lower()
    if turn.answer.outcome == "answered" and turn.answer.claims:
        pieces = [piece for piece in turn.answer.pieces if piece.strip()]
        openings = pieces[: next(at for at, piece in enumerate(pieces) if MARK.search(piece))]
        assert len(list(sentences("".join(openings)))) <= 1, "nothing but an opening stands before the fact"


@every_turn
def test_2_it_opens_only_where_the_mood_asks_for_it(turn: Said) -> None:
    strategy = turn.brief.strategy
    assert strategy is not None
    if SORRY.search(turn.text):
        assert strategy.opening in UPSET
    if strategy.tone == "neutral" and strategy.opening == "none" and turn.answer.outcome == "answered":
        assert (
            turn.answer.offers_handover
            or MARK.search(turn.answer.pieces[0])
            or LEISURELY.search(turn.message)
        )


@every_turn
def test_3_it_keeps_to_the_length(turn: Said) -> None:
    prose = [sentence for sentence in sentences(turn.text) if MARK.search(sentence)]
    listed = re.findall(r"^(?:- |\d+\. |\|)", turn.text, re.MULTILINE)

    assert len(prose) - len(listed) <= turn.brief.max_sentences + 1
    assert sum(len(piece.split()) for piece in own_words(turn)) < 50


@every_turn
def test_4_what_is_stated_is_cited_and_stands_in_its_source(turn: Said) -> None:
    for sentence in sentences(turn.text):
        if re.search(r"\d", MARK.sub("", sentence)):
            assert MARK.search(sentence), sentence
    checked = verify(turn.answer, citable(turn), "blended")
    assert checked.answer == turn.answer
    assert [claim.status for claim in checked.claims] == ["supported"] * len(turn.answer.claims)
    marks = [int(number) for number in MARK.findall(turn.text)]
    assert list(dict.fromkeys(marks)) == [citation.number for citation in turn.answer.citations]
    assert "".join(turn.answer.pieces) == turn.text


@every_turn
def test_5_what_is_not_known_is_said_and_a_way_on_is_offered(turn: Said) -> None:
    if turn.answer.outcome == "unsupported":
        assert turn.answer.offers_handover
        assert turn.text.endswith("?")
        assert not turn.answer.claims
        assert all(f"“{citation.title}”" in turn.text for citation in turn.answer.citations)
        assert len(list(sentences(turn.text))) <= 3


@every_turn
def test_6_nothing_is_promised_that_has_not_happened(turn: Said) -> None:
    assert not PROMISED.search(turn.text)


@every_turn
def test_7_there_is_one_next_step_at_most(turn: Said) -> None:
    assert turn.text.count("?") <= 1
    assert "?" not in turn.text.rstrip()[:-1]
    strategy = turn.brief.strategy
    if strategy is not None and strategy.next_step == "close":
        assert "?" not in turn.text


@every_turn
def test_9_what_is_private_is_not_said(turn: Said) -> None:
    for private in ("bad back", "anna", "vip", "has trouble"):
        assert private not in turn.text.lower()


@every_turn
def test_10_nobody_is_pressed(turn: Said) -> None:
    strategy = turn.brief.strategy
    assert strategy is not None
    if not strategy.purchase_step or strategy.opening in UPSET:
        assert not SELLING.search(turn.text)
        assert not any(phrase in turn.text for phrase in STEPS["offer_purchase"])
    if strategy.opening in UPSET:
        assert not any(citation.kind in {"product", "promotion"} for citation in turn.answer.citations)


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_of_its_own_is_said_twice_in_a_conversation(visits: dict[str, list[Said]], name: str) -> None:
    said = list(chain.from_iterable(map(own_words, visits[name])))

    assert sorted(said) == sorted(set(said))


def test_the_same_conversation_is_spoken_the_same(library: Library, visits: dict[str, list[Said]]) -> None:
    again = spoken(library)

    assert [turn.text for turn in again["let down"]] == [turn.text for turn in visits["let down"]]
