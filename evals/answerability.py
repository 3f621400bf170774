"""Whether the evidence answers: how well the support score tells it, and how true it is as a probability.

Four kinds of questions that have no answer: those of one corpus asked of another; those whose page was taken away; those
people marked as unanswerable in conversations; those people wrote to look answerable.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.selection import read
from concierge.chat.writers.support import features, probability
from concierge.entrypoints.evaluation import Collection
from concierge.entrypoints.wiring import Platform
from concierge.knowledge.metrics import Reliability, calibration_error, reliability, support_roc_area
from concierge.knowledge.search import Query
from evals import corpora
from evals.progress import say
from evals.store import Store

ELSEWHERE = 150  # Questions of SQuAD asked of each other corpus.

Rows = Mapping[str, Sequence["Judgement"]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One question; rows of a `group` go to the same half when the decision is fitted. `values` are its features."""

    group: str
    answerable: bool
    support: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Contest:
    """`area` is the ROC area between questions with an answer and those without."""

    name: str
    answerable: int
    unanswerable: int
    area: float
    error: float
    target: float


@dataclass(frozen=True, slots=True)
class AnswerabilityReport:
    contests: tuple[Contest, ...]
    error: float
    bins: tuple[Reliability, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    text: str
    group: str
    history: tuple[str, ...] = ()


async def brief_of(platform: Platform, collection: Collection, asked: Asked) -> AnswerBrief:
    """What the product's search finds for a question, as a writer is given it."""
    texts = [asked.text, *reversed(asked.history)]
    first, *others = [await platform.embedder.embed_query(text) for text in texts]
    query = Query(asked.text, first, tuple(zip(texts[1:], others, strict=True)))
    found = await platform.search.find(collection.scope, [collection.pack_id], query)
    return AnswerBrief(
        question=asked.text,
        question_vector=found.vector,
        idf=found.idf,
        passages=found.passages,
        lead=found.lead,
        pair=found.pair,
    )


class Judge:
    """Asks the product's search, and the house writer's judgement of what it found."""

    def __init__(self, store: Store) -> None:
        self._platform = store.platform

    async def ask(self, collection: Collection, asked: Asked, *, answerable: bool) -> Judgement:
        reading = read(await brief_of(self._platform, collection, asked))
        values = features(reading, reading.ranked[0]) if reading.ranked else {}
        support = probability(values) if values else 0.0
        return Judgement(asked.group, answerable, support, values)

    async def all(
        self, collection: Collection, questions: Iterable[Asked], *, answerable: bool
    ) -> list[Judgement]:
        return [await self.ask(collection, asked, answerable=answerable) for asked in questions]


async def judged(store: Store, data: Path) -> Rows:
    """Every row by its kind."""
    judge = Judge(store)
    rows: dict[str, Sequence[Judgement]] = {}
    async for name, own in _corpus_rows(judge, store, data):
        say(f"answerability: {name}, {len(own):,} questions")
        rows[name] = own
    return rows


async def _corpus_rows(
    judge: Judge, store: Store, data: Path
) -> AsyncIterator[tuple[str, Sequence[Judgement]]]:
    """Questions of each corpus asked where they belong and elsewhere, and those whose pages were taken away."""
    pages = corpora.awsdocs_documents(data)
    gold = {page for entry in corpora.awsdocs_queries(data) for page in entry.relevant}
    collections = {
        "awsdocs_qa": await store.collection("awsdocs_qa", pages),
        "mtrag_cloud": await store.collection("mtrag_cloud", corpora.mtrag_documents(data)),
        "squad2_half": await store.collection("squad2_half", corpora.squad_documents(data)),
    }
    articles = corpora.squad_queries(data)
    questions = {
        "awsdocs_qa": [Asked(entry.text, min(entry.relevant)) for entry in corpora.awsdocs_queries(data)],
        "mtrag_cloud": [Asked(entry.text, entry.text) for entry in corpora.mtrag_queries(data)],
        "squad2_half": [Asked(entry.text, entry.page or "") for entry in articles if entry.answerable],
    }
    tricky = [Asked(entry.text, entry.page or "") for entry in articles if not entry.answerable]
    for own, asked in questions.items():
        yield f"own {own}", await judge.all(collections[own], asked, answerable=True)
        for other in questions.keys() - {own}:
            sample = asked[:: max(1, len(asked) // ELSEWHERE)][:ELSEWHERE]
            rows = await judge.all(collections[other], sample, answerable=False)
            yield f"elsewhere: {own} asked of {other}", rows
    yield "tricky squad2_half", await judge.all(collections["squad2_half"], tricky, answerable=False)
    without = await store.collection("awsdocs_removed", [page for page in pages if page.id not in gold])
    yield "page removed", await judge.all(without, questions["awsdocs_qa"], answerable=False)
    conversations = await store.collection("mtrag_un", corpora.mtrag_un_documents(data))
    for answerable, label in ((True, "ANSWERABLE"), (False, "UNANSWERABLE")):
        turns = [Asked(*entry) for entry in corpora.mtrag_un_conversations(data, label)]
        yield f"mtrag_un {label.lower()}", await judge.all(conversations, turns, answerable=answerable)


def reported(rows: Rows) -> AnswerabilityReport:
    own = [*rows["own awsdocs_qa"], *rows["own mtrag_cloud"], *rows["own squad2_half"][::5]]
    elsewhere = [row for name, some in rows.items() if name.startswith("elsewhere") for row in some]
    pairs = (
        ("questions of one corpus asked of another", own, elsewhere, 0.97),
        ("awsdocs_qa with the gold page removed", rows["own awsdocs_qa"], rows["page removed"], 0.80),
        ("mtrag_un", rows["mtrag_un answerable"], rows["mtrag_un unanswerable"], 0.75),
        ("squad2_half, written to mislead", rows["own squad2_half"], rows["tricky squad2_half"], 0.65),
    )
    contests = [
        Contest(
            name,
            len(can),
            len(cannot),
            support_roc_area([*can, *cannot]),
            calibration_error([*can, *cannot]),
            target,
        )
        for name, can, cannot, target in pairs
    ]
    everything = [row for _, can, cannot, _ in pairs for row in (*can, *cannot)]
    return AnswerabilityReport(tuple(contests), calibration_error(everything), tuple(reliability(everything)))
