"""Text from a language model as it comes, with tools it may call. As with embeddings, pydantic-ai loads only on use."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Protocol

from pydantic import BaseModel

from concierge.llm.structured import FailureKind, ModelAddress

KEPT_MODELS: Final = 64


@dataclass(frozen=True, slots=True)
class Tool:
    """Something a model may have done for it. `call` gets the arguments, checked, and returns what the model reads."""

    name: str
    description: str
    arguments: type[BaseModel]
    call: Callable[[Any], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked. `max_tokens` bounds one reply, `total_tokens` all that is read and written for the answer.

    Times are in seconds: until the first word, between two words, and for the whole answer with its tools.
    """

    system: str
    user: str
    max_tokens: int
    total_tokens: int
    temperature: float = 0.6
    tools: Sequence[Tool] = ()
    first_word_s: float = 10.0
    silence_s: float = 10.0
    whole_s: float = 40.0


@dataclass(frozen=True, slots=True)
class Tokens:
    read: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class Wrote:
    text: str


@dataclass(frozen=True, slots=True)
class Discarded:
    """What was written so far was only the way to a tool, and is no part of the answer."""


@dataclass(frozen=True, slots=True)
class CalledTool:
    name: str
    refused: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole answer, and what it took. Nothing comes after it."""

    text: str
    tokens: Tokens


WritingEvent = Wrote | Discarded | CalledTool | Finished


class ModelFailedError(Exception):
    """A model gave no answer, or broke it off. `tokens` are those the vendor is known to have counted."""

    def __init__(self, kind: FailureKind, retry_after_s: float | None, tokens: Tokens) -> None:
        super().__init__(kind)
        self.kind: FailureKind = kind
        self.retry_after_s = retry_after_s
        self.tokens = tokens


class TextModel(Protocol):
    """A language model that writes."""

    @property
    def name(self) -> str:
        """The setting that chose this model."""
        ...

    def write(self, request: Request) -> AsyncGenerator[WritingEvent]:
        """Ask once. Errors: ModelFailedError."""
        ...


class TextModels:
    """Sets each model up when it is first asked for, and keeps it with its connections."""

    def __init__(self) -> None:
        self._kept: OrderedDict[ModelAddress, TextModel] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    def keep(self, address: ModelAddress, model: TextModel) -> None:
        """Have a model that is set up already, such as one that follows a script."""
        self._kept[address] = model

    async def of(self, address: ModelAddress) -> TextModel:
        """Errors: UnavailableError when it cannot be set up."""
        async with self._one_at_a_time:
            model = self._kept.get(address)
            if model is None:
                # Loading the vendors' libraries takes seconds, the first time.
                model = await asyncio.to_thread(create_text_model, address)
            self._kept[address] = model
            self._kept.move_to_end(address)
            if len(self._kept) > KEPT_MODELS:
                self._kept.popitem(last=False)
            return model


def create_text_model(address: ModelAddress) -> TextModel:
    """Raises UnavailableError when it cannot be set up (unknown name, no key)."""
    return import_module("concierge.llm.text_models").VendorTextModel(address)
