"""What a language model is told before it answers: a colleague's briefing, and everything else as quoted data. Pure.

`system` holds only our own words and the operator's, `user` what visitors, documents and the catalogue say.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final, Self

from concierge.agents.schemas import AgentConfiguration, GroundingMode
from concierge.agents.schemas.policy import FallbackStrategy
from concierge.catalog.schemas.context import ProductContext
from concierge.chat.quoting import one_line, quoted
from concierge.chat.strategy.moment import asks_price, is_greeting
from concierge.chat.strategy.schemas import Strategy
from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.catalog import passage_of, passage_of_promotion
from concierge.knowledge.schemas import Passage

MOST_PASSAGES: Final = 8
LONGEST_PASSAGE: Final = 1_600
LONGEST_OFFER: Final = 400
LONGEST_MESSAGE: Final = 4_000
LONGEST_VOICE: Final = 8_000
LONGEST_TURN: Final = 600
LONGEST_FACT: Final = 200
LONGEST_TITLE: Final = 200
LONGEST_GUIDANCE: Final = 500
SHOWN_TURNS: Final = 4
SHOWN_INTERESTS: Final = 3
SURE: Final = 0.5  # What a session only hints at more faintly than this is left out.
UPSET: Final = frozenset({"empathetic", "reassuring"})
LEADING_ON: Final = frozenset({"ask_need", "show_ways", "recommend"})
KINDS: Final[Mapping[str, str]] = {
    "product": "a product of ours",
    "promotion": "an offer that holds today",
    "policy": "our terms",
    "company": "about us",
    "support": "where help is found",
    "faq": "a question we are often asked",
    "web": "a page of somebody else",
    "tool": "looked up just now",
}
OUR_PAGE: Final = "a page of ours"
OPTIONAL: Final = frozenset({"of_business"})
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Persona:
    """Who the agent is. `voice` is what its operator says of that, in place of our own sentence; it can say nothing about
    how we talk here, which stands behind it. `canary` is a word that stands nowhere else, so that a reply which repeats
    the notes gives itself away.
    """

    name: str
    business: str = ""
    voice: str = ""
    grounding: GroundingMode = "blended"
    canary: str = ""

    @classmethod
    def of(cls, agent: AgentConfiguration, business: str = "") -> Self:
        """An agent as a model is told of it: in its persona's words where it answers as one."""
        persona = agent.applied_persona
        return cls(agent.name, business, persona.system_prompt if persona else "", agent.grounding_mode)


@dataclass(frozen=True, slots=True)
class Prompt:
    """`sources` are what the numbers in it stand for: the first is [1]."""

    system: str
    user: str
    sources: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """How many rows and offers are shown to somebody who is not in trouble."""

    rows: int
    promotions: int


SHELVES: Final[Mapping[FallbackStrategy, Shelf]] = {
    "discovery": Shelf(3, 1),
    "assumption": Shelf(3, 2),
    "exploration": Shelf(3, 1),
    "showcase": Shelf(2, 1),
    "helpful": Shelf(0, 0),
}


def render(persona: Persona, brief: AnswerBrief) -> Prompt:
    passages = brief.passages[:MOST_PASSAGES]
    offers = _offers(brief, {passage.chunk_id for passage in passages})
    system = {
        "name": one_line(persona.name, LONGEST_TITLE),
        "of_business": f" of {name}" if (name := one_line(persona.business, LONGEST_TITLE)) else "",
        "firm": _said("firm") if persona.voice.strip() else "",
        "voice": persona.voice.strip()[:LONGEST_VOICE] or _said("default_voice"),
        "grounding": sentences()["grounding"][persona.grounding],
        "guidance": "\n".join(f"- {sentence}" for sentence in guidance(brief)),
        "canary": persona.canary,
    }
    user = {
        "customer": "\n".join(quoted(line, LONGEST_FACT) for line in _known(brief)),
        "sources": _numbered(passages, 1, LONGEST_PASSAGE)
        or ("" if offers or is_greeting(brief.question) else _said("no_sources")),
        "offers": _numbered(offers, len(passages) + 1, LONGEST_OFFER),
        "differing": _differing(brief, passages),
        "conversation": "\n".join(_conversation(brief)),
        "message": quoted(brief.question, LONGEST_MESSAGE),
    }
    return Prompt(_filled("system", system), _filled("turn", user), (*passages, *offers))


def guidance(brief: AnswerBrief) -> Iterator[str]:
    """How to go about this reply, in a few sentences, the most weighty first; those that say nothing are left out."""
    if (strategy := brief.strategy) is not None:
        yield from filter(None, _guided(strategy, resumes=_resumes(brief)))


def _guided(strategy: Strategy, *, resumes: bool) -> Iterator[str]:
    data, parameters = sentences(), strategy.parameters
    mood = data["opening"][strategy.opening] or data["tone"][strategy.tone]
    yield f"{_approach(strategy, resumes=resumes)} {mood}"
    if strategy.tone in UPSET and not strategy.purchase_step:
        yield data["manner"]["no_purchase"]
    yield " ".join(filter(None, (data["length"][parameters.length], data["depth"][strategy.depth])))
    if parameters.step_by_step:
        yield data["manner"]["step_by_step"]
    if parameters.api_examples:
        yield data["manner"]["api_examples"]
    if strategy.recall:
        yield data["manner"]["recall"]
    if resumes:
        return
    if (stage := strategy.leading) is not None:
        yield one_line(stage.guidance, LONGEST_GUIDANCE) or data["stage"][stage.name]
    else:
        leads_nowhere = not strategy.open_ended and strategy.next_step in LEADING_ON
        yield data["next_step"]["none" if leads_nowhere else strategy.next_step]


def _approach(strategy: Strategy, *, resumes: bool) -> str:
    if resumes:
        return _said("resumed")
    answered = {} if strategy.open_ended else sentences()["answered"]
    return answered.get(strategy.fallback) or sentences()["fallback"][strategy.fallback]


def _resumes(brief: AnswerBrief) -> bool:
    """Whether somebody is back who left a matter open: that comes before whatever else there is to show."""
    strategy = brief.strategy
    return strategy is not None and strategy.opening == "welcome_back" and bool(brief.unfinished)


def _known(brief: AnswerBrief) -> Iterator[str]:
    """What matters of the visitor now: never an address, a label, or a memory that may not be said aloud."""
    customer, strategy = brief.customer, brief.strategy
    if customer is None or strategy is None:
        return
    if customer.name and customer.profile_type in {"identified", "registered"}:
        yield f"Name: {one_line(customer.name, LONGEST_FACT)}"
    if customer.returning:
        last = customer.last_interaction
        yield f"Has been here before{f', last on {_day(last)}' if last else ''}."
    if _resumes(brief) and brief.unfinished:
        yield f"Was here about: {one_line(brief.unfinished, LONGEST_FACT)}"
    for fact in strategy.recall:
        yield f"Told us on {_day(fact.valid_from)}: {one_line(fact.value, LONGEST_FACT)}"
    hints = [own for own in customer.session if own.what in {"interest", "need"} and own.confidence >= SURE]
    if hints:
        values = dict.fromkeys(one_line(own.value, LONGEST_FACT) for own in hints[:SHOWN_INTERESTS])
        yield f"Seems interested in: {', '.join(values)}"


def _offers(brief: AnswerBrief, shown: set[object]) -> tuple[Passage, ...]:
    """What the business shows anybody, for who looks around or asks what things cost, and is not upset."""
    strategy, products = brief.strategy, brief.products or ProductContext()
    if strategy is None or strategy.tone in UPSET or _resumes(brief):
        return ()
    wants_price = asks_price(brief.question)
    if not (strategy.open_ended or wants_price):
        return ()
    shelf = SHELVES[strategy.fallback]
    rows = _priced(products) if wants_price else [passage_of(entry, 0) for entry in products.featured]
    offers = [passage_of_promotion(promotion, 0) for promotion in products.promotions]
    fresh = [
        source
        for source in (*rows[: shelf.rows], *offers[: shelf.promotions])
        if source.chunk_id not in shown
    ]
    return tuple(replace(source, rank=rank) for rank, source in enumerate(fresh))


def _priced(products: ProductContext) -> list[Passage]:
    """The rows where the prices of each category begin, under a heading that says so."""
    return [
        replace(passage_of(price.entry, 0), headings=(f"{price.category} from {price.said}",))
        for price in products.pricing
        if price.entry is not None
    ]


def _numbered(passages: Sequence[Passage], first: int, limit: int) -> str:
    return "\n\n".join(_source(passage, number, limit) for number, passage in enumerate(passages, first))


def _source(passage: Passage, number: int, limit: int) -> str:
    """A source under its number. Its title and headings are the document's words, so they are quoted as well."""
    kind = KINDS.get(passage.kind, OUR_PAGE)
    dated = f", of {_day(passage.updated_at)}" if passage.updated_at else ""
    title = one_line(" – ".join(dict.fromkeys((passage.title, *passage.headings))), LONGEST_TITLE)
    return f"[{number}] {kind}{dated}\n{quoted(title, LONGEST_TITLE)}\n{quoted(passage.text, limit)}"


def _differing(brief: AnswerBrief, passages: Sequence[Passage]) -> str:
    """Which of the sources shown disagree."""
    numbers: dict[object, int] = {}
    for number, passage in enumerate(passages, 1):
        numbers.setdefault(passage.document_id, number)
    sentences: dict[str, None] = {}
    for pair in brief.contradictions:
        one, other = numbers.get(pair.valid.document_id), numbers.get(pair.other.document_id)
        if one and other and one != other:
            sentence = _said("settled" if pair.settled else "differing")
            sentences[sentence.format(one=one, other=other)] = None
    return "\n".join(sentences)


def _conversation(brief: AnswerBrief) -> Iterator[str]:
    """The last exchanges. Each stands under a line of ours, so that nobody can put words into the other's mouth."""
    asked = brief.customer.recent_turns if brief.customer else ()
    count = min(len(asked), len(brief.said), SHOWN_TURNS)
    if not count:
        asked, count = (), min(len(brief.said), SHOWN_TURNS)
    messages = asked[len(asked) - count :] if asked else ("",) * count
    for message, reply in zip(messages, brief.said[len(brief.said) - count :], strict=True):
        if message:
            yield f"The visitor:\n{quoted(message, LONGEST_TURN)}"
        yield f"You:\n{quoted(reply, LONGEST_TURN)}"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its values, each put in once and never read again; a block that lacks one of them is left out."""
    kept = [
        _PLACEHOLDER.sub(lambda found: values[found[1]], block)
        for block in template_of(template).strip().split("\n\n")
        if all(values[name] for name in _PLACEHOLDER.findall(block) if name not in OPTIONAL)
    ]
    return "\n\n".join(kept)


def _said(name: str) -> str:
    return sentences()["said"][name]


@cache
def template_of(name: str) -> str:
    return (files("concierge.chat") / "prompts" / f"{name}.md").read_text("utf-8")


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files("concierge.chat") / "prompts" / "guidance.toml").read_text("utf-8"))
