"""Who the agents are: personas, their templates and versions, under the addresses of the domain-expertise API."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, status

from concierge.agents.models import Persona
from concierge.agents.routes import Allowed, Reader, Writer, agent_out
from concierge.agents.schemas import AgentOut
from concierge.agents.schemas.personas import (
    ExpertisePatch,
    FromTemplateIn,
    PersonaIn,
    PersonaOut,
    PersonaPatch,
    PersonaVersionOut,
    StageOut,
    TemplateOut,
)
from concierge.agents.service import ExpertiseService, PersonaService
from concierge.agents.service.personas import content_of, is_built_in
from concierge.agents.templates import TEMPLATES, Template

router = APIRouter(prefix="/api/v1/domain-expertise", tags=["domain expertise"])

Version = Annotated[int, Path(ge=1, le=2_147_483_647)]


@router.get("/personas")
async def list_personas(unit: Reader) -> list[PersonaOut]:
    return [_out(persona) for persona in await PersonaService(unit).list()]


@router.post("/personas", status_code=status.HTTP_201_CREATED)
async def create_persona(body: PersonaIn, allow: Allowed, unit: Writer) -> PersonaOut:
    """Write a persona of your own. Its steps are stages the product knows, or your own with a sentence of guidance."""
    return _out(await PersonaService(unit, allow).create(body))


@router.get("/personas/templates")
async def list_persona_templates(unit: Reader) -> list[TemplateOut]:  # noqa: ARG001  # Whoever may read personas.
    """The personas that are built in, with their stages: what each is for, when it is reached and left, how it is said."""
    return [_template_out(template) for template in TEMPLATES.values()]


@router.post("/personas/from-template", status_code=status.HTTP_201_CREATED)
async def create_persona_from_template(body: FromTemplateIn, allow: Allowed, unit: Writer) -> PersonaOut:
    return _out(await PersonaService(unit, allow).from_template(body))


@router.get("/personas/{persona_id}")
async def get_persona(persona_id: UUID, unit: Reader) -> PersonaOut:
    return _out(await PersonaService(unit).get(persona_id))


@router.patch("/personas/{persona_id}")
async def change_persona(persona_id: UUID, body: PersonaPatch, allow: Allowed, unit: Writer) -> PersonaOut:
    """Change a persona; how it was before stays as a version. Its agents answer so from their next turn on."""
    return _out(await PersonaService(unit, allow).change(persona_id, body))


@router.delete("/personas/{persona_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_persona(persona_id: UUID, unit: Writer) -> None:
    """Delete a persona with its versions, if no agent is it."""
    await PersonaService(unit).remove(persona_id)


@router.get("/personas/{persona_id}/versions")
async def list_persona_versions(persona_id: UUID, unit: Reader) -> list[PersonaVersionOut]:
    """Every version there was, the newest first."""
    found = await PersonaService(unit).versions(persona_id)
    return [PersonaVersionOut.model_validate(version) for version in found]


@router.post("/personas/{persona_id}/versions/{version}/restore")
async def restore_persona_version(
    persona_id: UUID, version: Version, allow: Allowed, unit: Writer
) -> PersonaOut:
    """Make the persona what it was; that is a new version, and nothing in between is lost."""
    return _out(await PersonaService(unit, allow).restore(persona_id, version))


@router.patch("/agents/{agent_id}/domain-expertise")
async def change_domain_expertise(
    agent_id: UUID, body: ExpertisePatch, allow: Allowed, unit: Writer
) -> AgentOut:
    """Say whether an agent answers as an expert: as whom, from which packs, and with what besides."""
    return agent_out(await ExpertiseService(unit, allow).change(agent_id, body))


def _out(persona: Persona) -> PersonaOut:
    values = {name: getattr(persona, name) for name in PersonaOut.model_fields if name != "is_built_in"}
    return PersonaOut(**values, is_built_in=is_built_in(persona))


def _template_out(template: Template) -> TemplateOut:
    content = {**content_of(template), "template_name": template.template_name}
    stages = [StageOut.of(stage) for stage in template.tactics.stages]
    return TemplateOut.model_validate({**content, "description": template.description, "stages": stages})
