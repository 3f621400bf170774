"""Messages read as an organization wants them: what a rule settles is what the rest is read from."""

from typing import Any

from concierge.intelligence.reading import analysis_of, read
from concierge.intelligence.rules import read_with_rules
from concierge.intelligence.schemas import Reading
from concierge.intelligence.schemas.control import NO_GUIDANCE, Attribute, AttributeValue, Condition, Guidance
from tests.intelligence.ruling import phrases, rule, view

TEXT = "Your site shows me a banner about the summer festival."


def read_by(*rules: Any, text: str = TEXT, settled: Any = None, **more: Any) -> dict[str, Reading[Any]]:
    return read_with_rules(view(text), Guidance(rules=rules, **more), settled)


def test_without_guidance_a_message_is_read_as_it_is() -> None:
    assert read_with_rules(view(TEXT), NO_GUIDANCE) == read(view(TEXT))


def test_what_a_rule_makes_of_the_mood_and_the_intent_reaches_what_is_read_from_them() -> None:
    before = read(view(TEXT))
    found = read_by(
        rule(phrases("banner"), dimension="emotional_state", set_to="angry"),
        rule(phrases("banner"), dimension="intent_category", set_to="complaint"),
    )

    assert "escalate_to_human" not in before["next_best_actions"].value
    assert {"escalate_to_human", "apologise"} <= set(found["next_best_actions"].value)
    assert found["next_best_actions"].settled_by == "local"
    assert any(because.because == "is angry" for because in found["urgency_level"].evidence)


def test_raised_urgency_reaches_what_is_read_from_it() -> None:
    found = read_by(rule(phrases("banner"), dimension="urgency_level", raise_to="critical"))

    assert found["next_best_actions"].value[0] == "escalate_to_human"


def test_a_rule_may_build_on_another() -> None:
    found = read_by(
        rule(Condition(urgency_at_least="high"), add_action="check_order"),
        rule(Condition(intent="complaint"), dimension="urgency_level", raise_to="high"),
        rule(phrases("banner"), dimension="intent_category", set_to="complaint"),
    )

    assert found["urgency_level"].value == "high"
    assert found["next_best_actions"].value[0] == "check_order"


def test_raising_counts_from_the_urgency_of_the_mood_a_rule_set() -> None:
    text = "The checkout is down, everybody is waiting, urgent!!"
    medium = rule(phrases("checkout"), dimension="urgency_level", raise_to="medium")

    calm = read_by(medium, rule(phrases("checkout"), dimension="emotional_state", set_to="happy"), text=text)
    angry = read_by(medium, rule(phrases("checkout"), dimension="emotional_state", set_to="angry"), text=text)

    assert angry["urgency_level"].value == "critical"
    assert angry["urgency_level"].settled_by == "local"
    assert calm["urgency_level"].value != "low"


def test_a_rule_wins_over_what_was_settled_elsewhere() -> None:
    settled = {"emotional_state": Reading("happy", 0.8, settled_by="llm")}

    kept = read_by(settled=settled)
    ruled = read_by(rule(phrases("banner"), dimension="emotional_state", set_to="worried"), settled=settled)

    assert (kept["emotional_state"].value, kept["emotional_state"].settled_by) == ("happy", "llm")
    assert (ruled["emotional_state"].value, ruled["emotional_state"].settled_by) == ("worried", "rule")


def test_attributes_stand_in_the_analysis_and_rules_may_set_them() -> None:
    size = Attribute("size", (AttributeValue("small"), AttributeValue("large", phrases=("festival",))))
    small = rule(phrases("banner"), dimension="size", set_to="small")

    assert analysis_of(read_by(attributes=(size,))).attributes == {"size": "large"}
    analysis = analysis_of(read_by(small, attributes=(size,)))
    assert analysis.attributes == {"size": "small"}
    assert (analysis.confidence["size"], analysis.settled_by["size"]) == (1.0, "rule")
