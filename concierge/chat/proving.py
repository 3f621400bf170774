"""Hold what a language model wrote against the passages it rests on. Nobody keeps what they do not say."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from concierge.chat.grounding import Grounded, ground, sentences_of
from concierge.chat.steps.verify import CheckedClaim, Verified, verify
from concierge.chat.writers.brief import AnswerBrief, Draft, WrittenAnswer
from concierge.chat.writers.house import HouseWriter
from concierge.kit.errors import UnavailableError
from concierge.knowledge.schemas import Passage
from concierge.llm.embeddings import Embedder

NOTHING_PROVEN: Final = "nothing that the model wrote could be proved"
# Longer drafts are compared by their words alone; so many sentences take about thirty milliseconds.
MOST_EMBEDDED: Final = 40


class Prover:
    """`embedder` is the model that most passages were embedded by."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def verified(
        self,
        written: WrittenAnswer,
        brief: AnswerBrief,
        passages: tuple[Passage, ...],
        models: Collection[str],
    ) -> Verified:
        """Check an answer, whoever wrote it. Where nothing of a draft can be proved, the house answers.

        `models` are those that the passages were embedded by.
        """
        if written.draft is None:
            return verify(written, passages, brief.grounding)
        grounded = await self._grounded(written.draft, brief, models)
        if not grounded.empty:
            return _proved(written, grounded)
        house = replace(HouseWriter().write(brief), calls=written.calls)
        verified = verify(house, passages, brief.grounding)
        because = verified.abstained_because or NOTHING_PROVEN
        return replace(verified, grounded=grounded, abstained_because=because)

    async def _grounded(self, draft: Draft, brief: AnswerBrief, models: Collection[str]) -> Grounded:
        vectors = None
        sentences = sentences_of(draft.text)
        if 0 < len(sentences) <= MOST_EMBEDDED and set(models) <= {self._embedder.name}:
            try:
                vectors = await self._embedder.embed_documents(sentences)
            except UnavailableError:
                vectors = None
        return await asyncio.to_thread(
            ground, draft.text, draft.sources, brief.grounding, question=brief.question, vectors=vectors
        )


def _proved(written: WrittenAnswer, grounded: Grounded) -> Verified:
    answer = replace(
        written,
        text=grounded.text,
        pieces=(grounded.text,),
        confidence=written.confidence * _share_kept(grounded),
        claims=grounded.claims,
        citations=grounded.citations,
    )
    return Verified(
        answer, tuple(CheckedClaim(claim, "supported") for claim in grounded.claims), grounded=grounded
    )


def _share_kept(grounded: Grounded) -> float:
    """How much of what the model claimed held: it is not to be trusted with the rest of what it held wrong."""
    claimed = [entry for entry in grounded.checked if entry.verdict != "no_claim"]
    kept = sum(entry.fate == "kept" for entry in claimed)
    return kept / len(claimed) if claimed else 1.0
