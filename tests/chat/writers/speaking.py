"""Conversations with the house: each message is read, a strategy decided, and the answer written, as in a turn."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from concierge.agents.schemas.policy import StrategyPolicy
from concierge.agents.schemas.stages import Persona
from concierge.catalog.schemas.context import ProductContext
from concierge.chat.strategy.cues import Lead
from concierge.chat.strategy.decide import decide
from concierge.chat.strategy.moment import moment_of
from concierge.chat.strategy.stages import passed
from concierge.chat.writers.brief import AnswerBrief, WrittenAnswer
from concierge.chat.writers.catalog import passage_of
from concierge.chat.writers.house import HouseWriter
from concierge.conversations.schemas import PassedStage
from concierge.customers.schemas.context import CustomerContext
from concierge.intelligence.reading import analyse
from concierge.intelligence.view import MessageView, Surroundings
from tests.chat.situations import SHOP
from tests.chat.writers.library import Library

STRANGER: Final = CustomerContext()


@dataclass(frozen=True, slots=True)
class Said:
    """What was written, all it was written from, and the answer."""

    message: str
    brief: AnswerBrief
    answer: WrittenAnswer

    @property
    def text(self) -> str:
        return self.answer.text


@dataclass(slots=True)
class Visit:
    """One conversation; `say` is the next message of it."""

    library: Library
    customer: CustomerContext = STRANGER
    products: ProductContext = SHOP
    page: str = ""
    persona: Persona | None = None
    turns: list[Said] = field(default_factory=list[Said])

    def say(self, message: str) -> Said:
        brief = self.brief(message)
        turn = Said(message, brief, HouseWriter().write(brief))
        self.turns.append(turn)
        return turn

    def brief(self, message: str) -> AnswerBrief:
        history = [turn.message for turn in self.turns]
        plain = self.library.brief(message)
        view = MessageView(message, plain.question_vector, history, Surroundings(page=self.page))
        analysis = analyse(view)
        moment = moment_of(message, history, analysis, None)
        lead = self.persona and Lead(self.persona, message, tuple(history), self._last(self.persona))
        strategy = decide(analysis, self.customer, self.products, StrategyPolicy(), moment, lead)
        rows = [passage_of(entry, rank) for rank, entry in enumerate(self.products.matches)]
        return replace(
            plain,
            passages=(*rows, *plain.passages),
            max_sentences=strategy.parameters.max_sentences,
            length=strategy.parameters.length,
            turn=len(history),
            strategy=strategy,
            customer=self.customer,
            products=self.products,
            said=tuple(turn.text for turn in self.turns),
        )

    def _last(self, persona: Persona) -> PassedStage | None:
        if not self.turns:
            return None
        strategy, outcome = self.turns[-1].brief.strategy, self.turns[-1].answer.outcome
        return strategy and passed(strategy, persona, outcome)

    def all(self, messages: Sequence[str]) -> list[Said]:
        return [self.say(message) for message in messages]
