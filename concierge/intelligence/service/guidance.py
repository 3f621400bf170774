"""What an organization says of how messages are read, at hand for every turn."""

import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import time
from time import monotonic
from typing import Any, Final

import numpy as np
from pydantic_core import to_json

from concierge.accounts.scope import TenantScope, Unit
from concierge.intelligence.repository import ControlRepository, GuidanceRow
from concierge.intelligence.schemas.control import (
    Attribute,
    AttributeValue,
    Condition,
    Consequence,
    Guidance,
    Rule,
)
from concierge.intelligence.view import FloatArray, OfficeHours
from concierge.kit.db import Database
from concierge.kit.errors import UnavailableError
from concierge.kit.lately import Lately
from concierge.llm.embedders import QuestionVectors
from concierge.llm.embeddings import LOCAL_SPACE

END_OF_DAY: Final = "24:00"


class GuidanceService:
    """Remembers every organization's guidance for a moment; a change made through `changing` holds at once."""

    def __init__(self, db: Database, vectors: QuestionVectors, now: Callable[[], float] = monotonic) -> None:
        self._db = db
        self._vectors = vectors
        self._lately: Lately[Guidance] = Lately(now)

    async def of(self, scope: TenantScope) -> Guidance:
        """Costs one statement, in a transaction of its own, or none. Errors: UnavailableError."""
        return await self._lately.get(scope.org_id, lambda: self._loaded(scope))

    @asynccontextmanager
    async def changing(self, scope: TenantScope) -> AsyncGenerator[Unit]:
        """A unit of work that may change an organization's guidance; what is remembered of it goes once that is done."""
        try:
            async with self._db.transaction(scope.org_id) as session:
                yield Unit(session, scope)
        finally:
            self._lately.forget(scope.org_id)

    async def _loaded(self, scope: TenantScope) -> Guidance:
        async with self._db.transaction(scope.org_id) as session:
            row = await ControlRepository(session, scope).guidance()
        attributes = tuple(_attribute(stored) for stored in row.attributes or ())
        vectors = await self._vectors_of(attributes)
        return Guidance(
            rules=tuple(_rule(stored) for stored in row.rules or ()),
            attributes=attributes,
            vectors=vectors,
            office_hours=_office_hours(row),
            llm_allowed=row.llm_allowed is not False,
            version=_version(row, vectors),
        )

    async def _vectors_of(self, attributes: Sequence[Attribute]) -> dict[str, FloatArray]:
        """The embeddings of what attributes may be; none while the model cannot be asked."""
        texts = [value.text for attribute in attributes for value in attribute.values]
        try:
            embedded = iter(await self._vectors.of(LOCAL_SPACE, texts) if texts else ())
        except UnavailableError:
            return {}
        return {own.name: np.stack([next(embedded) for _ in own.values]) for own in attributes}


def _rule(stored: Mapping[str, Any]) -> Rule:
    when: dict[str, Any] = {**stored["when"], "phrases": tuple(stored["when"].get("phrases", ()))}
    return Rule(stored["name"], Condition(**when), Consequence(**stored["then"]))


def _attribute(stored: Mapping[str, Any]) -> Attribute:
    values = [
        AttributeValue(own["value"], own["description"], tuple(own["phrases"])) for own in stored["values"]
    ]
    return Attribute(stored["name"], tuple(values), stored["description"])


def _office_hours(row: GuidanceRow) -> OfficeHours:
    if row.opens is None or row.closes is None:
        return OfficeHours()
    closes = time.max if row.closes == END_OF_DAY else time.fromisoformat(row.closes)
    return OfficeHours(time.fromisoformat(row.opens), closes)


def _version(row: GuidanceRow, vectors: Mapping[str, FloatArray]) -> str:
    return hashlib.sha256(to_json([row, sorted(vectors)])).hexdigest()[:32]
