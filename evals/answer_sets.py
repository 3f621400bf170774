"""The question sets answers are measured on: each is a pack of pages and questions about them.

The public sets lie in the folder named by CONCIERGE_EVAL_DATA; their READMEs describe the fields.
"""

import json
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.memory_search import Page


@dataclass(frozen=True, slots=True)
class Question:
    """`gold` are texts of which one must stand in the answer, or all of them if `every`; `pages` hold the answer."""

    text: str
    answerable: bool
    gold: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    group: str = ""
    every: bool = False


@dataclass(frozen=True, slots=True)
class AnswerSet:
    name: str
    pages: tuple[Page, ...]
    questions: tuple[Question, ...]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def squad2(data: Path) -> AnswerSet:
    """All articles as one pack."""
    pages = tuple(
        Page(str(row["doc_id"]), str(row["doc_id"]).replace("_", " "), str(row["text"]))
        for row in _rows(data / "squad2_half" / "dev_docs.jsonl")
    )
    questions = tuple(
        Question(
            str(row["question"]),
            not row["is_impossible"],
            tuple(answer["text"] for answer in row["answers"]),
            (str(row["doc_id"]),),
            str(row["doc_id"]),
        )
        for row in _rows(data / "squad2_half" / "dev.jsonl")
    )
    return AnswerSet("squad2_half", pages, questions)


def awsdocs(data: Path) -> AnswerSet:
    """The pages with an answer and every twentieth other one of 2,757, so that a run stays short."""
    rows = list(_rows(data / "awsdocs_qa" / "dev.jsonl"))
    gold = {str(row["gold_doc"]) for row in rows}
    pages: list[Page] = []
    with tarfile.open(data / "awsdocs_qa" / "docs_md.tar.gz") as archive:
        for number, member in enumerate(archive.getmembers()):
            content = archive.extractfile(member)
            if content is None or (member.name not in gold and number % 20):
                continue
            text = content.read().decode()
            title = re.sub(r"<a .*?</a>", "", text.split("\n", 1)[0]).strip("# ").replace("\\", "")
            pages.append(Page(member.name, title, text))
    questions = tuple(
        Question(
            str(row["question"]), True, (str(row["answer"]),), (str(row["gold_doc"]),), str(row["gold_doc"])
        )
        for row in rows
    )
    return AnswerSet("awsdocs_qa", tuple(pages), questions)


def mtrag_un(data: Path) -> AnswerSet:
    """Last questions long enough to stand alone (many still lean on their conversation), over the union of all gold passages."""
    pages: dict[str, Page] = {}
    questions: list[Question] = []
    for row in _rows(data / "mtrag_un" / "dev.jsonl"):
        contexts: list[dict[str, str]] = row["contexts"]
        for context in contexts:
            title = context.get("title") or ""
            pages.setdefault(context["passage_id"], Page(context["passage_id"], title, context["text"]))
        turns: list[dict[str, str]] = row["conversation_turns"]
        label = row["answerability"]
        if len(turns[-1]["text"].split()) >= 6 and label in {"ANSWERABLE", "UNANSWERABLE"}:
            keys = tuple(context["passage_id"] for context in contexts)
            questions.append(
                Question(turns[-1]["text"], label == "ANSWERABLE", (), keys, str(row["conversation"]))
            )
    return AnswerSet("mtrag_un", tuple(pages.values()), tuple(questions))


def tau2_banking(data: Path) -> AnswerSet:
    """Customer-facing articles; the question is the opening line a scenario quotes, where it quotes one."""
    pages = [
        Page(str(row["id"]), str(row["title"]), str(row["content"]))
        for row in _rows(data / "tau2_banking" / "documents.jsonl")
    ]
    questions: list[Question] = []
    for row in _rows(data / "tau2_banking" / "dev.jsonl"):
        opening = re.search(r"[\"“]([^\"”]{20,300}\?)", str(row["instructions"]))
        if opening:
            required: list[str] = row["required_documents"]
            questions.append(Question(opening[1], True, (), tuple(required), str(row["id"])))
    return AnswerSet("tau2_banking", tuple(pages), tuple(questions))


def shop(documents: Path, questions: Path) -> AnswerSet:
    """A folder of Markdown pages with front matter, and questions with all the texts an answer must hold."""
    pages = [_page(path) for path in sorted(documents.iterdir()) if path.suffix in {".md", ".txt"}]
    rows = [row for row in _rows(questions) if row["kind"] != "chitchat"]
    return AnswerSet(
        "shop",
        tuple(pages),
        tuple(
            Question(
                str(row["question"]),
                bool(row["answerable"]),
                _texts(row["gold"]),
                (str(row["document"]),),
                str(row["document"]),
                every=True,
            )
            for row in rows
        ),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    front = re.match(r"---\n(.*?)\n---\n+", text, re.DOTALL)
    fields = dict(line.split(": ", 1) for line in front[1].splitlines() if ": " in line) if front else {}
    return Page(
        path.name, fields.get("title", path.stem), text[front.end() :] if front else text, fields.get("url")
    )


PUBLIC: dict[str, Callable[[Path], AnswerSet]] = {
    "squad2_half": squad2,
    "mtrag_un": mtrag_un,
    "awsdocs_qa": awsdocs,
    "tau2_banking": tau2_banking,
}
