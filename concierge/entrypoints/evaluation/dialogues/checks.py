"""What a turn of a script says of the reply to it, one check by name at a time. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, takewhile
from typing import Final

from concierge.entrypoints.evaluation.dialogues.manners import MANNERS, told_of
from concierge.entrypoints.evaluation.dialogues.replies import Reply
from concierge.entrypoints.evaluation.dialogues.script import CheckName, Expected

# Shorter sentences ("Gladly.", "Of course.") may come again.
LEAST_REPEATED: Final = 24
ANSWERED: Final = frozenset({"answered", "small_talk"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check of one turn. `problem` says what was expected and what was found instead; None where it holds."""

    check: CheckName
    problem: str | None

    @property
    def holds(self) -> bool:
        return self.problem is None


def judge(expected: Expected, reply: Reply) -> Iterator[Verdict]:
    """Every check that the turn names, and those that hold for every turn."""
    for name, check in NAMED.items():
        if getattr(expected, name) is not None:
            yield Verdict(name, check(expected, reply))
    if told := _told(expected):
        yield Verdict("answer_first", _answer_first(told, reply))
    for name, manner in MANNERS.items():
        yield Verdict(name, manner(reply))


def _told(expected: Expected) -> Sequence[str]:
    return (expected.contains or ()) + (expected.contains_any or ())


def _cites(expected: Expected, reply: Reply) -> str | None:
    first = reply.sources[: expected.among]
    places = [f"{source.title} {source.url}".lower() for source in first]
    missing = [part for part in expected.cites or () if not any(part.lower() in place for place in places)]
    if not missing:
        return None
    cited = ", ".join(f"“{source.title}”" for source in first) or "nothing"
    return f"“{missing[0]}” among the first {expected.among} sources; cited: {cited}"


def _contains(expected: Expected, reply: Reply) -> str | None:
    missing = [text for text in expected.contains or () if not _holds(reply.text, text)]
    return f"the reply lacks {_quoted(missing)}" if missing else None


def _contains_any(expected: Expected, reply: Reply) -> str | None:
    wanted = expected.contains_any or ()
    return (
        None
        if any(_holds(reply.text, text) for text in wanted)
        else f"the reply has none of {_quoted(wanted)}"
    )


def _lacks(expected: Expected, reply: Reply) -> str | None:
    found = [text for text in expected.lacks or () if _holds(reply.text, text)]
    return f"the reply has {_quoted(found)}" if found else None


def _answers(_expected: Expected, reply: Reply) -> str | None:
    return None if reply.outcome in ANSWERED else f"an answer; the outcome is “{reply.outcome}”"


def _abstains(_expected: Expected, reply: Reply) -> str | None:
    """An honest reply may say what comes close beside what it does not know."""
    return f"no answer; the outcome is “{reply.outcome}”" if reply.outcome in ANSWERED else None


def _strategy(expected: Expected, reply: Reply) -> str | None:
    return _one_of(expected.strategy or (), reply.strategy)


def _stage(expected: Expected, reply: Reply) -> str | None:
    return _one_of(expected.stage or (), reply.stage)


def _tone(expected: Expected, reply: Reply) -> str | None:
    return _one_of(expected.tone or (), reply.tone)


def _opening(expected: Expected, reply: Reply) -> str | None:
    if expected.opening == "none":
        return f"no opening; it opens with “{reply.opening}”" if reply.opening else None
    return None if _opens(reply) else "an opening; the reply begins with its fact"


def _opens(reply: Reply) -> bool:
    """Where nothing is cited, a statement in front of a question is an opening too."""
    sentences = reply.sentences
    return bool(reply.opening) or (
        len(sentences) > 1 and not sentences[0].cited and not sentences[0].text.endswith("?")
    )


def _max_sentences(expected: Expected, reply: Reply) -> str | None:
    most, said = expected.max_sentences or 0, len(reply.sentences)
    return f"at most {most} sentences; there are {said}" if said > most else None


def _questions(expected: Expected, reply: Reply) -> str | None:
    most = expected.questions or 0
    return f"at most {most} questions; there are {reply.questions}" if reply.questions > most else None


def _claims_supported(_expected: Expected, reply: Reply) -> str | None:
    unsupported = [text for text, status in reply.claims if status not in {"supported", "no_claim"}]
    return f"support for {_quoted(unsupported)}" if unsupported else None


def _escalation(expected: Expected, reply: Reply) -> str | None:
    wanted = expected.escalation
    if isinstance(wanted, bool):
        holds = (reply.escalation is not None) == wanted
        return None if holds else f"escalation {wanted}; the reason is {reply.escalation}"
    return _one_of((str(wanted),), reply.escalation)


def _not_like_before(_expected: Expected, reply: Reply) -> str | None:
    earlier = {_bare(sentence.text) for text in reply.before for sentence in told_of(text)}
    again = [
        sentence.text
        for sentence in reply.sentences
        if len(sentence.text) >= LEAST_REPEATED and _bare(sentence.text) in earlier
    ]
    return f"nothing said before; it repeats {_quoted(again)}" if again else None


def _answer_first(told: Sequence[str], reply: Reply) -> str | None:
    """Whether something that was asked for stands in the first sentence that bears a source, or in the list it begins.

    A reply that rests on nothing has no fact to begin with.
    """
    if not reply.sources:
        return None
    head = list(takewhile(lambda own: not own.cited, reply.sentences))
    rest = reply.sentences[len(head) :]
    leads = bool(rest) and (rest[0].listed or rest[0].text.endswith(":"))
    listed = [own for own in rest[1:] if own.listed] if leads else []
    first = " ".join(own.text for own in chain(head, rest[:1], listed))
    if any(_holds(first, text) for text in told) or not any(_holds(reply.text, text) for text in told):
        return None  # What is nowhere is the failure of another check.
    return f"the answer in the first sentence; that is “{first}”"


NAMED: Final[Mapping[CheckName, Callable[[Expected, Reply], str | None]]] = {
    "cites": _cites,
    "contains": _contains,
    "contains_any": _contains_any,
    "lacks": _lacks,
    "answers": _answers,
    "abstains": _abstains,
    "strategy": _strategy,
    "stage": _stage,
    "tone": _tone,
    "opening": _opening,
    "max_sentences": _max_sentences,
    "questions": _questions,
    "claims_supported": _claims_supported,
    "escalation": _escalation,
    "not_like_before": _not_like_before,
}


def _one_of(wanted: Sequence[str], found: str | None) -> str | None:
    return None if found in wanted else f"{' or '.join(wanted)}; it is {found}"


def _holds(text: str, part: str) -> bool:
    """Numbers are compared as written, and not within a longer one: “$99” does not stand in “$999”."""
    return _found(_bare(text), _bare(part))


def _found(text: str, part: str) -> bool:
    at = text.find(part)
    while at >= 0:
        before, behind = text[max(0, at - 2) : at], text[at + len(part) : at + len(part) + 2]
        if not (_goes_on(before[::-1], part[0]) or _goes_on(behind, part[-1])):
            return True
        at = text.find(part, at + 1)
    return False


def _goes_on(beside: str, digit: str) -> bool:
    """Whether a number goes on over the end of what was found."""
    if not digit.isdigit() or not beside:
        return False
    return beside[0].isdigit() or (beside[0] in ".," and beside[1:2].isdigit())


def _bare(text: str) -> str:
    """Without case, and with one kind of apostrophe and of space."""
    return " ".join(text.replace("’", "'").replace("**", "").split()).lower()


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(f"“{text}”" for text in texts)
