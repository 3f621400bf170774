"""What learning gains where the fixed rules are wrong, what it costs where they are right, and the targets of both."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from math import sqrt
from multiprocessing import get_context
from statistics import mean, stdev
from typing import Any, Final

from evals.learning.simulate import Run, simulate
from evals.learning.worlds import DIFFERENT, RIGHT, VISITS, WORLDS, World
from evals.measure import Check, Measurement

# Other ones than the constants of sampling were chosen by.
SEEDS: Final = range(100, 130)
PROCESSES: Final = 2
REGRET_SHARE, LOSS, BAD_SHARE = 0.60, 0.03, 0.02
NORMAL_95: Final = 1.96


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over all seeds, and how far to either side of it the true one is with 95 % probability."""

    value: float
    margin: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Estimate":
        return cls(mean(values), NORMAL_95 * stdev(values) / sqrt(len(values)))


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """`regret` is what a policy missed of the best there was, in conversations; `of_rules` compares it seed by seed with
    the fixed rules'. `loss` is the share of the fixed rules' successes that it lost: below zero, where it won some.
    """

    successes: Estimate
    regret: Estimate
    of_rules: Estimate | None
    loss: Estimate
    bad_share: Estimate
    explored_share: Estimate


Reports = Mapping[str, Mapping[str, PolicyReport]]


def measure_learning() -> Measurement:
    reports: Reports = {world.name: _reports(_runs(world)) for world in WORLDS}
    differ, right = reports[DIFFERENT.name]["learning"], reports[RIGHT.name]["learning"]
    assert differ.of_rules is not None
    checks = (
        Check(
            *("regret, of the fixed rules', where visitors differ", differ.of_rules.value, REGRET_SHARE),
            at_most=True,
        ),
        Check("successes lost, where the rules are right", right.loss.value, LOSS, at_most=True),
        Check(
            *("share of a bad strategy, last 1,000 visits", differ.bad_share.value, BAD_SHARE), at_most=True
        ),
    )
    figures: dict[str, Any] = {
        "visits": VISITS,
        "seeds": len(SEEDS),
        "worlds": {
            world: {policy: asdict(own) for policy, own in policies.items()}
            for world, policies in reports.items()
        },
    }
    return Measurement("learning", checks, reports, figures)


def _runs(world: World) -> Sequence[Mapping[str, Run]]:
    # Processes that are forked would inherit the threads of whatever was measured before.
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        return list(pool.map(partial(simulate, world), SEEDS))


def _reports(runs: Sequence[Mapping[str, Run]]) -> Mapping[str, PolicyReport]:
    return {policy: _report(policy, runs) for policy in runs[0]}


def _report(policy: str, runs: Sequence[Mapping[str, Run]]) -> PolicyReport:
    own, rules = [run[policy] for run in runs], [run["fixed rules"] for run in runs]
    pairs = list(zip(own, rules, strict=True))
    missed_by_rules = all(rule.regret > 0 for rule in rules)
    return PolicyReport(
        successes=Estimate.of([run.successes for run in own]),
        regret=Estimate.of([run.regret for run in own]),
        of_rules=Estimate.of([run.regret / rule.regret for run, rule in pairs]) if missed_by_rules else None,
        loss=Estimate.of([1 - run.successes / rule.successes for run, rule in pairs]),
        bad_share=Estimate.of([run.bad_share for run in own]),
        explored_share=Estimate.of([run.explored_share for run in own]),
    )
