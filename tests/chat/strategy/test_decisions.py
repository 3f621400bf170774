"""The decision table, row by row: what is expected there is what is decided."""

import pytest

from tests.chat.strategy.table import EXAMINED, Case, cases

CASES = list(cases())


def faults(case: Case) -> dict[str, tuple[str, str]]:
    """What was decided otherwise than the table says, with what it says."""
    expected, strategy = case.row, case.decided()
    told = {
        "strategy": strategy.fallback,
        "rule": strategy.rule,
        "tone": strategy.tone,
        "opening": strategy.opening,
        "next_step": strategy.next_step,
        "purchase": "yes" if strategy.purchase_step else "no",
        "escalation": strategy.escalation.reason if strategy.escalation else "no",
        "depth": strategy.depth,
    }
    return {
        name: (value, expected[name])
        for name, value in told.items()
        if name in expected and value not in {word.strip() for word in expected[name].split("/")}
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_turn_is_approached_as_the_table_says(case: Case) -> None:
    assert not faults(case)


def test_a_reader_of_the_specification_decides_nearly_the_same() -> None:
    """Three of the rows that differ say goodbye, and two are vague: the reading of a message tells both, a row cannot."""
    examined = list(cases(EXAMINED))
    differing = [case.name for case in examined if faults(case)]
    assert len(examined) >= 80
    assert len(differing) <= 6, differing


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
