"""The writer that has language models write: one after the other until one has, and the house writer if none does.

What a model writes is a draft, to be checked before anybody keeps it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

from concierge.agents.schemas.writing import Writing, WritingModel
from concierge.billing.errors import BudgetSpentError
from concierge.chat.prompting import Persona, Prompt, render
from concierge.chat.writers.brief import (
    AnswerBrief,
    AnswerFinished,
    CallOutcome,
    Draft,
    ModelCall,
    Restarted,
    TextDelta,
    WriterEvent,
    WrittenAnswer,
)
from concierge.chat.writers.canary import Notes, new_canary
from concierge.chat.writers.house import HouseWriter, streamed
from concierge.chat.writers.spending import Spending, UnpricedError
from concierge.chat.writers.workbench import Workbench
from concierge.kit.errors import UnavailableError
from concierge.knowledge.schemas import Passage
from concierge.llm.writing import (
    CalledTool,
    Discarded,
    Finished,
    ModelFailedError,
    Request,
    TextModels,
    Tokens,
    WritingEvent,
    Wrote,
)
from concierge.tools.calculator import Calculator

# A turn has a minute: so long may all models together take, and the house writer has the rest.
ALL_MODELS_S: Final = 45.0
ONE_MODEL_S: Final = 30.0
FIRST_WORD_S: Final = 10.0
SILENCE_S: Final = 8.0
USUAL_TOKENS: Final = 500
USUAL_TEMPERATURE: Final = 0.6
# A token is rarely shorter than this many bytes; what is set aside for a call is therefore rather too much.
TOKEN_BYTES: Final = 3
# What each tool may add to what a model reads: its description, its call and its result.
TOOL_TOKENS: Final = 2_500
# While it comes, so much of a reply's end is compared with the notes; the whole of it once it is there.
LOOKED_BACK: Final = 600
RESTS_S: Final = (
    15.0  # A vendor that says it is asked too often, and not for how long, is left alone for so long.
)


class Rests:
    """The models that a vendor has asked to be left alone for a while, in this process."""

    def __init__(self) -> None:
        self._until: dict[WritingModel, float] = {}

    def rest(self, model: WritingModel, seconds: float | None) -> None:
        self._until[model] = monotonic() + (seconds or RESTS_S)

    def rests(self, model: WritingModel) -> bool:
        if self._until.get(model, 0.0) > monotonic():
            return True
        self._until.pop(model, None)
        return False


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question to one model, when it was put, and what the house answers to it."""

    model: WritingModel
    house: WrittenAnswer
    prompt: Prompt
    notes: Notes
    request: Request
    at: float
    bench: Workbench | None

    @property
    def sources(self) -> tuple[Passage, ...]:
        return (*self.prompt.sources, *(self.bench.results if self.bench else ()))

    @property
    def most(self) -> Tokens:
        read = _tokens_of(self.request.system + self.request.user)
        tools = TOOL_TOKENS * len(self.request.tools)
        return Tokens(read + tools, self.request.max_tokens * (2 if tools else 1))


class DraftWriter:
    """Writes one turn's answer with an organization's models, within what they may cost."""

    def __init__(
        self,
        writing: Writing,
        spending: Spending,
        models: TextModels,
        rests: Rests,
        persona: Persona,
        calculator: Calculator | None = None,
    ) -> None:
        self._writing = writing
        self._spending = spending
        self._models = models
        self._rests = rests
        self._persona = persona
        self._calculator = calculator

    async def stream(self, brief: AnswerBrief) -> AsyncIterator[WriterEvent]:
        house = HouseWriter().write(brief)
        calls: list[ModelCall] = []
        if brief.grounding == "blended" or house.outcome != "unsupported":
            deadline = monotonic() + ALL_MODELS_S
            for model in self._writing.models:
                asked = self._asked(model, brief, house, deadline)
                call = _Call(asked, self._models, self._spending, self._rests)
                async with aclosing(call.events()) as events:
                    async for event in events:
                        yield event
                calls.append(call.told)
                if call.draft is not None:
                    yield AnswerFinished(_drafted(call.draft, calls))
                    return
        for event in streamed(replace(house, calls=tuple(calls))):
            yield event

    def _asked(
        self, model: WritingModel, brief: AnswerBrief, house: WrittenAnswer, deadline: float
    ) -> _Asked:
        canary, now = new_canary(), monotonic()
        prompt = render(replace(self._persona, canary=canary), brief)
        bench = Workbench(self._calculator, len(prompt.sources) + 1) if self._calculator else None
        parameters = brief.strategy.parameters if brief.strategy else None
        request = Request(
            system=prompt.system,
            user=prompt.user,
            max_tokens=parameters.max_tokens if parameters else USUAL_TOKENS,
            total_tokens=0,
            temperature=parameters.temperature if parameters else USUAL_TEMPERATURE,
            tools=bench.tools() if bench else (),
            first_word_s=FIRST_WORD_S,
            silence_s=SILENCE_S,
            whole_s=max(0.0, min(ONE_MODEL_S, deadline - now)),
        )
        asked = _Asked(model, house, prompt, Notes(prompt.system, canary), request, now, bench)
        most = asked.most
        return replace(asked, request=replace(request, total_tokens=most.read + most.written))


class _Call:
    """One model asked once. `draft` is what it wrote, where that is of use; `told` says what became of it."""

    def __init__(self, asked: _Asked, models: TextModels, spending: Spending, rests: Rests) -> None:
        self._asked = asked
        self._models = models
        self._spending = spending
        self._rests = rests
        self._first_word_at: float | None = None
        self._tools: list[str] = []
        self._written = ""
        self._shown = 0
        self.draft: Draft | None = None
        self._is_over = False
        self.told = ModelCall(asked.model.address.model, "unavailable")

    async def events(self) -> AsyncGenerator[WriterEvent]:
        """Show what the model writes as it does; what fails is taken back."""
        model = self._asked.model
        if self._rests.rests(model):
            self._tell("limited", Tokens())
            return
        try:
            reservation = await self._spending.reserve(model, self._asked.most)
        except (BudgetSpentError, UnpricedError, UnavailableError) as error:
            self._tell(_refusal(error), Tokens())
            return
        try:
            async with aclosing(self._written_by(model)) as events:
                async for event in events:
                    yield event
        finally:
            used = self.told.tokens if self._is_over else self._estimate()
            with suppress(UnavailableError):
                await asyncio.shield(self._spending.settle(reservation, model, used))
        if self.draft is None and self._shown:
            yield Restarted()

    async def _written_by(self, model: WritingModel) -> AsyncGenerator[WriterEvent]:
        try:
            text_model = await self._models.of(model.address)
            async with aclosing(text_model.write(self._asked.request)) as events:
                async for event in events:
                    for shown in self._shown_of(event):
                        yield shown
                    if self._is_over:
                        return
        except ModelFailedError as error:
            if error.kind == "limited":
                self._rests.rest(model, error.retry_after_s)
            broken_off = self._written and not error.tokens.written
            self._tell(error.kind, self._estimate() if broken_off else error.tokens)
        except UnavailableError:
            self._tell("refused", Tokens())

    def _shown_of(self, event: WritingEvent) -> Iterator[WriterEvent]:
        match event:
            case Wrote(text):
                self._first_word_at = self._first_word_at or monotonic()
                self._written += text
                if self._asked.notes.are_in(self._written[-LOOKED_BACK:]):
                    self._tell("leaked", self._estimate())
                elif shown := self._safe():
                    yield TextDelta(shown)
            case Discarded():
                self._written, self._shown = "", 0
                yield Restarted()
            case CalledTool(name):
                self._tools.append(name)
            case Finished():
                self._finish(event)

    def _safe(self) -> str:
        """Return what was written and not shown yet, but for what may be the beginning of the canary."""
        safe = len(self._written) - self._asked.notes.begins_at_end_of(self._written)
        shown, self._shown = self._written[self._shown : safe], max(safe, self._shown)
        return shown

    def _finish(self, event: Finished) -> None:
        text = event.text.strip()
        # A server that counts nothing is no reason to count nothing.
        tokens = event.tokens if event.tokens.read else self._estimate()
        if not text:
            return self._tell("empty", tokens)
        if self._asked.notes.are_in(text):
            return self._tell("leaked", tokens)
        self.draft = Draft(text, self._asked.sources, self._asked.house)
        return self._tell("answered", tokens)

    def _tell(self, outcome: CallOutcome, tokens: Tokens) -> None:
        price, at = self._asked.model.price, self._asked.at
        first, self._is_over = self._first_word_at, True
        self.told = ModelCall(
            model=self._asked.model.address.model,
            outcome=outcome,
            tokens=tokens,
            micro_dollars=price.of(tokens) if price else None,
            first_word_ms=None if first is None else round((first - at) * 1_000, 1),
            milliseconds=round((monotonic() - at) * 1_000, 1),
            tools=tuple(self._tools),
        )

    def _estimate(self) -> Tokens:
        """What was used of an answer that was broken off, where the vendor has not said."""
        request = self._asked.request
        return Tokens(_tokens_of(request.system + request.user), _tokens_of(self._written))


def _tokens_of(text: str) -> int:
    return len(text.encode()) // TOKEN_BYTES + 1


def _refusal(error: Exception) -> CallOutcome:
    if isinstance(error, UnpricedError):
        return "unpriced"
    return "spent" if isinstance(error, BudgetSpentError) else "unavailable"


def _drafted(draft: Draft, calls: Sequence[ModelCall]) -> WrittenAnswer:
    """How well the passages answer, and whether a person is needed, is not for a model to say: it has read the passages,
    and does what they tell it.
    """
    return WrittenAnswer(
        text=draft.text,
        outcome=draft.house.outcome,
        confidence=draft.house.confidence,
        pieces=(draft.text,),
        offers_handover=draft.house.offers_handover,
        draft=draft,
        calls=tuple(calls),
    )
