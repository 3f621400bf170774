"""`eval retrieval | answers | dialogues`: measure finding and answering on documents and questions of your own."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from rich.table import Table

from concierge.entrypoints.cli.console import out, say
from concierge.entrypoints.cli.dialogues import dialogues
from concierge.entrypoints.cli.progress import asking, watch_source
from concierge.entrypoints.evaluation import (
    AnswerReport,
    Collection,
    EvalDocument,
    RetrievalReport,
    ingest,
    measure_answers,
    measure_retrieval,
    read_answer_queries,
    read_documents,
    read_retrieval_queries,
    temporary_organization,
)
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.errors import InvalidInputError
from concierge.kit.logging import configure_logging
from concierge.kit.settings import Settings

app = typer.Typer(help="Measure retrieval and answers on your own questions.", no_args_is_help=True)
app.command()(dialogues)

T = TypeVar("T")
SHOWN_FAILURES = 5

CorpusOption = Annotated[
    Path,
    typer.Option(
        "--corpus",
        "-c",
        help='Documents: a folder, or JSON lines {"id", "text", "title"?, "url"?}.',
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the figures and every question as JSON.")]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured and with how many documents; `failed` of them could not be read."""

    documents: int
    failed: Mapping[str, str]
    report: Any


@app.command()
def retrieval(
    corpus: CorpusOption,
    queries: Annotated[
        Path,
        typer.Option(
            "--queries",
            "-q",
            help='Questions: JSON lines {"query", "relevant": [document ids]}.',
            show_default=False,
        ),
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Measure how well the right documents are found: nDCG@10, hit@1, hit@5, latency.

    The documents are read into an organization of their own, which is removed afterwards.
    """
    documents, questions = read_documents(corpus), read_retrieval_queries(queries)
    _check_known({name for query in questions for name in query.relevant}, documents)

    async def measure(
        platform: Platform, collection: Collection, asked: Callable[[], None]
    ) -> RetrievalReport:
        return await measure_retrieval(platform.search, platform.embedder, collection, questions, asked=asked)

    measured = _run(documents, len(questions), measure)
    _print(measured, _retrieval_table, as_json=as_json)


@app.command()
def answers(
    corpus: CorpusOption,
    queries: Annotated[
        Path,
        typer.Option(
            "--queries",
            "-q",
            help=(
                'Questions: JSON lines {"query", "answer": [gold texts], "page"?: document id, "answerable"?: bool}.'
            ),
            show_default=False,
        ),
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Measure the answers: whether they hold a gold text and cite the right document, and when they abstain.

    The documents are read into an organization of their own, which is removed afterwards.
    """
    documents, questions = read_documents(corpus), read_answer_queries(queries)
    _check_known({query.page for query in questions if query.page is not None}, documents)

    async def measure(platform: Platform, collection: Collection, asked: Callable[[], None]) -> AnswerReport:
        return await measure_answers(platform.search, platform.embedder, collection, questions, asked=asked)

    measured = _run(documents, len(questions), measure)
    _print(measured, _answer_table, as_json=as_json)


def _check_known(wanted: set[str], documents: list[EvalDocument]) -> None:
    if missing := sorted(wanted - {document.id for document in documents}):
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InvalidInputError(
            f"The questions name documents that the corpus does not have: “{missing[0]}”{others}.",
            code="document_unknown",
        )


def _run(
    documents: list[EvalDocument],
    questions: int,
    measure: Callable[[Platform, Collection, Callable[[], None]], Awaitable[T]],
) -> Measured:
    settings = Settings()
    configure_logging(settings.model_copy(update={"log_level": "warning"}))
    return asyncio.run(_measured(settings, documents, questions, measure))


async def _measured(
    settings: Settings,
    documents: list[EvalDocument],
    questions: int,
    measure: Callable[[Platform, Collection, Callable[[], None]], Awaitable[T]],
) -> Measured:
    async with (
        running_platform(settings) as platform,
        temporary_organization(platform.address.owner_url) as scope,
    ):
        watching: list[asyncio.Task[Any]] = []

        def begun(source_id: UUID) -> None:
            watching.append(asyncio.create_task(watch_source(platform, scope, source_id)))

        try:
            collection = await ingest(platform, scope, documents, begun=begun)
            await asyncio.gather(*watching)
        finally:
            for task in watching:
                task.cancel()
        with asking("Asking", questions) as asked:
            report = await measure(platform, collection, asked)
    return Measured(len(documents), collection.failed, report)


def _print(measured: Measured, table_of: Callable[[Any], Table], *, as_json: bool) -> None:
    for name, reason in list(measured.failed.items())[:SHOWN_FAILURES]:
        say(f"[yellow]![/] {name} could not be read: {reason}")
    if as_json:
        body = {"documents": measured.documents, "failed": dict(measured.failed), **asdict(measured.report)}
        out.print_json(json.dumps(without_nan(body)))
        return
    table = table_of(measured.report)
    table.title = f"{measured.documents:,} documents · {measured.report.queries:,} questions"
    out.print(table)


def _retrieval_table(report: RetrievalReport) -> Table:
    return _figures(
        [
            ("nDCG@10", _number(report.ndcg_10)),
            ("hit@1", _percent(report.hit_1)),
            ("hit@5", _percent(report.hit_5)),
            ("latency p50", _milliseconds(report.milliseconds_p50)),
            ("latency p95", _milliseconds(report.milliseconds_p95)),
        ]
    )


def _answer_table(report: AnswerReport) -> Table:
    return _figures(
        [
            ("gold text in the answer", _percent(report.hit)),
            ("… had it always answered", _percent(report.hit_always)),
            ("page cited", _percent(report.page_cited)),
            ("abstention precision", _percent(report.abstention.precision)),
            ("abstention recall", _percent(report.abstention.recall)),
            ("answerable still answered", _percent(report.abstention.answered)),
            ("latency p50", _milliseconds(report.milliseconds_p50)),
            ("latency p95", _milliseconds(report.milliseconds_p95)),
        ]
    )


def _figures(rows: list[tuple[str, str]]) -> Table:
    table = Table("figure")
    table.add_column("value", justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1%}"


def _milliseconds(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f} ms"


def without_nan(value: Any) -> Any:
    """JSON has no NaN: a figure nothing tells about is null."""
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value
