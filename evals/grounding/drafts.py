"""Drafts as language models write them, from public documents: a sentence to be judged among others that are right."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from concierge.knowledge.schemas import Passage
from evals.grounding.material import Document, Statement, statements
from evals.grounding.mutate import CHANGES, Surroundings
from evals.grounding.paraphrase import paraphrased

RIGHT: Final = ("right and cited", "right, uncited", "right, wrong source", "right, no such source")
INVENTED: Final = "invented source"
KINDS: Final = (*RIGHT, *CHANGES, INVENTED)
EACH = 150  # Drafts of a kind, in each half.
SOURCES = 6
STATEMENTS_TRIED = 12
OPENINGS: Final = (
    "Thanks for asking!",
    "Good question.",
    "I understand, let me help you with that.",
    "Hi there!",
    "Sure.",
)
CLOSINGS: Final = (
    "Is there anything else I can help you with?",
    "Would you like me to ask a colleague?",
    "Let me know if you have more questions.",
    "Shall I explain more?",
)
NO_SUCH_SOURCE = 9


@dataclass(frozen=True, slots=True)
class Draft:
    """`start` to `end` of `text` is the sentence to be judged, without its mark; `right` says what it deserves."""

    kind: str
    corpus: str
    held_out: bool
    right: bool
    text: str
    start: int
    end: int
    sources: tuple[Passage, ...]
    gold: int
    quote: str

    @property
    def sentence(self) -> str:
        return self.text[self.start : self.end]


def drafts(documents: Sequence[Document], each: int = EACH) -> list[Draft]:
    """As many of each kind for each half, in turn from every corpus; the same ones at every run."""
    return [
        draft
        for held_out in (False, True)
        for draft in _half([document for document in documents if document.held_out is held_out], each)
    ]


def _half(documents: Sequence[Document], each: int) -> Iterator[Draft]:
    corpora = sorted({document.corpus for document in documents})
    told = {
        corpus: [
            (document, own)
            for document in documents
            if document.corpus == corpus and (own := _told(document))
        ]
        for corpus in corpora
    }
    for kind in KINDS:
        lot = random.Random(f"{kind}, {documents[0].held_out}")  # noqa: S311  # A sample, no secret.
        left = {corpus: lot.sample(entries, len(entries)) for corpus, entries in told.items()}
        made = 0
        while made < each and any(left.values()):
            for corpus in corpora:
                draft = _next(kind, left[corpus], told[corpus], lot) if made < each else None
                if draft:
                    made += 1
                    yield draft


def _told(document: Document) -> list[Statement]:
    return [statement for passage in document.passages for statement in statements(passage)]


Told = tuple[Document, list[Statement]]


def _next(kind: str, left: list[Told], told: Sequence[Told], lot: random.Random) -> Draft | None:
    """Try the documents that are left, each once, until one gives a draft of this kind."""
    while left:
        document, own = left.pop()
        others = lot.sample(list(told), min(12, len(told)))
        elsewhere = [other for other in others if other[0].key != document.key]
        for statement in lot.sample(own, min(len(own), STATEMENTS_TRIED)):
            draft = _draft(kind, document, statement, elsewhere, lot)
            if draft:
                return draft
    return None


def _draft(
    kind: str, document: Document, statement: Statement, others: Sequence[Told], lot: random.Random
) -> Draft | None:
    near = [passage for passage in document.passages if passage is not statement.passage]
    far = [passage for other, _ in others[:6] for passage in other.passages]
    near = lot.sample(near, min(2, len(near)))
    sources = [statement.passage, *near, *lot.sample(far, min(SOURCES - 1 - len(near), len(far)))]
    lot.shuffle(sources)
    around = Surroundings(
        [other for other in statements(statement.passage) if other.text != statement.text],
        [other for source in sources if source is not statement.passage for other in statements(source)],
        [other for _, own in others[6:] for other in own],
    )
    sentence = _sentence(kind, statement, around, lot)
    if sentence is None:
        return None
    gold = sources.index(statement.passage) + 1
    return _written(
        kind,
        document,
        sentence,
        _cited(kind, gold, len(sources), lot),
        (tuple(sources), gold, statement.quote),
        around,
        lot,
    )


def _sentence(kind: str, statement: Statement, around: Surroundings, lot: random.Random) -> str | None:
    if kind in RIGHT:
        return paraphrased(statement.text, lot)
    known = {other.text for other in (*around.passage, *around.sources)}
    if kind == INVENTED:
        invented = [other.text for other in around.elsewhere if other.text not in known]
        return lot.choice(invented) if invented else None
    base = statement.text
    if lot.random() < 0.5:
        base = paraphrased(base, lot) or base
    changed = CHANGES[kind](base, around, lot)
    return changed if changed and changed not in {base, statement.text, *known} else None


def _cited(kind: str, gold: int, count: int, lot: random.Random) -> int | None:
    if kind == "right, uncited":
        return None
    if kind == "right, wrong source":
        return lot.choice([number for number in range(1, count + 1) if number != gold] or [gold])
    if kind in {"right, no such source", INVENTED}:
        return NO_SUCH_SOURCE
    return gold


def _marked(sentence: str, number: int | None, lot: random.Random) -> str:
    if number is None:
        return sentence
    mark = lot.choice((f" [{number}]", f"[{number}]", f" 【{number}】", f" [{number}][{number}]"))
    return f"{sentence[:-1]}{mark}{sentence[-1]}" if lot.random() < 0.5 else f"{sentence}{mark}"


def _written(
    kind: str,
    document: Document,
    sentence: str,
    number: int | None,
    source: tuple[tuple[Passage, ...], int, str],
    around: Surroundings,
    lot: random.Random,
) -> Draft:
    """Prose most of the time, a list one time in four; the sentence stands at its beginning, its middle or its end."""
    sources, gold, quote = source
    listed = lot.random() < 0.25
    others = lot.sample(list(around.passage), min(lot.randrange(3), len(around.passage)))
    beside = [_marked(other.text, gold, lot) for other in others]
    at = lot.randrange(len(beside) + 1)
    own = _marked(sentence, number, lot)
    parts = [*beside[:at], own, *beside[at:]]
    body = "\n".join(f"- {part}" for part in parts) if listed else " ".join(parts)
    opening = lot.choice(OPENINGS) if lot.random() < 0.4 else ""
    closing = lot.choice(CLOSINGS) if lot.random() < 0.4 else ""
    joint = "\n\n" if listed else " "
    text = joint.join(part for part in (opening, body, closing) if part)
    start = text.index(own, len(opening))
    return Draft(
        kind,
        document.corpus,
        document.held_out,
        kind in RIGHT,
        text,
        start,
        start + len(own),
        sources,
        gold,
        quote,
    )


def counts(made: Sequence[Draft]) -> Mapping[str, int]:
    return {kind: sum(draft.kind == kind for draft in made) for kind in KINDS}
