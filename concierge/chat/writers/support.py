"""Decides whether the passages answer the question: the probability of support, and what is missing."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.selection import (
    NUMBER_WORDS,
    PASSAGES,
    Candidate,
    Reading,
    content_idf,
    expectation_of,
    trouble_of,
)
from concierge.kit.sentences import sentence_spans
from concierge.knowledge.lexical import terms

FEATURES = (
    "first_sentence",  # cosine of the best sentence of the first passage
    "echo",  # by how much a sentence there comes nearer to the question than the unit the writer would begin with
    "document",  # cosine of the first passage's whole document
    "gap",  # how far the first passage stands above those that merely share the subject
    "rarest_missing",  # largest idf of a content word of the question that is not near the best unit, as a share
    "name_missing",  # a name or number of the question that is not near the best unit: 0 or 1
    "expected_missing",  # a number, date or name was asked for and the best unit holds none: 0 or 1
    "negation",  # one of question and best unit denies something, and the other does not: 0 or 1
    "later_passage",  # 0 when the best unit stands in the first passage, 1 when in the last that was read
)
# A sentence of a smaller cosine repeats nothing of the question.
NEAR = 0.3
# Between what answerable questions have and what others have: knowledge of a few passages has none that merely share the subject.
GAP_OF_FEW = 0.3

# Fitted by `python -m evals.fit_support`; docs/decisions/0008 says on what and why.
COEFFICIENTS: Mapping[str, float] = {
    "first_sentence": 2.27,
    "echo": 6.36,
    "document": 2.83,
    "gap": 2.87,
    "rarest_missing": -0.58,
    "name_missing": -0.71,
    "expected_missing": -0.23,
    "negation": -0.35,
    "later_passage": -1.10,
}
INTERCEPT = -3.08

ENOUGH = 0.4  # From here on the answer is given as one; strict grounding asks for what its operator says.
SOME = 0.28  # From here on what is known is said, together with what is not.

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
# A capital inside the sentence, or a year or code; other numbers are often the visitor's own ("my door is 72 cm"). Long
# words all in capitals are meant loudly, not as names ("the THIRD time").
_NAME = re.compile(r"(?<=[\w,;] )(?:(?![A-Z]{5,}\b)[A-Z][\w’'-]*|\d{4}\b)")
_DENIAL = re.compile(
    r"\b(?:not|no|never|none|nothing|nobody|neither|nor|without|cannot|unable|impossible|except|unlike|least|hardly|"
    r"fail\w*|lack\w*|refus\w*|un(?:known|available|supported|like\w*|success\w*)|in(?:valid|correct|capable))\b|n['’]t\b",
    re.IGNORECASE,
)
_BEFORE_TOPIC = re.compile(
    r"\b(?:in|on|for|from|with|of|about|near|via|by|a|an|any|some|sell|have|offer|accept|stock|make|carry|buy|support|"
    r"(?:ship|deliver|send|post|go|come|travel|delivery|shipping|shipped|sent) to)\s$",
    re.IGNORECASE,
)
_NO_TOPIC = re.compile(
    r"\w+(?:ing|ly|est|er)$|half$|while$|little$|(?:nervous|worried|unsure|excited|confused|lost|upset|angry|anxious|afraid|sceptical|skeptical|new|late)$|lot$|bit$|question$|problem$|some(?:one|body|thing)$|any(?:one|body|thing)$",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"\ban?\s$")
_NO_HEAD = re.compile(
    rf"(?:{NUMBER_WORDS}|\\d.*|\\w+(?:ing|ed|ly)|get|got|open|go|come|work|cost|take|ship|like)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Support:
    """`probability` that the passages answer; `missing` is the part of the question nothing was found on, as typed."""

    probability: float
    missing: str | None
    missing_is_name: bool = False


def judge(reading: Reading) -> Support:
    if not reading.ranked:
        return Support(0.0, topic(reading, frozenset()))
    best = reading.ranked[0]
    known = _known(reading)
    missing = topic(reading, known)
    values = features(reading, best)
    return Support(probability(values), missing, bool(missing and _is_name(reading.brief.asked, missing)))


def probability(values: Mapping[str, float]) -> float:
    total = INTERCEPT + sum(COEFFICIENTS[name] * values[name] for name in FEATURES)
    return 1 / (1 + math.exp(-max(min(total, 30), -30)))


def features(reading: Reading, best: Candidate) -> dict[str, float]:
    """The named inputs of the support decision, each about 0 to 1."""
    brief = reading.brief
    first = brief.passages[0]
    near = best.terms | best.context
    trouble = trouble_of(brief)
    met = bool(trouble & near)  # What speaks of the trouble was looked for on every page.
    near |= trouble if met else frozenset()
    wanted = expectation_of(brief.asked)
    first_sentence = float(np.max(brief.cosines(first), initial=0.0))
    return {
        "first_sentence": first_sentence,
        "echo": max(0.0, first_sentence - max(best.cosine, NEAR)),
        "document": first.document_cosine,
        "gap": GAP_OF_FEW if brief.lead is None else brief.lead,
        "rarest_missing": _rarest_missing(brief, near),
        "name_missing": float(any(set(terms(name)) - near for name in _NAME.findall(brief.asked))),
        "expected_missing": float(bool(wanted) and not best.expected),
        "negation": float(_denies(brief.asked) != _denies(best.unit.text)),
        "later_passage": 0.0 if met else min(1.0, best.unit.passage / (PASSAGES - 1)),
    }


def _rarest_missing(brief: AnswerBrief, near: frozenset[str]) -> float:
    """What the rarest word of this question, not of those before it, that is not near weighs beside the rarest of all."""
    own, content = set(terms(brief.asked)), content_idf(brief)
    idf = {term: weight for term, weight in content.items() if term in own}
    missing = (weight for term, weight in idf.items() if term not in near and not misspelled(term, near))
    return max(missing, default=0.0) / (max(idf.values(), default=0.0) or 1.0)


def _denies(text: str) -> bool:
    return bool(_DENIAL.search(text))


def _known(reading: Reading) -> frozenset[str]:
    """Every term of the passages that were read."""
    return frozenset().union(*(c.terms | c.context for c in reading.ranked))


def topic(reading: Reading, known: frozenset[str]) -> str | None:
    """The weightiest words of the question that no passage holds, if they read like the name of a thing.

    A known noun right behind belongs to it: "bunk beds" is missing, not "bunk".
    """
    question, idf = asked_in(reading.brief.asked), reading.brief.idf
    runs: list[_Run] = []
    open_run: _Run | None = None
    for found in _WORD.finditer(question):
        stems = terms(found.group())
        absent = bool(stems) and not any(stem in known or misspelled(stem, known) for stem in stems)
        adjacent = open_run is not None and bool(stems) and question[open_run.end : found.start()] == " "
        if open_run and adjacent:
            if absent or _belongs(question[open_run.start : open_run.end], found.group()):
                open_run.end = found.end()
            open_run = open_run if absent else None
        elif absent and _may_name(question, found):
            open_run = _Run(found.start(), found.end(), sum(idf.get(stem, 0.0) for stem in stems))
            runs.append(open_run)
        else:
            open_run = None
    best = max(runs, default=None, key=lambda run: run.weight)
    if best is None:
        return None
    article = _ARTICLE.search(question[: best.start])
    return question[article.start() if article else best.start : best.end]


def asked_in(text: str) -> str:
    """The sentences of a message that ask, where some do: what is missing is missing from these, not from the story around."""
    asking = [text[start:end] for start, end in sentence_spans(text) if text[start:end].endswith("?")]
    return " ".join(asking) or text


@dataclass(slots=True)
class _Run:
    start: int
    end: int
    weight: float


def _belongs(run: str, word: str) -> bool:
    """Whether a known word behind a missing one is its noun ("bunk beds"), not the next part of the sentence."""
    return run.islower() and word.islower() and not _NO_HEAD.match(word)


def misspelled(stem: str, known: frozenset[str]) -> bool:
    """Whether a known term is one letter away, so that "matress" is not taken for something we lack."""
    if len(stem) < 5 or not stem.isalpha():
        return False
    near = (other for other in known if other[:1] == stem[:1] and abs(len(other) - len(stem)) <= 1)
    return any(_one_edit(stem, other) for other in near)


def _one_edit(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    head = next((i for i, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    rest = shorter[head:]
    if len(shorter) < len(longer):
        return rest == longer[head + 1 :]
    swapped = rest[1:2] + rest[:1] + rest[2:] == longer[head:]
    return swapped or rest[1:] == longer[head + 1 :]


def _may_name(question: str, found: re.Match[str]) -> bool:
    """Whether a word reads like the name of a thing: a capital inside the sentence, or a noun's place in it."""
    if found.start() and _NAME.match(question, found.start()):
        return True
    return bool(_BEFORE_TOPIC.search(question[: found.start()])) and not _NO_TOPIC.match(found.group())


def _is_name(question: str, missing: str) -> bool:
    return missing in _NAME.findall(question) or (missing[:1].isupper() and not question.startswith(missing))
