"""The table of drafts: what became of their sentences, by kind and half."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Rate:
    """Shares of the drafts of one kind in one half."""

    kind: str
    half: str
    right: bool
    drafts: int
    kept: float
    reworded: float
    dropped: float
    cited: float
    blended_kept: float
    plain_kept: float


FIGURES = ("kept", "reworded", "dropped", "cited", "blended_kept", "plain_kept")
NAMES = (
    "as written",
    "source's words",
    "dropped",
    "right source",
    "as written, blended",
    "plain check keeps",
)


def tables_of(rates: Sequence[Rate]) -> Iterator[Table]:
    for half in ("dev", "held out"):
        own = [rate for rate in rates if rate.half == half]
        if own:
            yield _table(half, own)


def _table(half: str, rates: Sequence[Rate]) -> Table:
    table = Table(title=f"Sentences of drafts, {half}", title_justify="left")
    table.add_column("kind")
    for name in ("drafts", *NAMES):
        table.add_column(name, justify="right")
    for right in (True, False):
        part = [rate for rate in rates if rate.right is right]
        for rate in part:
            table.add_row(rate.kind, f"{rate.drafts:,}", *(f"{getattr(rate, name):.1%}" for name in FIGURES))
        total = sum(rate.drafts for rate in part)
        shares = [sum(getattr(rate, name) * rate.drafts for rate in part) / (total or 1) for name in FIGURES]
        table.add_row(
            "[bold]all right" if right else "[bold]all wrong", f"{total:,}", *(f"{own:.1%}" for own in shares)
        )
        table.add_section()
    return table
