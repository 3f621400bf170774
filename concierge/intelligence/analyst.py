"""Reads messages: first here, in a millisecond; what stays unsure by one question to a language model, where there is one."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Final, Literal

from concierge.accounts.scope import TenantScope
from concierge.intelligence import reading, settling
from concierge.intelligence.schemas import ConversationAnalysis, Reading
from concierge.intelligence.settling import Settled
from concierge.intelligence.view import EARLIER_MESSAGES, FloatArray, MessageView, Surroundings
from concierge.intelligence.vocabulary import Vocabulary
from concierge.kit.errors import UnavailableError
from concierge.llm.embedders import QuestionVectors
from concierge.llm.embeddings import LOCAL_SPACE
from concierge.llm.structured import FailureKind, StructuredModel, StructuredReply

KEPT: Final = 2_000  # A few kilobytes each.
EMBEDDED_CHARS: Final = 2_000  # The model reads a few hundred words; more would only cost time.

Asked = Literal["not_needed", "not_configured", "not_allowed", "settled"] | FailureKind
# What would come out the same again; a model that failed may answer the next time.
LASTING: Final = frozenset({"not_needed", "not_configured", "not_allowed", "settled"})


@dataclass(frozen=True, slots=True)
class Message:
    """What a visitor wrote, after which earlier messages (oldest first), and what the page says of the visit."""

    text: str
    history: Sequence[str] = ()
    context: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class ModelStep:
    """What became of asking a language model; `dimensions` are those it was asked about."""

    outcome: Asked
    dimensions: tuple[str, ...] = ()
    model: str | None = None
    milliseconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Understood:
    """`milliseconds` are those of the whole reading; `cached` is true when the same had been read before."""

    analysis: ConversationAnalysis
    model_step: ModelStep
    milliseconds: float
    cached: bool = False


@dataclass(slots=True)
class Rate:
    """How often a reading was already known, since the process began."""

    hits: int = 0
    misses: int = 0


class Analyst:
    """Reads messages for every organization. `model` settles what stays unsure; `rate` is how often nothing had to be read."""

    def __init__(self, vectors: QuestionVectors, model: StructuredModel | None = None) -> None:
        self.rate = Rate()
        self._vectors = vectors
        self._model = model
        self._kept: OrderedDict[tuple[Any, ...], Understood] = OrderedDict()

    async def read(
        self,
        scope: TenantScope,
        message: Message,
        *,
        vocabulary: Vocabulary | None = None,
    ) -> Understood:
        """Never raises for what a message holds, nor for a model that cannot be asked."""
        began = perf_counter()
        surroundings = Surroundings.of(message.context)
        history = tuple(message.history[-EARLIER_MESSAGES:])
        key = (scope.org_id, message.text, history, surroundings, id(vocabulary))
        known = self._kept.get(key)
        if known is not None:
            self.rate.hits += 1
            self._kept.move_to_end(key)
            return replace(known, milliseconds=_since(began), cached=True)
        self.rate.misses += 1
        view = MessageView(
            text=message.text,
            vector=await self._vector(message.text),
            history=history,
            surroundings=surroundings,
            vocabulary=vocabulary or Vocabulary(),
        )
        understood = await self._understood(view, began)
        if understood.model_step.outcome in LASTING:
            self._keep(key, understood)
        return understood

    async def _understood(self, view: MessageView, began: float) -> Understood:
        readings = reading.read(view)
        step, settled = await self._settled(view, readings)
        if settled:
            readings = reading.read(view, settled)
        return Understood(reading.analysis_of(readings), step, _since(began))

    async def _vector(self, text: str) -> FloatArray | None:
        """The message's vector by the local model, whichever one documents are indexed by: the heads know no other."""
        try:
            return (await self._vectors.of(LOCAL_SPACE, [text[:EMBEDDED_CHARS]]))[0]
        except UnavailableError:
            return None

    async def _settled(
        self, view: MessageView, readings: Mapping[str, Reading[Any]]
    ) -> tuple[ModelStep, dict[str, Reading[Any]]]:
        asked = settling.unsure(readings) if view.words else []
        if not asked:
            return ModelStep("not_needed"), {}
        if self._model is None:
            return ModelStep("not_configured", tuple(asked)), {}
        reply = await self._model.ask(Settled, settling.instructions(asked), settling.shown(view))
        step = _step_of(reply, asked)
        if reply.value is None:
            return step, {}
        return step, settling.settled_readings(view, reply.value, asked, readings)

    def _keep(self, key: tuple[Any, ...], understood: Understood) -> None:
        self._kept[key] = understood
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _step_of(reply: StructuredReply[Settled], asked: Sequence[str]) -> ModelStep:
    return ModelStep(
        reply.failure or "settled",
        tuple(asked),
        reply.model,
        round(reply.milliseconds, 1),
        reply.input_tokens,
        reply.output_tokens,
    )


def _since(began: float) -> float:
    return round((perf_counter() - began) * 1000, 3)
