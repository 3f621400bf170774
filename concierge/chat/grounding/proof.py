"""What strict grounding asks for: an authoritative document, or a second one that says the same. Pure."""

from collections.abc import Sequence

from concierge.chat.writers.brief import Citation, Claim
from concierge.knowledge.lexical import terms
from concierge.knowledge.schemas import Passage

STRICT_DOCUMENTS = 2
# A second document supports an answer when it shares this much of the words the answer rests on.
STRICT_OVERLAP = 0.5


def proven(claims: Sequence[Claim], citations: Sequence[Citation], passages: Sequence[Passage]) -> bool:
    """One authoritative document is enough; otherwise a second one must say the same."""
    cited = {citation.document_id for citation in citations}
    if any(passage.authoritative for passage in passages if passage.document_id in cited):
        return True
    rests_on = {term for claim in claims for term in terms(claim.quote)}
    supporting = {
        passage.document_id
        for passage in passages
        if passage.document_id in cited or _overlap(rests_on, passage) >= STRICT_OVERLAP
    }
    return len(supporting) >= STRICT_DOCUMENTS


def _overlap(rests_on: set[str], passage: Passage) -> float:
    return len(rests_on & set(terms(passage.text))) / len(rests_on) if rests_on else 0.0
