"""Check every claim against the words it cites. Pure; what no passage states does not reach the visitor."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from concierge.agents.schemas import GroundingMode
from concierge.chat.grounding import Grounded, proven
from concierge.chat.writers.brief import Claim, WrittenAnswer
from concierge.knowledge.lexical import terms
from concierge.knowledge.schemas import Passage

ClaimStatus = Literal["supported", "unsupported"]

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
NEGATION = re.compile(r"\b(?:not|no|never|none|without|cannot|\w+n['’]t)\b", re.IGNORECASE)

NOT_PROVEN = (
    "I don't have that confirmed well enough to state it. Shall I pass your question on to a person who can?"
)


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    claim: Claim
    status: ClaimStatus


@dataclass(frozen=True, slots=True)
class Verified:
    """The answer as it may be kept, and what was found out about each claim. `grounded` is what became of a draft."""

    answer: WrittenAnswer
    claims: tuple[CheckedClaim, ...]
    abstained_because: str | None = None
    grounded: Grounded | None = None


def verify(written: WrittenAnswer, passages: Sequence[Passage], mode: GroundingMode) -> Verified:
    checked = tuple(CheckedClaim(claim, _status(claim, written, passages)) for claim in written.claims)
    if any(entry.status == "unsupported" for entry in checked):
        return Verified(_abstained(written), checked, "a claim was not in the passage it cites")
    if mode == "strict" and written.claims and not proven(written.claims, written.citations, passages):
        return Verified(_abstained(written), checked, "strict mode needs a second document")
    return Verified(written, checked)


def _status(claim: Claim, written: WrittenAnswer, passages: Sequence[Passage]) -> ClaimStatus:
    citation = next((entry for entry in written.citations if entry.number == claim.number), None)
    passage = next((entry for entry in passages if citation and entry.chunk_id == citation.chunk_id), None)
    if passage is None or claim.quote not in passage.text:
        return "unsupported"
    return "supported" if _says_no_more(claim, passage) else "unsupported"


def _says_no_more(claim: Claim, passage: Passage) -> bool:
    """Numbers and negation are those of the quote; other words may also name what the quote stands under: the
    title, a heading, the header of its table, or the subject a pronoun was replaced by.
    """
    text = claim.text.replace(claim.replaced[1], " ", 1) if claim.replaced else claim.text
    if not set(NUMBER.findall(text)) <= set(NUMBER.findall(claim.quote)):
        return False
    if bool(NEGATION.search(text)) != bool(NEGATION.search(claim.quote)):
        return False
    around = " ".join((passage.title, *passage.headings, passage.text))
    return set(terms(text)) <= set(terms(around))


def _abstained(written: WrittenAnswer) -> WrittenAnswer:
    return replace(
        written,
        text=NOT_PROVEN,
        outcome="unsupported",
        claims=(),
        citations=(),
        pieces=(NOT_PROVEN,),
        offers_handover=True,
    )
