"""What is measured of each set, and which targets it has to meet."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from concierge.entrypoints.evaluation import (
    AnswerQuery,
    AnswerReport,
    Collection,
    RetrievalQuery,
    RetrievalReport,
    RetrievalRow,
    measure_answers,
)
from concierge.entrypoints.evaluation.retrieval import (
    ranking_of,
    retrieval_report,
    retrieval_row,
    searches,
)
from concierge.knowledge.search import Ranked
from evals import chunking
from evals.answerability import judged, reported
from evals.chunk_cache import DECIDES_CHUNKS, code_digest, digest_of
from evals.comparison import PeerReport, peers_are_here
from evals.peer_chunks import peer_rows
from evals.progress import say
from evals.store import Store

AWSDOCS_HIT_5 = 0.95
MTRAG_NDCG_10 = 0.40
SQUAD_HIT = 0.82
CHUNKING_GAIN = 1.22
LAST_TURN, FOLLOW_UPS = "last turn alone", "last turn with history"


@dataclass(frozen=True, slots=True)
class Check:
    """A target: `value` has to be at least `target`; above it where `strictly`; no more where `at_most`."""

    figure: str
    value: float
    target: float
    strictly: bool = False
    at_most: bool = False

    @property
    def met(self) -> bool:
        if self.at_most:
            return self.value <= self.target
        return self.value > self.target if self.strictly else self.value >= self.target

    @property
    def sign(self) -> str:
        return "≤" if self.at_most else ">" if self.strictly else "≥"


@dataclass(frozen=True, slots=True)
class Measurement:
    """`reports` are what tables show, by name; `figures` are the same with every question, for JSON."""

    name: str
    checks: tuple[Check, ...]
    reports: Mapping[str, Any]
    figures: Mapping[str, Any]


SCORES: Mapping[str, Callable[[Ranked], float]] = {
    "hybrid": lambda _: 0.0,  # The order they come in.
    "BM25 alone": lambda entry: entry.candidate.bm25,
    "vectors alone": lambda entry: entry.candidate.cosine,
}


async def measure_retrieval_set(
    store: Store,
    name: str,
    collection: Collection,
    queries: Sequence[RetrievalQuery],
    *,
    peers: Sequence[PeerReport] = (),
    names: Callable[[Iterable[Ranked]], Sequence[str]] | None = None,
) -> Measurement:
    """Rank every question's candidates three ways: as the product does, by words alone, by meaning alone.

    The candidates hold the best of either kind, so each order is what that kind alone would have found. `names` tells
    what of the collection stands in ranked passages; without it, their documents.
    """
    named = names or partial(ranking_of, collection=collection)
    rows: dict[str, list[RetrievalRow]] = {way: [] for way in SCORES}
    async for query, found in searches(store.platform.search, store.platform.embedder, collection, queries):
        for way, score in SCORES.items():
            ordered = sorted(found.candidates, key=score, reverse=True)
            rows[way].append(retrieval_row(query, found, named(ordered)))
    reports = {way: retrieval_report(own) for way, own in rows.items()}
    return Measurement(
        name,
        (*retrieval_checks(name, reports["hybrid"]), *checks_above(reports, peers)),
        {**reports, "peers": peers},
        {**{way: asdict(own) for way, own in reports.items()}, "peers": [asdict(peer) for peer in peers]},
    )


def retrieval_checks(name: str, hybrid: RetrievalReport) -> tuple[Check, ...]:
    if name == "awsdocs_qa":
        return (Check("gold page in the top 5", hybrid.hit_5, AWSDOCS_HIT_5),)
    if name == "mtrag_cloud":
        return (Check("nDCG@10", hybrid.ndcg_10, MTRAG_NDCG_10),)
    return ()


def checks_above(reports: Mapping[str, RetrievalReport], peers: Sequence[PeerReport]) -> tuple[Check, ...]:
    """The product has to be better than its own halves, and than everyone else."""
    own = reports["hybrid"].ndcg_10
    others = {way: report.ndcg_10 for way, report in reports.items() if way != "hybrid"}
    others |= {peer.system: peer.ndcg_10 for peer in peers}
    return tuple(
        Check(f"nDCG@10 above {other}", own, value, strictly=True) for other, value in others.items()
    )


async def measure_writing(
    store: Store, name: str, collection: Collection, queries: Sequence[AnswerQuery]
) -> Measurement:
    report = await measure_answers(store.platform.search, store.platform.embedder, collection, queries)
    return Measurement(name, answer_checks(name, report), {"answers": report}, asdict(report))


def answer_checks(name: str, report: AnswerReport) -> tuple[Check, ...]:
    """Whether the writer picks the right sentences; when it had better abstain is the curve's to say."""
    if name != "squad2_half":
        return ()
    return (Check("gold text in an answer of at most 3 sentences", report.hit_always, SQUAD_HIT),)


async def with_follow_ups(
    store: Store, collection: Collection, measured: Measurement, turns: Sequence[RetrievalQuery]
) -> Measurement:
    """Add how well last turns are found as they were asked: alone, and within their conversations.

    The rewritten questions are what a language model could make of them at best: people wrote them.
    """
    alone = [RetrievalQuery(turn.text, turn.relevant) for turn in turns]
    reports = {
        LAST_TURN: (await measure_retrieval_set(store, "", collection, alone)).reports["hybrid"],
        FOLLOW_UPS: (await measure_retrieval_set(store, "", collection, turns)).reports["hybrid"],
    }
    rewritten = measured.reports["hybrid"].ndcg_10
    check = Check("nDCG@10 of last turns in their conversations", reports[FOLLOW_UPS].ndcg_10, rewritten)
    return Measurement(
        measured.name,
        (*measured.checks, check),
        {**measured.reports, **reports},
        {**measured.figures, **{way: asdict(report) for way, report in reports.items()}},
    )


async def measure_answerability(store: Store, data: Path) -> Measurement:
    report = reported(await judged(store, data))
    checks = tuple(Check(f"ROC area, {own.name}", own.area, own.target) for own in report.contests)
    return Measurement("answerability", checks, {"answerability": report}, asdict(report))


def measure_chunking(data: Path, cache: Path) -> Measurement:
    """The table of `evals.chunking`, kept as long as the code behind it stays; with the others where they are."""
    own_code = Path(chunking.__file__).read_text("utf-8")
    digest = digest_of([code_digest(*DECIDES_CHUNKS, "knowledge/lexical.py"), own_code])
    kept = cache / f"chunking-{digest}.json"
    if not kept.exists():
        say("cutting and embedding the corpora of chroma_chunking, some minutes …")
        rows = chunking.run(data, cache / "models")
        kept.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    rows = chunking.read_rows(kept)
    peers = peer_rows(data, cache) if peers_are_here() else []
    return Measurement(
        "chunking",
        chunking_checks(rows, peers),
        {"chunking": [*rows, *peers]},
        {"rows": [asdict(row) for row in [*rows, *peers]]},
    )


def chunking_checks(rows: Sequence[chunking.Row], peers: Sequence[chunking.Row]) -> tuple[Check, ...]:
    recall = {(row.chunking, row.scoring): row.recall for row in rows}
    own = recall["late semantic", "hybrid + neighbors"]
    baseline = recall["recursive 1000/200", "vectors"]
    return (
        Check("recall as a multiple of recursive 1000/200 + vectors", own / baseline, CHUNKING_GAIN),
        *(
            Check(f"recall above {peer.chunking}, {peer.scoring}", own, peer.recall, strictly=True)
            for peer in peers
        ),
    )
