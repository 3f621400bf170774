"""What a tool has worked out may be stated in one's own words, and nothing else on its account."""

import pytest

from concierge.chat.grounding import ground
from concierge.chat.writers.catalog import passage_of_tool
from concierge.kit.sentences import sentence_spans

QUESTION = "What do 3 chairs and the table cost with 10 % off?"
TEXT = "Result: 1157.4\nCalculated as: 0.9 * (3 * 129 + 899)"
RESULT = passage_of_tool("Calculated just now", TEXT, tuple(sentence_spans(TEXT)))


@pytest.mark.parametrize(
    "draft",
    [
        "The total comes to $1,157.40 [1].",
        "Together that is 1,157.40 [1].",
        "That comes to $1,157.40 with 10 % off [1].",
        "The three chairs and the table come to $1,157.40 [1].",
    ],
)
def test_a_result_is_stated_in_ones_own_words(draft: str) -> None:
    grounded = ground(draft, [RESULT], "blended", question=QUESTION)

    assert grounded.text == draft
    assert grounded.citations[0].kind == "tool"
    assert TEXT[grounded.citations[0].start : grounded.citations[0].end] == grounded.citations[0].quote


@pytest.mark.parametrize(
    "draft",
    [
        "The total comes to $1,257.40 [1].",
        "You have 1157.4 days [1].",
        "Acme guarantees 1157.4 miracles [1].",
        "The total comes to $1,157.40, and delivery costs $49 [1].",
        "Write to sales@1157.4.example [1].",
    ],
)
def test_nothing_else_is_said_on_its_account(draft: str) -> None:
    assert ground(draft, [RESULT], "blended", question=QUESTION).text == ""
