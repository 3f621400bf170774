"""Statements that disagree: the same thing said with two prices, periods, shares, dates or limits. Pure."""

from concierge.knowledge.contradictions.compare import (
    Contradiction,
    Reason,
    among,
    contradictions,
    disagree,
    enough_to_meet,
    settled,
    standing,
)
from concierge.knowledge.contradictions.statements import Sentence, Statement, statements_of
from concierge.knowledge.contradictions.values import Kind, Value, values_of

__all__ = [
    "Contradiction",
    "Kind",
    "Reason",
    "Sentence",
    "Statement",
    "Value",
    "among",
    "contradictions",
    "disagree",
    "enough_to_meet",
    "settled",
    "standing",
    "statements_of",
    "values_of",
]
