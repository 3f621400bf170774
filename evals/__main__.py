"""Measures how well the product finds and answers, on public sets, and says whether every target is met.

    python -m evals [--sets awsdocs_qa,mtrag_cloud,squad2_paragraphs,squad2_half,mtrag_un,chunking,answerability,answering,instructions,grounding,containment,intelligence,dialogues,learning]

Tables go to the terminal, all figures and every question to evals/results/*.json. Exits 1 when a target is missed.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from concierge.entrypoints.cli.evaluate import without_nan
from evals import corpora
from evals.answering import measure_answering
from evals.comparison import HOW_TO_GET_THEM, compare, peers_are_here
from evals.containment import measure_containment
from evals.conversations import measure_dialogues
from evals.data import data_folder
from evals.diagram import MESSAGES, confusion_svg, reliability_svg
from evals.grounding.measure import measure_grounding
from evals.injections import measure_injections
from evals.intelligence.measure import measure_intelligence
from evals.learning.measure import measure_learning
from evals.measure import (
    Measurement,
    measure_answerability,
    measure_chunking,
    measure_retrieval_set,
    measure_writing,
    with_follow_ups,
)
from evals.paragraphs import by_paragraph
from evals.store import Store, cache_folder, open_store
from evals.tables import ARTICLES, summary, tables_of

RESULTS = Path(__file__).parent / "results"
PARAGRAPHS = "squad2_paragraphs"
SETS = (
    *("awsdocs_qa", "mtrag_cloud", PARAGRAPHS, "squad2_half", "mtrag_un"),
    *(
        "chunking",
        "answerability",
        "answering",
        "instructions",
        "grounding",
        "containment",
        "intelligence",
        "dialogues",
        "learning",
    ),
)
# What needs no data is a world of its own.
WITHOUT_DATA = {"learning": measure_learning}
WRITING = {
    "squad2_half": (corpora.squad_documents, corpora.squad_queries),
    "mtrag_un": (corpora.mtrag_un_documents, corpora.mtrag_un_queries),
}
RETRIEVAL = {
    "awsdocs_qa": (corpora.awsdocs_documents, corpora.awsdocs_queries),
    "mtrag_cloud": (corpora.mtrag_documents, corpora.mtrag_queries),
}
OF_STORE = {
    "answerability": measure_answerability,
    "answering": measure_answering,
    "containment": measure_containment,
    "dialogues": measure_dialogues,
}
OF_TEXTS: Mapping[str, Callable[[Path, Path], Measurement]] = {
    "chunking": measure_chunking,
    "instructions": measure_injections,
    "grounding": measure_grounding,
    "intelligence": measure_intelligence,
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS), help="Which to measure, separated by commas.")
    wanted = parser.parse_args(arguments).sets.split(",")
    if unknown := sorted(set(wanted) - set(SETS)):
        parser.error(f"there is no set {unknown[0]}; there are {', '.join(SETS)}")
    console = Console()
    data = data_folder()
    if not data.is_dir() and (left_out := [name for name in wanted if name not in WITHOUT_DATA]):
        wanted = [name for name in wanted if name in WITHOUT_DATA]
        console.print(
            f"The public data sets are not here ({data}). Set CONCIERGE_EVAL_DATA to their folder to measure "
            f"{', '.join(left_out)}. Only what needs no data is measured: {', '.join(wanted) or 'nothing'}."
        )
        if not wanted:
            return 0
    console.print(f"[dim]data {data} · kept between runs in {cache_folder()}")
    measured = asyncio.run(_measure(data, wanted, console))
    console.print(summary(measured))
    if not peers_are_here():
        console.print(f"[yellow]•[/] {HOW_TO_GET_THEM}")
    return 0 if all(check.met for measurement in measured for check in measurement.checks) else 1


async def _measure(data: Path, wanted: Sequence[str], console: Console) -> list[Measurement]:
    measured = [_shown(WITHOUT_DATA[name](), console) for name in wanted if name in WITHOUT_DATA]
    if with_data := [name for name in wanted if name not in WITHOUT_DATA]:
        async with open_store() as store:
            for name in with_data:
                began = time.perf_counter()
                measured.append(_shown(await _measure_set(store, data, name), console))
                console.print(f"[dim]{name}: {time.perf_counter() - began:,.0f} s")
    return measured


def _shown(measurement: Measurement, console: Console) -> Measurement:
    _write(measurement)
    for table in tables_of(measurement):
        console.print(table)
    return measurement


async def _measure_set(store: Store, data: Path, name: str) -> Measurement:
    if name in RETRIEVAL:
        read_documents, read_queries = RETRIEVAL[name]
        documents, queries = read_documents(data), read_queries(data)
        collection = await store.collection(name, documents)
        peers = await compare(name, documents, queries, cache_folder())
        measured = await measure_retrieval_set(store, name, collection, queries, peers=peers)
        if name == "mtrag_cloud":
            return await with_follow_ups(store, collection, measured, corpora.mtrag_followups(data))
        return measured
    if name == PARAGRAPHS:
        return await _measure_paragraphs(store, data)
    if name in WRITING:
        read_pages, read_questions = WRITING[name]
        collection = await store.collection(name, read_pages(data))
        return await measure_writing(store, name, collection, read_questions(data))
    if name in OF_STORE:
        return await OF_STORE[name](store, data)
    return await asyncio.to_thread(OF_TEXTS[name], data, cache_folder())


async def _measure_paragraphs(store: Store, data: Path) -> Measurement:
    """Paragraphs that everyone is given as they are; and the product once more, which reads whole articles as well."""
    queries = corpora.squad_paragraph_queries(data)
    documents = corpora.squad_paragraphs(data)
    collection = await store.collection(PARAGRAPHS, documents)
    peers = await compare(PARAGRAPHS, documents, queries, cache_folder())
    given = await measure_retrieval_set(store, PARAGRAPHS, collection, queries, peers=peers)
    articles = await store.collection("squad2_half", corpora.squad_documents(data))
    names = await by_paragraph(store, articles, corpora.squad_paragraph_lengths(data))
    whole = (await measure_retrieval_set(store, PARAGRAPHS, articles, queries, names=names)).reports["hybrid"]
    return replace(
        given,
        reports={**given.reports, ARTICLES: whole},
        figures={**given.figures, ARTICLES: asdict(whole)},
    )


def _write(measurement: Measurement) -> None:
    RESULTS.mkdir(exist_ok=True)
    body: dict[str, Any] = {
        "set": measurement.name,
        "checks": [{**asdict(check), "met": check.met} for check in measurement.checks],
        **measurement.figures,
    }
    text = json.dumps(without_nan(body), indent=1, ensure_ascii=False)
    (RESULTS / f"{measurement.name}.json").write_text(text + "\n", encoding="utf-8")
    if (report := measurement.reports.get("answerability")) is not None:
        _draw("support-reliability", reliability_svg("Support score", report.bins, report.error))
    for name in ("emotion", "intent"):
        if (matrix := measurement.reports.get(f"{name} confusion")) is not None:
            sure = measurement.reports[f"{name} calibration"]
            _draw(f"{name}-confusion", confusion_svg(name.title(), matrix.labels, matrix.counts))
            _draw(f"{name}-reliability", reliability_svg(name.title(), sure.bins, sure.error, MESSAGES))


def _draw(name: str, picture: str) -> None:
    (RESULTS / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
