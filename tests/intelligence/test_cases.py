"""Single messages, read as careful people read them: negation, sarcasm, emoji, capitals, slips, idioms, languages."""

from collections import defaultdict

from concierge.intelligence.reading import analyse
from concierge.intelligence.view import MessageView, Surroundings
from concierge.llm.embeddings import LocalEmbedder
from tests.intelligence.reference import Case, cases, failures

FEWEST_CASES = 150
LEAST_RIGHT = 0.95
# Below this a single dimension is not worth having, however well the others do.
LEAST_RIGHT_OF_ONE = 0.85


def test_at_least_95_of_100_readings_are_those_of_a_careful_reader(embedder: LocalEmbedder) -> None:
    known = list(cases())
    assert len(known) >= FEWEST_CASES
    vectors = embedder.model.embed([case.message for case in known])

    claims: dict[str, list[bool]] = defaultdict(list)
    wrong: list[str] = []
    for case, vector in zip(known, vectors, strict=True):
        view = MessageView(case.message, vector, case.history, Surroundings.of(case.context))
        unmet = failures(case, analyse(view))
        for claim in case.claims:
            claims[claim.dimension].append(claim not in unmet)
        wrong += [_told(case, unmet)] if unmet else []

    every = [right for own in claims.values() for right in own]
    shares = {dimension: sum(own) / len(own) for dimension, own in claims.items()}
    assert sum(every) / len(every) >= LEAST_RIGHT, "\n".join(wrong)
    assert min(shares.values()) >= LEAST_RIGHT_OF_ONE, shares


def _told(case: Case, unmet: object) -> str:
    return f"{case.message!r}: {unmet}"
