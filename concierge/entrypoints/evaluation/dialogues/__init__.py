"""Scripted conversations with an agent: read, played through the real service, and judged."""

from concierge.entrypoints.evaluation.dialogues.played import Player, TurnedClock
from concierge.entrypoints.evaluation.dialogues.report import DialogueReport, PlayedTurn, report_of
from concierge.entrypoints.evaluation.dialogues.script import Dialogue, Script, read_script

__all__ = [
    "Dialogue",
    "DialogueReport",
    "PlayedTurn",
    "Player",
    "Script",
    "TurnedClock",
    "read_script",
    "report_of",
]
