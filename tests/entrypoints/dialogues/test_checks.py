"""What is expected of a reply, and what every reply is held to, is told from its text and its trace alone."""

from typing import Any

import pytest

from concierge.entrypoints.evaluation.dialogues.checks import judge
from concierge.entrypoints.evaluation.dialogues.replies import Reply, Source, sentences_of
from concierge.entrypoints.evaluation.dialogues.report import PlayedTurn, report_of
from concierge.entrypoints.evaluation.dialogues.script import CheckName, Expected, PassPolicy

RETURNS = Source("Returns", "https://coconut.example/returns", "You have 30 days.")
CHAIR = Source("Kelapa chair", "", "The chair costs $129.")
ANSWER = "You have 30 days from delivery [1]. We collect it for free [1]."


def reply(text: str = ANSWER, **fields: Any) -> Reply:
    known: dict[str, Any] = {"sources": (RETURNS,), "outcome": "answered"}
    return Reply(text, **(known | fields))


def failed(own: Reply, **expected: Any) -> set[CheckName]:
    verdicts = judge(Expected.model_validate(expected), own)
    return {verdict.check for verdict in verdicts if not verdict.holds}


def checked(own: Reply, **expected: Any) -> set[CheckName]:
    return {verdict.check for verdict in judge(Expected.model_validate(expected), own)}


def test_only_what_is_named_and_what_holds_for_every_turn_is_checked() -> None:
    manners = {"banned_phrases", "one_question", "opening_repeated", "numbers_cited", "promises", "length"}

    assert checked(reply()) == manners
    assert checked(reply(), lacks="$99") == manners | {"lacks"}
    assert checked(reply(), contains="30 days") == manners | {"contains", "answer_first"}


def test_a_good_reply_meets_everything_that_is_expected_of_it() -> None:
    expected = {
        "cites": "returns",
        "contains": "30 days",
        "contains_any": ["free", "no charge"],
        "lacks": ["$3", "colleague"],
        "answers": True,
        "opening": "none",
        "max_sentences": 2,
        "questions": 0,
        "claims_supported": True,
        "escalation": False,
        "not_like_before": True,
        "strategy": ["helpful", "discovery"],
        "stage": "resolve",
        "tone": "neutral",
    }
    own = reply(
        claims=(("You have 30 days from delivery.", "supported"),),
        before=("We deliver on weekdays [1].",),
        strategy="helpful",
        stage="resolve",
        tone="neutral",
    )

    assert failed(own, **expected) == set()


def test_pages_are_cited_by_a_part_of_their_title_or_address() -> None:
    both = reply(sources=(CHAIR, RETURNS))

    assert failed(both, cites="kelapa") == set()
    assert failed(both, cites="coconut.example/RETURNS") == set()
    assert failed(both, cites="returns", among=1) == {"cites"}
    assert failed(reply(sources=(), outcome="small_talk"), cites="returns") == {"cites"}


def test_texts_are_found_whatever_their_case_and_numbers_as_written() -> None:
    prices = reply("The Palma costs $999 or 1,500.50 EUR [1].")

    assert failed(prices, contains="the PALMA") == set()
    assert failed(prices, contains="$99") == {"contains"}
    assert failed(prices, contains="500") == {"contains"}
    assert failed(prices, contains="1,500") == {"contains"}
    assert failed(prices, lacks="$99") == set()
    assert failed(prices, lacks="$999") == {"lacks"}
    assert failed(prices, contains_any=["$1", "$2"]) == {"contains_any"}


def test_not_knowing_is_no_answer_and_an_answer_is_no_abstention() -> None:
    assert failed(reply(outcome="partial"), answers=True) == {"answers"}
    assert failed(reply(outcome="unsupported"), abstains=True) == set()
    assert failed(reply(), abstains=True) == {"abstains"}


def test_what_was_decided_is_compared_with_the_trace() -> None:
    own = reply(strategy="helpful", stage="diagnose", tone="empathetic", escalation="anger")

    assert failed(own, strategy="discovery") == {"strategy"}
    assert failed(own, stage=["resolve", "prevent"]) == {"stage"}
    assert failed(own, tone="neutral") == {"tone"}
    assert failed(own, escalation="anger") == set()
    assert failed(own, escalation="loop") == {"escalation"}
    assert failed(own, escalation=False) == {"escalation"}


def test_an_opening_is_a_sentence_without_a_source_in_front_of_one_with_it() -> None:
    opened = reply("That is a long wait. You have 30 days [1].")

    assert failed(opened, opening="some") == set()
    assert failed(opened, opening="none") == {"opening"}
    assert failed(reply(), opening="some") == {"opening"}


def test_sentences_and_questions_are_counted() -> None:
    asking = reply("You have 30 days [1]. Is it about the chair?")

    assert failed(asking, max_sentences=1) == {"max_sentences"}
    assert failed(asking, questions=0) == {"questions"}


def test_an_unsupported_claim_is_told() -> None:
    assert failed(reply(claims=(("You have 90 days.", "unsupported"),)), claims_supported=True) == {
        "claims_supported"
    }


def test_a_sentence_said_again_is_told_but_a_short_one_may_come_again() -> None:
    again = reply("Of course. You have 30 days from delivery [1].", before=("Of course. " + ANSWER,))

    assert failed(again, not_like_before=True) == {"not_like_before", "opening_repeated"}
    assert failed(reply("Free [1].", before=("Free [1].",)), not_like_before=True) == set()


def test_the_answer_stands_in_the_first_sentence_that_has_a_source_or_in_the_list_it_begins() -> None:
    late = reply("We collect it for free [1]. You have 30 days [1].")
    listed = reply("Either of these [1]:\n- within 30 days [1]\n- at any time if it is faulty [1]")

    assert failed(late, contains="30 days") == {"answer_first"}
    assert failed(reply(), contains="30 days") == set()
    assert failed(listed, contains="30 days") == set()


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("Great question! You have 30 days [1].", "banned_phrases"),
        ("According to the provided context, you have time.", "banned_phrases"),
        ("Is it the chair? Or is it the table?", "one_question"),
        ("It costs $129.", "numbers_cited"),
        ("I've passed this to our team.", "promises"),
        ("A colleague will call you.", "promises"),
    ],
)
def test_manners_are_held_to_without_being_named(text: str, check: CheckName) -> None:
    assert failed(reply(text)) == {check}


def test_a_number_needs_no_source_where_the_visitor_named_it_or_it_is_an_address() -> None:
    assert failed(reply("For 3 chairs, ask us.", asked=("What do 3 chairs cost?",))) == set()
    assert failed(reply("See https://coconut.example/2026 for more.")) == set()


def test_a_mark_behind_a_claim_of_several_sentences_covers_them_all() -> None:
    claim = "You have 45 days to redeem any remaining rewards. After this they are lost."

    own = reply(f"{claim[:-1]} [1].", claims=((claim, "supported"),))
    assert failed(own) == set()


def test_a_promise_may_be_made_where_the_trace_has_its_event() -> None:
    assert failed(reply("I've passed this to our team.", escalation="anger")) == set()
    assert failed(reply("We will collect it for free [1].")) == set()


def test_prose_keeps_to_the_length_chosen_for_the_visitor_and_a_list_may_be_longer() -> None:
    assert failed(reply(ANSWER, most_sentences=1)) == {"length"}
    assert failed(reply("- one [1]\n- two [1]\n- three [1]", most_sentences=1)) == set()


def test_a_mark_belongs_to_the_sentence_before_it_wherever_its_stop_stands() -> None:
    told = list(sentences_of("One [1]. Two. [2] Three?\n- four [3]"))

    assert [(own.text, own.cited) for own in told] == [
        ("One.", True),
        ("Two.", True),
        ("Three?", False),
        ("- four", True),
    ]


def test_a_reply_is_read_from_its_body_and_its_trace() -> None:
    body = {
        "response": ANSWER,
        "sources": [{"title": "Returns", "url": None, "quote": "You have 30 days."}],
        "claims": [{"text": "You have 30 days.", "status": "supported"}],
    }
    trace = {
        "answer": {"outcome": "answered"},
        "strategy": {
            "fallback": "helpful",
            "tone": "empathetic",
            "escalation": {"reason": "anger"},
            "parameters": {"max_sentences": 3},
        },
    }

    own = Reply.of(body, trace, asked=("How long?",))

    assert own.sources == (Source("Returns", "", "You have 30 days."),)
    assert (own.outcome, own.strategy, own.tone, own.stage) == ("answered", "helpful", "empathetic", None)
    assert (own.escalation, own.most_sentences) == ("anger", 3)


def played(*, held_out: bool, **expected: Any) -> PlayedTurn:
    verdicts = tuple(judge(Expected.model_validate(expected), reply()))
    return PlayedTurn("d", 1, held_out, "How long?", ANSWER, ("Returns",), verdicts, 1.0)


def test_a_script_passes_where_enough_turns_do_and_nothing_fails_that_never_may() -> None:
    turns = [played(held_out=False), played(held_out=True), played(held_out=False, contains="90 days")]

    report = report_of(turns, PassPolicy(turns=0.6))
    assert (report.turns, report.failed, report.seen, report.held_out) == (3, 1, 0.5, 1.0)
    assert report.passes
    assert report.checks["contains"].failed == 1
    assert next(iter(report.checks)) == "contains"

    assert report_of(turns, PassPolicy(turns=0.9)).reasons == (
        "66.7% of the turns pass, and 90.0% are wanted",
    )
    (reason,) = report_of(turns, PassPolicy(turns=0.5, never=("contains", "lacks"))).reasons
    assert "contains" in reason
