"""What a tool has worked out: a bare number, which a sentence states in words of its own. Pure."""

from typing import Final

from concierge.chat.grounding.draft import Piece
from concierge.chat.grounding.facts import Facts, facts_of
from concierge.chat.grounding.library import Library, Rest
from concierge.chat.grounding.values import StatedKind
from concierge.chat.grounding.vocabulary import stems

TOOL: Final = "tool"
_KINDS: Final[frozenset[StatedKind]] = frozenset({"price", "share", "number"})
# How a result is spoken of; numbers in words are compared as numbers. Every other word has to stand in a source or in
# the question.
_WORDS: Final = frozenset(
    stems(
        "total sum result come make cost price amount pay save return together all altogether each overall work out equal "
        "roughly about exactly average difference less more plus minus percent dollar euro pound reduction discount off "
        "one two three four five six seven eight nine ten eleven twelve"
    )
)


def result_of(piece: Piece, facts: Facts, library: Library, question: frozenset[str]) -> Rest | None:
    """The result that a marked sentence states, where it states no other number and nothing that nobody has said.

    The currency of an amount is the sentence's own: a tool knows only numbers.
    """
    cited = [library.passages[mark - 1] for mark in piece.marks if 0 < mark <= len(library.passages)]
    values = facts.valued.values
    if not values or not any(passage.kind == TOOL for passage in cited):
        return None
    known = {value.amount for passage in cited for value in facts_of(passage.text).valued.values}
    if any(value.kind not in _KINDS or value.amount not in known | question for value in values):
        return None
    said = {*facts.words, *facts.names} - _WORDS - question
    if any(word not in library.postings for word in said) or facts.valued.addresses or facts.valued.codes:
        return None
    numbers = [
        number
        for number, passage in enumerate(library.passages, 1)
        if passage.kind == TOOL and number in piece.marks
    ]
    return next((rest for rest in library.rests if rest.source in numbers), None)
