"""Measures the house writer alone, over a search held in memory.

    CONCIERGE_EVAL_DATA=… python -m evals.answers [--sets squad2_half,awsdocs_qa] [--vectors late|standalone] [--json FILE]

Prints, per set: how often the answer holds the gold text (as served, forced to three sentences, forced to one), and
abstention as a precision-recall curve.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from concierge.chat.writers.brief import AnswerBrief, WrittenAnswer
from concierge.chat.writers.house import HouseWriter, compose
from concierge.knowledge.metrics import (
    abstention_curve,
    average_abstention_precision,
    holds_gold,
    mean,
    support_roc_area,
    word_recall,
)
from evals.answer_sets import PUBLIC, AnswerSet, Question, shop
from evals.memory_search import CachedModel, MemorySearch, SentenceVectors

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
ENOUGH_WORDS = 0.8  # A gold answer that is not verbatim counts as held when this share of its words is.


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """`support` is the writer's confidence, 0 to 1; the hits say whether the gold text is
    held: as served, when the writer always answers, and in one sentence; None where a question has no gold text.
    """

    question: str
    answer: str
    outcome: str
    support: float
    answerable: bool
    kind: str
    hit: bool | None
    hit_forced: bool | None
    hit_one: bool | None
    sentences: int
    milliseconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(PUBLIC))
    parser.add_argument("--vectors", choices=["late", "standalone"], default="late")
    parser.add_argument("--documents", type=Path, help="a folder of Markdown pages, with --questions")
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    model = CachedModel(Path(tempfile.gettempdir()) / "concierge-eval")
    sets = [PUBLIC[name](Path(os.environ["CONCIERGE_EVAL_DATA"])) for name in options.sets.split(",") if name]
    if options.documents:
        sets.append(shop(options.documents, options.questions))
    report = {questions.name: list(measure(questions, model, options.vectors)) for questions in sets}
    for name, rows in report.items():
        show(name, rows)
    if options.json:
        options.json.write_text(
            json.dumps({name: [asdict(row) for row in rows] for name, rows in report.items()}, indent=1)
        )


def measure(questions: AnswerSet, model: CachedModel, vectors: SentenceVectors) -> Iterator[AnswerRow]:
    search = MemorySearch(model.pieces(questions.pages), model, vectors)
    embedded = model.embed([question.text for question in questions.questions])
    for question, vector in zip(questions.questions, embedded, strict=True):
        brief = search.search(question.text, vector)
        yield row_of(question, brief, "answerable" if question.answerable else "unanswerable")
        if question.answerable and questions.name == "awsdocs_qa":
            removed = replace(question, answerable=False)
            yield row_of(
                removed,
                search.search(question.text, vector, without=frozenset(question.pages)),
                "page removed",
            )


def row_of(question: Question, brief: AnswerBrief, kind: str) -> AnswerRow:
    begin = time.thread_time()
    answer = HouseWriter().write(brief)
    milliseconds = 1000 * (time.thread_time() - begin)
    gold = question.answerable and bool(question.gold)
    return AnswerRow(
        question=question.text,
        answer=answer.text,
        outcome=answer.outcome,
        support=answer.confidence,
        answerable=question.answerable,
        kind=kind,
        hit=held(question, answer) if gold else None,
        hit_forced=held(question, compose(brief)) if gold else None,
        hit_one=held(question, compose(replace(brief, max_sentences=1))) if gold else None,
        sentences=len(answer.claims),
        milliseconds=milliseconds,
    )


def held(question: Question, answer: WrittenAnswer) -> bool:
    """Whether what is said, or the words it was said from, holds the gold text."""
    said = " ".join([answer.text, *(claim.quote for claim in answer.claims)])
    if holds_gold(said, question.gold, every=question.every):
        return True
    return (
        len(question.gold) == 1
        and len(question.gold[0].split()) >= 5
        and word_recall(said, question.gold[0]) >= ENOUGH_WORDS
    )


def show(name: str, rows: list[AnswerRow]) -> None:
    answerable = [row for row in rows if row.answerable]
    gold = [row for row in answerable if row.hit is not None]
    print(f"\n{name}: {len(answerable)} answerable, {len(rows) - len(answerable)} unanswerable questions")
    if gold:
        print(
            f"  gold answer held   as served {mean([bool(row.hit) for row in gold]):.1%}   always answering {mean([bool(row.hit_forced) for row in gold]):.1%}   one sentence {mean([bool(row.hit_one) for row in gold]):.1%}"
        )
    said = [row for row in rows if row.outcome == "answered"]
    mean_words = statistics.fmean(len(row.answer.split()) for row in said) if said else 0
    mean_parts = statistics.fmean(row.sentences for row in said) if said else 0
    times = sorted(row.milliseconds for row in rows)
    print(
        f"  answers {mean_words:.0f} words, {mean_parts:.1f} sentences   {times[len(times) // 2]:.2f} ms p50, {times[int(len(times) * 0.95)]:.2f} ms p95"
    )
    for truth, part in (
        ("answerable", answerable),
        ("unanswerable", [row for row in rows if not row.answerable]),
    ):
        if part:
            shares = "   ".join(
                f"{outcome} {mean([row.outcome == outcome for row in part]):.1%}"
                for outcome in ("answered", "partial", "unsupported")
            )
            print(f"  {truth:<13} {shares}")
    if len(answerable) < len(rows):
        print(
            f"  abstention   ROC area {support_roc_area(rows):.3f}   average precision {average_abstention_precision(rows):.3f}"
        )
        print("  threshold   precision   recall   answerable still answered")
        for point in abstention_curve(rows, THRESHOLDS):
            print(
                f"  {point.threshold:9.2f}   {point.abstention.precision:9.3f}   {point.abstention.recall:6.3f}   {point.abstention.answered:9.3f}"
            )


if __name__ == "__main__":
    main()
