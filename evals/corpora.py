"""The public sets that are measured through the whole product, read from the folder that CONCIERGE_EVAL_DATA names.

Their READMEs describe the fields. A judged passage is a document of its own.
"""

import gzip
import json
import tarfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from concierge.entrypoints.evaluation import AnswerQuery, EvalDocument, RetrievalQuery
from concierge.entrypoints.evaluation.documents import document_of

TURN_MARK = "|user|:"
MIN_WORDS = 6  # Shorter last turns of a conversation rarely stand alone.


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    for line in text.split("\n"):
        if line:
            yield json.loads(line)


def awsdocs_documents(data: Path) -> list[EvalDocument]:
    return _archived(data / "awsdocs_qa" / "docs_md.tar.gz")


def railway_documents(data: Path) -> list[EvalDocument]:
    """The documentation of a cloud host."""
    return _archived(data / "docs_railway" / "docs_md.tar.gz")


def bank_documents(data: Path) -> list[EvalDocument]:
    """A bank's help centre, without the articles that are for its own people."""
    rows = rows_of(data / "tau2_banking" / "documents.jsonl")
    return [
        document_of(row["id"], row["content"], title=row["title"])
        for row in rows
        if "internal" not in row["title"].lower()
    ]


def _archived(path: Path) -> list[EvalDocument]:
    documents: list[EvalDocument] = []
    with tarfile.open(path) as archive:
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


def mtrag_followups(data: Path) -> list[RetrievalQuery]:
    """The last turns as they were asked, with the turns before them; the first of a conversation is one too."""
    rows = rows_of(data / "mtrag_cloud" / "dev.jsonl")
    return [
        RetrievalQuery(row["last_turn"], frozenset(row["gold_passages"]), _turns(row["user_turns"])[:-1])
        for row in rows
    ]


def _turns(text: str) -> tuple[str, ...]:
    """What the visitor has said, each turn after its own mark."""
    return tuple(turn.strip() for turn in text.split(TURN_MARK) if turn.strip())


def squad_documents(data: Path) -> list[EvalDocument]:
    """Whole articles."""
    rows = rows_of(data / "squad2_half" / "dev_docs.jsonl")
    return [document_of(row["doc_id"], row["text"], title=row["doc_id"].replace("_", " ")) for row in rows]


def squad_paragraphs(data: Path) -> list[EvalDocument]:
    """Their paragraphs, as documents of their own; see `paragraph_id`."""
    return [
        document_of(paragraph_id(row["doc_id"], number), text, title=row["doc_id"].replace("_", " "))
        for row in rows_of(data / "squad2_half" / "dev_docs.jsonl")
        for number, text in enumerate(_paragraphs(row))
    ]


def squad_paragraph_lengths(data: Path) -> dict[str, list[int]]:
    """How many letters and digits each paragraph of an article has."""
    return {
        row["doc_id"]: [letters(text) for text in _paragraphs(row)]
        for row in rows_of(data / "squad2_half" / "dev_docs.jsonl")
    }


def squad_paragraph_queries(data: Path) -> list[RetrievalQuery]:
    """The questions that have an answer; relevant is the paragraph they were asked about."""
    return [
        RetrievalQuery(row["question"], frozenset([paragraph_id(row["doc_id"], row["paragraph"])]))
        for row in rows_of(data / "squad2_half" / "dev.jsonl")
        if not row["is_impossible"]
    ]


def paragraph_id(article: str, number: int) -> str:
    return f"{article}#{number}"


def letters(text: str) -> int:
    """Letters and digits are what reading a document never changes the number of."""
    return sum(map(str.isalnum, text))


def _paragraphs(row: dict[str, Any]) -> Iterator[str]:
    starts: list[int] = row["paragraph_starts"]
    text: str = row["text"]
    return (text[start:end] for start, end in pairwise([*starts, len(text)]))


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


def mtrag_un_conversations(data: Path, label: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the last question of every conversation with this label, the conversation, and its earlier questions."""
    for row in rows_of(data / "mtrag_un" / "dev.jsonl"):
        if row["answerability"] == label:
            turns = [turn["text"] for turn in row["conversation_turns"] if turn["speaker"] == "user"]
            yield turns[-1], str(row["conversation"]), tuple(turns[:-1])


def _mtrag_un_queries(rows: Iterable[dict[str, Any]]) -> Iterator[AnswerQuery]:
    for row in rows:
        question = row["conversation_turns"][-1]["text"]
        if len(question.split()) >= MIN_WORDS and row["answerability"] in {"ANSWERABLE", "UNANSWERABLE"}:
            yield AnswerQuery(question, row["answerability"] == "ANSWERABLE")
