"""Decisions about reading: what an operator says beforehand (`control`), in a turn (`guidance`), afterwards (`corrections`)."""

from concierge.intelligence.service.control import AttributeService, RuleService, SettingsService
from concierge.intelligence.service.corrections import CorrectionService, LabelExport
from concierge.intelligence.service.guidance import GuidanceService

__all__ = [
    "AttributeService",
    "CorrectionService",
    "GuidanceService",
    "LabelExport",
    "RuleService",
    "SettingsService",
]
