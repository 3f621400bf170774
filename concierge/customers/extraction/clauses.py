"""What a message states of its writer: no questions, no hypotheses, no words of others. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

# Of a longer message the opening and the closing are looked at, as for every other reading of it.
OPENING_CHARS: Final = 3_000
CLOSING_CHARS: Final = 1_000
MOST_CLAUSES: Final = 60

_CONTRACTIONS: Final[Sequence[tuple[re.Pattern[str], str]]] = tuple(
    (re.compile(rf"\b{short}\b", re.IGNORECASE), long)
    for short, long in (
        (r"i'?m", "I am"),
        (r"(we|you|they)'re", r"\1 are"),
        (r"(i|we|you|they)'ve", r"\1 have"),
        (r"ive", "I have"),
        (r"(i|we|you|they|he|she)'d", r"\1 would"),
        (r"(i|we|you|they|he|she|it)'ll", r"\1 will"),
        (r"(he|she|it|that|there|what|who)'s", r"\1 is"),
        (r"thats", "that is"),
        (r"can(?:'t|not|t)", "cannot"),
        (r"won'?t", "will not"),
        (r"(do|does|did|is|are|was|were|have|has|had|would|could|should)n'?t", r"\1 not"),
        (r"wanna", "want to"),
        (r"gonna", "going to"),
        (r"ich (hab|brauch|such|möcht|hätt|wohn)", r"ich \1e"),
    )
)
_QUOTED: Final = re.compile(
    r"```.*?```|“[^”]*”|„[^“”]*[“”]|«[^»]*»|»[^«]*«|\"[^\"\n]*\"|(?<!\w)'[^'\n]{2,}'(?!\w)", re.DOTALL
)
_QUOTED_LINE: Final = re.compile(
    r"^\s*(?:>|(?:from|von|sent|gesendet|subject|betreff):).*$", re.MULTILINE | re.IGNORECASE
)
# “Not 900 but 1200” says 1200.
_NOT_BUT: Final = re.compile(
    r"\b(?:not|nicht) [$€£]?\d[\d.,]*k?(?: ?[$€£]| \w+)? (?:but|sondern) ", re.IGNORECASE
)
# “We furnish a flat and want a sofa”: who wants it was said before.
_ELIDED: Final = re.compile(
    r"(?P<before>\b(?P<who>i|we)\b[^.!?;]*?,?\s(?:and|but)\s)(?P<also>(?:also |really |still |now )?)"
    r"(?=(?:want|need|prefer|like|love|hate|have|live|own|plan|hope|(?:would|am|are)\b)\b)",
    re.IGNORECASE,
)
_NAME_CHARS: Final = 40
_NAME_WORDS: Final = 4
_PERSON: Final = re.compile(r"\b(?:i|we|my|our|me|ich|wir|mein\w*|unser\w*|ignore|remember)\b", re.IGNORECASE)

_SENTENCE: Final = re.compile(r"(?<=[.!?…])[\s)]+|\n+|;\s+")
_CLAUSE: Final = re.compile(
    r"\s*(?:,\s+(?:and|but|so|und|aber|also|sondern|denn)\s+|,\s+|\s+[-–—]+\s+|:\s+(?=(?:i|we|ich|wir)\b)"
    r"|\s+(?:but|so|because|since|although|though|while|aber|denn|sondern)\s+"
    r"|\s+(?:and|und)\s+(?=(?:i|we|my|our|can|could|do|does|is|are|what|which|how|ich|wir|mein\w*|unser\w*)\b))",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|and|but|so|or|also|und|oder|aber|okay|ok|well)[\s,]+)*"
    r"(?:do|does|did|is|are|am|was|were|can|could|would|will|shall|should|may|might|have|has|had|what|which|who|whom|"
    r"whose|where|when|why|how|any|anything|anyone|"
    r"kann|kannst|können|könnte|könnten|gibt|ist|sind|hast|haben|habt|habe|hat|darf|soll|sollte|was|welche\w*|wer|wo|wann|"
    r"warum|wieso|wie|wieviel)\b",
    re.IGNORECASE,
)
_WONDERS: Final = re.compile(
    r"\b(?:wonder(?:ing)?|tell me|let me know|explain|curious|ask(?:ing)?|know|wissen|fragen|frage mich|sag(?:en|t)? mir)\b"
    r".*\b(?:if|whether|what|which|how|why|when|where|who|ob|was|welche\w*|wie|warum|wann|wo)\b",
    re.IGNORECASE,
)
_SUPPOSES: Final = re.compile(
    r"\b(?:if|unless|suppose|supposing|imagine|imagining|assume|assuming|pretend(?:ing)?|hypothetical(?:ly)?|let us say|"
    r"let's say|for example|for instance|e\.g\.|as if|would have|could have|might have|role ?play|in theory|"
    r"wenn|falls|sofern|angenommen|stell dir|stellen sie sich|würde|würden|wäre|wären|hätte nicht|gesetzt den fall|"
    r"zum beispiel|z\.\s?b\.)\b",
    re.IGNORECASE,
)
_OTHERS_SAY: Final = re.compile(
    r"\b(?:he|she|they|someone|somebody|people|it|everyone|friend|colleague|brother|sister|mother|father|mom|mum|dad|wife|"
    r"husband|partner|boss|customer|client|neighbou?r|website|page|article|review|er|sie|freund\w*|kolleg\w+|chef\w*|kund\w+|"
    r"nachbar\w*|webseite|seite)\s+(?:has |have |once |always |just |hat |haben )?"
    r"(?:said|says|say|told|tells|wrote|writes|asked|asks|claims|claimed|thinks|goes|reads|states|sagt\w*|gesagt|schrieb|"
    r"schreibt|meint\w*|fragt\w*|behauptet)\b|\baccording to\b|\blaut\b",
    re.IGNORECASE,
)
_NO_LONGER: Final = re.compile(r"\b(?:used to|wish|once had|früher|damals)\b", re.IGNORECASE)
_JOKES: Final = re.compile(
    r"\b(?:just kidding|only joking|just joking|kidding|jk|nur spaß|war nur ein scherz)\b|/s$", re.IGNORECASE
)
_HEDGES: Final = re.compile(
    r"\b(?:maybe|perhaps|probably|possibly|might|i think|i guess|i suppose|i believe|kind of|sort of|not sure|unsure|considering|"
    r"thinking (?:of|about)|leaning towards?|ideally|roughly|vielleicht|wahrscheinlich|eventuell|evtl|glaube|ungefähr|"
    r"möglicherweise|überlege\w*|am liebsten)\b",
    re.IGNORECASE,
)
_HEDGE_WORDS: Final = re.compile(
    r"\b(?:maybe|perhaps|probably|possibly|ideally|i think|i guess|i suppose|i believe|vielleicht|wahrscheinlich|eventuell|"
    r"evtl\.?|ich glaube),?\s+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A statement with its contractions written out. `hedged` where the writer is not sure of it; `continues` where it
    goes on from the one before.
    """

    text: str
    hedged: bool = False
    continues: bool = False


def clauses(message: str) -> tuple[Clause, ...]:
    text = _plain(message)
    if _JOKES.search(text):
        return ()
    return tuple(clause for sentence in _SENTENCE.split(text) for clause in _stated(sentence))[:MOST_CLAUSES]


def written_out(text: str) -> str:
    """Apostrophes made one, contractions written out."""
    text = re.sub("[’‘`´]", "'", text)
    for short, long in _CONTRACTIONS:
        text = short.sub(long, text)
    return text


def _plain(message: str) -> str:
    if len(message) > OPENING_CHARS + CLOSING_CHARS:
        message = f"{message[:OPENING_CHARS]}\n{message[-CLOSING_CHARS:]}"
    text = _QUOTED_LINE.sub("", re.sub("[’‘`´]", "'", message))
    plain = _NOT_BUT.sub("", written_out(_QUOTED.sub(_unquoted, text)))
    return _ELIDED.sub(lambda found: f"{found['before']}{found['who']} {found['also']}", plain)


def _unquoted(found: re.Match[str]) -> str:
    """A name in quotation marks is the writer's own word; a sentence in them is somebody else's."""
    inside = found.group().strip("“”„«»\"'` ")
    is_name = len(inside) <= _NAME_CHARS and len(inside.split()) <= _NAME_WORDS
    return inside if is_name and not _PERSON.search(inside) else " "


def _stated(sentence: str) -> Iterator[Clause]:
    sentence = sentence.strip()
    if not sentence or _OTHERS_SAY.search(sentence) or _ASKS.search(sentence):
        return
    parts = [part for part in _CLAUSE.split(sentence) if part.strip()]
    if sentence.endswith("?"):
        parts = parts[:-1]
    hedged = _HEDGES.search(sentence) is not None
    for number, part in enumerate(parts):
        if _SUPPOSES.search(part) or _WONDERS.search(part):
            return  # What follows stands under the same condition.
        if not _ASKS.search(part) and not _NO_LONGER.search(part):
            yield Clause(_HEDGE_WORDS.sub("", part).strip(" .!…"), hedged, continues=number > 0)
