"""A strategy, as it is traced and as every writer follows it."""

from dataclasses import dataclass
from typing import Final, Literal

from concierge.agents.schemas.policy import EscalationReason, FallbackStrategy
from concierge.agents.schemas.stages import Stage
from concierge.customers.schemas.context import RememberedFact
from concierge.learning.schemas.strategies import Choice

Tone = Literal["neutral", "empathetic", "reassuring", "patient", "energetic", "warm"]
Opening = Literal["none", "acknowledge", "apologise", "reassure", "share_joy", "welcome", "welcome_back"]
Length = Literal["brief", "normal", "detailed"]
Depth = Literal["simple", "standard", "technical"]
NextStep = Literal[
    "none", "ask_need", "ask_detail", "show_ways", "recommend", "offer_purchase", "offer_human", "close"
]

# Next steps that come before that of a stage.
BEFORE_STAGES: Final[frozenset[NextStep]] = frozenset({"offer_human", "ask_detail", "close"})


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a writer is held to. `max_tokens` bounds the whole reply, `max_sentences` the prose of the house writer."""

    temperature: float
    max_tokens: int
    length: Length
    max_sentences: int
    step_by_step: bool = False
    api_examples: bool = False


@dataclass(frozen=True, slots=True)
class Escalation:
    """A person should take over, and why; `because` is said to operators."""

    reason: EscalationReason
    because: str


@dataclass(frozen=True, slots=True)
class StageChoice:
    """The stage a turn is in, by the row `move` of the planner, and the stage it comes from. Its step is not taken where
    `held` names a row that says why. Both reasons are said to operators. `replies` is whether the message does nothing but
    tell what was asked of the visitor.
    """

    stage: Stage
    move: str
    because: str
    before: str | None = None
    held: str | None = None
    held_because: str | None = None
    replies: bool = False

    @property
    def closed(self) -> bool:
        return self.held == "closed"


@dataclass(frozen=True, slots=True)
class Strategy:
    """`rule` names the row that chose the fallback strategy, `reasons` are sentences for operators, most weighty first.

    `ruled` is what the rules alone chose, `eligible` what was allowed in its place, `learned` what learning chose by, where
    it was asked. `recall` are the
    facts that may be said aloud. `purchase_step` is whether a step towards buying is welcome, `open_ended` whether the
    visitor is still looking around: a question that was answered is otherwise closed, and nobody is asked for more.
    `stage` is where a persona's tactics stand, if one leads.
    """

    fallback: FallbackStrategy
    rule: str
    reasons: tuple[str, ...]
    tone: Tone
    opening: Opening
    depth: Depth
    next_step: NextStep
    purchase_step: bool
    open_ended: bool
    parameters: Parameters
    escalation: Escalation | None = None
    ruled: FallbackStrategy = "exploration"
    eligible: tuple[FallbackStrategy, ...] = ()
    learned: Choice | None = None
    recall: tuple[RememberedFact, ...] = ()
    stage: StageChoice | None = None

    @property
    def leading(self) -> Stage | None:
        """The stage whose step is taken in this turn, if one is."""
        if self.stage is None or self.stage.held is not None or self.next_step in BEFORE_STAGES:
            return None
        return self.stage.stage
