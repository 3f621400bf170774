"""Parts of the voice, each by itself: what the shelf answers, what is remembered aloud, steps and depth, who asks for a person."""

from dataclasses import replace
from typing import Any

import pytest

from concierge.catalog.schemas.context import ProductContext
from concierge.chat.strategy.schemas import Escalation, NextStep
from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.catalog import passage_of
from concierge.chat.writers.house import HouseWriter
from concierge.chat.writers.selection import read
from concierge.chat.writers.voice.steps import BETWEEN_TWO, STEPS
from concierge.chat.writers.wishes import asks_for_offers, asks_for_prices, is_leisurely, looks_around
from tests.chat.situations import (
    FREE_DELIVERY,
    KELAPA,
    PALMA,
    SHOP,
    brief,
    entry,
    fact,
    parameters,
    passage,
    returning,
    strategy,
)
from tests.chat.writers.library import Library

CATEGORIES = ("Sofas", "Chairs", "Lighting > Floor lamps")
LOOKING = strategy(fallback="discovery", next_step="ask_need", open_ended=True)


def text_of(asked: AnswerBrief) -> str:
    return HouseWriter().write(asked).text


def told(library: Library, question: str, **others: Any) -> str:
    return text_of(replace(library.brief(question), **others))


@pytest.mark.parametrize(
    "question",
    [
        "what do you have for pricing?",
        "Hi, what are your prices?",
        "how much are sofas?",
        "are you expensive?",
        "What does a floor lamp cost?",
        "price list please",
    ],
)
def test_a_question_for_prices_in_general_is_one_for_the_shelf(question: str) -> None:
    assert asks_for_prices(question, CATEGORIES)


@pytest.mark.parametrize(
    "question",
    [
        "how much is delivery to Germany?",
        "What does it cost?",
        "Is there a cheaper shipping option?",
        "How much is the Palma right now?",
        "what do 3 chairs and the table cost",
        "How long do I have?",
    ],
)
def test_what_one_thing_or_a_service_costs_is_not(question: str) -> None:
    assert not asks_for_prices(question, CATEGORIES)


def test_offers_in_general_are_the_shelf_s_and_a_discount_for_some_is_not() -> None:
    assert asks_for_offers("any discounts at the moment?")
    assert asks_for_offers("Do you have special offers?")
    assert not asks_for_offers("Is there a discount for students?")
    assert not asks_for_offers("what do you offer?")


def test_who_looks_around_is_told_from_who_asks() -> None:
    assert looks_around("just looking around")
    assert is_leisurely("just looking around, thanks")
    assert looks_around("what do you sell?")
    assert looks_around("Hi, what do you have for a small living room?")
    assert not looks_around("what do you have for mould?")
    assert not is_leisurely("what do you sell?")
    assert not looks_around("just looking for a red sofa")


def test_prices_come_with_the_offer_of_the_day_and_its_conditions() -> None:
    assert text_of(brief("What do you have for pricing?", strategy=LOOKING, products=SHOP)) == (
        "You'll find sofas from $899 [1] and chairs from $129 [2]. Delivery is free above $500 [3]. "
        "That holds within the European Union [3]. Are you after sofas or chairs, or something else?"
    )


def test_only_the_category_that_was_named_is_priced_and_the_kind_not_asked_for() -> None:
    text = text_of(brief("how much are chairs?", strategy=LOOKING, products=replace(SHOP, promotions=())))

    assert text == "You'll find chairs from $129 [1]. What do you have in mind?"


def test_nobody_upset_is_told_of_offers_with_the_prices() -> None:
    upset = strategy(tone="empathetic", opening="acknowledge", fallback="helpful")

    assert FREE_DELIVERY.text not in text_of(brief("what are your prices?", strategy=upset, products=SHOP))


def test_a_first_greeting_is_met_with_the_best_there_is() -> None:
    hello = strategy(fallback="showcase", opening="welcome", next_step="show_ways", open_ended=True)
    answer = HouseWriter().write(brief("Hello", strategy=hello, products=SHOP))

    assert (
        "The Palma sofa, made from reclaimed coconut wood, is $899 this month instead of $999 [1]."
        in answer.text
    )
    assert answer.text.count("?") == 1
    assert [citation.title for citation in answer.citations] == ["Palma sofa"]


@pytest.mark.parametrize("message", ["Hello", "just looking", "What do you sell?"])
def test_without_a_catalogue_it_still_reads_well(message: str) -> None:
    answer = HouseWriter().write(brief(message, strategy=LOOKING, products=ProductContext()))

    assert "None" not in answer.text
    assert not answer.claims
    assert answer.text.count("?") <= 1


def test_three_rows_are_a_list_and_each_is_its_own_source() -> None:
    lamp = entry("Dune lamp", "The Dune lamp costs $149.")
    wish = replace(SHOP, matches=(KELAPA, lamp, PALMA), filters=("under 900",))
    text = text_of(brief("something under 900", strategy=LOOKING, products=wish))

    assert text.startswith(
        "- The Kelapa chair costs $129 [1].\n- The Dune lamp costs $149 [2].\n- The Palma sofa"
    )


def test_what_is_remembered_is_said_where_the_answer_rests_on_it(library: Library) -> None:
    owned = fact("Palma sofa", "bought the Palma sofa")
    knows = strategy(recall=(owned,))
    asked = "What does my sofa weigh?"
    sheet = passage("Palma sofa", "The Palma weighs 58 kg.")
    answered = replace(library.brief(asked), strategy=knows, customer=returning(owned))
    text = text_of(answered)

    assert sheet.title in {own.title for own in answered.passages}
    assert text.startswith("Since you bought the Palma sofa:")
    assert "58 kg" in text
    assert "Since you" not in text_of(replace(answered, said=(text,)))
    assert "Since you" not in text_of(replace(answered, question="What does the Palma sofa weigh?"))


@pytest.mark.parametrize(
    "value", ["has a daughter allergic to nuts", "is allergic to latex", "has a bad back"]
)
def test_family_and_health_are_never_said_back(library: Library, value: str) -> None:
    private = strategy(recall=(fact("Palma sofa", value),))

    assert "Since you" not in told(library, "What does my sofa weigh?", strategy=private)


def test_somebody_who_is_back_and_needs_help_is_asked_about_what_was_left_open() -> None:
    problem = fact("Lagoon table", "has trouble with the Lagoon table: wobbles", "problem")
    helpful = strategy(fallback="helpful")
    text = text_of(brief("I need help with my order", strategy=helpful, customer=returning(problem)))

    assert "the Lagoon table" in text
    assert text.count("?") == 1
    assert "wobbles" not in text


def test_a_person_is_offered_at_once_to_who_asks_for_one(library: Library) -> None:
    wants = strategy(
        fallback="helpful",
        next_step="offer_human",
        escalation=Escalation("customer_request", "Asks for a person."),
    )
    answer = HouseWriter().write(replace(library.brief("I want to speak to a human NOW"), strategy=wants))

    assert answer.offers_handover
    assert answer.text.count("?") == 1
    assert "don't" not in answer.text


def test_steps_are_numbered_for_who_needs_them_one_by_one(library: Library) -> None:
    slow = strategy(parameters=parameters("brief", step_by_step=True))
    text = told(library, "I need to open my order and choose Return, print the label", strategy=slow)

    assert "1. Open your order" in text
    assert "3. Hand the carton" in text


def test_an_expert_gets_the_terms_of_the_trade_first_and_a_beginner_plain_words() -> None:
    page = passage("Stock", "Ask for the stock of a shop. GET /stock returns the stock of a shop.")
    page = replace(page, sentences=((0, 28), (29, 66)))
    scores = {
        depth: {candidate.unit.text[:3]: candidate.score for candidate in read(_at(page, depth)).ranked}
        for depth in ("technical", "standard", "simple")
    }

    assert scores["technical"]["GET"] > scores["standard"]["GET"] > scores["simple"]["GET"]
    assert scores["technical"]["Ask"] == scores["standard"]["Ask"] == scores["simple"]["Ask"]


def _at(page: Any, depth: str) -> AnswerBrief:
    return brief("stock of a shop", [page], strategy=strategy(depth=depth))


def test_a_need_that_is_known_is_not_asked_for() -> None:
    known = returning(goals=("a living room",))
    text = text_of(brief("What are your prices?", strategy=LOOKING, products=SHOP, customer=known))

    assert "?" not in text
    interested = returning(current_interests=("sofas",))
    text = text_of(brief("What are your prices?", strategy=LOOKING, products=SHOP, customer=interested))
    assert not any(phrase.split("{")[0] in text for phrase in BETWEEN_TWO)


@pytest.mark.parametrize(
    "step", ["none", "close", "ask_detail", "ask_need", "show_ways", "recommend", "offer_human"]
)
def test_a_step_towards_buying_is_only_for_who_is_buying(library: Library, step: NextStep) -> None:
    text = told(
        library,
        "How heavy is the Palma sofa?",
        strategy=strategy(next_step=step, open_ended=True),
        products=SHOP,
    )

    assert not any(phrase in text for phrase in STEPS["offer_purchase"])


def test_who_is_buying_is_offered_it_once(library: Library) -> None:
    buying = strategy(next_step="offer_purchase", purchase_step=True, open_ended=True)
    asked = library.brief("How heavy is the Palma sofa?")
    first = text_of(replace(asked, strategy=buying))
    second = text_of(replace(asked, strategy=buying, said=(first,)))

    assert first.endswith("?")
    assert first.rsplit("\n\n", 1)[-1] != second.rsplit("\n\n", 1)[-1]


def test_a_price_that_was_asked_for_is_the_cell_that_is_told(library: Library) -> None:
    assert told(library, "What does delivery to Norway cost?", strategy=strategy()).startswith(
        "Norway: price $39 [1]."
    )
    assert told(library, "How long does delivery to Norway take?", strategy=strategy()).startswith(
        "Norway: delivery time 8 working days [1]."
    )


def test_a_row_of_the_catalogue_is_evidence_like_a_passage() -> None:
    row = passage_of(PALMA, 3)

    assert (row.chunk_id, row.kind, row.rank, row.authoritative) == (PALMA.id, "product", 3, True)
    assert next(row.text[start:end] for start, end in row.sentences).endswith("instead of $999.")
