"""What the house writer does with questions: whether it cites the right page, and whether strict mode keeps to what it knows.

An answer counts as given where it stands after the checks of strict mode as an answer, not as a part of one.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from concierge.chat.steps.verify import verify
from concierge.chat.writers.brief import AnswerBrief, Citation
from concierge.chat.writers.house import HouseWriter
from concierge.entrypoints.evaluation import Collection, EvalDocument
from concierge.knowledge.search import Query
from evals import corpora
from evals.answerability import ELSEWHERE, Asked
from evals.measure import Check, Measurement
from evals.progress import say
from evals.store import Store

CITED_FIRST: Final = 2
PAGE_CITED: Final = 0.80


@dataclass(frozen=True, slots=True)
class Strictness:
    """Shares of questions that were answered: of those that can be, and of those that cannot."""

    name: str
    answerable: int
    unanswerable: int
    answered: float
    invented: float
    least_answered: float
    most_invented: float


@dataclass(frozen=True, slots=True)
class Answering:
    """`cited` is the share of questions whose page is among the first two that are cited, of all that were asked."""

    pages: int
    cited: float
    strictness: tuple[Strictness, ...]


@dataclass(frozen=True, slots=True)
class House:
    """The house writer behind the product's search."""

    store: Store

    async def brief(self, collection: Collection, asked: Asked) -> AnswerBrief:
        platform = self.store.platform
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

    async def cites(self, collection: Collection, asked: Asked, pages: Iterable[str]) -> bool:
        """Whether one of the first citations is of one of these pages."""
        answer = HouseWriter().write(await self.brief(collection, asked))
        named = {name for own in _first(answer.citations) for name in collection.ids.get(own, ())}
        return not named.isdisjoint(pages)

    async def answers(self, collection: Collection, asked: Asked) -> bool:
        brief = await self.brief(collection, asked)
        kept = verify(HouseWriter().write(brief), brief.passages, "strict").answer
        return kept.outcome == "answered" and bool(kept.claims)

    async def share(self, collection: Collection, questions: Sequence[Asked]) -> float:
        return sum([await self.answers(collection, asked) for asked in questions]) / len(questions)


def _first(citations: Sequence[Citation]) -> Sequence[UUID]:
    """The first documents that are cited, each once."""
    return list(dict.fromkeys(own.document_id for own in citations))[:CITED_FIRST]


async def measure_answering(store: Store, data: Path) -> Measurement:
    house = House(store)
    queries = corpora.awsdocs_queries(data)
    pages = corpora.awsdocs_documents(data)
    aws = await store.collection("awsdocs_qa", pages)
    say(f"answering: {len(queries)} questions with a page")
    cited = [await house.cites(aws, Asked(own.text, min(own.relevant)), own.relevant) for own in queries]
    strictness: list[Strictness] = []
    async for row in _strictness(house, data, aws, pages):
        say(f"answering: strict mode, {row.name}")
        strictness.append(row)
    report = Answering(len(cited), sum(cited) / len(cited), tuple(strictness))
    return Measurement("answering", tuple(_checks(report)), {"answering": report}, asdict(report))


async def _strictness(
    house: House, data: Path, aws: Collection, pages: Sequence[EvalDocument]
) -> AsyncIterator[Strictness]:
    queries = corpora.awsdocs_queries(data)
    asked = [Asked(own.text, min(own.relevant)) for own in queries]
    articles = [own for own in corpora.squad_queries(data) if own.answerable]
    foreign = [Asked(own.text, "") for own in articles[:: max(1, len(articles) // ELSEWHERE)]][:ELSEWHERE]
    own_aws = await house.share(aws, asked)
    yield Strictness(
        "questions of another corpus",
        len(asked),
        len(foreign),
        own_aws,
        await house.share(aws, foreign),
        0.85,
        0.03,
    )
    gold = {page for own in queries for page in own.relevant}
    removed = await house.store.collection("awsdocs_removed", [page for page in pages if page.id not in gold])
    yield Strictness(
        "awsdocs_qa, the gold page removed",
        len(asked),
        len(asked),
        own_aws,
        await house.share(removed, asked),
        0.70,
        0.20,
    )
    talks = await house.store.collection("mtrag_un", corpora.mtrag_un_documents(data))
    can, cannot = (
        [Asked(*own) for own in corpora.mtrag_un_conversations(data, label)]
        for label in ("ANSWERABLE", "UNANSWERABLE")
    )
    yield Strictness(
        "mtrag_un",
        len(can),
        len(cannot),
        await house.share(talks, can),
        await house.share(talks, cannot),
        0.60,
        0.25,
    )


def _checks(report: Answering) -> Iterable[Check]:
    yield Check("page cited first or second", report.cited, PAGE_CITED)
    for row in report.strictness:
        yield Check(f"answerable answered, {row.name}", row.answered, row.least_answered)
        yield Check(f"answers given without one, {row.name}", row.invented, row.most_invented, at_most=True)
