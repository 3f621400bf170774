"""What the house writer does with questions: whether it cites the right page, and whether strict mode keeps to what it knows.

An answer counts as given where it stands after the checks of strict mode as an answer, not as a part of one.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from uuid import UUID

from concierge.agents.schemas import GroundingMode
from concierge.chat.steps.verify import verify
from concierge.chat.writers.brief import AnswerBrief, Citation
from concierge.chat.writers.house import HouseWriter
from concierge.entrypoints.evaluation import Collection, EvalDocument
from evals import corpora
from evals.answerability import ELSEWHERE, Asked, brief_of
from evals.measure import Check, Measurement
from evals.progress import say
from evals.store import Store

CITED_FIRST: Final = 2
PAGE_CITED: Final = 0.80


@dataclass(frozen=True, slots=True)
class Strictness:
    """Shares of questions that were answered: of those that can be, and of those that cannot. Where pages are not `official`,
    an answer needs a second one that says the same.

    `invented_then` is the second share where so sure an answer is asked for that just `least_answered` of those that can
    be answered are: None where fewer are, however unsure it may be.
    """

    name: str
    official: bool
    answerable: int
    unanswerable: int
    answered: float
    invented: float
    least_answered: float
    most_invented: float
    invented_then: float | None


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

    async def brief(
        self, collection: Collection, asked: Asked, mode: GroundingMode = "blended", *, official: bool = False
    ) -> AnswerBrief:
        """`official` has every page be one that its operator has marked as authoritative."""
        brief = await brief_of(self.store.platform, collection, asked)
        passages = tuple(replace(own, authoritative=official) for own in brief.passages)
        return replace(brief, passages=passages, grounding=mode)

    async def cites(self, collection: Collection, asked: Asked, pages: Iterable[str]) -> bool:
        """Whether one of the first citations is of one of these pages."""
        answer = HouseWriter().write(await self.brief(collection, asked))
        named = {name for own in _first(answer.citations) for name in collection.ids.get(own, ())}
        return not named.isdisjoint(pages)

    async def sureness(self, collection: Collection, asked: Asked, *, official: bool) -> float:
        """How sure the answer is that strict mode gives; 0 where it gives none."""
        brief = await self.brief(collection, asked, "strict", official=official)
        kept = verify(HouseWriter().write(brief), brief.passages, "strict").answer
        return kept.confidence if kept.outcome == "answered" and kept.claims else 0.0

    async def all(
        self, collection: Collection, questions: Sequence[Asked], *, official: bool
    ) -> Sequence[float]:
        return [await self.sureness(collection, asked, official=official) for asked in questions]


def share(given: Sequence[float], sure: float = 0.0) -> float:
    """Of these answers those that were given, and are as sure."""
    return sum(own > 0 and own >= sure for own in given) / len(given)


def invented_at(can: Sequence[float], cannot: Sequence[float], least: float) -> float | None:
    """What is still answered of what cannot be, where just this share of what can be is."""
    surest_first = sorted(can, reverse=True)
    sure = next((own for own in surest_first if own and share(can, own) >= least), None)
    return None if sure is None else share(cannot, sure)


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
    gold = {page for own in queries for page in own.relevant}
    removed = await house.store.collection("awsdocs_removed", [page for page in pages if page.id not in gold])
    talks = await house.store.collection("mtrag_un", corpora.mtrag_un_documents(data))
    can, cannot = (
        [Asked(*own) for own in corpora.mtrag_un_conversations(data, label)]
        for label in ("ANSWERABLE", "UNANSWERABLE")
    )
    contests = (
        ("questions of another corpus", (aws, asked), (aws, foreign), 0.85, 0.03),
        ("awsdocs_qa, the gold page removed", (aws, asked), (removed, asked), 0.70, 0.20),
        ("mtrag_un", (talks, can), (talks, cannot), 0.60, 0.25),
    )
    for official in (True, False):
        for name, answerable, unanswerable, least, most in contests:
            could = await house.all(*answerable, official=official)
            could_not = await house.all(*unanswerable, official=official)
            yield Strictness(
                name,
                official,
                len(could),
                len(could_not),
                share(could),
                share(could_not),
                least,
                most,
                invented_at(could, could_not, least),
            )


def _checks(report: Answering) -> Iterable[Check]:
    yield Check("page cited first or second", report.cited, PAGE_CITED)
    for row in (own for own in report.strictness if own.official):
        yield Check(f"answerable answered, {row.name}", row.answered, row.least_answered)
        yield Check(f"answers given without one, {row.name}", row.invented, row.most_invented, at_most=True)
