"""The house writer: an answer made only of what the passages say, with its sources, and no language model."""

from collections.abc import AsyncIterator, Iterator, Sequence

import numpy as np

from concierge.chat.strategy.cues import says_settled
from concierge.chat.strategy.schemas import StageChoice
from concierge.chat.writers import phrases
from concierge.chat.writers.asking import briefs_of
from concierge.chat.writers.brief import (
    AnswerBrief,
    AnswerFinished,
    Citation,
    CitationAdded,
    Claim,
    Outcome,
    TextDelta,
    WriterEvent,
    WrittenAnswer,
)
from concierge.chat.writers.catalog import is_row
from concierge.chat.writers.choice import Part, choose, leading
from concierge.chat.writers.citations import Citations, citation_of, marked
from concierge.chat.writers.confirming import confirmed
from concierge.chat.writers.layout import set_out
from concierge.chat.writers.pairs import answer_of
from concierge.chat.writers.repair import capital
from concierge.chat.writers.selection import Reading, asks_for_amount, read, trouble_of
from concierge.chat.writers.showing import shown
from concierge.chat.writers.sums import summed
from concierge.chat.writers.support import ENOUGH, SOME, Support, judge
from concierge.chat.writers.tongues import ENGLISH, in_tongue, spoken
from concierge.chat.writers.voice import voiced
from concierge.chat.writers.wishes import wants_products
from concierge.knowledge.contradictions import Contradiction, Statement
from concierge.knowledge.lexical import terms

RELATED_SENTENCES = 2
LED_SENTENCES = (
    3  # Where a stage adds a sentence of its own, or points to a page, the answer leaves room for it.
)
DIFFERING = 0.5  # An answer is not surer than this where another page says otherwise and neither is known to be better.
NEAREST = 0.15  # From here on a page is named that may help, although what it says is no answer.
CERTAIN = 0.85  # Above this an answer stands although it holds no number where one was asked for.


class HouseWriter:
    """Pure and quick: the same brief always gives the same answer, within a few milliseconds."""

    def write(self, brief: AnswerBrief) -> WrittenAnswer:
        """The answer, in the manner that the strategy asks for, if there is one."""
        from_catalogue = summed(brief) or (None if brief.pair else shown(brief))
        answer = _passed_on(brief) or from_catalogue or self._answer(brief)
        if answer.outcome in {"partial", "unsupported"}:
            answer = _noted(brief) or answer
        if answer.outcome != "small_talk" and brief.strategy and brief.strategy.stage:
            answer = _settled(brief, brief.strategy.stage) or answer
        if answer.outcome == "small_talk":
            return answer
        return voiced(answer, brief, leads_on=answer is from_catalogue)

    @staticmethod
    def _answer(brief: AnswerBrief) -> WrittenAnswer:
        if brief.pair is not None:
            return answer_of(brief.pair)
        reply = phrases.small_talk(
            brief.question, turn=brief.turn, agent_name=brief.agent_name, said=brief.said
        )
        if reply is not None:
            return WrittenAnswer(text=reply, outcome="small_talk", confidence=1.0, pieces=(reply,))
        reading = read(brief)
        support = judge(reading)
        outcome = outcome_of(reading, support)
        if outcome == "unsupported" or (outcome == "partial" and _wants_no_guess(brief, reading)):
            return _unsupported(brief, support)
        return _composed(reading, _parts(reading, _limit(brief, outcome)), support, outcome)

    async def stream(self, brief: AnswerBrief) -> AsyncIterator[WriterEvent]:
        for event in streamed(self.write(brief)):
            yield event


def streamed(answer: WrittenAnswer) -> Iterator[WriterEvent]:
    """The pieces of an answer, each citation before its first mark, and the whole of it last."""
    waiting = list(answer.citations)
    for piece in answer.pieces:
        for citation in [other for other in waiting if f"[{other.number}]" in piece]:
            waiting.remove(citation)
            yield CitationAdded(citation)
        yield TextDelta(piece)
    yield AnswerFinished(answer)


def _parts(reading: Reading, limit: int) -> tuple[Part, ...]:
    """What is said: all of it on one question, or the best on each of several."""
    briefs = list(briefs_of(reading.brief))
    if len(briefs) == 1:
        return choose(reading, limit)
    found = [part for own in briefs for part in choose(read(own), 1)]
    said = {part.units: part for part in found}
    return tuple(said.values())[: max(limit, len(briefs))]


def outcome_of(reading: Reading, support: Support) -> Outcome:
    """What can honestly be said: an answer, what is known beside what is not, or nothing."""
    if not reading.ranked or support.probability < SOME:
        return "unsupported"
    best = leading(reading)
    unmet = asks_for_amount(reading.brief.asked) and not best.expected and support.probability < CERTAIN
    enough = reading.brief.strict_above if reading.brief.grounding == "strict" else ENOUGH
    if support.probability < enough or support.missing_is_name or unmet:
        return "partial"
    return "answered"


def compose(brief: AnswerBrief) -> WrittenAnswer:
    """The answer the passages give at best, without asking whether they support one."""
    reading = read(brief)
    return _composed(reading, choose(reading, _limit(brief, "answered")), judge(reading), "answered")


def _limit(brief: AnswerBrief, outcome: Outcome) -> int:
    limit = min(brief.max_sentences, 2) if brief.length == "brief" else brief.max_sentences
    if brief.strategy and brief.strategy.leading and brief.strategy.leading.leads:
        limit = min(limit, LED_SENTENCES)
    return max(1, limit if outcome == "answered" else min(limit, RELATED_SENTENCES))


def _composed(reading: Reading, parts: tuple[Part, ...], support: Support, outcome: Outcome) -> WrittenAnswer:
    brief = reading.brief
    if not parts:
        return _unsupported(brief, support)
    partial = outcome == "partial"
    # Of what may not be what was asked about, a second page proves nothing.
    citations = Citations(brief.passages, {} if partial else confirmed(reading, parts))
    pieces = list(set_out(parts, brief.asked, citations))
    told = _told(brief, citations)
    differ = any(not pair.settled for pair in told)
    if not partial and (difference := _on_difference(brief, told)):
        pieces.append((" " if parts[-1].is_prose else "\n\n") + difference)
    if partial:
        pieces = [
            *_opening(brief, support, listed=not parts[0].is_prose),
            *pieces,
            *_way_on(brief, support, parts),
        ]
    return WrittenAnswer(
        text="".join(pieces),
        outcome=outcome,
        confidence=min(support.probability, DIFFERING) if differ else support.probability,
        claims=tuple(citations.claims),
        citations=citations.citations(),
        pieces=tuple(pieces),
        offers_handover=partial or differ,
    )


def _told(brief: AnswerBrief, citations: Citations) -> list[Contradiction]:
    """The contradictions whose statements the answer repeats."""
    documents = {citation.number: citation.document_id for citation in citations.citations()}

    def repeats(claim: Claim, said: Statement) -> bool:
        overlap = said.start < claim.end and claim.start < said.end
        return overlap and documents.get(claim.number) == said.document_id

    return [
        pair
        for pair in brief.contradictions
        if any(repeats(claim, said) for claim in citations.claims for said in (pair.valid, pair.other))
    ]


def _on_difference(brief: AnswerBrief, told: Sequence[Contradiction]) -> str:
    """Say since when the better statement holds, or that none is known to be the better one; nothing if they agree."""
    if not all(pair.settled for pair in told):
        return spoken(brief, phrases.DIFFERING)
    dates = [pair.valid.dated for pair in told if pair.valid.dated]
    if not dates:
        return ""
    sentence = spoken(brief, phrases.DATED)
    return sentence.format(date=f"{max(dates).day} {max(dates):%B %Y}")


def _opening(brief: AnswerBrief, support: Support, *, listed: bool) -> list[str]:
    if support.missing:
        return [_unknown(brief, support) + ("\n\n" if listed else " ")]
    return [spoken(brief, phrases.CLOSEST) + ("\n\n" if listed else " ")]


def _way_on(brief: AnswerBrief, support: Support, parts: tuple[Part, ...]) -> list[str]:
    glue = " " if parts[-1].is_prose else "\n\n"
    options = phrases.RATHER_ASK if support.missing else phrases.NOT_SETTLED
    return [glue + spoken(brief, options)]


def _unknown(brief: AnswerBrief, support: Support) -> str:
    # Where the words of a name end is known of English only.
    if not support.missing or brief.language != ENGLISH:
        options = phrases.UNSURE if brief.strategy else phrases.UNKNOWN
        return spoken(brief, options)
    topics = (*phrases.UNKNOWN_TOPIC, *(phrases.MORE_UNKNOWN_TOPIC if brief.strategy else ()))
    sentence = spoken(brief, topics)
    return sentence.format(topic=support.missing, topic_capital=capital(support.missing))


def _wants_no_guess(brief: AnswerBrief, reading: Reading | None = None) -> bool:
    """Whether what merely comes close would be one annoyance more: to somebody upset, who waits for an order, or whose
    trouble it does not speak of.
    """
    strategy = brief.strategy
    if strategy is None or strategy.fallback != "helpful":
        return False
    trouble = trouble_of(brief)
    if reading is not None and trouble and not trouble & leading(reading).terms:
        return True
    return strategy.tone == "empathetic" or phrases.asks_where(brief.question)


def _passed_on(brief: AnswerBrief) -> WrittenAnswer | None:
    """The answer to somebody who asks for a person: nothing stands in between."""
    escalation = brief.strategy.escalation if brief.strategy else None
    if escalation is None or escalation.reason != "customer_request":
        return None
    text = spoken(brief, phrases.TO_A_PERSON)
    return WrittenAnswer(text, "answered", 1.0, pieces=(text,), offers_handover=True)


def _noted(brief: AnswerBrief) -> WrittenAnswer | None:
    """A word of thanks to somebody who tells what was asked of them: that is no question that could go unanswered."""
    strategy = brief.strategy
    if strategy is None or strategy.stage is None or not strategy.stage.replies:
        return None
    if strategy.leading is None or phrases.unsaid(strategy.leading.wordings, brief.said) is None:
        return None
    text = phrases.pick(phrases.NOTED, brief.question, brief.turn, brief.said)
    return WrittenAnswer(text, "answered", 1.0, pieces=(text,))


def _settled(brief: AnswerBrief, choice: StageChoice) -> WrittenAnswer | None:
    """A word to somebody who says that it works now, and wants nothing more: there is nothing to look up for them."""
    if not choice.closed or not says_settled(brief.question) or wants_products(brief.question):
        return None
    text = phrases.pick(phrases.GOOD_TO_HEAR, brief.question, brief.turn, brief.said)
    return WrittenAnswer(text, "small_talk", 1.0, pieces=(text,))


def _unsettled(brief: AnswerBrief) -> str:
    """What is said to somebody in trouble when nothing settles it."""
    if phrases.asks_where(brief.question) and (
        seen := phrases.unsaid(in_tongue(phrases.UNSEEN_ORDER, brief.language), brief.said)
    ):
        return seen
    return spoken(brief, phrases.UNSETTLED)


def _unsupported(brief: AnswerBrief, support: Support) -> WrittenAnswer:
    if (
        brief.strategy
        and brief.strategy.fallback == "helpful"
        and (not support.missing or _wants_no_guess(brief))
    ):
        text = _unsettled(brief)
        return WrittenAnswer(text, "unsupported", support.probability, pieces=(text,), offers_handover=True)
    more = phrases.MORE_OFFERS if brief.strategy and brief.language == ENGLISH else ()
    offers = (*in_tongue(phrases.OFFERS, brief.language), *more)
    nearest = _nearest(brief) if support.probability >= NEAREST else None
    pieces = [_unknown(brief, support), " " + spoken(brief, offers)]
    if nearest:
        named = spoken(brief, phrases.NEAREST).format(title=nearest.title)
        pieces.insert(1, " " + marked(named, nearest.number))
    return WrittenAnswer(
        text="".join(pieces),
        outcome="unsupported",
        confidence=support.probability,
        citations=(nearest,) if nearest else (),
        pieces=tuple(pieces),
        offers_handover=True,
    )


def _nearest(brief: AnswerBrief) -> Citation | None:
    """The first page that was found, if its title names what was asked, by its sentence that is nearest to the question."""
    first = brief.passages[0]
    if is_row(first) or not first.sentences or brief.idf.keys().isdisjoint(terms(first.title)):
        return None
    start, end = first.sentences[int(np.argmax(brief.cosines(first)))]
    return citation_of(first, 1, start, end)
