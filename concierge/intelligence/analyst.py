"""Reads messages: first here, in a millisecond; what stays unsure by one question to a language model, where there is one."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from time import perf_counter
from typing import Any, Final, Literal
from uuid import UUID

from concierge.accounts.scope import TenantScope
from concierge.intelligence import reading, settling
from concierge.intelligence.rules import read_with_rules
from concierge.intelligence.schemas import ConversationAnalysis, Reading
from concierge.intelligence.schemas.control import NO_GUIDANCE, Guidance
from concierge.intelligence.service import GuidanceService
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

    def told(self) -> "AnalyzedMessage":
        own = {name.name: getattr(self.analysis, name.name) for name in fields(self.analysis)}
        return AnalyzedMessage(
            **own, model_step=self.model_step, milliseconds=self.milliseconds, cached=self.cached
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzedMessage(ConversationAnalysis):
    """An analysis as it leaves the product, with how it came about."""

    model_step: ModelStep
    milliseconds: float
    cached: bool


@dataclass(slots=True)
class Rate:
    """How often an organization's messages had been read before, since the process began."""

    hits: int = 0
    misses: int = 0

    @property
    def hit_rate(self) -> float:
        return round(self.hits / max(1, self.hits + self.misses), 4)


class Analyst:
    """Reads messages for every organization. `model` settles what stays unsure."""

    def __init__(
        self,
        vectors: QuestionVectors,
        model: StructuredModel | None = None,
        guidance: GuidanceService | None = None,
    ) -> None:
        """Without `guidance`, messages are read as for an organization that has said nothing."""
        self._rates: dict[UUID, Rate] = {}
        self._vectors = vectors
        self._model = model
        self._guidance = guidance
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
        guidance = await self._guidance_of(scope)
        surroundings = Surroundings.of(message.context)
        history = tuple(message.history[-EARLIER_MESSAGES:])
        key = (scope.org_id, message.text, history, surroundings, guidance.version, vocabulary)
        known, rate = self._kept.get(key), self.rate(scope)
        if known is not None:
            rate.hits += 1
            self._kept.move_to_end(key)
            return replace(known, milliseconds=_since(began), cached=True)
        rate.misses += 1
        view = MessageView(
            text=message.text,
            vector=await self._vector(message.text),
            history=history,
            surroundings=surroundings,
            office_hours=guidance.office_hours,
            vocabulary=vocabulary or Vocabulary(),
        )
        understood = await self._understood(view, guidance, began)
        if understood.model_step.outcome in LASTING:
            self._keep(key, understood)
        return understood

    def forget(self, org_id: UUID) -> None:
        """Keep no reading of an organization's messages: some of them were erased."""
        for key in [key for key in self._kept if key[0] == org_id]:
            del self._kept[key]

    def rate(self, scope: TenantScope) -> Rate:
        return self._rates.setdefault(scope.org_id, Rate())

    async def _understood(self, view: MessageView, guidance: Guidance, began: float) -> Understood:
        readings = read_with_rules(view, guidance)
        step, settled = await self._settled(view, readings, guidance)
        if settled:
            readings = read_with_rules(view, guidance, settled)
        return Understood(reading.analysis_of(readings), step, _since(began))

    async def _guidance_of(self, scope: TenantScope) -> Guidance:
        """What cannot be looked up just now is done without: a message is read all the same."""
        if self._guidance is None:
            return NO_GUIDANCE
        try:
            return await self._guidance.of(scope)
        except UnavailableError:
            return NO_GUIDANCE

    async def _vector(self, text: str) -> FloatArray | None:
        """The message's vector by the local model, whichever one documents are indexed by: the heads know no other."""
        try:
            return (await self._vectors.of(LOCAL_SPACE, [text[:EMBEDDED_CHARS]]))[0]
        except UnavailableError:
            return None

    async def _settled(
        self, view: MessageView, readings: Mapping[str, Reading[Any]], guidance: Guidance
    ) -> tuple[ModelStep, dict[str, Reading[Any]]]:
        asked = settling.unsure(readings, guidance.attributes) if view.words else []
        if not asked:
            return ModelStep("not_needed"), {}
        if self._model is None or not guidance.llm_allowed:
            return ModelStep("not_configured" if self._model is None else "not_allowed", tuple(asked)), {}
        reply = await self._model.ask(
            Settled, settling.instructions(asked, guidance.attributes), settling.shown(view)
        )
        step = _step_of(reply, asked)
        if reply.value is None:
            return step, {}
        return step, settling.settled_readings(view, reply.value, asked, readings, guidance.attributes)

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
