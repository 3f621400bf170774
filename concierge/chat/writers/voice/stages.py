"""A persona's next step in words: the question of its stage, behind a sentence of a source where the stage needs one. Pure.

The sentence is the source's own and is cited like any other; only what leads to it is the house's.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from concierge.agents.schemas.stages import Stage, StageStep
from concierge.chat.writers.brief import AnswerBrief, Citation, Claim, WrittenAnswer
from concierge.chat.writers.choice import reads_alone
from concierge.chat.writers.citations import LONGEST_QUOTE, citation_of, marked
from concierge.chat.writers.phrases import unsaid
from concierge.chat.writers.repair import Standing, stands_alone
from concierge.chat.writers.selection import Candidate, Reading, read
from concierge.chat.writers.structure import units_of
from concierge.chat.writers.voice.joining import is_prose
from concierge.knowledge.schemas import Passage

# How near to the question a sentence must be to stand beside its answer.
NEAR: Final = 0.25
LONGEST_HEADING: Final = 5


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_CAUSE: Final = _words(
    r"\b(?:because|caus(?:e|es|ed|ing)|due to|usually|mostly|normally|often|comes? from|happens? (?:when|if)|reasons?|when (?:its?|the)|makes? (?:it|the|them))\b"
)
# What a section says that is about a cause, although it may not name one.
_OF_CAUSE: Final = _words(rf"{_CAUSE.pattern}|\b(?:signs?:|may|can (?:be|come))")
# What a source's sentence must be to serve a step.
EVIDENCE: Final[Mapping[StageStep, re.Pattern[str]]] = {
    "tell_apart": _CAUSE,
    "keep_away": _words(
        r"\b(?:avoid|prevent\w*|never|always|don['’]t|do not|regularly|every (?:\w+ )?(?:days?|weeks?|months?|years?)|once a|twice a|keep\b|protect\w*|from time to time|otherwise)"
    ),
    "show_proof": _words(
        r"\b(?:certif\w*|warrant\w*|guarantee\w*|tested|FSC|GOTS|OEKO|ISO \d+|EN \d+|licen[cs]e|\d+ (?:days|months|years)|return\w*|reviews?)\b"
    ),
    "name_loss": _words(
        r"\b(?:but|however|unlike|cannot|can['’]t|without|instead|although|whereas|not (?:included|suitable|meant|safe)|does not|limit\w*|los(?:e|es|s)|otherwise)\b"
    ),
    "give_insight": _words(
        r"\b(?:never|always|most people|mostly|often|usually|rarely|but|in fact|actually|not the|even|unless|otherwise|surpris\w*|nothing to do|by themselves|means|does not|doesn['’]t|don['’]t)\b"
    ),
    "give_tip": _words(
        r"^(?:use|keep|wipe|try|avoid|choose|put|place|check|leave|let|move|air|dust|clean|oil|rub|turn|tap|measure|never|always|don['’]t|do not|start|store|take)\b"
    ),
}
# Steps that ask only about what was said: without the sentence there is nothing to ask.
ABOUT_IT: Final = frozenset({"name_loss"})
# What people do stands in steps and lists as well; why, and what it costs, in sentences.
IN_LISTS: Final = frozenset({"give_tip", "keep_away", "show_proof"})
# Steps that the answer itself may take: where its own sentences are such evidence, no more is added.
SERVED: Final = frozenset({"tell_apart", "keep_away", "show_proof", "name_loss", "give_tip"})
# A sentence that leans on the one before it.
_LEANS: Final = re.compile(
    r"(?:It|They|This|That|These|Those|He|She|Its|Their|Otherwise|Then|So|If so|Our)\b"
)
_MARK: Final = re.compile(r"\[(\d+)\]")
WHICH_LOOK: Final = (
    "Does it look more like “{one}” or like “{other}”?",
    "Which comes closer to what you see: “{one}” or “{other}”?",
)


def led(answer: WrittenAnswer, brief: AnswerBrief, stage: Stage) -> tuple[WrittenAnswer, str]:
    """The answer with the sentence its stage needs, and the question to end with; "" where there is none left to ask."""
    if answer.outcome != "answered":
        return answer, ""
    questions = list(stage.wordings)
    if stage.step == "point_on":
        return _pointed(answer, brief, stage), ""
    evidence = EVIDENCE.get(stage.step)
    if evidence is not None and answer.claims:
        reading = read(brief)
        if stage.step == "tell_apart":
            questions = [*_which(reading, answer), *questions]
        answer = _lifted(answer, brief, stage, evidence) or _enriched(reading, answer, stage, evidence)
        if stage.step in ABOUT_IT and not any(evidence.search(claim.text) for claim in answer.claims):
            return answer, ""
    return answer, unsaid(questions, brief.said) or ""


def _lifted(
    answer: WrittenAnswer, brief: AnswerBrief, stage: Stage, evidence: re.Pattern[str]
) -> WrittenAnswer | None:
    """The answer with one of its own sentences brought out: a cause comes first, everything else last. None where no
    sentence can be moved without another one, or a source's number, losing its place.
    """
    lead, pieces = unsaid(stage.leads, brief.said), [piece.strip() for piece in answer.pieces]
    if lead is None or len(pieces) < 2 or "\n" in answer.text:
        return None
    comes_first = stage.step == "tell_apart"
    for at, piece in enumerate(pieces):
        rest = pieces[:at] + pieces[at + 1 :]
        if (at == 0 and not comes_first) or not evidence.search(piece) or _LEANS.match(piece):
            continue
        if at + 1 < len(pieces) and _LEANS.match(pieces[at + 1]):
            continue
        said = lead.format(fact=piece)
        moved = [said, *rest] if comes_first else [*rest, said]
        numbers = list(dict.fromkeys(_MARK.findall(" ".join(moved))))
        if numbers == sorted(numbers, key=int) and piece not in "\n".join(brief.said):
            own = tuple(text if place == 0 else f" {text}" for place, text in enumerate(moved))
            return replace(answer, text="".join(own), pieces=own)
    return None


def _enriched(
    reading: Reading, answer: WrittenAnswer, stage: Stage, evidence: re.Pattern[str]
) -> WrittenAnswer:
    """The answer with one more sentence of its page, unless it has what the stage needs, or is long enough."""
    served = stage.step in SERVED and any(evidence.search(claim.text) for claim in answer.claims)
    if served or len(answer.claims) >= max(reading.brief.max_sentences, 2):
        return answer
    kinds = {"prose", "item", "step"} if stage.step in IN_LISTS else {"prose"}
    found = next(_fitting(reading, answer, evidence, kinds), None)
    return answer if found is None else _with(answer, reading.brief, stage, *found)


def _fitting(
    reading: Reading, answer: WrittenAnswer, evidence: re.Pattern[str], kinds: Collection[str]
) -> Iterator[tuple[Candidate, Standing]]:
    """The sentences of the pages the answer is from that serve the step and were not said yet, best first."""
    said = "\n".join((answer.text, *reading.brief.said))
    for candidate in _related(reading, answer):
        unit = candidate.unit
        if unit.kind not in kinds or not evidence.search(unit.text):
            continue
        passage = reading.brief.passages[unit.passage]
        standing = stands_alone(unit, reading.units[unit.passage][: unit.index], passage.title)
        if standing.needs_previous or not reads_alone(standing.text) or unit.text.endswith(("?", ":")):
            continue
        if standing.text.rstrip(".") not in said and unit.text.rstrip(".") not in said:
            yield candidate, standing


def _related(reading: Reading, answer: WrittenAnswer) -> Iterator[Candidate]:
    """What the page says that the answer begins with, as far as it is near to the question."""
    page = next(own for own in answer.citations if own.number == answer.claims[0].number)
    for candidate in reading.ranked:
        passage = reading.brief.passages[candidate.unit.passage]
        if candidate.cosine >= NEAR and (
            passage.document_id == page.document_id or passage.title == page.title
        ):
            yield candidate


def _which(reading: Reading, answer: WrittenAnswer) -> list[str]:
    """The question between the two likeliest causes, where the page has a heading for each."""
    headings: dict[str, None] = {}
    for candidate in _related(reading, answer):
        heading = candidate.unit.headings[-1] if candidate.unit.headings else ""
        is_cause = _OF_CAUSE.search(candidate.unit.text) and not EVIDENCE["keep_away"].search(
            candidate.unit.text
        )
        if is_cause and heading and heading != _title(reading, candidate):
            headings[heading.rstrip(".:")] = None
    if len(headings) < 2 or any(len(own.split()) > LONGEST_HEADING or "?" in own for own in headings):
        return []
    one, other, *_ = headings
    return [phrase.format(one=one, other=other) for phrase in WHICH_LOOK]


def _title(reading: Reading, candidate: Candidate) -> str:
    return reading.brief.passages[candidate.unit.passage].title


def _with(
    answer: WrittenAnswer, brief: AnswerBrief, stage: Stage, candidate: Candidate, standing: Standing
) -> WrittenAnswer:
    """The answer with one more sentence, under its source's number, behind words that lead to it."""
    lead = unsaid(stage.leads, brief.said)
    if lead is None:
        return answer
    unit, passage = candidate.unit, brief.passages[candidate.unit.passage]
    start, end = unit.start - passage.start, unit.end - passage.start
    citations, number = _cited(answer.citations, passage, unit.start, unit.end)
    claim = Claim(standing.text, number, passage.text[start:end], unit.start, unit.end, standing.replaced)
    piece = _glue(answer) + lead.format(fact=marked(standing.text, number))
    pieces = (*answer.pieces, piece)
    return replace(
        answer, text="".join(pieces), pieces=pieces, claims=(*answer.claims, claim), citations=citations
    )


def _cited(
    citations: Sequence[Citation], passage: Passage, start: int, end: int
) -> tuple[tuple[Citation, ...], int]:
    """The sources with this one among them, and its number; a quote that stays readable grows to hold what is said."""
    known = next((own for own in citations if own.chunk_id == passage.chunk_id), None)
    if known is None:
        number = len(citations) + 1
        return (*citations, citation_of(passage, number, start, end)), number
    first, last = min(known.start, start), max(known.end, end)
    if last - first > LONGEST_QUOTE:
        return tuple(citations), known.number
    quote = passage.text[first - passage.start : last - passage.start]
    grown = replace(known, start=first, end=last, quote=quote, page=passage.page_at(first))
    return tuple(grown if own is known else own for own in citations), known.number


def _pointed(answer: WrittenAnswer, brief: AnswerBrief, stage: Stage) -> WrittenAnswer:
    """The answer, and the page to read on: the first of its sources that is one, or else of what was found."""
    lead, citations = unsaid(stage.leads, brief.said), answer.citations
    page = next((own for own in citations if own.url and own.kind != "product"), None)
    if page is None:
        citations = _found_page(brief, citations)
        page = next((own for own in citations if own not in answer.citations), None)
    if page is None or lead is None or f"“{page.title}”" in "\n".join(brief.said):
        return answer
    pieces = (*answer.pieces, _glue(answer) + f"{lead.format(title=page.title)} [{page.number}].")
    return replace(answer, text="".join(pieces), pieces=pieces, citations=citations)


def _found_page(brief: AnswerBrief, citations: tuple[Citation, ...]) -> tuple[Citation, ...]:
    """The sources with the best page that was found, quoted by its first sentence."""
    for position, passage in enumerate(brief.passages):
        first = next((unit for unit in units_of(passage, position) if unit.kind == "prose"), None)
        if passage.url and passage.kind != "product" and first is not None:
            return _cited(citations, passage, first.start, first.end)[0]
    return citations


def _glue(answer: WrittenAnswer) -> str:
    return " " if is_prose(answer.text.rpartition("\n")[2]) else "\n\n"
