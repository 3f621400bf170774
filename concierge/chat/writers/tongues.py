"""The house's own words in the visitor's language, where it has them. What a source says stays as it is written there."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.phrases import pick

ENGLISH: Final = "en"


@cache
def tongues() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """By language, what stands for a set of English phrases, which goes by the first of them."""
    text = (files("concierge.chat.writers") / "tongues.toml").read_text("utf-8")
    return tomllib.loads(text)


def in_tongue(options: Sequence[str], language: str) -> Sequence[str]:
    """The same set of phrases in a language; in English where there is none."""
    return tongues().get(language, {}).get(options[0], options) if options else options


def has_tongue(language: str) -> bool:
    """Whether the house has words of its own in a language other than English."""
    return language in tongues()


def spoken(brief: AnswerBrief, options: Sequence[str]) -> str:
    """One of the phrases, in the visitor's language, and not one that was said before."""
    return pick(in_tongue(options, brief.language), brief.question, brief.turn, brief.said)
