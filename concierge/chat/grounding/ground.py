"""Proves a draft against the passages it was written from, and keeps of it what they say. Pure."""

from collections.abc import Sequence

from concierge.agents.schemas import GroundingMode
from concierge.chat.grounding.composing import Composer
from concierge.chat.grounding.draft import pieces_of
from concierge.chat.grounding.library import library_of
from concierge.chat.grounding.mending import Mended, mend
from concierge.chat.grounding.proof import proven
from concierge.chat.grounding.reading import read_all
from concierge.chat.grounding.schemas import Checked, Grounded
from concierge.knowledge.schemas import Passage


def ground(
    draft: str,
    sources: Sequence[Passage],
    mode: GroundingMode,
    *,
    question: str = "",
) -> Grounded:
    """Keep of a draft, which nobody can trust, what its sources say; a mark [n] means `sources[n - 1]`.

    `question` is the visitor's message: a question back or an "I don't know" may repeat its words.
    """
    pieces = pieces_of(draft)
    library = library_of(sources)
    mended = mend(read_all(pieces, library, mode, question), library)
    composer = Composer(sources)
    text, shown = composer.compose(mended)
    claims, citations = tuple(composer.claims), composer.citations()
    holds = proven(claims, citations, sources) if claims else False
    empty = _is_empty(mended) or (mode == "strict" and bool(claims) and not holds)
    return Grounded(
        text="" if empty else text,
        checked=tuple(_checked(entry, own) for entry, own in zip(mended, shown, strict=True)),
        claims=() if empty else claims,
        citations=() if empty else citations,
        empty=empty,
        proven=holds,
    )


def _is_empty(mended: Sequence[Mended]) -> bool:
    """Nothing that answers is left of a draft that answered, or there was nothing at all."""
    if any(entry.answers for entry in mended):
        return False
    claimed = any(entry.read.verdict in {"partial", "unsupported", "supported"} for entry in mended)
    return claimed or not any(entry.shown for entry in mended)


def _checked(entry: Mended, shown: str | None) -> Checked:
    read = entry.read
    return Checked(
        span=(read.piece.start, read.piece.end),
        text=read.piece.text,
        verdict=read.verdict,
        reason=read.reason,
        fate=entry.fate,
        evidence=tuple(rest.evidence for rest in entry.rests or read.rests),
        mark=read.mark,
        shown=shown,
        general=read.general,
    )
