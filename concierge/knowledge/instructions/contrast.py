"""Tasks that have nothing to do with the document they stand in: "Write a poem about the sea." in a receipt. Pure.

A manual tells its reader to do things too, but with the words of its subject. So a sentence that sets a task or asks a
question is compared with the rest of its document: which of its words occur there, and how much of a rest there is.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from concierge.knowledge.lexical import terms

_POLITE = (
    r"^\W{0,6}(?:\d{1,2}[.)]\s*)?(?:(?:please|kindly|now|also|then|next|finally|just|(?:can|could|would|will) you(?: please)?|"
    r"i (?:want|need|would like) you to|i['’]d like you to|you (?:must|should|will|need to|have to|are to)|your task is to|"
    r"help me(?: to)?|let['’]s)[,:]?\s+)*"
)
# "Research shows", "Compute, network and storage": the same words as nouns.
_NO_NOUN = (
    r"(?!\s*[,:/]|['’]s|\s+(?:is|are|was|were|shows?|has|have|had|of|and|ahead|can|will|may|options?)\b)"
)
# What one asks of somebody who knows and writes, hardly ever of the reader of a page.
TASK = re.compile(
    rf"{_POLITE}(?:write|compose|draft|explain|describe|discuss|outline|summari[sz]e|translate|paraphrase|rewrite|rephrase|"
    r"proofread|calculate|compute|solve|anal[yz][sz]?e|evaluate|interpret|predict|forecast|imagine|invent|brainstorm|"
    r"narrate|recite|sing|elaborate|illustrate|simplify|clarify|classify|categori[sz]e|critique|debate|argue|"
    r"research|investigate|recommend|suggest|propose|compare|contrast|break down|come up with|tell (?:me|a|the)|"
    r"teach me|show me|give (?:me|an?)|list (?:the|some|all|\w+ (?:ways|reasons|tips))|name (?:the|a|an|some|\w+ \w+s\b)|"
    rf"encode|decode|encrypt|decrypt|quiz|roast|joke)\b{_NO_NOUN}",
    re.IGNORECASE,
)
# What manuals tell their readers to do as well.
ERRAND = re.compile(
    rf"{_POLITE}(?:provide|create|develop|generate|produce|design|define|find|identify|plan|organi[sz]e|schedule|prepare|"
    r"determine|estimate|assess|review|examine|study|convert|construct|formulate|answer|play|offer|detail|report|"
    r"send|book|order|set up|arrange|search|look up|check|track|monitor|sort|rank|rate|choose|pick|build|make|"
    rf"collect|gather|update|highlight|share|include|integrate|detect|measure|group)\b{_NO_NOUN}",
    re.IGNORECASE,
)
QUESTION = re.compile(
    r"^\W{0,6}(?:what|who|whom|whose|when|where|why|which|how|is|are|was|were|do|does|did|can|could|would|will|should|"
    r"have|has)\b[^\n]*\?[\"'”’)\s]*$|^\W{0,6}(?:what|who|how|why|when|where)['’]?s?\b[^\n]*\?",
    re.IGNORECASE,
)
# Whoever says this speaks to the reader about their own affairs.
_OURS = re.compile(r"\b(?:our|ours|us|we|we['’](?:re|ll|ve|d))\b", re.IGNORECASE)
_YOURS = re.compile(
    r"(?<!can )(?<!could )(?<!would )(?<!will )(?<!do )\b(?:you|yours?|yourself)\b", re.IGNORECASE
)
_QUOTED = re.compile(r"(?<!\w)['\"“‘][^'\"”’]*['\"”’](?!\w)")
_SCREEN = re.compile(
    r"\b(?:click|button|page|below|above|link|e-?mail|call|contact|website|visit|menu|tab)\b", re.IGNORECASE
)

# Parts of the page a sentence stands on: it speaks to whoever uses the page.
_PARTS = re.compile(
    r"\b(?:th(?:e|is) (?:page|button|menu|tab|screen|link|form|site|website))\b", re.IGNORECASE
)
_ITEM = re.compile(r"^\s*(?:[-*+•]|\(?\d{1,2}[.)])\s")

LEAST_WORDS = 2
# With less around it nothing can stand out: a document that is only a task is what it says it is.
LEAST_REST = 12
# Fitted by `python -m evals.fit_instructions`, which says on what.
COEFFICIENTS: Mapping[str, float] = {
    "foreign": 5.67,
    "task": 2.11,
    "question": 2.01,
    "ours": -0.83,
    "yours": -1.79,
    "screen": -0.78,
    "item": -2.95,
    "words": -0.82,
    "rest": -3.04,
}
INTERCEPT = -3.17


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The words of a document, counted by the lines that hold them, and how many words it has in all."""

    lines: Mapping[str, int]
    words: int

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Surroundings":
        counts: Counter[str] = Counter()
        words = 0
        for text in texts:
            found = terms(text)
            words += len(found)
            counts.update(set(found))
        return cls(counts, words)


def features(text: str, around: Surroundings) -> dict[str, float] | None:
    """What tells of a sentence whether it is a task set to a stranger; None where it sets none, or nothing is around it."""
    task, question = TASK.search(text), QUESTION.search(text)
    if not (task or question or ERRAND.search(text)) or _PARTS.search(text):
        return None
    own = terms(text)
    words = {word for word in own if not word.isdigit()}
    rest = around.words - len(own)
    if len(words) < LEAST_WORDS or rest < LEAST_REST:
        return None
    return {
        "foreign": foreign(words, around),
        "task": float(bool(task)),
        "question": float(bool(question)),
        "ours": float(bool(_OURS.search(text))),
        "yours": float(bool(_YOURS.search(_QUOTED.sub("", text)))),
        "screen": float(bool(_SCREEN.search(text))),
        "item": float(bool(_ITEM.search(text))),
        "words": min(len(words), 12) / 12,
        "rest": min(math.log10(rest), 3.5) / 3.5,
    }


def foreign(words: frozenset[str] | set[str], around: Surroundings) -> float:
    """The share of these words that stand on no other line of the document."""
    return sum(around.lines.get(word, 0) <= 1 for word in words) / (len(words) or 1)


def probability(values: Mapping[str, float]) -> float:
    """How likely a sentence is a task that was slipped into its document."""
    score = INTERCEPT + sum(weight * values[name] for name, weight in COEFFICIENTS.items())
    return 1 / (1 + math.exp(-score))
