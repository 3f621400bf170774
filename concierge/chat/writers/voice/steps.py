"""The one step on: a question that moves things, an offer, or nothing. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from concierge.catalog.schemas.context import CatalogEntry, ProductContext
from concierge.chat.strategy.schemas import NextStep
from concierge.chat.writers.brief import AnswerBrief, WrittenAnswer
from concierge.chat.writers.phrases import unsaid
from concierge.chat.writers.shelf import lowered
from concierge.chat.writers.tongues import ENGLISH, has_tongue, in_tongue
from concierge.chat.writers.wishes import named

WAYS: Final = 3

STEPS: Final[Mapping[NextStep, Sequence[str]]] = {
    "offer_human": (
        "Shall I bring in a colleague?",
        "Would you like a colleague to take this over?",
        "Shall I ask a colleague to look at it with you?",
    ),
    "ask_detail": (
        "What exactly happens, and with which product?",
        "Which product is it about, and since when?",
        "Can you tell me a little more about what you see?",
    ),
    "ask_need": (
        "What do you have in mind?",
        "What matters most to you?",
        "What will you mainly be using it for?",
    ),
    "offer_purchase": (
        "Shall I show you how to order it?",
        "Would you like to know how ordering works?",
        "Shall I take you through the order?",
    ),
}
BETWEEN_TWO: Final = (
    "Are you after {one} or {other}, or something else?",
    "Is it {one} you have in mind, or rather {other}?",
)
IS_IT_ABOUT: Final = "Is it about the {subject}, or something else?"
ONE_OF: Final = (
    "Shall I tell you more about {ways}?",
    "Would you rather hear about {ways}?",
)
THIS_ONE: Final = ("Would the {title} suit you?", "Does the {title} come close to what you have in mind?")


def next_step_of(brief: AnswerBrief, answer: WrittenAnswer) -> str:
    """The next step in words; nothing where there is none, or every fitting one was said already."""
    assert brief.strategy is not None, "without a strategy there is no next step"
    step, products = brief.strategy.next_step, brief.products or ProductContext()
    if brief.language != ENGLISH and has_tongue(brief.language):
        known = in_tongue(STEPS.get(step, ()), brief.language)
        return unsaid(known, brief.said) or "" if known != STEPS.get(step, ()) else ""
    categories = categories_of(products)
    options = list(STEPS.get(step, ()))
    if step == "ask_need":
        options = _needs(brief, categories)
    elif step == "ask_detail" and (subject := brief.unfinished):
        options = [IS_IT_ABOUT.format(subject=subject), *options]
    elif step == "show_ways" and named(brief.question, categories):
        options = _recommended(products.matches, answer)
    elif step == "show_ways" and len(categories) > 1:
        options = [phrase.format(ways=listed(categories[:WAYS])) for phrase in ONE_OF]
    elif step == "recommend":
        options = _recommended(products.matches, answer)
    return unsaid(options, brief.said) or ""


def _needs(brief: AnswerBrief, categories: Sequence[str]) -> list[str]:
    """Questions about the need, without those whose answer is known: what it is for, or which kind it is."""
    customer = brief.customer
    if (customer is not None and customer.goals) or (brief.products and brief.products.filters):
        return []
    known = [
        brief.question,
        *(customer.recent_turns if customer else ()),
        *(customer.current_interests if customer else ()),
    ]
    if len(categories) > 1 and not named(" ".join(known), categories):
        between = [phrase.format(one=categories[0], other=categories[1]) for phrase in BETWEEN_TWO]
        return [*between, *STEPS["ask_need"]]
    return list(STEPS["ask_need"])


def categories_of(products: ProductContext) -> list[str]:
    """What the business sells, in the plural as one speaks of it, the first in its own order first."""
    categories = [own.category for own in products.featured if own.category]
    categories += [price.category for price in products.pricing]
    return list(dict.fromkeys(filter(None, map(lowered, categories))))


def listed(names: Sequence[str]) -> str:
    """“sofas, chairs or tables”."""
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def _recommended(matches: Sequence[CatalogEntry], answer: WrittenAnswer) -> list[str]:
    """Ask about the best match, unless the answer speaks of it already."""
    products = [match for match in matches if match.kind == "product" and match.title not in answer.text]
    return [phrase.format(title=products[0].title) for phrase in THIS_ONE] if products else []
