"""How well questions are answered: search and house writer together, as in a turn, without storing one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from concierge.chat.writers.brief import AnswerBrief, Outcome, WrittenAnswer
from concierge.chat.writers.house import HouseWriter, compose
from concierge.entrypoints.evaluation.documents import AnswerQuery
from concierge.entrypoints.evaluation.tenant import Collection
from concierge.knowledge.metrics import (
    Abstention,
    Operating,
    abstention,
    abstention_curve,
    average_abstention_precision,
    holds_gold,
    mean,
    percentile,
    support_roc_area,
)
from concierge.knowledge.search import Found, Query, Search
from concierge.llm.embeddings import Embedder, space_of

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One question. `support` is the writer's confidence; `passed_over`: the writer said that it does not know.

    The hits are None where the question names no gold text or no page, and for unanswerable questions: `hit` of the
    answer as served, `hit_always` of the one the writer would have given had it not been free to abstain.
    `milliseconds` are search and writing, without embedding.
    """

    query: str
    answer: str
    outcome: Outcome
    support: float
    answerable: bool
    passed_over: bool
    hit: bool | None
    hit_always: bool | None
    page_cited: bool | None
    sentences: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """Shares are NaN where no question tells. `curve` is abstention by threshold of support."""

    queries: int
    answerable: int
    hit: float
    hit_always: float
    page_cited: float
    abstention: Abstention
    average_abstention_precision: float
    support_roc_area: float
    curve: tuple[Operating, ...]
    milliseconds_p50: float
    milliseconds_p95: float
    rows: tuple[AnswerRow, ...] = field(repr=False)


async def measure_answers(
    search: Search,
    embedder: Embedder,
    collection: Collection,
    queries: Sequence[AnswerQuery],
    *,
    asked: Callable[[], None] = lambda: None,
) -> AnswerReport:
    """Ask every question; `asked` is called after each."""
    rows: list[AnswerRow] = []
    writer = HouseWriter()
    for query in queries:
        vector = await embedder.embed_query(query.text)
        question = Query(query.text, vector, space=space_of(embedder))
        found = await search.find(collection.scope, [collection.pack_id], question)
        brief = AnswerBrief(query.text, vector, found.idf, found.passages)
        began = perf_counter()
        written = writer.write(brief)
        writing = (perf_counter() - began) * 1000
        rows.append(_row(query, found, brief, written, collection, writing))
        asked()
    return answer_report(rows)


def answer_report(rows: Sequence[AnswerRow]) -> AnswerReport:
    times = [row.milliseconds for row in rows]
    return AnswerReport(
        queries=len(rows),
        answerable=sum(row.answerable for row in rows),
        hit=mean([row.hit for row in rows if row.hit is not None]),
        hit_always=mean([row.hit_always for row in rows if row.hit_always is not None]),
        page_cited=mean([row.page_cited for row in rows if row.page_cited is not None]),
        abstention=abstention([row.passed_over for row in rows], [row.answerable for row in rows]),
        average_abstention_precision=average_abstention_precision(rows),
        support_roc_area=support_roc_area(rows),
        curve=tuple(abstention_curve(rows, THRESHOLDS)),
        milliseconds_p50=percentile(times, 0.5),
        milliseconds_p95=percentile(times, 0.95),
        rows=tuple(rows),
    )


def _row(
    query: AnswerQuery,
    found: Found,
    brief: AnswerBrief,
    written: WrittenAnswer,
    collection: Collection,
    writing: float,
) -> AnswerRow:
    gold = query.gold if query.answerable else ()
    cited = {name for citation in written.citations for name in collection.ids.get(citation.document_id, ())}
    return AnswerRow(
        query=query.text,
        answer=written.text,
        outcome=written.outcome,
        support=written.confidence,
        answerable=query.answerable,
        passed_over=written.outcome in {"unsupported", "partial"},
        hit=holds_gold(written.text, gold) if gold else None,
        hit_always=holds_gold(compose(brief).text, gold) if gold else None,
        page_cited=query.page in cited if query.answerable and query.page else None,
        sentences=len(written.claims),
        milliseconds=found.milliseconds + writing,
    )
