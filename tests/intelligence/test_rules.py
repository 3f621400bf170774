"""Rules: when they hold, what they do, and that they do nothing else."""

from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as some

from concierge.intelligence.rules import apply, given
from concierge.intelligence.schemas import EMOTIONS, INTENTS, URGENCIES, Evidence, Reading, UrgencyLevel
from concierge.intelligence.schemas.control import Condition, Consequence, Rule, said_in
from tests.intelligence.ruling import READ, READ_EVIDENCE, phrases, readings, rule, view

Readings = dict[str, Reading[Any]]
ANY_TEXT = some.text(max_size=200) | some.text("aA bc\n-’'.!?0😀\u200bÉßİ", max_size=60)


def values(found: Readings) -> dict[str, Any]:
    return {name: own.value for name, own in found.items()}


def ruled(text: str, *rules: Rule, page: str = "", **read: Any) -> Readings:
    return apply(rules, view(text, page), readings(**read))


def holds(text: str, when: Condition, page: str = "", **read: Any) -> bool:
    """Whether a rule under this condition does what it should."""
    found = ruled(text, rule(when, add_topic="it held"), page=page, **read)
    return "it held" in found["key_topics"].value


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("I want a refund.", "refund"),
        ("REFUND!!!", "refund"),
        ("I want a refund.", "Refund"),
        ("A re\u00adfund\u200b, please", "refund"),
        ("I do not want a refund", "refund"),
        ("Chargeback? Refund!", "refund"),
        ("I'd like my money back now", "money back"),
        ("my money   back", "money back"),
        ("my\nmoney\nback", "money back"),
        ("the money-back guarantee", "money back"),
        ("the money back guarantee", "money-back"),
        ("my “money” back", "money back"),
        ("soooo slow", "so slow"),
        ("It doesn’t work", "doesn't work"),
        ("Où est ma commande ?", "où est"),
        ("ＦＵＬＬ width", "full"),
        ("no service 😡", "😡"),
        ("call 0800 555 now", "0800 555"),
        ("I saw it on example.com.", "example.com"),
        ("open 24/7?", "24/7"),
        ("the AT&T line", "at&t"),
    ],
)
def test_a_phrase_is_found_as_it_is_said(text: str, phrase: str) -> None:
    assert holds(text, phrases(phrase))


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("The refundable ticket", "refund"),
        ("A prerefund", "refund"),
        ("I refnd it", "refund"),
        ("They sat in a diner", "dinner"),
        ("the planets", "planet"),
        ("money is back", "money back"),
        ("back money", "money back"),
        ("I spent my money. Back then I had more.", "money back"),
        ("my money, back then", "money back"),
        ("for example. Come in", "example.com"),
        ("money", "money back"),
        ("", "refund"),
        ("?!", "refund"),
        ("anything", "…"),
    ],
)
def test_a_phrase_is_not_found_in_other_words_nor_in_pieces(text: str, phrase: str) -> None:
    assert not holds(text, phrases(phrase))


def test_one_of_several_phrases_is_enough() -> None:
    when = phrases("money back", "refund", "return")

    assert holds("I want a refund", when)
    assert not holds("I want a discount", when)


def test_a_rule_names_itself_and_the_words_that_made_it_hold() -> None:
    text = "Hello! Our shop is DOWN again, it is down."
    outage = rule(phrases("is down"), "Outages", dimension="urgency_level", set_to="critical")

    (because,) = ruled(text, outage)["urgency_level"].evidence

    assert (because.because, because.source) == ("the rule “Outages”", "rule")
    assert text[because.start : because.end] == "is DOWN"


def test_of_two_phrases_that_begin_together_the_longer_is_shown() -> None:
    text = "I want my money back please"
    refund = rule(phrases("money", "money back please", "want my"), add_topic="refunds")
    asked = rule(phrases("money", "money back please"), add_topic="money")

    first, second = ruled(text, refund, asked)["key_topics"].evidence[:2]

    assert text[first.start : first.end] == "want my"
    assert text[second.start : second.end] == "money back please"


def test_a_rule_without_phrases_points_at_no_words() -> None:
    found = ruled("Hi", rule(Condition(page_contains="/vip"), add_topic="vip"), page="https://a.example/vip")

    assert found["key_topics"].evidence[0] == Evidence("the rule “A rule”", 1.0, "rule")


@pytest.mark.parametrize(
    ("when", "held", "not_held"),
    [
        (Condition(intent="complaint"), {"intent_category": "complaint"}, {"intent_category": "exploration"}),
        (Condition(emotion="angry"), {"emotional_state": "angry"}, {"emotional_state": "frustrated"}),
        (Condition(urgency_at_least="high"), {"urgency_level": "critical"}, {"urgency_level": "medium"}),
        (Condition(urgency_at_least="high"), {"urgency_level": "high"}, {"urgency_level": "low"}),
        (Condition(page_contains="/Outage"), {"page": "https://a.example/outage?x"}, {"page": "/out"}),
    ],
)
def test_a_condition_holds_or_does_not(
    when: Condition, held: dict[str, Any], not_held: dict[str, Any]
) -> None:
    assert holds("Hello there", when, **held)
    assert not holds("Hello there", when, **not_held)


def test_a_rule_may_be_for_one_language() -> None:
    german = Condition(language="de")

    assert holds("Wo ist meine Bestellung, und wann kommt sie?", german)
    assert not holds("Where is my order, and when will it come?", german)


def test_all_conditions_must_hold_together() -> None:
    when = Condition(phrases=("order",), intent="complaint", page_contains="/orders")
    fitting = {"intent_category": "complaint", "page": "/orders/7"}

    assert holds("My order!", when, **fitting)
    assert not holds("My parcel!", when, **fitting)
    assert not holds("My order!", when, **{**fitting, "page": "/home"})
    assert not holds("My order!", when, **{**fitting, "intent_category": "exploration"})


def test_a_rule_that_is_switched_off_does_nothing() -> None:
    read = readings()

    assert apply([rule(phrases("order"), enabled=False, add_topic="orders")], view("My order"), read) == read


def test_a_rule_without_a_condition_never_holds() -> None:
    read = readings()

    assert apply([rule(Condition(), add_topic="everything")], view("Anything"), read) == read


@pytest.mark.parametrize(
    ("dimension", "value"),
    [
        ("emotional_state", "worried"),
        ("urgency_level", "low"),
        ("intent_category", "cancellation"),
        ("customer_kind", "trade"),
    ],
)
def test_what_a_rule_sets_is_certain(dimension: str, value: str) -> None:
    found = ruled("My order", rule(phrases("order"), dimension=dimension, set_to=value))

    assert (found[dimension].value, found[dimension].confidence) == (value, 1.0)
    assert found[dimension].settled_by == "rule"
    assert READ_EVIDENCE not in found[dimension].evidence
    assert {name for name, own in found.items() if own != readings()[name]} == {dimension}


def test_a_rule_that_says_what_was_read_makes_it_certain_and_keeps_why() -> None:
    found = ruled("Hi", rule(phrases("hi"), dimension="emotional_state", set_to="neutral"))

    assert (found["emotional_state"].value, found["emotional_state"].confidence) == ("neutral", 1.0)
    assert [own.source for own in found["emotional_state"].evidence] == ["rule", "message"]


def test_a_rule_for_an_attribute_that_is_no_more_does_nothing() -> None:
    assert ruled("Hi", rule(phrases("hi"), dimension="gone", set_to="x")) == readings()


@pytest.mark.parametrize("read", URGENCIES)
@pytest.mark.parametrize("raised", URGENCIES)
def test_urgency_is_raised_and_never_lowered(read: UrgencyLevel, raised: UrgencyLevel) -> None:
    found = ruled("Hi", rule(phrases("hi"), dimension="urgency_level", raise_to=raised), urgency_level=read)

    higher = min(read, raised, key=URGENCIES.index)
    assert found["urgency_level"].value == higher
    if higher == read:
        assert found == readings(urgency_level=read)
    else:
        assert (found["urgency_level"].confidence, found["urgency_level"].settled_by) == (1.0, "rule")


def test_the_oldest_rule_that_sets_a_dimension_decides_and_others_may_raise_it() -> None:
    calm = rule(phrases("newsletter"), "Calm", dimension="urgency_level", set_to="low")
    later = rule(phrases("newsletter"), "Later", dimension="urgency_level", set_to="high")
    high = rule(phrases("today"), "High", dimension="urgency_level", raise_to="high")
    medium = rule(phrases("today"), "Medium", dimension="urgency_level", raise_to="medium")

    assert ruled("The newsletter", calm, later)["urgency_level"].value == "low"
    assert ruled("The newsletter", later, calm)["urgency_level"].value == "high"
    for order in ((calm, high, medium), (medium, high, calm)):
        found = ruled("The newsletter, today", *order)["urgency_level"]
        assert (found.value, found.evidence[0].because) == ("high", "the rule “High”")


def test_topics_and_pain_points_are_added_at_the_end_and_once() -> None:
    topic = rule(phrases("fibre"), add_topic="Fibre upgrade")
    again = rule(phrases("fibre"), add_topic="RETURNS")
    pain = rule(phrases("fibre"), add_pain_point="slow internet")

    found = ruled("Fibre?", topic, topic, again, pain)

    assert found["key_topics"].value == ("returns", "Fibre upgrade")
    assert found["pain_points"].value == ("slow internet",)
    assert found["key_topics"].confidence == 0.6
    assert found["key_topics"].settled_by == found["pain_points"].settled_by == "rule"
    assert [own.source for own in found["key_topics"].evidence] == ["rule", "message"]


def test_an_action_comes_first_and_those_of_several_rules_in_their_order() -> None:
    person = rule(phrases("vip"), add_action="escalate_to_human")
    link = rule(phrases("vip"), add_action="share_link")

    assert ruled("A vip", link)["next_best_actions"].value == ("share_link", "answer")
    found = ruled("A vip", person, link, person)["next_best_actions"]
    assert found.value == ("escalate_to_human", "share_link", "answer")
    assert ruled("A vip", rule(phrases("vip"), add_action="answer")) == readings()


def test_what_others_are_read_from_is_given_back_to_be_read_with() -> None:
    rules = [
        rule(phrases("court"), dimension="emotional_state", set_to="angry"),
        rule(phrases("court"), dimension="customer_kind", set_to="trade"),
        rule(phrases("court"), add_topic="law"),
        rule(phrases("court"), dimension="urgency_level", raise_to="high"),
    ]
    message, read = view("See you in court"), readings()

    first = given(rules, message, read)
    second = given(rules, message, {**read, **first})

    assert values(first) == {"emotional_state": "angry"}
    assert values(second) == {"urgency_level": "high"}
    assert given(rules, message, {**read, **first, **second}) == {}


def test_nothing_is_given_when_no_rule_holds() -> None:
    rules = [rule(phrases("court"), dimension="emotional_state", set_to="angry")]

    assert given(rules, view("Hello"), readings()) == {}
    assert given([], view("See you in court"), readings()) == {}


def test_what_a_language_model_settled_gives_way_to_a_rule() -> None:
    read = {**readings(), "emotional_state": Reading("happy", 0.8, settled_by="llm")}
    rules = [rule(phrases("court"), dimension="emotional_state", set_to="angry")]

    assert given(rules, view("See you in court"), read)["emotional_state"].value == "angry"


def test_rules_that_contradict_each_other_come_to_an_end() -> None:
    rules = [
        rule(Condition(emotion="neutral"), dimension="emotional_state", set_to="angry"),
        rule(Condition(emotion="angry"), dimension="emotional_state", set_to="neutral"),
    ]
    message, read = view("Hello"), readings()

    read |= given(rules, message, read)

    assert given(rules, message, read) == {}
    assert apply(rules, message, read)["emotional_state"].value == "angry"


conditions = some.builds(
    Condition,
    phrases=some.lists(ANY_TEXT, max_size=3).map(tuple),
    page_contains=some.none() | some.text(min_size=1, max_size=10),
    intent=some.none() | some.sampled_from(INTENTS),
    emotion=some.none() | some.sampled_from(EMOTIONS),
    urgency_at_least=some.none() | some.sampled_from(URGENCIES),
    language=some.none() | some.sampled_from(["en", "de"]),
)
consequences = some.one_of(
    some.builds(Consequence, dimension=some.just("emotional_state"), set_to=some.sampled_from(EMOTIONS)),
    some.builds(Consequence, dimension=some.just("urgency_level"), raise_to=some.sampled_from(URGENCIES)),
    some.builds(Consequence, dimension=some.just("customer_kind"), set_to=some.just("trade")),
    some.builds(Consequence, add_topic=some.text(min_size=1, max_size=20)),
    some.builds(Consequence, add_pain_point=some.text(min_size=1, max_size=20)),
    some.builds(Consequence, add_action=some.sampled_from(["answer", "retain"])),
)
TOUCHED = {
    "add_topic": "key_topics",
    "add_pain_point": "pain_points",
    "add_action": "next_best_actions",
}


def touched(rules: list[Rule]) -> set[str]:
    """The dimensions that rules speak of."""
    lists = {TOUCHED[name] for own in rules for name in TOUCHED if getattr(own.then, name) is not None}
    return lists | {own.then.dimension for own in rules if own.then.dimension is not None}


@over(
    ANY_TEXT,
    some.lists(
        some.builds(Rule, some.text(max_size=5), conditions, consequences, some.booleans()), max_size=5
    ),
    some.text(max_size=20),
)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_whatever_is_written_rules_change_only_what_they_speak_of(
    text: str, rules: list[Rule], page: str
) -> None:
    read = readings()

    found = apply(rules, view(text, page), read)

    assert set(found) == set(READ)
    assert {name for name, own in found.items() if own != read[name]} <= touched(rules)
    assert URGENCIES.index(found["urgency_level"].value) <= URGENCIES.index("medium")
    for own in found.values():
        for because in own.evidence:
            assert because.start is None or 0 <= because.start < (because.end or 0) <= len(text)


@over(ANY_TEXT.filter(said_in), ANY_TEXT)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_whatever_a_phrase_is_made_of_it_is_found_where_it_is_said(phrase: str, text: str) -> None:
    message = f"{text} {phrase}"

    (because, *_) = ruled(message, rule(phrases(phrase), dimension="emotional_state", set_to="happy"))[
        "emotional_state"
    ].evidence

    assert because.source == "rule"
    assert said_in(message[because.start : because.end]) == said_in(phrase)
