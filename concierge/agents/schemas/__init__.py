from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from concierge.agents.schemas.policy import StrategyPolicy
from concierge.agents.schemas.stages import Persona, ToolPolicy
from concierge.kit.fields import LongText, Name, Origin, Out

GroundingMode = Literal["blended", "strict"]
Slug = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")]
Packs = Annotated[list[UUID], Field(max_length=50)]
Origins = Annotated[list[Origin], Field(max_length=100)]


@dataclass(frozen=True, slots=True)
class AgentConfiguration:
    """An agent as a turn needs it. `expertise` is whether it answers as its persona; without, the persona waits."""

    id: UUID
    name: str
    greeting: str
    grounding_mode: GroundingMode
    allowed_origins: tuple[str, ...]
    shows_intelligence_to_visitors: bool
    version: int
    pack_ids: tuple[UUID, ...]
    policy: StrategyPolicy
    persona: Persona | None = None
    tools: ToolPolicy = field(default_factory=ToolPolicy)
    expertise: bool = False

    @property
    def applied_persona(self) -> Persona | None:
        """Who it answers as, if it is to be anybody in particular."""
        return self.persona if self.expertise else None


class AgentIn(BaseModel):
    name: Name
    slug: Slug | None = None
    description: LongText = ""
    greeting: LongText = ""
    grounding_mode: GroundingMode = "blended"
    allowed_origins: Origins = []
    shows_intelligence_to_visitors: bool = False
    pack_ids: Packs = []


class AgentPatch(BaseModel):
    """What is left out stays as it is."""

    name: Name | None = None
    description: LongText | None = None
    greeting: LongText | None = None
    grounding_mode: GroundingMode | None = None
    allowed_origins: Origins | None = None
    shows_intelligence_to_visitors: bool | None = None
    pack_ids: Packs | None = None


class ToolPolicyOut(Out):
    """What besides its knowledge an agent may use; nothing, unless somebody says so."""

    web_search: bool = False
    site_search: tuple[str, ...] = ()
    code_exec: bool = False


class AgentOut(Out):
    id: UUID
    slug: str
    name: str
    description: str
    greeting: str
    grounding_mode: GroundingMode
    allowed_origins: list[str]
    shows_intelligence_to_visitors: bool
    persona_id: UUID | None
    tool_policy: ToolPolicyOut
    domain_expertise_enabled: bool
    version: int
    pack_ids: list[UUID]
    created_at: datetime
    updated_at: datetime
