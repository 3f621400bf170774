"""Judges every piece of a draft: what it claims, what it rests on, what may be shown. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from concierge.agents.schemas import GroundingMode
from concierge.chat.grounding.claimless import announces, claimless, is_general, promises
from concierge.chat.grounding.draft import LONGEST, Piece
from concierge.chat.grounding.facts import Facts, facts_of, has_verb
from concierge.chat.grounding.judge import Asked, Finding, find
from concierge.chat.grounding.library import PRONOUN, Library, Rest
from concierge.chat.grounding.polarity import agree
from concierge.chat.grounding.schemas import Mark, Reason, Verdict
from concierge.chat.grounding.vocabulary import stems
from concierge.chat.grounding.worked_out import result_of

_CONNECTIVE = re.compile(
    r"\A(?:(?:however|moreover|furthermore|additionally|also|besides|in addition|finally|first(?:ly)?|second(?:ly)?|third(?:ly)?|next|"
    r"then|lastly|in short|in summary|in fact|of course|please note that|note that|(?:yes|no|sure|so)(?=[,:])|absolutely|certainly|good news|"
    r"unfortunately|fortunately|therefore|thus|overall)\b[,:]?\s+)+",
    re.IGNORECASE,
)
_CODE_LINE = re.compile(r"\s*(```|~~~)")


@dataclass(frozen=True, slots=True)
class Read:
    """A piece with its verdict. `rests` support it where it is supported, and come nearest where it is not."""

    piece: Piece
    facts: Facts
    verdict: Verdict
    reason: Reason
    rests: tuple[Rest, ...] = ()
    mark: Mark = "none"
    general: bool = False
    antecedent: frozenset[str] = frozenset()


@dataclass(slots=True)
class Reader:
    """Reads pieces in order and remembers what pronouns, lists and sections are about."""

    library: Library
    mode: GroundingMode
    question: frozenset[str]
    subject: frozenset[str] = frozenset()
    section: frozenset[str] = frozenset()
    lead: frozenset[str] = frozenset()
    introduction: str = ""
    block: int = -1

    def read(self, piece: Piece) -> Read:
        if piece.kind == "code":
            return self._code(piece)
        facts = facts_of(text_of(piece))
        if piece.kind in {"heading", "header"}:
            return self._announcement(piece, facts)
        if len(piece.text) > LONGEST:
            return Read(piece, facts, "unsupported", "too_long", mark=_removed(piece))
        self._enter(piece)
        read = self._sentence(piece, facts)
        self._remember(piece, facts)
        return read

    def _enter(self, piece: Piece) -> None:
        """A new paragraph is about something of its own; a list is about what introduces it."""
        if piece.block != self.block:
            self.subject = frozenset()
            self.block = piece.block
        if not piece.listed and piece.kind != "row":
            self.lead, self.introduction = frozenset(), ""

    def _remember(self, piece: Piece, facts: Facts) -> None:
        if not PRONOUN.match(piece.text):
            self.subject = facts.subject or facts.names
        if piece.leads and not piece.listed:
            self.lead = facts.names
            self.introduction = piece.text.rstrip("*_ :：")

    def _antecedent(self, piece: Piece, facts: Facts) -> frozenset[str]:
        if PRONOUN.match(_CONNECTIVE.sub("", piece.text, count=1)):
            return self.subject or self.lead or self.section
        about = self.lead or self.section if piece.listed or piece.kind == "row" else frozenset[str]()
        return frozenset() if facts.names else about

    def _sentence(self, piece: Piece, facts: Facts) -> Read:
        plain = claimless(facts, piece.text, self.question)
        if plain is None and piece.leads and not has_verb(piece.text) and self._introduces(facts):
            plain = "connective"
        if plain:
            return Read(piece, facts, "no_claim", plain, mark=_removed(piece))
        result = result_of(piece, facts, self.library, self.question)
        if result is not None:
            return Read(piece, facts, "supported", "stated", (result,), _mark(piece.marks, (result,)))
        antecedent = self._antecedent(piece, facts)
        found = self._found(piece, facts, antecedent)
        if found.fault is None and not promises(piece.text, of="i"):
            mark = _mark(piece.marks, found.rests)
            return Read(piece, facts, "supported", "stated", found.rests, mark, antecedent=antecedent)
        return self._unproven(piece, facts, found)

    def _found(self, piece: Piece, facts: Facts, antecedent: frozenset[str]) -> Finding:
        """What supports a sentence; an item is read with the words that introduce its list, which may turn it round."""
        alone = Asked(facts, antecedent, self.question)
        if not piece.listed or not self.introduction:
            return find(alone, self.library, piece.marks)
        introduced = facts_of(f"{self.introduction} {piece.text}")
        found = find(Asked(introduced, antecedent, self.question), self.library, piece.marks)
        if found.fault is None and len(found.rests) == 1:
            return found
        found = find(alone, self.library, piece.marks)
        turned = found.fault is None and not all(
            agree(introduced.clauses, rest.facts.clauses) for rest in found.rests
        )
        return replace(found, fault="polarity") if turned else found

    def _unproven(self, piece: Piece, facts: Facts, found: Finding) -> Read:
        if promises(piece.text):
            return Read(piece, facts, "unsupported", "promise", mark=_removed(piece))
        if piece.leads and self._introduces(facts):
            return Read(piece, facts, "no_claim", "connective", mark=_removed(piece))
        if self.mode == "blended" and not piece.marks and is_general(facts, piece.text, found.likeness):
            return Read(piece, facts, "no_claim", "general", general=True)
        return _refused(piece, facts, found)

    def _introduces(self, facts: Facts) -> bool:
        """Whether the words in front of a list, without values, are words of one source."""
        if facts.valued.values or facts.valued.codes or facts.valued.addresses:
            return False
        return announces(facts) or self._words_of_one_source(facts)

    def _words_of_one_source(self, facts: Facts) -> bool:
        counted: dict[int, int] = {}
        for word in facts.words:
            for source in {rest.source for _, rest in self.library.ranked([word])}:
                counted[source] = counted.get(source, 0) + 1
        return max(counted.values(), default=0) == len(facts.words)

    def _announcement(self, piece: Piece, facts: Facts) -> Read:
        """A heading or the names of columns: it goes where it says something that no source says."""
        if piece.kind == "heading":
            self.section = facts.names or frozenset(facts.words)
            self.lead, self.subject, self.introduction = frozenset(), frozenset(), ""
        if piece.kind == "header" or announces(facts):
            fine = not facts.valued.values and not promises(piece.text)
        else:
            fine = self._introduces(facts) or find(Asked(facts), self.library, piece.marks).fault is None
        verdict: Verdict = "no_claim" if fine else "unsupported"
        return Read(piece, facts, verdict, "connective" if fine else "words", mark=_removed(piece))

    def _code(self, piece: Piece) -> Read:
        """Code is that of a source, line by line, or it is not shown."""
        lines = [" ".join(line.split()) for line in piece.raw.split("\n") if not _CODE_LINE.match(line)]
        wanted = [line for line in lines if line]
        for number, text in enumerate(self.library.code, 1):
            if wanted and all(line in text for line in wanted):
                rest = next((rest for rest in self.library.rests if rest.source == number), None)
                if rest:
                    return Read(piece, facts_of(""), "supported", "stated", (rest,), "added")
        return Read(piece, facts_of(""), "unsupported", "code")


def text_of(piece: Piece) -> str:
    """What is judged of a piece: a row reads with the names of its columns."""
    if piece.cells and piece.header:
        pairs = zip(piece.header, piece.cells, strict=False)
        return " | ".join(cell for _, cell in pairs)
    text = _CONNECTIVE.sub("", piece.text, count=1) or piece.text
    return " | ".join(piece.cells) if piece.cells else text


def _refused(piece: Piece, facts: Facts, found: Finding) -> Read:
    verdict: Verdict = "partial" if found.partial else "unsupported"
    reason: Reason = found.fault or "elsewhere"
    return Read(piece, facts, verdict, reason, found.rests, _removed(piece))


def _removed(piece: Piece) -> Mark:
    return "removed" if piece.marks else "none"


def _mark(marks: Sequence[int], rests: Sequence[Rest]) -> Mark:
    if not marks:
        return "added"
    return "right" if {rest.source for rest in rests} <= set(marks) else "moved"


def question_words(question: str) -> frozenset[str]:
    return frozenset(stems(question))


def read_all(
    pieces: Sequence[Piece],
    library: Library,
    mode: GroundingMode,
    question: str,
) -> list[Read]:
    reader = Reader(library, mode, question_words(question))
    return [reader.read(piece) for piece in pieces]
