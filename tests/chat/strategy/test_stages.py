"""The table of stages, row by row: where it says a conversation stands is where it stands, and for the reason it names."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.agents.schemas.policy import StrategyPolicy
from concierge.agents.schemas.stages import Cue, Persona, Stage, StageStep, Tactics
from concierge.agents.templates import STAGES, TEMPLATES, stages_of
from concierge.chat.strategy.cues import EVERY_CUE, Lead
from concierge.chat.strategy.decide import decide
from concierge.chat.strategy.schemas import StageChoice, Strategy
from concierge.chat.strategy.stages import HOLDS, MOVES
from concierge.conversations.schemas import PassedStage
from concierge.intelligence.schemas import EMOTIONS, INTENTS, URGENCIES
from tests.chat.situations import SHOP
from tests.chat.strategy.table import Case, cases

TABLE: Final = Path(__file__).with_name("stages.md")
OWN: Final = [
    {"name": "qualify"},
    {"name": "taste", "guidance": "Ask how they like it."},
    {"name": "diagnose"},
]
CASES: Final = list(cases(TABLE))


def persona(name: str) -> Persona:
    template = TEMPLATES[name]
    return Persona(UUID(int=1), template.name, template.system_prompt, template.tactics, template.manner)


PERSONAS: Final[Mapping[str, Persona]] = {
    "sales": persona("sales_representative"),
    "engineer": persona("solutions_engineer"),
    "support": persona("support_expert"),
    "guru": persona("domain_guru"),
    "own": Persona(UUID(int=1), "Own", "You taste.", Tactics("warm", stages_of(OWN, {}))),
}


def passed(cell: str) -> PassedStage | None:
    name = cell.rstrip("!.")
    return PassedStage(name, str(UUID(int=1)), taken="!" in cell, closed="." in cell) if name else None


def strategy_of(case: Case) -> Strategy:
    row = case.row
    analysis = case.analysis()
    if row.get("order") == "yes":
        analysis = replace(analysis, next_best_actions=("check_order", "answer"))
    earlier = tuple(filter(None, (message.strip() for message in row.get("before", "").split(" / "))))
    lead = Lead(PERSONAS[row["persona"]], row["message"], earlier, passed(row.get("last", "")))
    return decide(analysis, case.customer(), SHOP, StrategyPolicy(), case.moment(analysis), lead)


def chosen(strategy: Strategy) -> StageChoice:
    assert strategy.stage is not None
    return strategy.stage


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row['persona']}: {case.name}")
def test_a_conversation_stands_where_the_table_says(case: Case) -> None:
    choice = chosen(strategy_of(case))
    told = {"stage": choice.stage.name, "step": choice.held or "yes", "move": choice.move}
    assert told == {name: case.row.get(name, value) for name, value in told.items()}


def test_the_table_has_fifty_rows_and_every_move_and_hold() -> None:
    assert len(CASES) >= 50
    assert len({(case.row["persona"], case.name) for case in CASES}) == len(CASES)
    assert {move.name for move in MOVES} == {case.row["move"] for case in CASES}
    told = {chosen(strategy_of(case)).held for case in CASES}
    assert {hold.name for hold in HOLDS} - told <= {"angry"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row['persona']}: {case.name}")
def test_nobody_angry_is_asked_anything(case: Case) -> None:
    angry = replace(case, row={**case.row, "emotion": "angry"})
    strategy = strategy_of(angry)
    assert strategy.leading is None
    assert chosen(strategy).held is not None


def test_what_is_known_is_not_asked_again() -> None:
    qualify = replace(PERSONAS["sales"], tactics=Tactics("consultative", (STAGES["qualify"],)))
    case = next(case for case in CASES if case.name == "opens with a need")
    lead = Lead(qualify, case.row["message"])
    analysis = case.analysis()
    strategy = decide(analysis, case.customer(), SHOP, StrategyPolicy(), case.moment(analysis), lead)
    assert chosen(strategy).held == "known"


def test_without_a_persona_there_is_no_stage() -> None:
    assert CASES[0].decided().stage is None


def test_a_stage_that_is_no_more_begins_anew() -> None:
    case = next(case for case in CASES if case.name == "looks for a sofa")
    lead = Lead(PERSONAS["sales"], case.row["message"], (), PassedStage("seduce", str(UUID(int=1))))
    analysis = case.analysis()
    choice = chosen(decide(analysis, case.customer(), SHOP, StrategyPolicy(), case.moment(analysis), lead))
    assert (choice.move, choice.before) == ("begins", None)


def test_an_organization_that_sells_nothing_offers_no_order() -> None:
    case = next(case for case in CASES if case.name == "opens with an order")
    lead = Lead(PERSONAS["sales"], case.row["message"])
    analysis = case.analysis()
    policy = StrategyPolicy(purchase_steps=False)
    choice = chosen(decide(analysis, case.customer(), SHOP, policy, case.moment(analysis), lead))
    assert choice.held == "not_buying"


def test_a_persona_speaks_its_way_to_somebody_who_shows_no_wish() -> None:
    plain = next(case for case in CASES if case.name == "asks what sofas cost")
    sales = strategy_of(plain).parameters
    assert (sales.length, sales.max_sentences, sales.temperature) == ("brief", 2, 0.4)
    engineer = strategy_of(Case({**plain.row, "persona": "engineer"}))
    assert (engineer.depth, engineer.parameters.length) == ("technical", "detailed")


def test_the_visitors_own_wish_comes_before_the_personas() -> None:
    plain = next(case for case in CASES if case.name == "asks what sofas cost")
    wishes = {**plain.row, "likes": "detailed", "style": "casual", "level": "beginner"}
    strategy = strategy_of(Case(wishes))
    assert (strategy.parameters.length, strategy.depth, strategy.parameters.temperature) == (
        "detailed",
        "simple",
        0.8,
    )
    on_a_phone = strategy_of(Case({**plain.row, "persona": "engineer", "device": "mobile"}))
    assert on_a_phone.parameters.length == "brief"


def test_every_cue_and_every_step_is_used() -> None:
    stages = STAGES.values()
    assert set(get_args(Cue)) == EVERY_CUE
    assert {cue for stage in stages for cue in (*stage.reached, *stage.left)} == EVERY_CUE
    assert {stage.step for stage in stages} == set(get_args(StageStep)) - {"custom"}


PASSED = st.builds(
    PassedStage, st.sampled_from(sorted(STAGES)), st.just(str(UUID(int=1))), st.booleans(), st.booleans()
)


@given(
    who=st.sampled_from(sorted(PERSONAS)),
    last=st.none() | PASSED,
    message=st.text(max_size=200),
    earlier=st.lists(st.text(max_size=60), max_size=4),
    emotion=st.sampled_from(EMOTIONS),
    urgency=st.sampled_from(URGENCIES),
    intent=st.sampled_from(INTENTS),
)
def test_whatever_is_said_one_stage_is_chosen_and_backwards_only_for_a_cause(
    who: str,
    last: PassedStage | None,
    message: str,
    earlier: list[str],
    emotion: str,
    urgency: str,
    intent: str,
) -> None:
    case = Case({"case": "any", "message": message, "emotion": emotion, "urgency": urgency, "intent": intent})
    analysis = case.analysis()
    lead = Lead(PERSONAS[who], message, tuple(earlier), last)
    choice = chosen(decide(analysis, case.customer(), SHOP, StrategyPolicy(), case.moment(analysis), lead))
    order: list[Stage] = list(lead.persona.tactics.stages)
    assert choice.stage in order
    assert choice.because
    assert (choice.held is None) == (choice.held_because is None)
    if choice.before is not None and choice.move not in {
        "trouble",
        "new_trouble",
        "did_not_help",
        "new_matter",
    }:
        names = [stage.name for stage in order]
        assert names.index(choice.stage.name) >= names.index(choice.before)
    assert asdict(choice) == asdict(
        chosen(decide(analysis, case.customer(), SHOP, StrategyPolicy(), case.moment(analysis), lead))
    )
