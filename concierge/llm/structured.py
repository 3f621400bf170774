"""One question to a language model, answered in a given form, or not at all: never an error, never a second try.

As with embeddings, pydantic-ai loads only where a language model is configured (`concierge.llm.language_models`).
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Generic, Literal, Protocol, TypeVar

from pydantic import SecretStr

from concierge.kit.settings import LanguageModel

Output = TypeVar("Output")

FailureKind = Literal["late", "limited", "spent", "unavailable", "refused", "malformed"]


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """Which model to ask, where and with which key. A `guarded` one may only be on the public internet."""

    model: str
    key: SecretStr | None = None
    url: str | None = None
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class StructuredReply(Generic[Output]):
    """What became of a question, fit for a trace: there is either a `value` or a `failure`.

    Tokens are those the vendor counted, which an answer of no use has cost as well.
    """

    model: str
    milliseconds: float
    value: Output | None
    failure: FailureKind | None
    input_tokens: int
    output_tokens: int


class StructuredModel(Protocol):
    """A language model that fills in a form."""

    @property
    def name(self) -> str:
        """The setting that chose this model."""
        ...

    async def ask(self, output: type[Output], instructions: str, text: str) -> StructuredReply[Output]:
        """Ask once, for as long as the settings allow. Raises nothing but the cancellation of who asks."""
        ...


def create_structured_model(settings: LanguageModel) -> StructuredModel | None:
    """Set up the model that the settings name; None where they name none.

    Raises UnavailableError when it cannot be set up (unknown name, no key), so that a mistake is seen at the start.
    """
    if not settings.model:
        return None
    return import_module("concierge.llm.language_models").create_vendor_model(settings)
