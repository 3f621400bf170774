"""The personas that are built in, and every stage a persona may use: read from the files beside this one."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from concierge.agents.schemas.stages import Manner, Persona, Stage, Tactics

NAMES: Final = ("sales_representative", "solutions_engineer", "support_expert", "domain_guru")


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    template_name: str
    description: str
    system_prompt: str
    tactics: Tactics
    manner: Manner


def spoken(
    persona_id: UUID,
    name: str,
    system_prompt: str,
    tactics: Mapping[str, Any],
    style: Mapping[str, Any],
    wordings: Mapping[str, Sequence[str]],
    template_name: str | None,
    version: int,
) -> Persona:
    """A persona as a turn uses it, of what is stored."""
    led = Tactics(tactics["style"], stages_of(tactics["steps"], wordings))
    manner, template = _MANNER.validate_python(style), TEMPLATES.get(template_name or "")
    as_brought = template and (template.system_prompt, template.tactics, template.manner)
    return Persona(
        id=persona_id,
        name=name,
        system_prompt=system_prompt,
        tactics=led,
        manner=manner,
        template_name=template_name,
        version=version,
        is_built_in=as_brought == (system_prompt, led, manner),
    )


def stages_of(steps: Sequence[Mapping[str, str]], wordings: Mapping[str, Sequence[str]]) -> tuple[Stage, ...]:
    """The stages that stored steps name, with a persona's own wordings; one that is neither known nor explained is no more."""
    return tuple(
        replace(stage, wordings=tuple(wordings[stage.name])) if wordings.get(stage.name) else stage
        for step in steps
        if (stage := _stage(step["name"], step.get("guidance", ""))) is not None
    )


def _stage(name: str, guidance: str) -> Stage | None:
    known = STAGES.get(name)
    if known is not None:
        return replace(known, guidance=guidance) if guidance else known
    return Stage(name, guidance, "custom", left=("goes_on",), guidance=guidance) if guidance else None


def _template(name: str) -> Template:
    data: dict[str, Any] = tomllib.loads((files(__name__) / f"{name}.toml").read_text("utf-8"))
    return Template(
        name=data["name"],
        template_name=data["template_name"],
        description=data["description"],
        system_prompt=data["system_prompt"].strip(),
        tactics=Tactics(data["style"], _STAGES.validate_python(data["stages"])),
        manner=_MANNER.validate_python(data["communication_style"]),
    )


_STAGES: Final = TypeAdapter(tuple[Stage, ...])
_MANNER: Final = TypeAdapter(Manner)
TEMPLATES: Final[Mapping[str, Template]] = {name: _template(name) for name in NAMES}
STAGES: Final[Mapping[str, Stage]] = {
    stage.name: stage for template in TEMPLATES.values() for stage in template.tactics.stages
}
