"""What the house writer does with questions: whether it cites the right page, and whether strict mode keeps to what it knows.

An answer counts as given where it stands after the checks of strict mode as an answer, not as a part of one. How sure it
must be is its operator's word (`strict_above`); each contest is held as the product comes, and as an operator would have it
who wants just so many answers.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from uuid import UUID

from concierge.agents.schemas.policy import STRICT_ABOVE
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
class Given:
    """Shares of questions that were answered where an answer must be as sure as `strict_above`: of those that can be, and of
    those that cannot.
    """

    strict_above: float
    answered: float
    invented: float


@dataclass(frozen=True, slots=True)
class Strictness:
    """What is answered as the product comes, and as strict as still lets `least_answered` of what can be answered through:
    None where that is less as it comes. Where pages are not `official`, an answer needs a second one that says the same.
    """

    name: str
    official: bool
    answerable: int
    unanswerable: int
    usual: Given
    strict: Given | None
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

    async def cites(self, collection: Collection, asked: Asked, pages: Iterable[str]) -> bool:
        """Whether one of the first citations is of one of these pages."""
        answer = HouseWriter().write(await brief_of(self.store.platform, collection, asked))
        named = {name for own in _first(answer.citations) for name in collection.ids.get(own, ())}
        return not named.isdisjoint(pages)

    async def briefs(
        self, collection: Collection, questions: Sequence[Asked], *, official: bool
    ) -> Sequence[AnswerBrief]:
        """`official` has every page be one that its operator has marked as authoritative."""
        briefs = [await brief_of(self.store.platform, collection, asked) for asked in questions]
        return [
            replace(
                brief,
                passages=tuple(replace(own, authoritative=official) for own in brief.passages),
                grounding="strict",
            )
            for brief in briefs
        ]


def sureness(brief: AnswerBrief, strict_above: float) -> float:
    """How sure the answer is that strict mode gives; 0 where it gives none."""
    brief = replace(brief, strict_above=strict_above)
    kept = verify(HouseWriter().write(brief), brief.passages, "strict").answer
    return kept.confidence if kept.outcome == "answered" and kept.claims else 0.0


def share(given: Sequence[float], sure: float = 0.0) -> float:
    """Of these answers those that were given, and are as sure."""
    return sum(own > 0 and own >= sure for own in given) / len(given)


def strictest(can: Sequence[float], least: float) -> float | None:
    """How sure an answer may be asked to be so that at least this share of these are given."""
    surest_first = sorted(can, reverse=True)
    return next((own for own in surest_first if own and share(can, own) >= least), None)


def given(can: Sequence[AnswerBrief], cannot: Sequence[AnswerBrief], strict_above: float) -> Given:
    answered, invented = (share([sureness(brief, strict_above) for brief in own]) for own in (can, cannot))
    return Given(strict_above, answered, invented)


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
            could, could_not = [
                await house.briefs(*own, official=official) for own in (answerable, unanswerable)
            ]
            can, cannot = ([sureness(brief, STRICT_ABOVE) for brief in own] for own in (could, could_not))
            usual, sure = Given(STRICT_ABOVE, share(can), share(cannot)), strictest(can, least)
            strict = None if sure is None else given(could, could_not, sure)
            yield Strictness(name, official, len(could), len(could_not), usual, strict, least, most)


def _checks(report: Answering) -> Iterable[Check]:
    yield Check("page cited first or second", report.cited, PAGE_CITED)
    for row in (own for own in report.strictness if own.official):
        held = row.strict or row.usual
        yield Check(f"answerable answered, {row.name}", held.answered, row.least_answered)
        yield Check(f"answers given without one, {row.name}", held.invented, row.most_invented, at_most=True)
