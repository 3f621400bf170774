"""Decides what an answer is made of: a few sentences, or the list, steps or rows that hold the answer."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Literal

import numpy as np

from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.repair import Standing, stands_alone
from concierge.chat.writers.selection import (
    STATING,
    Candidate,
    Reading,
    asks_for_amount,
    trouble_of,
    was_said,
)
from concierge.chat.writers.structure import Unit
from concierge.knowledge.lexical import terms

Shape = Literal["sentence", "list", "steps", "rows", "code"]

HOW = re.compile(
    r"\b(how (do|can|should|would|could|to|did)\b|steps?\b|instructions?\b|walk me through|set(ting)? up|guide me)",
    re.IGNORECASE,
)
LISTING = re.compile(
    r"\b(which \w+ (are|do|does|can|have|is)|what (are|kinds?|types?|sorts?|colou?rs|options|methods|sizes|materials|ways)|what \w+s (are|do|can|have)|"
    r"what do you (have|offer|sell|accept)|list of|list the|options|all the)\b",
    re.IGNORECASE,
)
GOES_ON = 0.35  # Bonus of the sentence right behind the best one: it completes what was said.
OTHER_PAGE = 0.5  # Elsewhere a sentence must meet this share of the question words the best one meets.
MARGIN = 0.4  # A further sentence is said only when its score comes this close to the best one's.
SHORT_MARGIN = 0.1
ROW_MARGIN = 0.12
_OPEN_END = re.compile(r"(?:[,;]|\b(?:and|or))$")  # An item that is one condition of several.
AMOUNT_REACH = 0.2  # Asked for an amount, a unit that holds one may lead from this far behind the best one.
STEPS_REACH = 0.3  # Asked how, the steps of the page that answers may lead from this far behind.
SAME_QUESTION = 0.5  # A document's question is the visitor's when it shares this much of its weighted words.
NEAR = 6  # The best units among which the items of one list are counted.
SAME_MEANING = 0.93
SAME_WORDS = 0.8
NAMES_TROUBLE = 10  # Words of a sentence that names a trouble and does not yet say what helps.
MOST_STEPS = 14
MOST_ITEMS = 7
SHOWN_ITEMS = 5
MOST_ROWS = 5


_VERB = re.compile(rf"\b({STATING}|\w{{3,}}(?:ed|es))\b", re.IGNORECASE)
_RELATIVE = re.compile(r"\b(?:that|which|who)\s.*$")
_LABELLED = re.compile(r"[^:.]{2,40}: \S")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an answer. `standings` says how each unit reads alone; `lead` introduces a list."""

    shape: Shape
    units: tuple[Unit, ...]
    standings: tuple[Standing, ...]
    lead: Unit | None = None

    @property
    def is_prose(self) -> bool:
        """Whether it is set as running text: a sentence, or a single row said in words."""
        return self.shape == "sentence" or (self.shape == "rows" and len(self.units) == 1)


def choose(reading: Reading, limit: int) -> tuple[Part, ...]:
    """At most `limit` parts, the one that answers best first, the others in the order of their documents."""
    ranked = [candidate for candidate in reading.ranked if _sayable(reading, candidate.unit)]
    if not ranked:
        return ()
    best = _alone_if_only(reading, ranked, leading(reading, ranked), limit)
    parts = [_part(reading, best)]
    if remedy := _remedy(reading, best, limit):
        return tuple(remedy)
    if parts[0].shape == "sentence":
        parts = [*(_answer_start(reading, best, limit) or _before(reading, parts[0], limit)), parts[0]]
    fixed = len(parts)
    margin = SHORT_MARGIN if reading.brief.length == "brief" else MARGIN
    rest: list[Part] = []
    kept = [best]
    for candidate in _by_usefulness(ranked, best):
        if fixed + len(rest) >= limit:
            break
        if not _is_worth(reading, candidate, best, margin) or _is_said(
            reading, candidate, kept, [*parts, *rest]
        ):
            continue
        further = _further(reading, candidate, [*parts, *rest], limit - fixed - len(rest))
        if further:
            rest.extend(further)
            kept.append(candidate)
    return _settle([*parts, *_ordered(rest, parts[-1])])


def _remedy(reading: Reading, best: Candidate, limit: int) -> list[Part]:
    """What stands behind the words that only name somebody's trouble, which they know: there is what helps."""
    names_it = trouble_of(reading.brief) & best.terms and len(best.unit.text.split()) <= NAMES_TROUBLE
    if not names_it or best.unit.kind not in {"prose", "question", "item"}:
        return []
    behind = takewhile(
        lambda unit: unit.kind in {"prose", "item", "step"},
        reading.units[best.unit.passage][best.unit.index + 1 :],
    )
    new = (unit for unit in behind if not was_said(reading.brief, unit))
    return [Part("sentence", (unit,), (Standing(unit.text),)) for unit in islice(new, limit)]


def leading(reading: Reading, ranked: Sequence[Candidate] | None = None) -> Candidate:
    """The unit an answer begins with: the best one, or the one near it that holds what kind of thing was asked for."""
    ranked = ranked or reading.ranked
    first = ranked[0]
    question = reading.brief.asked
    if asks_for_amount(question) and not first.expected:
        holding = (other for other in ranked if other.expected and other.score >= first.score - AMOUNT_REACH)
        return next((other for other in holding if _names_as_much(reading, other, first)), first)
    if HOW.search(question) and first.unit.kind != "step":
        steps = (other for other in ranked if other.unit.kind == "step" and _same_page(reading, other, first))
        return next((other for other in steps if other.score >= first.score - STEPS_REACH), first)
    return first


def wants_steps(brief: AnswerBrief) -> bool:
    """Whether it is asked how something is done, or is best said one step at a time."""
    step_by_step = brief.strategy is not None and brief.strategy.parameters.step_by_step
    return step_by_step or bool(HOW.search(brief.asked))


def _names_as_much(reading: Reading, other: Candidate, first: Candidate) -> bool:
    """Whether another unit is about what the question names on the best one's page ("… the Palma …")."""
    page = reading.brief.passages[first.unit.passage]
    asked = set(reading.brief.idf).intersection(terms(page.title))
    return asked <= (other.terms | other.context)


def _same_page(reading: Reading, one: Candidate, other: Candidate) -> bool:
    passages = reading.brief.passages
    return passages[one.unit.passage].document_id == passages[other.unit.passage].document_id


def reads_alone(text: str) -> bool:
    """Whether words make a statement by themselves: they hold something like a verb, or a label and its value."""
    return bool(_VERB.search(_RELATIVE.sub("", text)) or _LABELLED.match(text))


def _by_usefulness(ranked: Sequence[Candidate], best: Candidate) -> list[Candidate]:
    return sorted(ranked, key=lambda other: -other.score - GOES_ON * _follows(other.unit, best.unit))


def _is_worth(reading: Reading, candidate: Candidate, best: Candidate, margin: float) -> bool:
    """Whether a further candidate is near enough to the best one, and more than a fragment."""
    if candidate is best or (candidate.unit.kind == "prose" and not reads_alone(candidate.unit.text)):
        return False
    if candidate.unit.passage != best.unit.passage and not _same_subject(reading, candidate, best):
        return False
    return candidate.score + GOES_ON * _follows(candidate.unit, best.unit) >= best.score - margin


def _same_subject(reading: Reading, candidate: Candidate, best: Candidate) -> bool:
    """Whether another passage speaks of what was asked. Where the question names the best one's page ("… the Palma …"),
    a passage of another page must name it too; and it must meet enough of the question's words.
    """
    passages = reading.brief.passages
    page, other = passages[best.unit.passage], passages[candidate.unit.passage]
    if page.document_id != other.document_id:
        asked = set(reading.brief.idf).intersection(terms(page.title))
        if asked and not asked & (candidate.terms | candidate.context):
            return False
    return candidate.matched >= OTHER_PAGE * best.matched


def _answer_start(reading: Reading, best: Candidate, limit: int) -> list[Part]:
    """The first sentence under a question ("Gladly, to all three showrooms."), when the best one stands behind it."""
    if best.answers is None or limit < 2 or not _same_question(reading, best.answers):
        return []
    first = reading.units[best.unit.passage][best.answers.index + 1]
    if first == best.unit or first.block != best.unit.block or first.kind != "prose":
        return []
    return [Part("sentence", (first,), (_standing(reading, first),))]


def _same_question(reading: Reading, question: Unit) -> bool:
    idf = reading.brief.idf
    shared = sum(weight for term, weight in idf.items() if term in terms(question.text))
    return shared >= SAME_QUESTION * sum(idf.values())


def _sayable(reading: Reading, unit: Unit) -> bool:
    if unit.kind == "prose" and unit.text.endswith(":"):
        return bool(_introduced(reading, unit))
    if unit.kind == "prose" and len(unit.text.split()) < 2:
        return False
    return len(unit.text) >= 2 and any(letter.isalnum() for letter in unit.text)


def _introduced(reading: Reading, unit: Unit) -> tuple[Unit, ...]:
    return tuple(other for other in reading.units[unit.passage] if other.lead == unit.index)


def _alone_if_only(reading: Reading, ranked: Sequence[Candidate], first: Candidate, limit: int) -> Candidate:
    """When only one sentence may be said, one close behind the first that stands alone is better."""
    if limit > 1 or not _standing(reading, first.unit).needs_previous:
        return first
    close = (other for other in ranked[1:8] if other.score > first.score - 0.08)
    return next((other for other in close if not _standing(reading, other.unit).needs_previous), first)


def _standing(reading: Reading, unit: Unit) -> Standing:
    if unit.kind not in {"prose", "item"}:
        return Standing(unit.text)
    before = reading.units[unit.passage][: unit.index]
    return stands_alone(unit, before, reading.brief.passages[unit.passage].title)


def _part(reading: Reading, candidate: Candidate) -> Part:
    unit = candidate.unit
    same_block = [
        other
        for other in reading.units[unit.passage]
        if other.block == unit.block and not reading.is_outdone(other)
    ]
    if unit.kind == "prose" and unit.text.endswith(":"):
        introduced = _introduced(reading, unit)
        return _block(
            reading,
            introduced[0],
            [other for other in introduced if other.block == introduced[0].block],
            lead=unit,
        )
    if unit.kind == "row":
        return _rows(reading, candidate, same_block)
    if unit.kind == "code":
        return Part("code", (unit,), (Standing(unit.text),), _lead(reading, unit))
    near = sum(other.unit in same_block for other in reading.ranked[:NEAR])
    if unit.kind == "step" and (wants_steps(reading.brief) or near > 3):
        return _block(reading, unit, same_block, lead=_lead(reading, unit))
    if unit.kind in {"item", "step"} and len(same_block) > 1 and _wants_whole_list(reading, unit, near):
        return _block(reading, unit, same_block, lead=_lead(reading, unit))
    return Part("sentence", (unit,), (_standing(reading, unit),), _lead(reading, unit))


def _wants_whole_list(reading: Reading, unit: Unit, near: int) -> bool:
    return bool(_OPEN_END.search(unit.text)) or near > (1 if LISTING.search(reading.brief.asked) else 3)


def _lead(reading: Reading, unit: Unit) -> Unit | None:
    """The introducing sentence, or else the heading right above the block."""
    units = reading.units[unit.passage]
    if unit.lead is not None:
        return units[unit.lead]
    above = [other for other in units[: unit.index] if other.block != unit.block]
    return above[-1] if above and above[-1].kind == "heading" else None


def _block(reading: Reading, best: Unit, block: list[Unit], *, lead: Unit | None) -> Part:
    if best.kind == "row":
        ranked = {other.unit: other for other in reading.ranked}
        rows = [unit for unit in block if unit in ranked][:MOST_ROWS]
        return Part("rows", tuple(rows), tuple(Standing(unit.text) for unit in rows), lead)
    if best.kind == "code":
        return Part("code", (best,), (Standing(best.text),), lead)
    ordered = best.kind == "step"
    shown = block[:MOST_STEPS] if ordered and wants_steps(reading.brief) else _items(reading, block)
    return Part(
        "steps" if ordered else "list", tuple(shown), tuple(Standing(unit.text) for unit in shown), lead
    )


def _items(reading: Reading, block: list[Unit]) -> list[Unit]:
    if len(block) <= MOST_ITEMS:
        return block
    scored = [candidate.unit for candidate in reading.ranked if candidate.unit in block][:SHOWN_ITEMS]
    return sorted(scored, key=lambda unit: unit.index)


def _rows(reading: Reading, best: Candidate, table: list[Unit]) -> Part:
    close = [
        candidate.unit
        for candidate in reading.ranked
        if candidate.unit in table
        and candidate.score >= best.score - ROW_MARGIN
        and _matches_as(candidate, best)
    ][:MOST_ROWS]
    close.sort(key=lambda unit: unit.index)
    return Part("rows", tuple(close), tuple(Standing(unit.text) for unit in close), _lead(reading, best.unit))


def _matches_as(candidate: Candidate, best: Candidate) -> bool:
    """A row beside the best one is wanted only if it meets the question in as many of its words."""
    return candidate.matched >= best.matched


def _is_said(
    reading: Reading, candidate: Candidate, kept: Sequence[Candidate], parts: Iterable[Part]
) -> bool:
    if any(candidate.unit in part.units or candidate.unit == part.lead for part in parts):
        return True
    if was_said(reading.brief, candidate.unit):
        return True
    return any(_alike(candidate, other) for other in kept)


def _alike(one: Candidate, other: Candidate) -> bool:
    if one.terms and other.terms:
        shared = len(one.terms & other.terms) / min(len(one.terms), len(other.terms))
        if shared >= SAME_WORDS and len(one.terms & other.terms) >= 3:
            return True
    if one.vector is None or other.vector is None or one.vector.shape != other.vector.shape:
        return (
            False  # Vectors of different models do not compare; those of equal length here are rarely of two.
        )
    return float(np.dot(one.vector, other.vector)) > SAME_MEANING and one.terms == other.terms


def _before(reading: Reading, part: Part, limit: int) -> list[Part]:
    """The sentence before a part that leans on it."""
    unit = part.units[0]
    if not part.standings[0].needs_previous or limit < 2 or unit.index == 0:
        return []
    previous = reading.units[unit.passage][unit.index - 1]
    if previous.block != unit.block or previous.kind != "prose" or reading.is_outdone(previous):
        return []
    if was_said(reading.brief, previous):
        return []
    return [Part("sentence", (previous,), (_standing(reading, previous),))]


def _further(reading: Reading, candidate: Candidate, parts: Sequence[Part], room: int) -> list[Part]:
    """A further part, with the sentence it leans on if there is room for both; nothing when it would dangle."""
    unit = candidate.unit
    if unit.kind in {"row", "code", "step"} or (unit.kind == "prose" and unit.text.endswith(":")):
        return []
    part = Part("sentence", (unit,), (_standing(reading, unit),), _lead(reading, unit))
    if not part.standings[0].needs_previous:
        return [part]
    if any(_follows(unit, other.units[-1]) for other in parts):
        return [part]
    before = _before(reading, part, room)
    return [*before, part] if before and room >= 2 else []


def _follows(unit: Unit, other: Unit) -> bool:
    return unit.passage == other.passage and unit.block == other.block and unit.index == other.index + 1


def _ordered(rest: list[Part], best: Part) -> list[Part]:
    """What goes on from the best sentence follows it; the others stand in the order of their documents."""
    waiting = sorted(rest, key=lambda part: (part.units[0].passage, part.units[0].start))
    ordered: list[Part] = []
    last = best
    for part in list(waiting):
        if _follows(part.units[0], last.units[-1]):
            waiting.remove(part)
            ordered.append(part)
            last = part
    return [*ordered, *waiting]


def _settle(parts: list[Part]) -> tuple[Part, ...]:
    """A sentence right behind the one it follows in its document keeps its own words: nothing needs repair there."""
    settled: list[Part] = []
    for part in parts:
        unit = part.units[0]
        if part.shape == "sentence" and settled and _follows(unit, settled[-1].units[-1]):
            part = Part("sentence", part.units, (Standing(unit.text),), part.lead)  # noqa: PLW2901
        settled.append(part)
    return tuple(settled)
