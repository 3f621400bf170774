"""The public sets that are measured through the whole product, read from the folder that CONCIERGE_EVAL_DATA names.

Their READMEs describe the fields. A judged passage is a document of its own.
"""

import gzip
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from concierge.entrypoints.evaluation import AnswerQuery, EvalDocument, RetrievalQuery
from concierge.entrypoints.evaluation.documents import document_of

MIN_WORDS = 6  # Shorter last turns of a conversation rarely stand alone.


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    for line in text.split("\n"):
        if line:
            yield json.loads(line)


def awsdocs_documents(data: Path) -> list[EvalDocument]:
    documents: list[EvalDocument] = []
    with tarfile.open(data / "awsdocs_qa" / "docs_md.tar.gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                documents.append(EvalDocument(member.name, member.name, content.read()))
    return documents


def awsdocs_queries(data: Path) -> list[RetrievalQuery]:
    rows = rows_of(data / "awsdocs_qa" / "dev.jsonl")
    return [RetrievalQuery(row["question"], frozenset([row["gold_doc"]])) for row in rows]


def mtrag_documents(data: Path) -> list[EvalDocument]:
    rows = rows_of(data / "mtrag_cloud" / "passages.jsonl.gz")
    return [document_of(row["passage_id"], row["text"]) for row in rows if row["text"].strip()]


def mtrag_queries(data: Path) -> list[RetrievalQuery]:
    """The rewritten questions, which stand alone."""
    rows = rows_of(data / "mtrag_cloud" / "dev.jsonl")
    return [RetrievalQuery(row["question"], frozenset(row["gold_passages"])) for row in rows]


def squad_documents(data: Path) -> list[EvalDocument]:
    """Whole articles."""
    rows = rows_of(data / "squad2_half" / "dev_docs.jsonl")
    return [document_of(row["doc_id"], row["text"], title=row["doc_id"].replace("_", " ")) for row in rows]


def squad_queries(data: Path) -> list[AnswerQuery]:
    return [
        AnswerQuery(
            text=row["question"],
            answerable=not row["is_impossible"],
            gold=tuple(answer["text"] for answer in row["answers"]),
            page=row["doc_id"],
        )
        for row in rows_of(data / "squad2_half" / "dev.jsonl")
    ]


def mtrag_un_documents(data: Path) -> list[EvalDocument]:
    """The union of every question's gold passages."""
    passages: dict[str, EvalDocument] = {}
    for row in rows_of(data / "mtrag_un" / "dev.jsonl"):
        for context in row["contexts"]:
            name = context["passage_id"]
            passages[name] = document_of(name, context["text"], title=context.get("title") or None)
    return list(passages.values())


def mtrag_un_queries(data: Path) -> list[AnswerQuery]:
    """Last questions long enough to stand alone, though many still lean on their conversation."""
    return list(_mtrag_un_queries(rows_of(data / "mtrag_un" / "dev.jsonl")))


def _mtrag_un_queries(rows: Iterable[dict[str, Any]]) -> Iterator[AnswerQuery]:
    for row in rows:
        question = row["conversation_turns"][-1]["text"]
        if len(question.split()) >= MIN_WORDS and row["answerability"] in {"ANSWERABLE", "UNANSWERABLE"}:
            yield AnswerQuery(question, row["answerability"] == "ANSWERABLE")
