from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.agents.entitled import Allow, of_every_plan
from concierge.agents.errors import (
    PersonaInUseError,
    PersonaNotFoundError,
    PersonaVersionNotFoundError,
    TacticsUnknownError,
    TemplateNotFoundError,
    TooManyPersonasError,
)
from concierge.agents.models import Persona, PersonaVersion
from concierge.agents.repository import PersonaRepository
from concierge.agents.schemas.personas import CommunicationStyle, FromTemplateIn, PersonaIn, PersonaPatch
from concierge.agents.schemas.stages import Persona as SpokenPersona
from concierge.agents.templates import STAGES, TEMPLATES, Template, spoken
from concierge.billing.plans import Feature
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id

MOST_PERSONAS: Final = 100
CONTENT: Final = ("name", "system_prompt", "tactics", "communication_style", "response_patterns")


class PersonaService:
    """Who the agents of an organization may be. Every change makes a version, and every version stays."""

    def __init__(self, unit: Unit, allow: Allow = of_every_plan, clock: Clock = utc_now) -> None:
        """`allow` raises where the organization's plan lacks a feature."""
        self._org_id = unit.scope.org_id
        self._repository = PersonaRepository(unit.session, unit.scope)
        self._allow = allow
        self._clock = clock

    async def list(self) -> Sequence[Persona]:
        return await self._repository.list()

    async def get(self, persona_id: UUID) -> Persona:
        """Errors: PersonaNotFoundError, also for another organization's persona."""
        return await self._found(persona_id)

    async def spoken(self, persona_id: UUID) -> SpokenPersona:
        """Return a persona as a turn uses it. Errors: PersonaNotFoundError."""
        found = await self._found(persona_id)
        return spoken(
            found.id,
            found.name,
            found.system_prompt,
            found.tactics,
            found.communication_style,
            found.response_patterns,
            found.template_name,
            found.version,
        )

    async def create(self, wanted: PersonaIn) -> Persona:
        """Errors: TacticsUnknownError, TooManyPersonasError, PersonaNameTakenError."""
        await self._admit_custom(is_new=True)
        return await self._keep_new(_content(wanted), None)

    async def from_template(self, wanted: FromTemplateIn) -> Persona:
        """Errors: TemplateNotFoundError, TooManyPersonasError, PersonaNameTakenError."""
        template = TEMPLATES.get(wanted.template_name)
        if template is None:
            raise TemplateNotFoundError(TEMPLATES)
        await self._admit_template()
        content = content_of(template)
        return await self._keep_new({**content, "name": wanted.name or template.name}, template.template_name)

    async def change(self, persona_id: UUID, patch: PersonaPatch) -> Persona:
        """Errors: PersonaNotFoundError, TacticsUnknownError, PersonaNameTakenError."""
        persona = await self._found(persona_id, for_change=True)
        return await self._become(persona, _content(patch), persona.template_name)

    async def restore(self, persona_id: UUID, version: int) -> Persona:
        """Make the persona what it was; that is a new version. Errors: PersonaNotFoundError,
        PersonaVersionNotFoundError, PersonaNameTakenError.
        """
        persona = await self._found(persona_id, for_change=True)
        former = next(iter(await self._repository.versions(persona_id, version=version)), None)
        if former is None:
            raise PersonaVersionNotFoundError
        return await self._become(
            persona, {name: getattr(former, name) for name in CONTENT}, former.template_name
        )

    async def versions(self, persona_id: UUID) -> Sequence[PersonaVersion]:
        """Return all versions, the newest first. Errors: PersonaNotFoundError."""
        await self._found(persona_id)
        return await self._repository.versions(persona_id)

    async def remove(self, persona_id: UUID) -> None:
        """Errors: PersonaNotFoundError, PersonaInUseError."""
        persona = await self._found(persona_id, for_change=True)
        agents = await self._repository.agents_of(persona_id)
        if agents:
            raise PersonaInUseError(agents)
        await self._repository.remove(persona)

    async def _admit_template(self) -> None:
        """What has to hold for a template to be taken."""
        self._allow(Feature.PERSONA_TEMPLATES)
        await self._leave_room()

    async def _admit_custom(self, *, is_new: bool) -> None:
        """What has to hold for a persona to say something else than its template, or to be written anew."""
        self._allow(Feature.CUSTOM_PERSONAS)
        if is_new:
            await self._leave_room()

    async def _leave_room(self) -> None:
        if await self._repository.count() >= MOST_PERSONAS:
            raise TooManyPersonasError(MOST_PERSONAS)

    async def _found(self, persona_id: UUID, *, for_change: bool = False) -> Persona:
        found = await self._repository.get(persona_id, for_change=for_change)
        if found is None:
            raise PersonaNotFoundError
        return found

    async def _keep_new(self, content: Mapping[str, Any], template_name: str | None) -> Persona:
        now = self._clock()
        persona = Persona(
            org_id=self._org_id,
            id=new_id(),
            template_name=template_name,
            version=1,
            created_at=now,
            updated_at=now,
            **content,
        )
        await self._repository.keep(persona)
        return persona

    async def _become(
        self, persona: Persona, content: Mapping[str, Any], template_name: str | None
    ) -> Persona:
        """Take on what differs; what says the same as before makes no version."""
        differing = {name: value for name, value in content.items() if getattr(persona, name) != value}
        if not differing:
            return persona
        for name, value in differing.items():
            setattr(persona, name, value)
        if not is_built_in(persona):
            await self._admit_custom(is_new=False)
        persona.template_name = template_name
        persona.version += 1
        persona.updated_at = self._clock()
        await self._repository.keep(persona)
        return persona


def is_built_in(persona: Persona) -> bool:
    """Whether a persona is word for word as the product brings it, whatever it is called."""
    template = TEMPLATES.get(persona.template_name or "")
    if template is None:
        return False
    content = content_of(template)
    return all(getattr(persona, name) == content[name] for name in CONTENT if name != "name")


def content_of(template: Template) -> dict[str, Any]:
    """A template as a persona stores it: of its stages only the names, so that it gains as they do."""
    style = CommunicationStyle.model_validate(template.manner, from_attributes=True)
    return {
        "name": template.name,
        "system_prompt": template.system_prompt,
        "tactics": {
            "style": template.tactics.style,
            "steps": [{"name": stage.name, "guidance": ""} for stage in template.tactics.stages],
        },
        "communication_style": style.model_dump(),
        "response_patterns": {},
    }


def _content(wanted: PersonaIn | PersonaPatch) -> dict[str, Any]:
    content = wanted.model_dump(mode="json", exclude_none=True)
    if wanted.tactics is not None:
        unknown = [
            step.name for step in wanted.tactics.steps if step.name not in STAGES and not step.guidance
        ]
        if unknown:
            raise TacticsUnknownError(unknown, STAGES)
    return content
