"""What drafts are made of: documents of the public sets as passages, and the sentences of these that can be drafted from."""

import random
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from zlib import crc32

import numpy as np

from concierge.chat.writers.repair import stands_alone
from concierge.chat.writers.structure import Unit, units_of
from concierge.kit.sentences import sentence_spans
from concierge.knowledge.schemas import Passage
from evals.corpora import rows_of

LONGEST_PASSAGE = 1_100
SHORTEST_PASSAGE = 150
PASSAGES_EACH = 12
PAGES_EACH = 400
WORDS = range(8, 31)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_STRANGE = re.compile(r"[|{}<>\\`=_*\[\]]|https?:|\.\w+/|\s#|—|–|…|:")
_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
_FRONT = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
_ANCHOR = re.compile(r"<a [^>]*></a>|\\(?=[-_.()])")


@dataclass(frozen=True, slots=True)
class Document:
    corpus: str
    key: str
    passages: tuple[Passage, ...]

    @property
    def held_out(self) -> bool:
        """One half of the documents is only measured, never looked at."""
        return crc32(f"{self.corpus}/{self.key}".encode()) % 2 == 1


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a passage; `text` stands alone, which its words in the passage (`quote`) need not."""

    passage: Passage
    text: str
    quote: str


def documents(data: Path) -> list[Document]:
    return [
        *_squad(data),
        *_pages(data, "awsdocs_qa"),
        *_pages(data, "docs_railway"),
        *_pages(data, "docs_plausible"),
        *_articles(data),
    ]


def _squad(data: Path) -> Iterator[Document]:
    for row in rows_of(data / "squad2_half" / "dev_docs.jsonl"):
        bounds = pairwise([*row["paragraph_starts"], len(row["text"])])
        texts = [row["text"][start:end].strip() for start, end in bounds]
        title = row["doc_id"].replace("_", " ")
        # An article is long, so that its parts count as documents; all of them are on one side of the split.
        for part, start in enumerate(range(0, len(texts), PASSAGES_EACH)):
            own = [(title, (), text) for text in texts[start : start + PASSAGES_EACH]]
            document = _document("squad2_half", f"{row['doc_id']}", own, f"{part}")
            if document:
                yield document


def _pages(data: Path, name: str) -> Iterator[Document]:
    with tarfile.open(data / name / "docs_md.tar.gz") as archive:
        members = sorted((member for member in archive if member.isfile()), key=lambda member: member.name)
        random.Random(name).shuffle(members)  # noqa: S311  # A sample, no secret.
        for member in members[:PAGES_EACH]:
            content = archive.extractfile(member)
            if content is not None:
                document = _markdown(name, member.name, content.read().decode("utf-8", "replace"))
                if document:
                    yield document


def _articles(data: Path) -> Iterator[Document]:
    for row in rows_of(data / "tau2_banking" / "documents.jsonl"):
        document = _markdown("tau2_banking", row["id"], f"# {row['title']}\n\n{row['content']}")
        if document:
            yield document


def _markdown(corpus: str, key: str, text: str) -> Document | None:
    named = _TITLE.search(text[:600]) or _HEADING.search(text)
    title = named[1] if named else Path(key).stem
    text = _ANCHOR.sub("", _FRONT.sub("", text))
    return _document(corpus, key, list(_sections(title, text)))


def _sections(title: str, text: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Cut a page at its headings, and what is long between paragraphs."""
    cuts = [(0, title), *((found.end(), found[1]) for found in _HEADING.finditer(text))]
    ends = [*(found.start() for found in _HEADING.finditer(text)), len(text)]
    for (start, heading), end in zip(cuts, ends, strict=True):
        held = ""
        for paragraph in text[start:end].split("\n\n"):
            if held and len(held) + len(paragraph) > LONGEST_PASSAGE:
                yield title, (title, heading), held.strip()
                held = ""
            held += paragraph + "\n\n"
        yield title, (title, heading), held.strip()


def _document(
    corpus: str, key: str, texts: Sequence[tuple[str, tuple[str, ...], str]], part: str = ""
) -> Document | None:
    fitting = [entry for entry in texts if SHORTEST_PASSAGE <= len(entry[2]) <= 3 * LONGEST_PASSAGE]
    name = f"{corpus}/{key}/{part}"
    passages = tuple(_passage(name, number, *entry) for number, entry in enumerate(fitting[:PASSAGES_EACH]))
    return Document(corpus, key, passages) if passages else None


def _passage(name: str, number: int, title: str, headings: tuple[str, ...], text: str) -> Passage:
    return Passage(
        chunk_id=uuid5(NAMESPACE_URL, f"{name}#{number}"),
        document_id=uuid5(NAMESPACE_URL, name),
        pack_id=uuid5(NAMESPACE_URL, "pack"),
        title=title,
        url=None,
        kind="pack",
        headings=headings,
        text=text,
        start=0,
        sentences=tuple(sentence_spans(text)),
        sentence_vectors=np.zeros((len(sentence_spans(text)), 384), dtype=np.float32),
        score=1.0,
        bm25=1.0,
        cosine=0.5,
        rank=number,
        updated_at=None,
        credibility=0.5,
    )


def statements(passage: Passage) -> list[Statement]:
    """Its plain sentences of an ordinary length that can be understood by themselves."""
    units = units_of(passage, 0)
    found: list[Statement] = []
    for unit in units:
        if unit.kind != "prose" or not unit.whole or _STRANGE.search(unit.text):
            continue
        standing = stands_alone(unit, units[: unit.index], passage.title)
        if not standing.needs_previous and _is_ordinary(standing.text):
            found.append(Statement(passage, standing.text, _quote(unit, passage)))
    return found


def _quote(unit: Unit, passage: Passage) -> str:
    return passage.text[unit.start - passage.start : unit.end - passage.start]


def _is_ordinary(text: str) -> bool:
    if len(sentence_spans(text)) > 1 or text.count('"') % 2:
        return False
    return len(text.split()) in WORDS and text[0].isupper() and text.endswith(".")
