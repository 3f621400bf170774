"""What the web adds where an agent may look there: only when its own knowledge is not enough, or the world has moved on.

Pages of strangers become passages like any others, but for their credit; what in them gives orders is left out.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from numpy.typing import NDArray

from concierge.chat.evidence import Evidence, nearest_to, placed
from concierge.chat.steps.receive import Received
from concierge.chat.stream import TurnLog
from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.house import HouseWriter
from concierge.kit.clock import Clock
from concierge.kit.errors import UnavailableError
from concierge.kit.sentences import sentence_spans
from concierge.knowledge.instructions import Order, orders_in
from concierge.knowledge.schemas import Passage
from concierge.llm.embeddings import Embedder
from concierge.tools.freshness import wants_fresh
from concierge.tools.schemas import WebEvidence, WebPassage
from concierge.tools.service import WebLookup

Need = Literal["fresh", "unanswered"]

CREDIBILITY: Final = 0.3
MOST_PASSAGES: Final = 6
ASKED: Final = frozenset({"found", "nothing", "limited", "late"})
UNANSWERED: Final = frozenset({"partial", "unsupported"})


@dataclass(frozen=True, slots=True)
class Looked:
    """Why the web was looked at, what it came to, and the passages that were made of it, best first."""

    need: Need
    web: WebEvidence
    passages: tuple[Passage, ...] = ()

    @property
    def used(self) -> bool:
        return bool(self.passages)

    @property
    def was_asked(self) -> bool:
        """Whether the provider was asked for it, which counts."""
        return not self.web.findings.cached and self.web.findings.status in ASKED


class Outside:
    def __init__(self, lookup: WebLookup, embedder: Embedder, clock: Clock) -> None:
        self._lookup = lookup
        self._embedder = embedder
        self._clock = clock

    async def looked(
        self, received: Received, brief: AnswerBrief, log: TurnLog, vector: NDArray[np.float32]
    ) -> Looked | None:
        """Look where the agent is an expert who may, and what it knows does not answer or may be out of date.

        `vector` is the message's. Errors: UnavailableError of the database.
        """
        need = self._need(received, brief)
        if need is None:
            return None
        await log.say("status", {"stage": "searching_web"})
        return await self._look(received, vector, need)

    def _need(self, received: Received, brief: AnswerBrief) -> Need | None:
        tools = received.agent.tools
        if not received.agent.expertise or not (tools.web_search or tools.site_search):
            return None
        if wants_fresh(received.request.message, self._clock().date()):
            return "fresh"
        return "unanswered" if HouseWriter().write(brief).outcome in UNANSWERED else None

    async def _look(self, received: Received, vector: NDArray[np.float32], need: Need) -> Looked:
        tools = received.agent.tools
        sites = () if tools.web_search else tools.site_search
        query = received.request.message
        web = await self._lookup.look_up(received.scope, received.agent.id, query, sites=sites)
        try:
            passages = await self._passages(web.passages[:MOST_PASSAGES], vector)
        except UnavailableError:
            passages = []
        passages.sort(key=lambda passage: -passage.cosine)
        return Looked(need, web, tuple(passages))

    async def _passages(self, found: Sequence[WebPassage], vector: NDArray[np.float32]) -> list[Passage]:
        """Read what was found, in its order, but for pages of which no sentence is left.

        The sentences of all pages are embedded together, which is one call to a vendor's model.
        """
        texts = await asyncio.to_thread(_texts_without_orders, found)
        spans = [tuple(sentence_spans(text)) for text in texts]
        sentences = [text[start:end] for text, own in zip(texts, spans, strict=True) for start, end in own]
        if not sentences:
            return []
        vectors = await self._embedder.embed_documents(sentences)
        each = np.split(vectors, np.cumsum([len(own) for own in spans])[:-1])
        read = zip(found, texts, spans, each, strict=True)
        return [passage_of_page(page, text, own, rows, vector) for page, text, own, rows in read if own]


def with_web(evidence: Evidence, looked: Looked, vector: NDArray[np.float32]) -> Evidence:
    """Put each passage of the web before the first that says less of what was asked; before all where news was asked for.

    A question–answer pair stays in front: the business has said what it says.
    """
    if not looked.used:
        return evidence
    head = evidence.passages[:1] if evidence.pair else ()
    rest = evidence.passages[len(head) :]
    merged = (
        (*looked.passages, *rest)
        if looked.need == "fresh"
        else placed([(own, nearest_to(own, vector)) for own in looked.passages], rest, vector)
    )
    ranked = tuple(replace(passage, rank=rank) for rank, passage in enumerate((*head, *merged)))
    leads = ranked[0].kind == "web"
    return Evidence(ranked, None if leads else evidence.lead, evidence.pair, evidence.shelf)


def _texts_without_orders(found: Sequence[WebPassage]) -> list[str]:
    return [_without(page.text, orders_in(page.text)) for page in found]


def _without(text: str, orders: Sequence[Order]) -> str:
    for order in reversed(orders):
        text = f"{text[: order.start].rstrip()}\n{text[order.end :].lstrip()}"
    return text.strip()


def passage_of_page(
    found: WebPassage,
    text: str,
    spans: tuple[tuple[int, int], ...],
    vectors: NDArray[np.float32],
    vector: NDArray[np.float32],
) -> Passage:
    page = uuid5(NAMESPACE_URL, found.url)
    # Packs of a vendor's model are asked with its vectors, which say nothing of the local model's.
    comparable = vectors.shape[1] == vector.shape[0]
    cosine = float(np.max(vectors @ vector)) if comparable else 0.0
    dated = found.published and datetime.combine(found.published, datetime.min.time(), UTC)
    return Passage(
        chunk_id=uuid5(page, text),
        document_id=page,
        pack_id=page,
        title=found.title,
        url=found.url,
        kind="web",
        headings=(),
        text=text,
        start=0,
        sentences=spans,
        sentence_vectors=vectors if comparable else np.zeros((len(spans), vector.shape[0]), np.float32),
        score=cosine,
        bm25=0.0,
        cosine=cosine,
        rank=0,
        updated_at=dated,
        credibility=CREDIBILITY,
        document_cosine=cosine,
    )
