"""What a person says of a reading afterwards: it was right, or it was this. Each is a labelled example."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.conversations.service import ConversationService
from concierge.intelligence.errors import OverrideNotFoundError
from concierge.intelligence.models import ReadingOverride
from concierge.intelligence.repository import ControlRepository, CorrectionRepository
from concierge.intelligence.schemas.corrections import LabelOut, OverrideIn, OverrideOut
from concierge.intelligence.service.control import choices_of
from concierge.intelligence.service.values import corrected
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.ids import new_id

# Where a turn's trace keeps what was read.
ANALYSIS = "analysis"
PORTION = 200


class CorrectionService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._scope = unit.scope
        self._turns = ConversationService(unit)
        self._control = ControlRepository(unit.session, unit.scope)
        self._repository = CorrectionRepository(unit.session, unit.scope)
        self._clock = clock

    async def correct(self, turn_id: UUID, dimension: str, wanted: OverrideIn) -> OverrideOut:
        """Say what a reading should have been. A later correction takes the place of an earlier one.

        Errors: TurnNotFoundError, DimensionUnknownError, ValueNotAllowedError.
        """
        turn = await self._turns.record(turn_id)
        value = corrected(dimension, wanted.value, choices_of(await self._control.attributes()))
        read, confidence = _read_of(turn.trace.get(ANALYSIS) or {}, dimension)
        override = ReadingOverride(
            org_id=self._scope.org_id,
            id=new_id(),
            turn_id=turn_id,
            dimension=dimension,
            message=turn.message,
            history=list(turn.history),
            context=dict(turn.session_context),
            read=read,
            confidence=confidence,
            corrected=value,
            note=wanted.note,
            by_kind=self._scope.actor.kind,
            by_id=self._scope.actor.id,
            at=self._clock(),
        )
        await self._repository.put(override)
        return _out(override)

    async def of_turn(self, turn_id: UUID) -> Sequence[OverrideOut]:
        """Errors: TurnNotFoundError."""
        await self._turns.record(turn_id)
        return [_out(override) for override in await self._repository.of_turn(turn_id)]

    async def of_turns(self, turn_ids: Collection[UUID]) -> Sequence[OverrideOut]:
        return [_out(override) for override in await self._repository.of_turns(turn_ids)]

    async def take_back(self, turn_id: UUID, dimension: str) -> None:
        """Errors: TurnNotFoundError, OverrideNotFoundError."""
        await self._turns.record(turn_id)
        if not await self._repository.remove(turn_id, dimension):
            raise OverrideNotFoundError


class LabelExport:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def stream(self, scope: TenantScope) -> AsyncIterator[bytes]:
        """Yield all corrections as lines of JSON, the newest last. Each portion is read in a transaction of its own."""
        after: UUID | None = None
        while True:
            async with self._db.transaction(scope.org_id) as session:
                portion = await CorrectionRepository(session, scope).all(after, PORTION)
            for override in portion:
                yield _label(override).model_dump_json().encode() + b"\n"
            if len(portion) < PORTION:
                return
            after = portion[-1].id


def _read_of(analysis: Mapping[str, Any], dimension: str) -> tuple[Any, float | None]:
    """Return what a stored analysis says of a dimension, in the form of a correction, and how sure it was."""
    attributes: Mapping[str, Any] = analysis.get("attributes") or {}
    read = analysis.get(dimension, attributes.get(dimension))
    if dimension == "opportunities" and read is not None:
        read = [opportunity["kind"] for opportunity in read]
    return read, (analysis.get("confidence") or {}).get(dimension)


def _by(override: ReadingOverride) -> str:
    return f"{override.by_kind}:{override.by_id}"


def _out(override: ReadingOverride) -> OverrideOut:
    return OverrideOut(
        turn_id=override.turn_id,
        dimension=override.dimension,
        value=override.corrected,
        note=override.note,
        read=override.read,
        confidence=override.confidence,
        by=_by(override),
        at=override.at,
    )


def _label(override: ReadingOverride) -> LabelOut:
    return LabelOut(
        text=override.message,
        history=override.history,
        context=override.context,
        dimension=override.dimension,
        read=override.read,
        confidence=override.confidence,
        corrected=override.corrected,
        by=_by(override),
        at=override.at,
    )
