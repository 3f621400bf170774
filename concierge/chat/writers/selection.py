"""Chooses what to say: every unit of the best passages is scored by meaning and by words, then a few are kept."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.catalog import is_row
from concierge.chat.writers.structure import Unit, units_of
from concierge.kit.everyday import also_called
from concierge.knowledge.lexical import codes_in, terms

PASSAGES = 5
# Weights of a unit's score beside its cosine; measured on the answerable questions of half of SQuAD's dev articles.
WORDS = 0.06
RANK = 0.04
BEHIND = 1.0  # … and what its passage's evidence lies behind the first one's counts this share,
MOST_BEHIND = 0.15  # … but no more than this.
ECHO = 0.2  # What merely repeats words of the question, as an entry of a table of contents does, stands back.
CODE = (
    0.25  # Asked about a thing by its number or name of letters and digits, a unit that has it comes first.
)
CONTEXT = (
    0.25  # A question term found in the title, the headings or the introducing sentence counts this share.
)
EXPECTED = 0.15  # The unit holds the kind of thing asked for: a number, a date, a name.
UNDER_QUESTION = 0.9  # An answer inherits this share of the score of the question it stands under.
FADING = 0.97  # … and each further sentence a little less.
ASKED_ALIKE = 0.8  # … and so much more where the question is the visitor's in most of its weighted words.
ALIKE = 0.6
SPEAKS_OF_TROUBLE = (
    0.3  # To somebody in trouble, what speaks of it counts so much more, wherever it was found.
)
FRESH = 1.5  # What a message adds to those before it counts more than what it repeats of them.
SAID = 0.15  # What an earlier reply said stands back behind what is as good and new.
SAME_PAGE = 0.12  # A message that goes on is answered rather from the page that the last reply was from.
HEADING_COSINE = 0.3  # A heading has no vector of its own; its words decide.
BM25_K1 = 0.9
BM25_B = 0.4
AVERAGE_TERMS = 12.0

# By how much a unit in the terms of the trade is nearer to an expert, and further from a beginner.
DEPTHS: Mapping[str, float] = {"technical": 0.08, "standard": 0.0, "simple": -0.08}
_TECHNICAL = re.compile(
    r"`[^`]+`|\b(?:[a-z]+_[a-z_]+|[a-z]+[A-Z]\w+|(?:GET|POST|PUT|PATCH|DELETE) /|https?://|[A-Z]{3,}(?:-\w+)?|v?\d+\.\d+\.\d+)|"
    r"\d\s?(?:px|ms|kB|MB|GB|Hz|kHz|MHz|kWh|W|V|A|dB|N|Nm|kPa|bar|mm)\b"
)

NUMBER_WORDS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|millions?|half|once|twice|none|free"
_AMOUNT = rf"(?:\d[\d.,]*(?:\s?[-–]\s?\d[\d.,]*)?|{NUMBER_WORDS})"
_TIMES = r"(?:seconds?|minutes?|mins?|hours?|hrs?|(?:working |business )?days?|weeks?|months?|years?|decades?|centur(?:y|ies))"
_LENGTHS = r"(?:mm|cm|m|km|millimet\w+|centimet\w+|met(?:er|re)s?|kilomet\w+|inch(?:es)?|in|ft|foot|feet|yards?|miles?)"
_WEIGHTS = r"(?:mg|g|kg|kilos?|kilograms?|grams?|tonn?e?s?|lbs?|pounds?|ounces?|oz)"


def _in(units: str) -> re.Pattern[str]:
    return re.compile(rf"\b{_AMOUNT}[\s×x-]{{0,2}}{units}\b|×", re.IGNORECASE)


# What the answer should contain, by the way the question asks.
_EXPECTATIONS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (
        re.compile(r"\b(prices?|pricing|costs?|fees?|how expensive|cheap(er|est)?)\b", re.IGNORECASE),
        re.compile(r"[$€£¥]\s?\d|\d\s?(%|[$€£¥]|dollars?|euros?|pounds?|USD|EUR|GBP)|\b(free|included)\b", re.IGNORECASE),
    ),
    (re.compile(r"\bhow (long|soon|fast|quick(ly)?)\b", re.IGNORECASE), _in(rf"(?:{_TIMES}|{_LENGTHS})")),
    (re.compile(r"\bhow (tall|high|wide|deep|big|large|far)\b|\bdimensions?\b", re.IGNORECASE), _in(_LENGTHS)),
    (
        re.compile(r"\bhow heavy\b|\bweigh(s|t)?\b|\bhow (?:much|many)\b[^?.!]*\b(?:carry|carries|hold|bear|load|lift)\b", re.IGNORECASE),
        _in(_WEIGHTS),
    ),
    (
        re.compile(r"\b(when|what (year|date|day|month|century|decade|time)|(which|what) \w+ (year|century))\b", re.IGNORECASE),
        re.compile(r"\d|\b(January|February|March|April|May|June|July|August|September|October|November|December|century|(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?)\b"),
    ),
    (
        re.compile(
            r"\b(how (many|much|old|often)|what (percent|percentage|number|size|amount)|"
            r"(the|any|a) (\w+ )?(max(imum)?|min(imum)?|limits?|number|size|ratio|percentage|latency))\b",
            re.IGNORECASE,
        ),
        re.compile(rf"(?<![\w.-])\d|\b({NUMBER_WORDS})\b", re.IGNORECASE),
    ),
    (re.compile(r"\b(who|whose|whom)\b", re.IGNORECASE), re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+|^[A-Z][a-z]+ [A-Z]")),
)  # fmt: skip
# What stands at the head or the foot of a page and says nothing of its matter.
_HEAD_LINE = re.compile(
    r"\W*(?:(?:URL|(?:last )?updated|author|published|version|document (?:no|number)|©)\s*[:©]|page \d+(?: of \d+)?\W*$|\S+@\S+\W*$)",
    re.IGNORECASE,
)
# Words of a statement.
STATING = (
    r"is|are|was|were|has|have|had|can|cannot|could|will|would|may|might|must|should|do|does|\w+n['’]t|"
    r"you|we|they|it|needs?|comes?|costs?|takes?|includes?"
)
_STATES = re.compile(rf"\b(?:{STATING})\b|\d", re.IGNORECASE)
# What only says where to read on.
_POINTER = re.compile(
    r"(?:(?:for|to (?:learn|read|find|see|get))\b[^.;]{1,160}, )?(?:please )?"
    r"(?:see|refer to|check out|visit|(?:read|learn|find out) more)\b[^.]{0,120}\.?$",
    re.IGNORECASE,
)
# A heading that asks without a mark: “How to return something”.
_ASKING_HEADING = re.compile(r"(?:how|when|where|which|who|why|can|do|does|is|are)\b", re.IGNORECASE)
# Words that only say what kind of thing is asked for: a sentence need not repeat them to answer.
_ASKING = re.compile(
    r"\bhow (?:long|much|many|far|often|soon|old|big|large|tall|high|heavy|wide|deep|fast|expensive)\b|"
    r"\b(?:costs?|prices?|pricing)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    unit: Unit
    score: float
    cosine: float
    terms: frozenset[str]
    context: frozenset[str]
    expected: bool
    matched: float  # summed idf of the question's terms that stand in the unit itself
    vector: NDArray[np.float32] | None
    answers: Unit | None  # the question in the document that the unit stands under


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything the writer knows about a brief: all units by passage, and the answerable ones, best first."""

    brief: AnswerBrief
    units: tuple[tuple[Unit, ...], ...]
    ranked: tuple[Candidate, ...]

    def is_outdone(self, unit: Unit) -> bool:
        """Whether a newer or better source states another value, so that this one is not to be said."""
        return _is_outdone(self.brief, unit)


def _is_outdone(brief: AnswerBrief, unit: Unit) -> bool:
    document = brief.passages[unit.passage].document_id
    return any(
        pair.settled
        and pair.other.document_id == document
        and pair.other.start < unit.end
        and unit.start < pair.other.end
        for pair in brief.contradictions
    )


@lru_cache(maxsize=4096)
def _terms_of(text: str) -> tuple[str, ...]:
    return tuple(terms(text))


def asks_for_amount(question: str) -> bool:
    """Whether a number, a price or a date is asked for, which an answer must then hold."""
    return any(asked.search(question) for asked, _ in _EXPECTATIONS[:-1])


def expectation_of(question: str) -> re.Pattern[str] | None:
    return next((wanted for asked, wanted in _EXPECTATIONS if asked.search(question)), None)


def how_it_asks(question: str) -> str:
    """The words of a question that say what kind of thing is asked for."""
    return next((met.group() for asked, _ in _EXPECTATIONS if (met := asked.search(question))), "")


def content_idf(brief: AnswerBrief) -> dict[str, float]:
    """The question's terms without those that only say what kind of thing is asked for, if others remain."""
    asking = set(terms(" ".join(_ASKING.findall(brief.asked))))
    fresh = set(terms(brief.question)) if len(brief.asked) > len(brief.question) else set[str]()
    content = {
        term: weight * (FRESH if term in fresh else 1.0)
        for term, weight in brief.idf.items()
        if term not in asking
    }
    return content or dict(brief.idf)


def _bare(text: str) -> str:
    return " ".join(text.split()).strip(" .:#").casefold()


def was_said(brief: AnswerBrief, unit: Unit) -> bool:
    """Whether an earlier reply of the conversation has these words."""
    text = unit.text.rstrip(" .")
    return any(text in reply for reply in brief.said)


def _share_asked(brief: AnswerBrief, heading: frozenset[str]) -> float:
    """How much a question in the document is the visitor's: the share of weighted words it has of theirs, less what it asks
    besides; nothing for a small share, nor where a message that goes on ("And to Austria?") adds none of its words.
    """
    own, added = set(terms(brief.asked)), set(terms(brief.question))
    if added and added.isdisjoint(heading):
        return 0.0
    total = sum(weight for term, weight in brief.idf.items() if term in own)
    shared = sum(weight for term, weight in brief.idf.items() if term in own and term in heading)
    if not total or shared < ALIKE * total:
        return 0.0
    return shared / total * len(own & heading) / len(heading)


def words_score(bag: Sequence[str], idf: Mapping[str, float]) -> float:
    """BM25 of one unit for the question's terms."""
    norm = BM25_K1 * (1 - BM25_B + BM25_B * len(bag) / AVERAGE_TERMS)
    counts = Counter(bag)
    return sum(
        weight * counts[term] * (BM25_K1 + 1) / (counts[term] + norm)
        for term, weight in idf.items()
        if term in counts
    )


def _only_repeats(text: str, bag: Sequence[str], idf: Mapping[str, float]) -> bool:
    """Whether a text states nothing and has as many words of the question as others."""
    words = set(bag)
    shared = words.intersection(idf)
    return 1 < len(shared) >= len(words - shared) and not _STATES.search(text)


def trouble_of(brief: AnswerBrief) -> frozenset[str]:
    """The word that tells what hurts, which is the rarest of those that do, with what else it is called; else nothing."""
    told = " ".join(brief.trouble)
    own = {term: brief.idf[term] for term in terms(told) if term in brief.idf}
    return frozenset((max(own, key=lambda term: own[term]), *also_called(told))) if own else frozenset()


def _reach(brief: AnswerBrief) -> int:
    """How far to read: rows of the catalogue stand beside the documents and do not keep them from being read."""
    documents = [at for at, passage in enumerate(brief.passages) if not is_row(passage)]
    return documents[PASSAGES - 1] + 1 if len(documents) >= PASSAGES else len(brief.passages)


def read(brief: AnswerBrief) -> Reading:
    """Somebody in trouble is not served by what stands on the right page and speaks of other things."""
    trouble = trouble_of(brief)
    passages = brief.passages if trouble else brief.passages[: _reach(brief)]
    units = tuple(units_of(passage, position) for position, passage in enumerate(passages))
    wanted = expectation_of(brief.asked)
    idf = content_idf(brief)
    codes = codes_in(brief.asked)
    depth = DEPTHS[brief.strategy.depth] if brief.strategy else 0.0
    ranked = [
        candidate
        for position in range(len(passages))
        for candidate in _Scorer(
            brief, units[position], position, wanted, idf, depth, trouble, codes, _behind(brief, position)
        ).candidates()
        if not _is_outdone(brief, candidate.unit)
    ]
    ranked.sort(key=lambda candidate: -candidate.score)
    return Reading(brief, units, tuple(ranked))


def _behind(brief: AnswerBrief, position: int) -> float:
    """What a passage loses for evidence weaker than the first one's; a row of the catalogue has another kind of it."""
    passage, first = brief.passages[position], brief.passages[0]
    if is_row(passage) or is_row(first):
        return 0.0
    return min(MOST_BEHIND, BEHIND * max(0.0, first.score - passage.score))


@dataclass(slots=True)
class _Scorer:
    """Scores the units of one passage in document order; a question or heading hands its score down."""

    brief: AnswerBrief
    units: tuple[Unit, ...]
    position: int
    wanted: re.Pattern[str] | None
    idf: Mapping[str, float]
    depth: float = 0.0
    trouble: frozenset[str] = frozenset()
    codes: Sequence[str] = ()
    behind: float = 0.0
    asked: Unit | None = None
    inherited: float = 0.0

    @property
    def place(self) -> int:
        """The passage's place among the documents, behind as many rows of the catalogue as there are."""
        return sum(not is_row(passage) for passage in self.brief.passages[: self.position])

    def candidates(self) -> Iterator[Candidate]:
        passage = self.brief.passages[self.position]
        cosines = self.brief.cosines(passage) if len(passage.sentence_vectors) else ()
        title = frozenset(_terms_of(passage.title))
        for unit in self.units:
            row = max(
                (row for row in unit.rows if row < len(cosines)), key=lambda row: cosines[row], default=None
            )
            cosine = float(cosines[row]) if row is not None else 0.0
            candidate = self.candidate(
                unit, cosine, None if row is None else passage.sentence_vectors[row], title
            )
            asks = unit.kind == "heading" and _ASKING_HEADING.match(unit.text)
            if unit.kind == "question" or unit.text.endswith("?") or asks:
                alike = ASKED_ALIKE * _share_asked(self.brief, candidate.terms)
                alike += self.behind if alike else 0.0  # What asks the same counts wherever it stands.
                self.asked, self.inherited = (
                    unit,
                    UNDER_QUESTION * (candidate.score + HEADING_COSINE * (row is None)) + alike,
                )
            elif unit.kind == "heading":
                self.asked, self.inherited = None, 0.0
            elif not (
                _HEAD_LINE.match(unit.text)
                or _POINTER.match(unit.text)
                or _bare(unit.text) == _bare(passage.title)
            ):
                yield candidate

    def candidate(
        self, unit: Unit, cosine: float, vector: NDArray[np.float32] | None, title: frozenset[str]
    ) -> Candidate:
        idf = self.idf
        bag = _terms_of(unit.text)
        context = title.union(*map(_terms_of, (*unit.headings, *unit.header)))
        if unit.lead is not None:
            context |= frozenset(_terms_of(self.units[unit.lead].text))
        around = sum(weight for term, weight in idf.items() if term in context and term not in bag)
        expected = bool(self.wanted and self.wanted.search(unit.text))
        score = (
            cosine
            + WORDS * (words_score(bag, idf) + CONTEXT * around)
            - RANK * self.place
            - self.behind
            + CODE * any(code in unit.text.lower() for code in self.codes)
            + SAME_PAGE * (self.brief.about == self.brief.passages[self.position].title)
            + EXPECTED * expected
        )
        under = self.inherited + EXPECTED * expected if self.inherited else 0.0
        score, self.inherited = max(score, under), self.inherited * FADING
        if self.depth and (unit.kind == "code" or _TECHNICAL.search(unit.text)):
            score += self.depth
        if was_said(self.brief, unit):
            score -= SAID
        if self.trouble.intersection(bag):  # What speaks of it counts wherever it stands.
            score += SPEAKS_OF_TROUBLE + self.behind + RANK * max(0, self.place - PASSAGES + 1)
        elif unit.kind in {"prose", "item", "step"} and _only_repeats(unit.text, bag, idf):
            score -= ECHO
        return Candidate(
            unit=unit,
            score=score,
            cosine=cosine,
            terms=frozenset(bag),
            context=context,
            expected=expected,
            matched=sum(weight for term, weight in idf.items() if term in bag),
            vector=vector,
            answers=self.asked,
        )
