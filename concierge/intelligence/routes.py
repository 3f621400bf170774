"""HTTP of the intelligence room: what an operator says of how messages are read."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, status
from fastapi.responses import StreamingResponse

from concierge.accounts.access import scope_with, unit_with
from concierge.accounts.scope import Permission, TenantScope, Unit
from concierge.intelligence.analyst import Analyst, AnalyzedMessage, Message
from concierge.intelligence.schemas import AnalyzeIn, IntelligenceMetrics
from concierge.intelligence.schemas.control import (
    AttributeIn,
    AttributeOut,
    AttributePatch,
    IntelligenceSettings,
    RuleIn,
    RuleOut,
    RulePatch,
)
from concierge.intelligence.schemas.corrections import OverrideIn, OverrideOut
from concierge.intelligence.service import (
    AttributeService,
    CorrectionService,
    GuidanceService,
    LabelExport,
    RuleService,
    SettingsService,
)

router = APIRouter(prefix="/api/v1/intelligence", tags=["intelligence"])

LINES = "application/x-ndjson"
LABELS: Mapping[int | str, dict[str, Any]] = {
    200: {"description": "One label a line.", "content": {LINES: {"schema": {"type": "string"}}}}
}


class LinesResponse(StreamingResponse):
    media_type = LINES


def _guidance(request: Request) -> GuidanceService:
    service: GuidanceService = request.app.state.guidance
    return service


def _analyst(request: Request) -> Analyst:
    analyst: Analyst = request.app.state.analyst
    return analyst


def _labels(request: Request) -> LabelExport:
    service: LabelExport = request.app.state.labels
    return service


async def _changing(
    guidance: Annotated[GuidanceService, Depends(_guidance)],
    scope: Annotated[TenantScope, scope_with(Permission.INTELLIGENCE_WRITE)],
) -> AsyncIterator[Unit]:
    async with guidance.changing(scope) as unit:
        yield unit


Reader = Annotated[Unit, unit_with(Permission.INTELLIGENCE_READ)]
Writer = Annotated[Unit, Depends(_changing, scope="function")]
Witness = Annotated[Unit, unit_with(Permission.CONVERSATIONS_READ)]
Corrector = Annotated[Unit, unit_with(Permission.CONVERSATIONS_CORRECT)]
Collector = Annotated[TenantScope, scope_with(Permission.CONVERSATIONS_READ)]
Dimension = Annotated[str, Path(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]


@router.post("/analyze")
async def analyze_message(
    body: AnalyzeIn,
    scope: Annotated[TenantScope, scope_with(Permission.INTELLIGENCE_READ)],
    analyst: Annotated[Analyst, Depends(_analyst)],
) -> AnalyzedMessage:
    """Read a message in eight dimensions, with the words and signals behind each, by this organization's rules."""
    understood = await analyst.read(scope, Message(body.text, body.history, body.context))
    return understood.told()


@router.get("/metrics")
async def read_intelligence_metrics(
    scope: Annotated[TenantScope, scope_with(Permission.INTELLIGENCE_READ)],
    analyst: Annotated[Analyst, Depends(_analyst)],
) -> IntelligenceMetrics:
    """How often messages had been read before, in this process."""
    return IntelligenceMetrics.model_validate(analyst.rate(scope))


@router.get("/rules")
async def list_intelligence_rules(unit: Reader) -> list[RuleOut]:
    """List the rules in the order they are looked at, the oldest first."""
    return [RuleOut.model_validate(rule) for rule in await RuleService(unit).list()]


@router.post("/rules", status_code=status.HTTP_201_CREATED)
async def create_intelligence_rule(body: RuleIn, unit: Writer) -> RuleOut:
    """Decide how messages of a kind are read, whatever they seem to say. It holds from the next message on."""
    return RuleOut.model_validate(await RuleService(unit).create(body))


@router.patch("/rules/{rule_id}")
async def change_intelligence_rule(rule_id: UUID, body: RulePatch, unit: Writer) -> RuleOut:
    return RuleOut.model_validate(await RuleService(unit).change(rule_id, body))


@router.delete("/rules/{rule_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_intelligence_rule(rule_id: UUID, unit: Writer) -> None:
    await RuleService(unit).remove(rule_id)


@router.get("/attributes")
async def list_intelligence_attributes(unit: Reader) -> list[AttributeOut]:
    return [AttributeOut.model_validate(own) for own in await AttributeService(unit).list()]


@router.post("/attributes", status_code=status.HTTP_201_CREATED)
async def create_intelligence_attribute(body: AttributeIn, unit: Writer) -> AttributeOut:
    """Have something else read of every message, besides the eight dimensions."""
    return AttributeOut.model_validate(await AttributeService(unit).create(body))


@router.patch("/attributes/{attribute_id}")
async def change_intelligence_attribute(
    attribute_id: UUID, body: AttributePatch, unit: Writer
) -> AttributeOut:
    return AttributeOut.model_validate(await AttributeService(unit).change(attribute_id, body))


@router.delete("/attributes/{attribute_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_intelligence_attribute(attribute_id: UUID, unit: Writer) -> None:
    await AttributeService(unit).remove(attribute_id)


@router.get("/settings")
async def get_intelligence_settings(unit: Reader) -> IntelligenceSettings:
    return await SettingsService(unit).get()


@router.put("/settings")
async def change_intelligence_settings(body: IntelligenceSettings, unit: Writer) -> IntelligenceSettings:
    """Say when somebody is there to help, and whether a language model may be asked. What is left out is as at first."""
    await SettingsService(unit).change(body)
    return body


@router.get("/turns/{turn_id}/overrides")
async def list_overrides(turn_id: UUID, unit: Witness) -> list[OverrideOut]:
    """List the readings of a turn that somebody corrected."""
    return list(await CorrectionService(unit).of_turn(turn_id))


@router.put("/turns/{turn_id}/overrides/{dimension}")
async def override_reading(
    turn_id: UUID, dimension: Dimension, body: OverrideIn, unit: Corrector
) -> OverrideOut:
    """Correct what was read of a message. It is kept with the message, as an example of how to read such messages."""
    return await CorrectionService(unit).correct(turn_id, dimension, body)


@router.delete("/turns/{turn_id}/overrides/{dimension}", status_code=status.HTTP_204_NO_CONTENT)
async def take_back_override(turn_id: UUID, dimension: Dimension, unit: Corrector) -> None:
    await CorrectionService(unit).take_back(turn_id, dimension)


@router.get("/labels", response_class=LinesResponse, responses=dict(LABELS))
async def export_labels(
    scope: Collector, labels: Annotated[LabelExport, Depends(_labels)]
) -> StreamingResponse:
    """Download all corrections as JSON Lines, the newest last: data to measure the reading by, or to train one."""
    return LinesResponse(labels.stream(scope))
