"""How much that is wrong reaches the visitor, and how much that is right does not.

    CONCIERGE_EVAL_DATA=… python -m evals.grounding.measure [--each 150] [--show KIND] [--held-out]

Beside it, in the same run, the check that the house writer's own sentences go through.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any, Literal
from uuid import UUID

from rich.console import Console

from concierge.chat.grounding import Grounded, ground
from concierge.chat.grounding.draft import pieces_of
from concierge.chat.steps.verify import verify
from concierge.chat.writers.brief import Citation, Claim, WrittenAnswer
from concierge.chat.writers.structure import units_of
from concierge.knowledge.lexical import terms
from concierge.knowledge.schemas import Passage
from evals.data import data_folder
from evals.grounding.drafts import EACH, KINDS, Draft, drafts
from evals.grounding.material import documents
from evals.grounding.tables import Rate, tables_of
from evals.measure import Check, Measurement

Outcome = Literal["kept", "reworded", "dropped"]
MOST_WRONG = 0.01
MOST_DROPPED = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """What became of the sentence of a draft: as written, put in the source's own words, or gone; and by the plain check.

    `cited` says that it rests on the words it was made from, where it was kept.
    """

    draft: Draft
    outcome: Outcome
    blended: Outcome
    plain: Outcome
    cited: bool
    reason: str
    milliseconds: float


def judged(draft: Draft) -> Row:
    began = time.perf_counter()
    found = ground(draft.text, draft.sources, "blended")
    milliseconds = 1000 * (time.perf_counter() - began)
    # What strict grounding adds is the proof of the answer as a whole; its verdicts are what is measured here.
    strict = ground(draft.text, draft.sources, "strict")
    own = _own(strict, draft)
    return Row(
        draft=draft,
        outcome=_outcome(strict, draft),
        blended=_outcome(found, draft),
        plain="kept" if _plainly_supported(draft) else "dropped",
        cited=any(evidence.source == draft.gold for entry in own for evidence in entry.evidence),
        reason=own[0].reason if own else "",
        milliseconds=milliseconds,
    )


def _own(found: Grounded, draft: Draft) -> list[Any]:
    return [entry for entry in found.checked if entry.span[0] < draft.end and draft.start < entry.span[1]]


def _outcome(found: Grounded, draft: Draft) -> Outcome:
    """A right sentence has to be kept whole; of a wrong one no part may be kept."""
    fates = {entry.fate for entry in _own(found, draft)}
    if draft.right:
        return "dropped" if "dropped" in fates or not fates else "reworded" if "repaired" in fates else "kept"
    return "kept" if "kept" in fates else "reworded" if "repaired" in fates else "dropped"


def _plainly_supported(draft: Draft) -> bool:
    """The check of a turn as it is for sentences that were made from a source: numbers, denial, words."""
    pieces = [piece for piece in pieces_of(draft.text) if piece.start < draft.end and draft.start < piece.end]
    return all(
        any(
            _passes(piece.text, draft.sources[number - 1])
            for number in piece.marks
            if number <= len(draft.sources)
        )
        for piece in pieces
    )


def _passes(text: str, passage: Passage) -> bool:
    said = set(terms(text))
    units = [unit for unit in units_of(passage, 0) if unit.kind != "heading"]
    if not units:
        return False
    best = max(units, key=lambda unit: len(said & set(terms(unit.text))))
    quote = passage.text[best.start - passage.start : best.end - passage.start]
    citation = Citation(1, UUID(int=0), passage.chunk_id, "", None, "pack", 1.0, quote, best.start, best.end)
    claim = Claim(text, 1, quote, best.start, best.end)
    written = WrittenAnswer(text, "answered", 1.0, (claim,), (citation,))
    return verify(written, [passage], "blended").abstained_because is None


def rates(rows: Sequence[Row]) -> list[Rate]:
    return [
        _rate(kind, half, own)
        for half, held_out in (("dev", False), ("held out", True))
        for kind in KINDS
        if (own := [row for row in rows if row.draft.kind == kind and row.draft.held_out is held_out])
    ]


def _rate(kind: str, half: str, rows: Sequence[Row]) -> Rate:
    outcomes = [row.outcome for row in rows]
    kept = [row for row in rows if row.outcome != "dropped"]
    return Rate(
        kind=kind,
        half=half,
        right=rows[0].draft.right,
        drafts=len(rows),
        kept=outcomes.count("kept") / len(rows),
        reworded=outcomes.count("reworded") / len(rows),
        dropped=outcomes.count("dropped") / len(rows),
        cited=sum(row.cited for row in kept) / (len(kept) or 1),
        blended_kept=sum(row.blended == "kept" for row in rows) / len(rows),
        plain_kept=sum(row.plain == "kept" for row in rows) / len(rows),
    )


def share(found: Sequence[Rate], half: str, figure: str, *, right: bool) -> float:
    """A share over all drafts of a half that are right, or that are not."""
    own = [rate for rate in found if rate.half == half and rate.right is right]
    return sum(getattr(rate, figure) * rate.drafts for rate in own) / (sum(rate.drafts for rate in own) or 1)


def checks(found: Sequence[Rate]) -> tuple[Check, ...]:
    return tuple(
        check
        for half in ("dev", "held out")
        for check in (
            Check(
                f"unsupported that is shown, {half}",
                share(found, half, "kept", right=False),
                MOST_WRONG,
                at_most=True,
            ),
            Check(
                f"unsupported that is shown, {half}, blended",
                share(found, half, "blended_kept", right=False),
                MOST_WRONG,
                at_most=True,
            ),
            Check(
                f"right that is dropped, {half}",
                share(found, half, "dropped", right=True),
                MOST_DROPPED,
                at_most=True,
            ),
        )
    )


def measure_grounding(data: Path, _: Path, each: int = EACH) -> Measurement:
    """Takes about a minute."""
    rows = [judged(draft) for draft in drafts(documents(data), each)]
    found = rates(rows)
    times = quantiles([row.milliseconds for row in rows], n=20)
    more: Mapping[str, float] = {"ms p50": times[9], "ms p95": times[18]}
    return Measurement(
        "grounding",
        checks(found),
        {"grounding": found, "more": more},
        {"rates": [asdict(rate) for rate in found], **more},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument(
        "--show", default="", help="print the drafts of a kind that went wrong, of the half one may look at"
    )
    parser.add_argument("--held-out", action="store_true", help="measure the other half too")
    options = parser.parse_args()
    made = drafts(documents(data_folder()), options.each)
    rows = [judged(draft) for draft in made if options.held_out or not draft.held_out]
    for row in rows:
        looked_at = not row.draft.held_out and options.show and row.draft.kind.startswith(options.show)
        if looked_at and (row.outcome != "kept" if row.draft.right else "kept" in {row.outcome, row.blended}):
            print(
                f"{row.draft.kind} {row.draft.corpus} {row.outcome} {row.reason}\n  {row.draft.sentence}\n  {row.draft.quote}"
            )
    console = Console(width=150)
    for table in tables_of(rates(rows)):
        console.print(table)


if __name__ == "__main__":
    main()
