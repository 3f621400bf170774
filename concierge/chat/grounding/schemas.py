"""What is found out about a draft: a verdict on each of its sentences, and what may be shown of it."""

from dataclasses import dataclass
from typing import Literal

from concierge.chat.writers.brief import Citation, Claim
from concierge.knowledge.schemas import Span

Verdict = Literal["supported", "partial", "unsupported", "no_claim"]
Fate = Literal["kept", "repaired", "dropped"]
Mark = Literal["none", "right", "added", "moved", "removed"]
Claimless = Literal["greeting", "empathy", "question", "offer", "connective", "not_known", "general"]
Fault = Literal[
    "price",
    "share",
    "duration",
    "date",
    "number",
    "address",
    "name",
    "polarity",
    "subject",
    "belongs",
    "words",
    "elsewhere",
    "promise",
    "code",
    "too_long",
    "leans",
]
Reason = Literal["stated"] | Claimless | Fault


@dataclass(frozen=True, slots=True)
class Evidence:
    """`source` counts from 1 in the order the passages were handed in; `quote == passage.text[start:end]`."""

    source: int
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One sentence, list item, table row or block of code of a draft.

    `span` is where it stands there, `text` its words without marks. `evidence` is what it rests on or, where it is
    not supported, what comes nearest. `mark` says what became of its marks, `shown` what stands in the text now.
    `general` is a general statement that blended grounding lets stand without a source.
    """

    span: Span
    text: str
    verdict: Verdict
    reason: Reason
    fate: Fate
    evidence: tuple[Evidence, ...] = ()
    mark: Mark = "none"
    shown: str | None = None
    general: bool = False


@dataclass(frozen=True, slots=True)
class Grounded:
    """What remains of a draft. Citations are numbered from 1 in the order the text uses them.

    `empty` says that nothing of it answers, so that one had better say that one does not know; the text is empty then.
    `proven` says that the answer rests on two documents or an authoritative one, which strict grounding asks for.
    """

    text: str
    checked: tuple[Checked, ...]
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    empty: bool
    proven: bool
