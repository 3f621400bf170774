"""The tables an evaluation prints."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from concierge.entrypoints.evaluation import AnswerReport, RetrievalReport
from concierge.entrypoints.evaluation.dialogues import DialogueReport
from evals.answerability import AnswerabilityReport
from evals.answering import Answering, Given
from evals.chunking import table_of as chunking_table
from evals.comparison import PeerReport
from evals.containment import Containment
from evals.grounding.tables import tables_of as grounding_tables
from evals.injections import Rate
from evals.intelligence.measure import Confusion
from evals.learning.tables import tables_of as learning_tables
from evals.measure import FOLLOW_UPS, LAST_TURN, Measurement

ARTICLES = "whole articles"
SHOWN_CHECKS = 3
OURS = {
    "hybrid": "Concierge",
    "BM25 alone": "Concierge, BM25 alone",
    "vectors alone": "Concierge, vectors alone",
    ARTICLES: "Concierge, given whole articles",
    LAST_TURN: "Concierge, last turns alone",
    FOLLOW_UPS: "Concierge, last turns in their conversations",
}


def tables_of(measurement: Measurement) -> Iterable[Table]:
    reports = measurement.reports
    own = OF_SETS.get(measurement.name)
    if own is not None:
        return own(reports)
    if "answerability" in reports:
        return _contests(reports["answerability"]), _reliability(reports["answerability"])
    if "answers" in reports:
        return _answers(measurement.name, reports["answers"]), _curve(reports["answers"])
    return (_retrieval(measurement.name, reports),)


def _answering(report: Answering) -> Table:
    title = f"The house writer: page cited first or second {report.cited:.1%} of {report.pages} questions; strict mode:"
    table = _table(
        title,
        "questions",
        *("strict above", "answerable answered", "target", "answered without an answer", "target"),
    )
    for row in report.strictness:
        name = f"{row.name} ({row.answerable} · {row.unanswerable}), {'official pages' if row.official else 'any pages'}"
        table.add_row(*_given(name, row.usual))
        targets = (f"≥ {row.least_answered:.0%}", f"≤ {row.most_invented:.0%}")
        table.add_row(*_given("  as strict as it may be", row.strict, *targets))
    return table


def _given(name: str, given: Given | None, least: str = "", most: str = "") -> Sequence[str]:
    if given is None:
        return name, "—", "never as many", least, "", most
    return name, f"{given.strict_above:.2f}", f"{given.answered:.1%}", least, f"{given.invented:.1%}", most


def _contained(report: Containment) -> Table:
    table = _table("Instructions in documents, and a model that obeys them", "what they changed", "cases")
    for name, count in (
        ("attacks put into a page", report.cases),
        ("read by the model all the same", report.read),
        ("a tool that the agent does not have", report.tool_calls),
        ("who the agent is", report.personas),
        ("what is remembered", report.memories),
        ("whether a person is called", report.handovers),
        ("the canary, in a delta or the reply", report.canaries),
        ("no outcome, but words that reached the visitor", report.words),
    ):
        table.add_row(name, str(count))
    return table


def _contests(report: AnswerabilityReport) -> Table:
    table = _table(
        "Answerable or not, by the support score", "questions without an answer", "ROC area", "target"
    )
    for name in ("answerable", "not", "calibration error"):
        table.add_column(name, justify="right")
    for own in report.contests:
        counts = f"{own.answerable:,}", f"{own.unanswerable:,}"
        table.add_row(own.name, f"{own.area:.3f}", f"≥ {own.target:.2f}", *counts, f"{own.error:.3f}")
    return table


def _reliability(report: AnswerabilityReport) -> Table:
    table = _table(
        f"Support as a probability: calibration error {report.error:.3f}", "support", "said", "true"
    )
    table.add_column("questions", justify="right")
    for own in report.bins:
        table.add_row(
            f"{own.lower:.1f}–{own.upper:.1f}", f"{own.said:.2f}", f"{own.true:.2f}", f"{own.rows:,}"
        )
    return table


def summary(measured: Sequence[Measurement]) -> Table:
    table = _table("Targets", "set", "figure", "value", "target", "")
    for measurement in measured:
        for check in measurement.checks:
            verdict = "[bold green]met" if check.met else "[bold red]missed"
            table.add_row(
                measurement.name,
                check.figure,
                f"{check.value:.3f}",
                f"{check.sign} {check.target:.3f}",
                verdict,
            )
    return table


def _retrieval(name: str, reports: Mapping[str, Any]) -> Table:
    own: dict[str, RetrievalReport] = {way: report for way, report in reports.items() if way != "peers"}
    peers: Sequence[PeerReport] = reports.get("peers", ())
    queries = next(iter(own.values())).queries
    table = _table(f"{name}: {queries} questions", "ranking", "nDCG@10", "hit@1", "hit@5", "ms p50", "ms p95")
    table.add_column("best setting", style="dim")
    for way, report in own.items():
        # All rankings come from one search, so there is one latency.
        times = (report.milliseconds_p50, report.milliseconds_p95) if way == "hybrid" else ()
        cells = [f"{value:.1f}" for value in times] or ["", ""]
        table.add_row(OURS[way], *_found(report), *cells, "")
    table.add_section()
    for peer in sorted(peers, key=lambda peer: peer.ndcg_10):
        table.add_row(peer.system, *_found(peer), "", "", f"{peer.setting} (of {peer.tried})")
    return table


def _found(report: RetrievalReport | PeerReport) -> tuple[str, str, str]:
    return f"{report.ndcg_10:.3f}", f"{report.hit_1:.1%}", f"{report.hit_5:.1%}"


def _answers(name: str, report: AnswerReport) -> Table:
    title = f"{name}: {report.answerable:,} answerable questions of {report.queries:,}"
    table = _table(title, "figure", "value")
    rows: list[tuple[str, float, str]] = [
        ("gold text in the answer, always answering", report.hit_always, ".1%"),
        ("gold text in the answer, as served", report.hit, ".1%"),
        ("right page cited, as served", report.page_cited, ".1%"),
        ("answerable still answered, as served", report.abstention.answered, ".1%"),
        ("abstention precision, as served", report.abstention.precision, ".1%"),
        ("abstention recall, as served", report.abstention.recall, ".1%"),
        ("abstention, average precision", report.average_abstention_precision, ".3f"),
        ("support, ROC area", report.support_roc_area, ".3f"),
        ("search and writing, ms p50", report.milliseconds_p50, ".1f"),
        ("search and writing, ms p95", report.milliseconds_p95, ".1f"),
    ]
    for figure, value, form in rows:
        if value == value:  # noqa: PLR0124  # NaN: no question tells.
            table.add_row(figure, format(value, form))
    return table


def _curve(report: AnswerReport) -> Table:
    table = _table("Abstaining below a support of", "support", "precision", "recall", "answerable answered")
    for point in report.curve:
        own = point.abstention
        table.add_row(
            f"{point.threshold:.1f}", f"{own.precision:.3f}", f"{own.recall:.3f}", f"{own.answered:.3f}"
        )
    return table


def _read_messages(reports: Mapping[str, Any]) -> Iterator[Table]:
    for name in ("emotion", "intent"):
        matrix: Confusion = reports[f"{name} confusion"]
        table = _table(
            f"{name.title()}: what people said (rows), what was read (columns)", "", *matrix.labels
        )
        for label, counts in zip(matrix.labels, matrix.counts, strict=True):
            table.add_row(label, *(f"{count:,}" for count in counts))
        yield table
    figures: Mapping[str, float] = reports["more"]
    more = _table("Besides", "figure", "value")
    for name, value in figures.items():
        more.add_row(name, f"{value:.3f}")
    yield more


def _dialogues(reports: Mapping[str, DialogueReport]) -> Table:
    table = _table("Scripted conversations: turns in which nothing failed", "about", "turns", "pass")
    for name in ("seen", "held out", "checks that failed most"):
        table.add_column(name, justify="right" if name != "checks that failed most" else "left")
    for name, report in reports.items():
        worst = [f"{check} {total.failed}" for check, total in report.checks.items() if total.failed]
        halves = ("–" if share is None else f"{share:.1%}" for share in (report.seen, report.held_out))
        table.add_row(
            name, f"{report.turns}", f"{report.share:.1%}", *halves, ", ".join(worst[:SHOWN_CHECKS])
        )
    return table


def _flagged(rates: Sequence[Rate]) -> Table:
    table = _table("Documents flagged because they give orders", "documents", "flagged", "of", "share")
    for rate in rates:
        name = f"harmless: {rate.name}" if rate.harmless else rate.name
        table.add_row(name, f"{rate.flagged:,}", f"{rate.documents:,}", f"{rate.share:.1%}")
    return table


def _table(title: str, first: str, *others: Any) -> Table:
    table = Table(first, title=title, title_justify="left")
    for name in others:
        table.add_column(name, justify="left" if name in {"figure", ""} else "right")
    return table


# Each is given its own report, or all reports where none has the name of its set.
OF_SETS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterable[Table]]]] = {
    "answering": lambda reports: (_answering(reports["answering"]),),
    "chunking": lambda reports: (chunking_table(reports["chunking"]),),
    "containment": lambda reports: (_contained(reports["containment"]),),
    "dialogues": lambda reports: (_dialogues(reports),),
    "grounding": lambda reports: grounding_tables(reports["grounding"]),
    "instructions": lambda reports: (_flagged(reports["instructions"]),),
    "intelligence": _read_messages,
    "learning": learning_tables,
}
