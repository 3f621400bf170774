"""The simulation of learning: the same chance for every policy, and the same again."""

from uuid import UUID

from evals.learning.measure import Estimate
from evals.learning.simulate import Learner, simulate
from evals.learning.worlds import DIFFERENT, ELIGIBLE, RIGHT, VISITS, WORLDS


def test_a_run_can_be_had_again_and_learning_pays_where_visitors_differ() -> None:
    runs = simulate(DIFFERENT, 1)

    assert simulate(DIFFERENT, 1) == runs
    assert runs["oracle"].regret == 0
    assert runs["learning"].regret < runs["fixed rules"].regret < runs["uniform"].regret
    for own in runs.values():
        assert abs(own.successes + own.regret - runs["oracle"].successes) < 1e-6


def test_a_world_is_whole_and_its_rules_are_as_its_name_says() -> None:
    for world in WORLDS:
        assert abs(sum(situation.share for situation in world.situations) - 1) < 1e-9
    for situation in RIGHT.situations:
        assert max(ELIGIBLE, key=lambda own: situation.chance(own, 0)) == situation.rule


def test_chances_drift_in_the_middle_of_the_visits() -> None:
    drifting = next(own for own in DIFFERENT.situations if own.later)
    assert drifting.later is not None

    assert drifting.chance("assumption", 0) == drifting.chances["assumption"]
    assert drifting.chance("assumption", VISITS) == drifting.later["assumption"]
    assert (
        drifting.chances["assumption"]
        < drifting.chance("assumption", VISITS // 2)
        < drifting.later["assumption"]
    )


def test_a_learner_follows_the_rules_until_enough_is_known() -> None:
    situation = DIFFERENT.situations[0]
    learner = Learner(DIFFERENT, 1)

    chosen = {learner.choose(situation, visit, UUID(int=visit)) for visit in range(200)}

    assert chosen == {situation.rule}


def test_an_estimate_is_a_mean_with_its_margin() -> None:
    assert Estimate.of([1.0, 1.0, 1.0]) == Estimate(1.0, 0.0)
