"""Attributes of an organization's own, judged as the built-in dimensions are: by likeness in meaning, and by phrases. Pure.

A message is compared with the text of every value ("enterprise: a company of more than 250 people"). The comparison
alone is never quite sure; a phrase that the operator named is strong.
"""

from functools import lru_cache
from typing import Any, Final

from concierge.intelligence.cues import Cue, Lexicon
from concierge.intelligence.cues import Phrase as CuePhrase
from concierge.intelligence.language import ENGLISH
from concierge.intelligence.schemas import Evidence, Reading
from concierge.intelligence.schemas.control import UNKNOWN, Attribute, Guidance, said_in
from concierge.intelligence.view import FloatArray, MessageView
from concierge.intelligence.weighing import FOREIGN_CONFIDENCE, Weighing

# Cosines of a sentence with short descriptions lie close together. Among 400 questions of BANKING77, sorted into six
# departments by a line about each, this gives the least log loss (81 % are right, and confidence is off by 3 points);
# so it does for 400 of CLINC150 sorted into its ten domains.
TEMPERATURE: Final = 0.06
# 4 % of those questions are less like every department than this, and 85 % of questions about something else are.
LEAST_LIKENESS: Final = 0.2
UNKNOWN_CONFIDENCE: Final = 0.3
# As much as a difference in likeness of 0.48, which hardly any message makes between two values.
PHRASE_WEIGHT: Final = 8.0
MOST_BY_LIKENESS: Final = 0.9
MOST_BY_PHRASE: Final = 0.97
KEPT_LEXICONS: Final = 1_000


def judge_all(guidance: Guidance, view: MessageView) -> dict[str, Reading[Any]]:
    return {own.name: judge(own, guidance.vectors.get(own.name), view) for own in guidance.attributes}


def judge(attribute: Attribute, vectors: FloatArray | None, view: MessageView) -> Reading[str]:
    """`vectors` (n, 384), of length 1, are those of the values' texts; without them, or without the message's, phrases
    alone decide.
    """
    likeness = _likeness(attribute, vectors, view)
    cues = _lexicon(attribute).find(view.units, view.denied)
    weighing = Weighing({value: like / TEMPERATURE for value, like in likeness.items()})
    for cue in cues:
        _weigh(weighing, cue, view)
    chances = weighing.probabilities()
    value = weighing.likeliest
    scores = {own: round(chance, 4) for own, chance in chances.items()}
    if said := weighing.reasons_for(value):
        return Reading(value, round(min(MOST_BY_PHRASE, chances[value]), 4), said, scores)
    if likeness[value] < LEAST_LIKENESS:
        return Reading(UNKNOWN, UNKNOWN_CONFIDENCE, (), scores)
    most = MOST_BY_LIKENESS if view.language.code == ENGLISH else FOREIGN_CONFIDENCE
    because = Evidence(f"is like what “{value}” means", round(likeness[value], 3), "model")
    return Reading(value, round(min(most, chances[value]), 4), (because,), scores)


def _likeness(attribute: Attribute, vectors: FloatArray | None, view: MessageView) -> dict[str, float]:
    """The cosine of the message with each value."""
    names = [value.value for value in attribute.values]
    if vectors is None or view.vector is None or not view.words:
        return dict.fromkeys(names, 0.0)
    return dict(zip(names, map(float, vectors @ view.vector), strict=True))


def _weigh(weighing: Weighing, cue: Cue, view: MessageView) -> None:
    said = f"says “{view.text[cue.start : cue.end]}”"
    if cue.denied:
        weighing.add_cue(cue, cue.speaks_for, -cue.weight / 2, f"{said}, but denies it")
    else:
        weighing.add_cue(cue, cue.speaks_for, cue.weight, said)


@lru_cache(KEPT_LEXICONS)
def _lexicon(attribute: Attribute) -> Lexicon:
    return Lexicon(
        CuePhrase(value.value, PHRASE_WEIGHT, said_in(phrase))
        for value in attribute.values
        for phrase in value.phrases
    )
