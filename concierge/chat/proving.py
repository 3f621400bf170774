"""Hold what a language model wrote against the passages it rests on. Nobody keeps what they do not say."""

import asyncio
from dataclasses import replace
from typing import Final

from concierge.chat.grounding import Grounded, ground
from concierge.chat.steps.verify import CheckedClaim, Verified, verify
from concierge.chat.writers.brief import AnswerBrief, WrittenAnswer
from concierge.knowledge.schemas import Passage

NOTHING_PROVEN: Final = "nothing that the model wrote could be proved"


async def verified(written: WrittenAnswer, brief: AnswerBrief, passages: tuple[Passage, ...]) -> Verified:
    """Check an answer, whoever wrote it. Where nothing of a draft can be proved, the house answers."""
    draft = written.draft
    if draft is None:
        return verify(written, passages, brief.grounding)
    # A long draft takes some ten milliseconds, which other turns need not wait for.
    grounded = await asyncio.to_thread(
        ground, draft.text, draft.sources, brief.grounding, question=brief.question
    )
    if not grounded.empty:
        return _proved(written, grounded)
    house = replace(draft.house, calls=written.calls)
    checked = verify(house, passages, brief.grounding)
    because = checked.abstained_because or NOTHING_PROVEN
    return replace(checked, grounded=grounded, abstained_because=because)


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
