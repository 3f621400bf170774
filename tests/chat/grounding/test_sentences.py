"""What each sentence of a draft deserves, as a table: the sentence, the mark it came with, verdict, reason, source."""

import pytest

from concierge.chat.grounding import ground
from concierge.chat.grounding.schemas import Reason, Verdict
from tests.chat.grounding.sources import SOURCES

R, F, D, C = 1, 2, 3, 4

SUPPORTED = [
    # As it stands, and in other words.
    ("You have 30 days from delivery to return any product [1].", R),
    ("You can return any product within 30 days of delivery [1].", R),
    ("Within thirty days of delivery you can send any product back [1].", R),
    ("Any product can be returned within 30 days after delivery.", R),
    ("We collect returned products at no cost [1].", R),
    ("Returned products are collected free of charge.", R),
    ("Gift cards can't be returned.", R),
    ("Gift cards are non-returnable.", R),
    ("Refunds take no more than 5 business days after the return has arrived.", R),
    ("Once the return has arrived, a refund takes up to five working days.", R),
    ("Only customers with a receipt get cash.", R),
    ("Cash is given exclusively to clients with a receipt.", R),
    # Numbers, prices, weights, periods in every spelling.
    ("The Palma sofa costs $899.00 [2].", F),
    ("The Palma sofa is $899.", F),
    ("The Palma couch costs 899 dollars.", F),
    ("The Palma sofa weighs 58 kilograms.", F),
    ("The Palma sofa weighs 58kg.", F),
    ("The Lagoon table costs $1299.", F),
    ("The Lagoon table costs USD 1,299.", F),
    ("The Lagoon table ships within 14 days.", F),
    ("The Lagoon table is shipped within two weeks.", F),
    ("The cushions have a warranty of 60 months.", F),
    ("The frame has a warranty of ten years.", F),
    ("The frame of the Palma consists of reclaimed coconut timber.", F),
    ("You can call +47 22334455.", F),
    ("Write to help@coconut.example.", F),
    ("The Kelapa KX-20 seats at least 4 people.", F),
    # Rows of a table.
    ("Delivery to Norway costs $39 [3].", D),
    ("Norway: $39, 5 days.", D),
    ("Delivery to Iceland takes nine days.", D),
    ("The price for Iceland is $49.", D),
    ("Delivery is free above $500.", D),
    ("Delivery is complimentary over $500.", D),
    ("We deliver on weekdays between 9:00 and 17:00.", D),
    ("Assembly isn't included.", D),
    ("Assembly is excluded.", D),
    ("Delivery to islands is not available.", D),
    ("See https://coconut.example/delivery for the delivery price of Norway.", D),
    # Items under the words that introduce them.
    ("Wool covers cannot be washed.", C),
    ("Linen covers can be washed at 30 degrees.", C),
    ("Remove the zip cover before washing.", C),
    ("In the first wash, about ten percent of the colour is lost.", C),
    ("About 10 per cent of the color is lost in the first wash.", C),
    ("The shop was founded on March 5, 2012 by Ana Silva.", C),
    ("The shop was founded by Ana Silva on 2012-03-05.", C),
    ("Ana Silva founded the shop in March 2012.", C),
    ("The shop was founded in 2012.", C),
    # Two statements in one sentence, each with its own source.
    ("You have 30 days from delivery to return any product, and delivery is free above $500.", R),
    ("The Palma sofa costs $899, but assembly is not included.", F),
]

REFUSED: list[tuple[str, Reason]] = [
    # Another value.
    ("You have 60 days from delivery to return any product [1].", "duration"),
    ("You have 30 weeks from delivery to return any product [1].", "duration"),
    ("You have thirty-one days from delivery to return any product.", "duration"),
    ("Refunds take up to 5 days after the return has arrived.", "duration"),
    ("The Palma sofa costs $998.", "price"),
    ("The Palma sofa costs €899.", "price"),
    ("The Palma sofa costs 899 pounds.", "price"),
    ("The Palma sofa weighs 85 kg.", "number"),
    ("The Palma sofa weighs 58 lbs.", "number"),
    ("About 20 % of the colour is lost in the first wash.", "share"),
    ("The shop was founded on 5 May 2012 by Ana Silva.", "date"),
    ("The shop was founded on 6 March 2012.", "date"),
    ("The shop was founded in 2013.", "number"),
    ("We deliver on weekdays between 9 am and 6 pm.", "name"),
    ("The Kelapa KX-30 seats at least four people.", "name"),
    ("Version 2.2 of the care guide replaced version 2.0.", "number"),
    # The value of something else.
    ("The Palma sofa costs $1,299 [2].", "price"),
    ("The Lagoon table costs $899.", "price"),
    ("The cushions have a warranty of 10 years.", "belongs"),
    ("The frame has a warranty of 5 years.", "belongs"),
    ("Delivery to Norway costs $49.", "price"),
    ("Delivery to Norway takes 9 days.", "duration"),
    # A name, an address, a number to call from nowhere.
    ("The shop was founded on 5 March 2012 by Maria Costa.", "name"),
    ("Delivery to Sweden costs $39.", "name"),
    ("The Bali sofa costs $899.", "name"),
    ("Write to sales@coconut.example.", "address"),
    ("You can call +47 22 33 44 66.", "address"),
    ("See https://coconut.example/prices for the delivery price of Norway.", "address"),
    # Turned round.
    ("Gift cards can be returned [1].", "polarity"),
    ("You cannot return any product within 30 days of delivery.", "polarity"),
    ("Assembly is included.", "polarity"),
    ("Delivery to islands is available.", "polarity"),
    ("Wool covers can be washed.", "polarity"),
    ("Linen covers cannot be washed at 30 degrees.", "polarity"),
    ("We collect returned products for a fee.", "polarity"),
    ("Refunds take at least 5 working days after the return has arrived.", "polarity"),
    ("Before the return has arrived, refunds take up to 5 working days.", "polarity"),
    ("After washing, remove the zip cover.", "polarity"),
    ("The Kelapa KX-20 seats at most four people.", "polarity"),
    ("Customers with a receipt get cash.", "polarity"),
    ("Delivery is free below $500.", "polarity"),
    # Another subject, or more than is said.
    ("The cushions are made of reclaimed coconut wood.", "words"),
    ("The Palma sofa costs $899 and comes in green.", "words"),
    ("You have 30 days from delivery to return any product, and you keep the samples.", "words"),
    ("We also have an outlet in the harbour.", "elsewhere"),
    # What an agent cannot know it did.
    ("I've passed your question to our warehouse.", "promise"),
    ("We'll refund you right away.", "promise"),
]

NO_CLAIM: list[tuple[str, Reason]] = [
    ("Hi there!", "greeting"),
    ("Thanks for asking!", "greeting"),
    ("I'm so sorry to hear that.", "empathy"),
    ("That must be frustrating.", "empathy"),
    ("Is there anything else I can help you with?", "question"),
    ("Are you looking for a sofa or a chair?", "question"),
    ("Would you like me to ask a colleague?", "question"),
    ("I can connect you with a colleague.", "offer"),
    ("Let me know if you have more questions.", "offer"),
    ("I don't know.", "not_known"),
    ("I don't have any information on that.", "not_known"),
    ("I'm not sure about that.", "not_known"),
    ("In short:", "connective"),
    ("Here is what I found.", "connective"),
]

CLAIMS_IN_DISGUISE = [
    "I'm sorry that our sofas arrive in 3 days.",
    "Would you like the Palma for $499?",
    "Did you know our sofas are made in Bali?",
    "I don't know why, but returns take a year.",
    "Welcome to our shop in the harbour!",
    "Let me know, and you get a discount.",
    "See www.invented.example for help.",
    "Thanks, that is free.",
]


def _only(sentence: str) -> tuple[Verdict, Reason, int | None]:
    (checked,) = ground(sentence, SOURCES, "strict").checked
    return checked.verdict, checked.reason, checked.evidence[0].source if checked.evidence else None


@pytest.mark.parametrize(("sentence", "source"), SUPPORTED)
def test_what_a_source_says_is_supported_by_it(sentence: str, source: int) -> None:
    assert _only(sentence) == ("supported", "stated", source)


@pytest.mark.parametrize(("sentence", "reason"), REFUSED)
def test_what_no_source_says_is_not_supported_and_one_is_told_why(sentence: str, reason: Reason) -> None:
    verdict, because, _ = _only(sentence)

    assert verdict in {"unsupported", "partial"}
    assert because == reason


@pytest.mark.parametrize(("sentence", "reason"), NO_CLAIM)
def test_what_claims_nothing_needs_no_source(sentence: str, reason: Reason) -> None:
    assert _only(sentence)[:2] == ("no_claim", reason)


@pytest.mark.parametrize("sentence", CLAIMS_IN_DISGUISE)
def test_a_claim_does_not_pass_as_politeness(sentence: str) -> None:
    assert _only(sentence)[0] in {"unsupported", "partial"}


def test_a_question_back_and_an_i_dont_know_may_name_what_the_visitor_named() -> None:
    asked = "Do you deliver to Greenland?"

    (checked,) = ground("I don't have anything on Greenland.", SOURCES, "strict", question=asked).checked

    assert (checked.verdict, checked.reason) == ("no_claim", "not_known")
    assert _only("I don't have anything on Greenland.")[0] != "no_claim"
