"""Personas as they cross HTTP: what an operator writes is cleaned of markup and of what nobody sees."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from concierge.agents.schemas import GroundingMode, Packs
from concierge.agents.schemas.stages import ResponseLength, Stage, TechnicalDepth, Tone
from concierge.kit.fields import Out, PlainText
from concierge.kit.html import line_of, plain

MOST_STEPS = 8
MOST_WORDINGS = 10


def _cleaned(text: str) -> str:
    return _something(plain(text))


def _line(text: str) -> str:
    return _something(line_of(text))


def _something(text: str) -> str:
    if not text:
        raise ValueError("must hold more than markup and spaces")
    return text


def _one_question(text: str) -> str:
    if text.count("?") > 1 or "?" in text.rstrip()[:-1]:
        raise ValueError("must ask one question at most, and end with it")
    return text


def _named(step: Any) -> Any:
    """A step may be just the name of a stage."""
    return {"name": step} if isinstance(step, str) else step


def _host(site: str) -> str:
    """The host of a site, however it was copied."""
    return site.strip().lower().removeprefix("https://").removeprefix("http://").partition("/")[0]


PersonaName = Annotated[str, StringConstraints(max_length=120), PlainText, AfterValidator(_line)]
SystemPrompt = Annotated[str, StringConstraints(max_length=8_000), PlainText, AfterValidator(_cleaned)]
Sentence = Annotated[str, StringConstraints(max_length=500), PlainText, AfterValidator(_line)]
Wording = Annotated[
    str, StringConstraints(max_length=300), PlainText, AfterValidator(_line), AfterValidator(_one_question)
]
StageName = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$")]
Style = Annotated[str, StringConstraints(max_length=60), PlainText, AfterValidator(_line)]
Host = Annotated[
    str,
    BeforeValidator(lambda site: _host(site) if isinstance(site, str) else site),
    StringConstraints(max_length=253, pattern=r"^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,63}$"),
]


class StepIn(BaseModel):
    """A stage the product knows, or one of your own with a sentence that says how to go about it."""

    name: StageName
    guidance: Sentence | Literal[""] = ""


Step = Annotated[StepIn, BeforeValidator(_named)]


def _distinct(steps: list[StepIn]) -> list[StepIn]:
    if len({step.name for step in steps}) < len(steps):
        raise ValueError("must name each stage once")
    return steps


class TacticsIn(BaseModel):
    style: Style
    steps: Annotated[list[Step], Field(min_length=1, max_length=MOST_STEPS), AfterValidator(_distinct)]


class CommunicationStyle(BaseModel):
    """How the persona speaks where the visitor shows no wish of their own."""

    tone: Tone = "neutral"
    technical_depth: TechnicalDepth = "standard"
    response_length: ResponseLength = "neutral"


Patterns = Annotated[
    dict[StageName, Annotated[list[Wording], Field(max_length=MOST_WORDINGS)]], Field(max_length=MOST_STEPS)
]


class PersonaIn(BaseModel):
    """`response_patterns` are your own wordings of a stage's next step, by the stage's name."""

    model_config = ConfigDict(extra="forbid")

    name: PersonaName
    system_prompt: SystemPrompt
    tactics: TacticsIn
    communication_style: CommunicationStyle = CommunicationStyle()
    response_patterns: Patterns = {}


class PersonaPatch(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: PersonaName | None = None
    system_prompt: SystemPrompt | None = None
    tactics: TacticsIn | None = None
    communication_style: CommunicationStyle | None = None
    response_patterns: Patterns | None = None


class FromTemplateIn(BaseModel):
    """Without a name of its own the persona is called as the template is."""

    model_config = ConfigDict(extra="forbid")

    template_name: Annotated[str, StringConstraints(max_length=60), PlainText]
    name: PersonaName | None = None


class PersonaOut(Out):
    """`is_built_in` is whether it is word for word as the product brings it."""

    id: UUID
    name: str
    template_name: str | None
    is_built_in: bool
    system_prompt: str
    tactics: TacticsIn
    communication_style: CommunicationStyle
    response_patterns: dict[str, list[str]]
    version: int
    created_at: datetime
    updated_at: datetime


class PersonaVersionOut(Out):
    """How a persona was from `created_at` on."""

    version: int
    name: str
    template_name: str | None
    system_prompt: str
    tactics: TacticsIn
    communication_style: CommunicationStyle
    response_patterns: dict[str, list[str]]
    created_at: datetime


class StageOut(Out):
    """`reached` and `left` are what in a conversation begins and ends the stage; `step` is the kind of its next step."""

    name: str
    goal: str
    reached: list[str]
    left: list[str]
    step: str
    wordings: list[str]
    leads: list[str]

    @classmethod
    def of(cls, stage: Stage) -> "StageOut":
        return cls.model_validate(stage)


class TemplateOut(Out):
    name: str
    template_name: str
    description: str
    is_built_in: Literal[True] = True
    system_prompt: str
    tactics: TacticsIn
    communication_style: CommunicationStyle
    stages: list[StageOut]


class ToolPolicyPatch(BaseModel):
    """What is left out stays as it is. `site_search` are hosts; an address stands for its host."""

    model_config = ConfigDict(extra="forbid")

    web_search: bool | None = None
    site_search: Annotated[list[Host], Field(max_length=50)] | None = None
    code_exec: bool | None = None


class ExpertisePatch(BaseModel):
    """What is left out stays as it is; `"persona_id": null` takes the persona away."""

    model_config = ConfigDict(extra="forbid")

    persona_id: UUID | None = None
    pack_ids: Packs | None = None
    tool_policy: ToolPolicyPatch | None = None
    grounding_mode: GroundingMode | None = None
    domain_expertise_enabled: bool | None = None
