"""A persona's next step in words: the question of its stage, behind a sentence of a source where the stage needs one. Pure.

The sentence is the source's own and is cited like any other; only what leads to it is the house's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from concierge.agents.schemas.stages import Stage, StageStep
from concierge.chat.strategy.schemas import Strategy
from concierge.chat.writers.brief import AnswerBrief, Citation, Claim, WrittenAnswer
from concierge.chat.writers.choice import reads_alone
from concierge.chat.writers.citations import LONGEST_QUOTE, marked
from concierge.chat.writers.phrases import unsaid
from concierge.chat.writers.repair import Standing, stands_alone
from concierge.chat.writers.selection import Candidate, Reading, read
from concierge.chat.writers.voice.joining import is_prose
from concierge.knowledge.schemas import Passage

# How near to the question a sentence must be to stand beside its answer.
NEAR: Final = 0.25
LONGEST_HEADING: Final = 5
FIRST: Final = frozenset({"offer_human", "ask_detail", "close"})  # Next steps that come before a stage's own.


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_CAUSE: Final = _words(
    r"\b(?:because|caus(?:e|es|ed|ing)|due to|usually|mostly|normally|often|comes? from|happens? (?:when|if)|reason|signs?:|may|can (?:be|come))\b"
)
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
        r"\b(?:but|however|unlike|only|no|not|cannot|can['’]t|without|instead|although|whereas|less|needs?|at most|limit\w*|lose\w*|otherwise)\b"
    ),
    "give_insight": _words(
        r"\b(?:never|always|mostly|often|usually|rarely|in fact|actually|not the|even|unless|otherwise|surpris\w*|nothing to do|by themselves|means|does not|doesn['’]t|don['’]t)\b"
    ),
    "give_tip": _words(
        r"^(?:use|keep|wipe|try|avoid|choose|put|place|check|leave|let|move|air|dust|clean|oil|rub|turn|tap|measure|never|always|don['’]t|do not|start|store|take)\b"
    ),
}
# Steps that the answer itself may take: where its own sentences are such evidence, no more is added.
SERVED: Final = frozenset({"tell_apart", "keep_away", "show_proof", "name_loss", "give_tip"})
WHICH_LOOK: Final = (
    "Does it look more like “{one}” or like “{other}”?",
    "Which comes closer to what you see: “{one}” or “{other}”?",
)


def leads(strategy: Strategy) -> Stage | None:
    """The stage whose step is taken in this turn, if one is."""
    choice = strategy.stage
    if choice is None or choice.held is not None or strategy.next_step in FIRST:
        return None
    return choice.stage


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
        found = list(_fitting(reading, answer, evidence))
        if stage.step == "tell_apart":
            questions = [*_which(reading, answer, evidence), *questions]
        if found and _has_room(answer, brief, stage, evidence):
            answer = _with(answer, brief, stage, *found[0])
    return answer, unsaid(questions, brief.said) or ""


def _has_room(answer: WrittenAnswer, brief: AnswerBrief, stage: Stage, evidence: re.Pattern[str]) -> bool:
    served = stage.step in SERVED and any(evidence.search(claim.text) for claim in answer.claims)
    return not served and len(answer.claims) < max(brief.max_sentences, 2)


def _fitting(
    reading: Reading, answer: WrittenAnswer, evidence: re.Pattern[str]
) -> Iterator[tuple[Candidate, Standing]]:
    """The sentences of the pages the answer is from that serve the step and were not said yet, best first."""
    said = "\n".join((answer.text, *reading.brief.said))
    for candidate in _related(reading, answer):
        unit = candidate.unit
        if unit.kind not in {"prose", "item", "step"} or not evidence.search(unit.text):
            continue
        passage = reading.brief.passages[unit.passage]
        standing = stands_alone(unit, reading.units[unit.passage][: unit.index], passage.title)
        if standing.needs_previous or not reads_alone(standing.text) or unit.text.endswith(("?", ":")):
            continue
        if standing.text.rstrip(".") not in said and unit.text.rstrip(".") not in said:
            yield candidate, standing


def _related(reading: Reading, answer: WrittenAnswer) -> Iterator[Candidate]:
    cited = {citation.document_id for citation in answer.citations}
    titles = {citation.title for citation in answer.citations}
    for candidate in reading.ranked:
        passage = reading.brief.passages[candidate.unit.passage]
        if candidate.cosine >= NEAR and (passage.document_id in cited or passage.title in titles):
            yield candidate


def _which(reading: Reading, answer: WrittenAnswer, evidence: re.Pattern[str]) -> list[str]:
    """The question between the two likeliest causes, where a page has a heading for each."""
    headings: dict[str, None] = {}
    for candidate in _related(reading, answer):
        heading = candidate.unit.headings[-1] if candidate.unit.headings else ""
        if heading and len(heading.split()) <= LONGEST_HEADING and evidence.search(candidate.unit.text):
            headings[heading.rstrip(".:")] = None
    if len(headings) < 2 or any("?" in heading for heading in headings):
        return []
    one, other, *_ = headings
    return [phrase.format(one=one, other=other) for phrase in WHICH_LOOK]


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
        added = Citation(
            number=number,
            document_id=passage.document_id,
            chunk_id=passage.chunk_id,
            title=passage.title,
            url=passage.url,
            kind=passage.kind,
            score=passage.score,
            quote=passage.text[start - passage.start : end - passage.start],
            start=start,
            end=end,
            page=passage.page_at(start),
        )
        return (*citations, added), number
    first, last = min(known.start, start), max(known.end, end)
    if last - first > LONGEST_QUOTE:
        return tuple(citations), known.number
    quote = passage.text[first - passage.start : last - passage.start]
    grown = replace(known, start=first, end=last, quote=quote, page=passage.page_at(first))
    return tuple(grown if own is known else own for own in citations), known.number


def _pointed(answer: WrittenAnswer, brief: AnswerBrief, stage: Stage) -> WrittenAnswer:
    """The answer, and the page to read on: the first of its sources that is one."""
    page = next((own for own in answer.citations if own.url and own.kind != "product"), None)
    lead = unsaid(stage.leads, brief.said)
    if page is None or lead is None or f"“{page.title}”" in "\n".join(brief.said):
        return answer
    pieces = (*answer.pieces, _glue(answer) + f"{lead.format(title=page.title)} [{page.number}].")
    return replace(answer, text="".join(pieces), pieces=pieces)


def _glue(answer: WrittenAnswer) -> str:
    return " " if is_prose(answer.text.rpartition("\n")[2]) else "\n\n"
