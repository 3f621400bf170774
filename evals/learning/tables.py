"""The tables of learning."""

from collections.abc import Iterator

from rich.table import Table

from evals.learning.measure import SEEDS, Estimate, PolicyReport, Reports
from evals.learning.worlds import DIFFERENT, VISITS

HEADINGS = ("regret", "of the rules'", "successes", "lost of the rules'", "bad one at the end", "explored")


def tables_of(reports: Reports) -> Iterator[Table]:
    for world, policies in reports.items():
        table = Table("policy", title=f"{world}: {VISITS:,} visits, {len(SEEDS)} seeds", title_justify="left")
        for heading in HEADINGS:
            table.add_column(heading, justify="right")
        for policy, own in policies.items():
            table.add_row(policy, *_cells(own, has_bad=world == DIFFERENT.name))
        yield table


def _cells(own: PolicyReport, *, has_bad: bool) -> Iterator[str]:
    yield _conversations(own.regret)
    yield _share(own.of_rules) if own.of_rules else ""
    yield _conversations(own.successes)
    yield _share(own.loss)
    yield _share(own.bad_share) if has_bad else ""
    yield _share(own.explored_share)


def _conversations(own: Estimate) -> str:
    return f"{own.value:,.0f} ± {own.margin:,.0f}"


def _share(own: Estimate) -> str:
    return f"{own.value:.1%} ± {own.margin:.1%}"
