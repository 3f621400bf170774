"""The decision table, row by row: what is expected there is what is decided."""

import pytest

from tests.chat.strategy.table import Case, cases

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_turn_is_approached_as_the_table_says(case: Case) -> None:
    expected, strategy = case.row, case.decided()
    escalation = strategy.escalation.reason if strategy.escalation else "no"
    told = {
        "strategy": strategy.fallback,
        "rule": strategy.rule,
        "tone": strategy.tone,
        "opening": strategy.opening,
        "next_step": strategy.next_step,
        "purchase": "yes" if strategy.purchase_step else "no",
        "escalation": escalation,
        "depth": strategy.depth,
    }
    wrong = {
        name: (value, expected[name])
        for name, value in told.items()
        if name in expected and value not in {word.strip() for word in expected[name].split("/")}
    }
    assert not wrong


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_parameters_keep_the_bounds_of_the_table(case: Case) -> None:
    parameters = case.decided().parameters
    for name in ("temperature", "max_tokens"):
        bound = case.row.get(name)
        if bound is not None:
            value, limit = getattr(parameters, name), float(bound[1:])
            assert value <= limit if bound[0] == "≤" else value >= limit


def test_the_table_has_the_fixed_cases_and_forty_more() -> None:
    assert len(CASES) >= 43
    assert len({case.name for case in CASES}) == len(CASES)
