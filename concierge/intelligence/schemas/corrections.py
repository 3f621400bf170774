"""Corrections of single readings, over HTTP: what a person says was right, beside what had been read."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from concierge.intelligence.schemas import CommunicationStyle, ResponseStyle, TechnicalLevel
from concierge.intelligence.schemas.control import LanguageCode, Phrase, ValueName
from concierge.kit.fields import LongText, Out

MOST_CORRECTED = 20


class PersonalizationCorrection(BaseModel):
    """What is left out was read rightly."""

    model_config = ConfigDict(extra="forbid")

    technical_level: TechnicalLevel | None = None
    response_style: ResponseStyle | None = None
    communication_style: CommunicationStyle | None = None
    language: LanguageCode | None = None


Listed = Annotated[list[Phrase], Field(max_length=MOST_CORRECTED)]


class OverrideIn(BaseModel):
    """The right value of a dimension: a word, a list of phrases or kinds, or the parts of `personalization_cues`."""

    value: ValueName | Listed | PersonalizationCorrection
    note: LongText = ""


class OverrideOut(Out):
    """A correction beside what had been read, which is null where no reading was stored."""

    turn_id: UUID
    dimension: str
    value: Any
    note: str
    read: Any
    confidence: float | None
    by: str
    at: datetime


class LabelOut(Out):
    """A line of the export: a message, what was read of it, and what a person says is right."""

    text: str
    history: list[str]
    context: dict[str, Any]
    dimension: str
    read: Any
    confidence: float | None
    corrected: Any
    by: str
    at: datetime
