"""What is believed of strategies, and which one is followed: with care, and the same for the same seed."""

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.stats import beta as reference

from concierge.learning.beta import probability_below, quantile
from concierge.learning.sampling import (
    NEVER_INSTEAD_OF,
    Cell,
    Counts,
    Limits,
    Tally,
    draw,
    leader_of,
    may_explore,
    posterior_of,
    weight_of_age,
    worse_than_rule,
)
from concierge.learning.schemas.strategies import STRATEGIES, FallbackStrategy

SEGMENT, OTHER = "new · buying · mobile", "returning · looking · desktop"
RULE: FallbackStrategy = "discovery"
RIVALS: tuple[FallbackStrategy, ...] = ("assumption", "exploration", "showcase")
ELIGIBLE = (RULE, *RIVALS)
TIMES = 3_000

amounts = some.floats(0, 500)
tallies = some.builds(Tally, amounts, amounts)
cells = some.builds(Cell, some.sampled_from((SEGMENT, OTHER)), some.just(RULE), some.sampled_from(STRATEGIES))
counts = some.builds(Counts, some.dictionaries(cells, tallies, max_size=10))
seeds = some.uuids()
limits = some.builds(Limits, some.floats(0.5, 0.999), some.floats(0, 0.5))


def counted(segment: str = SEGMENT, **went: tuple[float, float]) -> Counts:
    return Counts({Cell(segment, RULE, name): Tally(*own) for name, own in went.items()})  # pyright: ignore[reportArgumentType]  # Names of strategies.


def chosen(known: Counts, *, share: float = 0.1, times: int = TIMES) -> Counter[FallbackStrategy]:
    """How often each strategy is chosen, over many turns."""
    limits = Limits(explore_share=share)
    return Counter(
        draw(
            known, SEGMENT, rule=RULE, eligible=ELIGIBLE, seed=UUID(int=number * 7_919), limits=limits
        ).strategy
        for number in range(times)
    )


shapes = some.floats(0.2, 3_000)


@given(some.floats(0.001, 0.999), shapes, shapes)
def test_the_beta_distribution_is_that_of_a_reference(value: float, alpha: float, beta: float) -> None:
    assert probability_below(value, alpha, beta) == pytest.approx(reference.cdf(value, alpha, beta), abs=1e-9)


@given(some.floats(0.01, 0.99), some.floats(1, 500), some.floats(1, 500))
@settings(max_examples=50)
def test_a_quantile_has_its_probability_below_it(probability: float, alpha: float, beta: float) -> None:
    assert probability_below(quantile(probability, alpha, beta), alpha, beta) == pytest.approx(
        probability, abs=1e-8
    )


def test_nothing_is_below_never_and_everything_below_always() -> None:
    assert (probability_below(0, 2, 3), probability_below(1, 2, 3)) == (0, 1)


@given(counts, some.sampled_from(STRATEGIES))
def test_a_posterior_is_a_rate_within_its_interval(known: Counts, strategy: FallbackStrategy) -> None:
    believed = posterior_of(known, Cell(SEGMENT, RULE, strategy))
    low, high = believed.interval

    assert 0 <= low < believed.mean < high <= 1


@given(counts, some.sampled_from(STRATEGIES))
def test_a_success_is_never_bad_news(known: Counts, strategy: FallbackStrategy) -> None:
    cell = Cell(SEGMENT, RULE, strategy)
    more = Counts({**known.cells, cell: known.here(cell) + Tally(successes=1)})

    assert posterior_of(more, cell).mean > posterior_of(known, cell).mean


def test_a_strategy_nobody_tried_is_believed_to_do_as_well_as_the_rule() -> None:
    known = counted(discovery=(70, 30))

    assert posterior_of(known, Cell(SEGMENT, RULE, "showcase")).mean == pytest.approx(
        posterior_of(known, Cell(SEGMENT, RULE, RULE)).mean
    )


def test_a_segment_with_few_uses_leans_on_the_others() -> None:
    elsewhere = counted(OTHER, discovery=(50, 50), showcase=(90, 10))
    few = Counts({**elsewhere.cells, **counted(discovery=(1, 1)).cells})
    many = Counts({**elsewhere.cells, **counted(discovery=(50, 50), showcase=(20, 180)).cells})
    cell = Cell(SEGMENT, RULE, "showcase")

    assert posterior_of(few, cell).mean > 0.75
    assert posterior_of(many, cell).mean < 0.2


def test_a_rule_that_chose_otherwise_teaches_nothing_here() -> None:
    """A strategy may do well just where the rules choose it."""
    where_it_is_the_rule = Counts({Cell(SEGMENT, "showcase", "showcase"): Tally(900, 100)})

    assert posterior_of(where_it_is_the_rule, Cell(SEGMENT, RULE, "showcase")).mean == 0.5


@given(counts, seeds, limits)
def test_the_same_seed_chooses_the_same(known: Counts, seed: UUID, limits: Limits) -> None:
    again = [
        draw(known, SEGMENT, rule=RULE, eligible=eligible, seed=seed, limits=limits)
        for eligible in (ELIGIBLE, tuple(reversed(ELIGIBLE)), frozenset(ELIGIBLE))
    ]

    assert again[0] == again[1] == again[2]


@given(counts, seeds, limits, some.sets(some.sampled_from(STRATEGIES)))
@settings(max_examples=300)
def test_nothing_below_the_floor_is_ever_chosen(
    known: Counts, seed: UUID, limits: Limits, eligible: set[FallbackStrategy]
) -> None:
    choice = draw(known, SEGMENT, rule=RULE, eligible=eligible, seed=seed, limits=limits)

    assert choice.strategy == RULE or choice.strategy in eligible - NEVER_INSTEAD_OF
    if choice.strategy != RULE:
        cell = Cell(SEGMENT, RULE, choice.strategy)
        assert worse_than_rule(known, cell) < limits.floor
        upper = reference.ppf(limits.floor, posterior_of(known, cell).alpha, posterior_of(known, cell).beta)
        assert upper >= posterior_of(known, Cell(SEGMENT, RULE, RULE)).mean - 1e-6


@given(counts, seeds)
def test_without_exploring_the_leader_is_followed(known: Counts, seed: UUID) -> None:
    choice = draw(known, SEGMENT, rule=RULE, eligible=ELIGIBLE, seed=seed, limits=Limits(explore_share=0))

    assert (choice.strategy, choice.explored) == (leader_of(known, SEGMENT, RULE, ELIGIBLE), False)


@given(counts, seeds, limits)
def test_the_largest_value_is_what_was_chosen(known: Counts, seed: UUID, limits: Limits) -> None:
    choice = draw(known, SEGMENT, rule=RULE, eligible=ELIGIBLE, seed=seed, limits=limits)

    assert max(choice.values.values()) == choice.values[choice.strategy]


@given(counts, seeds, limits)
def test_nobody_is_explored_with_where_the_rules_help(known: Counts, seed: UUID, limits: Limits) -> None:
    choice = draw(known, SEGMENT, rule="helpful", eligible=STRATEGIES, seed=seed, limits=limits)

    assert (choice.strategy, choice.explored) == ("helpful", False)


def test_the_rule_leads_while_nothing_is_known_and_others_are_tried_seldom() -> None:
    found = chosen(Counts({}))

    assert found[RULE] / TIMES > 0.9
    assert all(found[rival] > 0 for rival in RIVALS)


def test_the_share_that_explores_is_the_limit() -> None:
    known = counted(discovery=(5, 5), assumption=(5, 5), exploration=(5, 5), showcase=(5, 5))

    for share in (0.05, 0.1, 0.4):
        explored = TIMES - chosen(known, share=share)[RULE]
        assert 0 < explored / TIMES <= share


def test_a_better_strategy_takes_the_lead() -> None:
    found = chosen(counted(discovery=(40, 60), showcase=(70, 30)))

    assert found["showcase"] / TIMES > 0.95


def test_a_bad_strategy_is_not_tried_any_more() -> None:
    assert chosen(counted(discovery=(60, 40), showcase=(5, 45)))["showcase"] == 0


def test_a_few_lucky_visits_do_not_take_the_lead() -> None:
    assert leader_of(counted(discovery=(60, 40), showcase=(1, 0)), SEGMENT, RULE, ELIGIBLE) == RULE


def test_what_is_not_eligible_is_not_chosen_however_good() -> None:
    known = counted(discovery=(10, 90), showcase=(99, 1))

    assert leader_of(known, SEGMENT, RULE, ("assumption",)) == RULE


def test_age_halves_what_counts() -> None:
    assert [weight_of_age(days, 30) for days in (-1, 0, 30, 60)] == [1, 1, 0.5, 0.25]


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, True),
        ({"emotional_state": "frustrated"}, True),
        ({"urgency": "high"}, True),
        ({"emotional_state": "angry"}, False),
        ({"emotional_state": "frustrated", "urgency": "high"}, False),
        ({"urgency": "critical"}, False),
        ({"intent": "complaint"}, False),
        ({"intent": "support_request"}, False),
        ({"rule": "helpful"}, False),
    ],
)
def test_nobody_in_trouble_is_explored_with(changes: dict[str, str], may: bool) -> None:  # noqa: FBT001  # pytest gives it by name.
    calm = {"emotional_state": "neutral", "urgency": "low", "intent": "exploration", "rule": "discovery"}

    assert may_explore(**{**calm, **changes}) is may  # pyright: ignore[reportArgumentType]  # Words of the table above.
