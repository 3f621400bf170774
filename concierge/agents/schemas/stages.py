"""Who an agent is, and the stages it leads a conversation through, as a turn uses them."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Tone = Literal["neutral", "executive", "technical", "systematic", "educational", "warm", "formal", "casual"]
TechnicalDepth = Literal["simple", "standard", "technical"]
ResponseLength = Literal["concise", "neutral", "detailed"]
# What a conversation can show of where it stands; `chat/strategy/cues.py` reads each from what was said.
Cue = Literal[
    "goes_on",
    "need_told",
    "asks_value",
    "asks_proof",
    "wants_to_buy",
    "constraint_told",
    "asks_design",
    "compares",
    "asks_how",
    "detail_told",
    "tried",
    "asks_fix",
    "solved",
    "asks_prevention",
    "asks_why",
    "asks_practice",
    "asks_reading",
]
# What kind of next step a stage takes; “custom” follows the operator's own sentence.
StageStep = Literal[
    "ask_need",
    "weigh_needs",
    "show_proof",
    "offer_purchase",
    "ask_constraint",
    "ask_part",
    "name_loss",
    "ask_rollout",
    "tell_apart",
    "ask_when",
    "check_result",
    "keep_away",
    "ask_interest",
    "give_insight",
    "give_tip",
    "point_on",
    "custom",
]


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a persona's tactics. It is reached when one of `reached` shows, and left for the next when one of `left`
    does. `wordings` are questions that take its step; `leads` introduce a sentence of a source, at “{fact}”, or its page,
    at “{title}”. `of_trouble` stages deal with a problem that was told. `guidance` is the operator's own sentence.
    """

    name: str
    goal: str
    step: StageStep
    reached: tuple[Cue, ...] = ()
    left: tuple[Cue, ...] = ()
    wordings: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    of_trouble: bool = False
    guidance: str = ""


@dataclass(frozen=True, slots=True)
class Tactics:
    """A way of leading a conversation: its stages in their order."""

    style: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a persona speaks to somebody of whom nothing else is known."""

    tone: Tone = "neutral"
    technical_depth: TechnicalDepth = "standard"
    response_length: ResponseLength = "neutral"


@dataclass(frozen=True, slots=True)
class Persona:
    """`is_built_in` says that it is word for word as the product brings it, whatever it is called."""

    id: UUID
    name: str
    system_prompt: str
    tactics: Tactics
    manner: Manner = field(default_factory=Manner)
    template_name: str | None = None
    version: int = 1
    is_built_in: bool = False


@dataclass(frozen=True, slots=True)
class ToolPolicy:
    """What besides its knowledge an agent may use. `site_search` are the hosts whose pages it may look up."""

    web_search: bool = False
    site_search: tuple[str, ...] = ()
    code_exec: bool = False
