"""With a persona the next step follows its stage: in its own words, once, with a source where it states anything."""

import re
from dataclasses import replace

import pytest

from concierge.agents.schemas.stages import Persona
from concierge.agents.templates import STAGES
from concierge.chat.steps.verify import verify
from concierge.chat.strategy.schemas import Strategy
from concierge.chat.writers import phrases
from concierge.chat.writers.brief import Citation, Claim, WrittenAnswer
from concierge.chat.writers.catalog import passage_of
from concierge.chat.writers.citations import marked
from concierge.chat.writers.house import HouseWriter
from concierge.chat.writers.voice.stages import led
from concierge.knowledge.schemas import Passage
from tests.chat.situations import PALMA, SHOP
from tests.chat.strategy.test_stages import PERSONAS
from tests.chat.writers.expert_library import DOCUMENTS, TALKS
from tests.chat.writers.library import Library
from tests.chat.writers.speaking import Said, Visit

MARK = re.compile(r"\[(\d+)\]")
EVERY = [(who, place) for who, talk in TALKS.items() for place in range(len(talk))]


@pytest.fixture(scope="module")
def trade(library: Library) -> Library:
    return Library(library.model, DOCUMENTS)


@pytest.fixture(scope="module")
def talks(trade: Library) -> dict[str, list[Said]]:
    return {who: Visit(trade, persona=PERSONAS[who]).all(talk) for who, talk in TALKS.items()}


def strategy_of(said: Said) -> Strategy:
    assert said.brief.strategy is not None
    return said.brief.strategy


def stages(talk: list[Said]) -> list[str]:
    return [choice.stage.name for said in talk if (choice := strategy_of(said).stage)]


def shown_row(row: Passage) -> WrittenAnswer:
    """An answer that rests on a row of the catalogue alone."""
    quote = row.text.split(". ")[0] + "."
    cited = Citation(
        1, row.document_id, row.chunk_id, row.title, row.url, row.kind, 1.0, quote, 0, len(quote)
    )
    text = marked(quote, 1)
    return WrittenAnswer(text, "answered", 0.9, (Claim(quote, 1, quote, 0, len(quote)),), (cited,), (text,))


def test_each_persona_goes_through_its_stages(talks: dict[str, list[Said]]) -> None:
    assert stages(talks["support"]) == ["diagnose", "reproduce", "reproduce", "resolve", "prevent", "prevent"]
    assert stages(talks["guru"]) == ["orient", "insight", "tips", "resources"]
    assert stages(talks["engineer"]) == ["assess", "architecture", "tradeoffs", "tradeoffs"]
    assert stages(talks["sales"]) == ["qualify", "value", "proof", "next_step"]


def test_support_names_the_likeliest_cause_and_asks_what_tells_it_apart(talks: dict[str, list[Said]]) -> None:
    first = talks["support"][0]
    assert first.text.startswith("The likeliest cause, going by our pages: Damp air may make the wood swell")
    assert first.text.endswith("Does it look more like “Damp air” or like “Dry runner”?")
    assert first.answer.citations[0].title == "Drawers and doors"


def test_support_asks_something_general_where_the_page_names_one_cause_only(library: Library) -> None:
    one = {"Drawers": "# Drawers\n\nA drawer usually sticks because its runner is dry.\n"}
    visit = Visit(Library(library.model, one), persona=PERSONAS["support"])
    said = visit.say("My drawer sticks, why is that?")
    assert said.text.endswith(STAGES["diagnose"].wordings[0])


def test_what_was_asked_for_is_taken_with_thanks_and_led_on(talks: dict[str, list[Said]]) -> None:
    for who, place in (("support", 1), ("sales", 1)):
        told = talks[who][place]
        assert re.match(r"(?:Good to know|That helps|Thank you|I see)", told.text)
        assert told.text.endswith("?")
        assert not told.answer.offers_handover


def test_sales_never_begins_with_the_budget(trade: Library) -> None:
    offering = replace(SHOP, matches=(PALMA,))
    said = Visit(trade, products=offering, persona=PERSONAS["sales"]).say("Which sofas do you have?")
    assert said.text.endswith(STAGES["qualify"].wordings[0])
    assert not re.search(r"budget|spend|afford", " ".join(STAGES["qualify"].wordings), re.IGNORECASE)


def test_the_guru_brings_out_what_is_easily_missed(trade: Library) -> None:
    said = Visit(trade, persona=PERSONAS["guru"]).say("Why is oiled wood sticky?")
    lead, _, insight = said.text.rpartition("What people often miss: ")
    assert lead
    assert MARK.search(insight)
    assert "?" not in said.text


def test_the_guru_names_the_page_to_read_on(talks: dict[str, list[Said]]) -> None:
    assert talks["guru"][3].text.endswith("There is more on this in “Oiling wood” [1].")


def test_the_guru_names_a_page_where_only_a_row_answers(trade: Library) -> None:
    brief = Visit(trade, persona=PERSONAS["guru"]).brief("Where can I read more about oiling wood?")
    row = passage_of(PALMA, 0)
    answer, question = led(
        shown_row(row), replace(brief, passages=(row, *brief.passages)), STAGES["resources"]
    )
    assert question == ""
    assert answer.text.endswith("There is more on this in “Oiling wood” [2].")
    assert answer.citations[1].quote == "Wood is oiled so that it takes up less water."


def test_somebody_whose_matter_is_closed_is_not_read_to(talks: dict[str, list[Said]], trade: Library) -> None:
    visit = Visit(trade, persona=PERSONAS["support"])
    visit.say("The drawer of my sideboard sticks")
    said = visit.say("It works now, thank you!")
    assert said.text in phrases.GOOD_TO_HEAR
    assert not said.answer.citations
    assert "?" not in talks["support"][-1].text


def test_somebody_content_who_wants_something_is_answered(trade: Library) -> None:
    visit = Visit(trade, persona=PERSONAS["support"])
    visit.say("The drawer of my sideboard sticks")
    said = visit.say("It works now, thank you! I would like to oil a table")
    assert said.answer.citations


def test_the_engineer_says_what_the_choice_costs(trade: Library) -> None:
    visit = Visit(trade, persona=PERSONAS["engineer"])
    said = visit.say("Does hard wax oil last longer compared to plain oil?")
    assert strategy_of(said).stage
    assert "but a scratch in it cannot be mended in one spot" in said.text


@pytest.mark.parametrize("at", EVERY, ids=lambda at: f"{at[0]} {at[1]}")
def test_whatever_a_persona_says_keeps_to_the_rules(
    at: tuple[str, int], talks: dict[str, list[Said]]
) -> None:
    said = talks[at[0]][at[1]]
    assert said.text.count("?") <= 1
    assert "?" not in said.text.rstrip()[:-1]
    checked = verify(said.answer, said.brief.passages, "blended")
    assert checked.answer == said.answer
    assert [claim.status for claim in checked.claims] == ["supported"] * len(said.answer.claims)
    numbers = [int(number) for number in MARK.findall(said.text)]
    assert list(dict.fromkeys(numbers)) == [citation.number for citation in said.answer.citations]
    assert "".join(said.answer.pieces) == said.text
    for citation in said.answer.citations:
        passage = next(own for own in said.brief.passages if own.chunk_id == citation.chunk_id)
        assert passage.text[citation.start - passage.start : citation.end - passage.start] == citation.quote


@pytest.mark.parametrize("who", TALKS)
def test_no_wording_is_said_twice_in_a_conversation(who: str, trade: Library) -> None:
    visit = Visit(trade, persona=PERSONAS[who])
    talk = [said for _ in range(3) for said in visit.all(TALKS[who])]
    questions = [
        said.text.rpartition("] ")[2].rpartition(". ")[2] for said in talk if said.text.endswith("?")
    ]
    stage_questions = [
        question for question in questions if any(question in stage.wordings for stage in STAGES.values())
    ]
    assert stage_questions
    assert len(stage_questions) == len(set(stage_questions))


def test_when_every_wording_was_said_nothing_is_asked(trade: Library) -> None:
    visit = Visit(trade, persona=PERSONAS["guru"])
    brief = replace(visit.brief("What does oil do to wood?"), said=STAGES["orient"].wordings)
    assert "?" not in HouseWriter().write(brief).text


@pytest.mark.parametrize("who", ["support", "guru", "engineer"])
def test_a_stage_that_waits_leaves_the_answer_alone(who: str, trade: Library) -> None:
    brief = Visit(trade, persona=PERSONAS[who]).brief(TALKS[who][0])
    strategy = brief.strategy
    assert strategy is not None
    assert strategy.stage is not None
    waiting = replace(strategy.stage, held="angry", held_because="Is angry.")
    held = replace(brief, strategy=replace(strategy, stage=waiting, next_step="none"))
    assert HouseWriter().write(brief).text.endswith("?")
    assert "?" not in HouseWriter().write(held).text


def test_a_persona_answers_as_without_one_where_nothing_is_known(trade: Library) -> None:
    question = "Do you sell bicycles?"
    plain, led = Visit(trade).say(question), Visit(trade, persona=PERSONAS["guru"]).say(question)
    assert led.text == plain.text


def test_own_wordings_take_the_place_of_the_templates(trade: Library) -> None:
    own = replace(STAGES["orient"], wordings=("What brings you to wood?",))
    guru = PERSONAS["guru"]
    mine: Persona = replace(guru, tactics=replace(guru.tactics, stages=(own,)))
    assert (
        Visit(trade, persona=mine).say("What does oil do to wood?").text.endswith("What brings you to wood?")
    )
