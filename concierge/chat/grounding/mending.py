"""Repairs a sentence once, by the source's own sentence on the same subject, or lets it go; then what only led to it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from concierge.chat.grounding.claimless import is_bare_answer
from concierge.chat.grounding.draft import tidy
from concierge.chat.grounding.facts import facts_of, has_verb
from concierge.chat.grounding.judge import Asked, fault_of
from concierge.chat.grounding.library import ANAPHOR, PRONOUN, Library, Rest
from concierge.chat.grounding.reading import Read
from concierge.chat.grounding.schemas import Fate
from concierge.chat.grounding.values import ADDRESS, valued
from concierge.chat.writers.repair import stands_alone, without_connective

# A source's sentence takes the place of one that has so much in common with it.
_SAME_MATTER = 0.5
_LONGEST = 400
_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\(([^()\s]{0,500})(?:\s+\"[^\"\n]*\")?\)")
_ENDS = re.compile(r"[.!?…][\"”’')\]*_`]*$")
_MARKUP = re.compile(r"[<>\\]")


@dataclass(frozen=True, slots=True)
class Mended:
    """`shown` is what is shown of a piece, without marks and openings; None where it goes."""

    read: Read
    fate: Fate
    shown: str | None
    rests: tuple[Rest, ...] = ()

    @property
    def answers(self) -> bool:
        return self.shown is not None and (bool(self.rests) or self.read.general)


def mend(reads: Sequence[Read], library: Library) -> list[Mended]:
    mended: list[Mended] = []
    said: set[tuple[int, int]] = {
        (rest.source, rest.start) for read in reads if read.verdict == "supported" for rest in read.rests
    }
    for read in reads:
        mended.append(_mended(read, mended, library, said))
    return _without_what_led_nowhere(mended)


def _mended(read: Read, before: Sequence[Mended], library: Library, said: set[tuple[int, int]]) -> Mended:
    if read.verdict in {"supported", "no_claim"}:
        if not _lost_its_subject(read, before):
            text = _first_words(read, before, _presentable(read, library))
            return Mended(read, "kept", text, read.rests if read.verdict == "supported" else ())
        said.difference_update((rest.source, rest.start) for rest in read.rests)
    own = next(((rest, text) for rest in read.rests if (text := _own_words(read, rest))), None)
    if own and (own[0].source, own[0].start) not in said:
        said.add((own[0].source, own[0].start))
        return Mended(read, "repaired", own[1], (own[0],))
    return Mended(read, "dropped", None)


def _lost_its_subject(read: Read, before: Sequence[Mended]) -> bool:
    """Whether "it" would stand for something else, as what it stood for has gone or was replaced."""
    if not PRONOUN.match(read.piece.text):
        return False
    last = next((entry for entry in reversed(before) if entry.read.piece.kind == "sentence"), None)
    if last is None or last.read.piece.block != read.piece.block or last.fate == "kept":
        return False
    return last.fate == "dropped" or not any(
        rest.covers(word) for rest in last.rests for word in read.antecedent
    )


def _first_words(read: Read, before: Sequence[Mended], text: str) -> str:
    """A sentence does not begin with "However" where what it turns from has gone."""
    if before and before[-1].fate == "dropped" and before[-1].read.piece.block == read.piece.block:
        return without_connective(text)
    return text


def _presentable(read: Read, library: Library) -> str:
    """The draft's own words, without links that lead where no source leads and without emphasis that never ends."""
    piece = read.piece
    if piece.kind == "code":
        return piece.raw
    raw = piece.raw
    if _MARKUP.search(raw) or raw.count("**") % 2 or raw.count("`") % 2 or raw.count("__") % 2:
        raw = piece.text
    if "](" in raw:
        raw = _LINK.sub(lambda link: link.group() if _known(link[2], library) else link[1], raw)
    return tidy(raw)


def _known(address: str, library: Library) -> bool:
    return bool(ADDRESS.search(address)) and valued(address).addresses <= library.addresses


def _own_words(read: Read, rest: Rest) -> str | None:
    """The source's own sentence, where it is about the same matter and can be understood by itself."""
    if read.piece.kind in {"code", "heading", "header"} or read.reason in {"promise", "too_long"}:
        return None
    if not _same_matter(read, rest):
        return None
    if read.piece.kind == "row":
        return _same_row(read, rest)
    text = _row_in_words(rest) if rest.unit.cells else _sentence(rest)
    if (
        text is None
        or len(text) > _LONGEST
        or (not _ENDS.search(text) and read.piece.kind == "sentence" and not read.piece.listed)
    ):
        return None
    return text if fault_of(Asked(facts_of(text)), rest) is None else None


def _same_matter(read: Read, rest: Rest) -> bool:
    words = read.facts.words
    shared = sum(map(rest.covers, words))
    if not words or shared < max(_SAME_MATTER * len(words), min(2, len(words))):
        return False
    subject = read.facts.subject
    return not subject or any(map(rest.covers, subject))


def _sentence(rest: Rest) -> str | None:
    if rest.unit.kind != "prose" and not has_verb(rest.unit.text):
        return None
    if rest.unit.lead is not None:
        return None
    standing = stands_alone(rest.unit, rest.before, rest.passage.title)
    text = standing.text
    return None if standing.needs_previous or ANAPHOR.match(text) else text


def _same_row(read: Read, rest: Rest) -> str | None:
    """The source's own row, where its columns are those of the draft's table."""
    columns, own = read.piece.header, rest.unit.header
    if not own or [name.casefold() for name in columns] != [name.casefold() for name in own]:
        return None
    return f"| {' | '.join(rest.unit.cells)} |"


def _row_in_words(rest: Rest) -> str | None:
    """A row as it is told: "Norway, price: $39, time: 5 days."."""
    unit = rest.unit
    if not unit.header or len(unit.cells) < 2 or not unit.cells[0]:
        return None
    pairs = [
        f"{name.lower()}: {cell}"
        for name, cell in zip(unit.header[1:], unit.cells[1:], strict=False)
        if name and cell
    ]
    return f"{unit.cells[0]}, {', '.join(pairs)}." if pairs else None


def _without_what_led_nowhere(mended: list[Mended]) -> list[Mended]:
    """Headings with nothing under them, introductions to nothing, and a "yes" whose sentence has gone go as well."""
    for at in range(len(mended) - 1, -1, -1):
        entry = mended[at]
        if entry.shown is not None and _leads_nowhere(mended, at):
            mended[at] = replace(entry, fate="dropped", shown=None, rests=())
    return mended


def _leads_nowhere(mended: Sequence[Mended], at: int) -> bool:
    piece = mended[at].read.piece
    behind = mended[at + 1 :]
    if piece.kind == "heading":
        section = _until_heading(behind, piece.level)
        return not any(entry.shown is not None for entry in section)
    if piece.kind == "header":
        return not any(entry.shown is not None and entry.read.piece.block == piece.block for entry in behind)
    if piece.leads:
        return _introduces_nothing(mended[at], behind)
    if is_bare_answer(piece.text):
        return not behind or behind[0].fate != "kept" or not behind[0].rests
    return False


def _until_heading(behind: Sequence[Mended], level: int) -> Sequence[Mended]:
    for number, entry in enumerate(behind):
        if entry.read.piece.kind == "heading" and entry.read.piece.level <= level:
            return behind[:number]
    return behind


def _introduces_nothing(entry: Mended, behind: Sequence[Mended]) -> bool:
    """Whether all of the list, table or paragraph behind a colon has gone; a colon at the end of all introduces nothing."""
    if not behind:
        return True
    own = entry.read.piece
    first = behind[0].read.piece
    listed = [
        other
        for other in behind
        if other.read.piece.block == first.block and (other.read.piece.block != own.block or not own.listed)
    ]
    if own.listed and first.block == own.block:
        listed = []
        for other in behind:
            if other.read.piece.block != own.block or len(other.read.piece.opening) <= len(own.opening):
                break
            listed.append(other)
        listed = listed or list(behind[:1])
    return not any(other.shown is not None for other in listed)
