"""What an agent would be told if it answered a message as a persona. Pure: nothing is stored, nothing is searched."""

from typing import Annotated, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, StringConstraints

from concierge.agents.schemas.personas import StageName, StageOut
from concierge.agents.schemas.policy import StrategyPolicy
from concierge.agents.schemas.stages import Persona
from concierge.catalog.schemas.context import ProductContext
from concierge.chat import prompting
from concierge.chat.strategy.cues import Lead
from concierge.chat.strategy.decide import decide
from concierge.chat.strategy.moment import moment_of
from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.catalog import DIMENSIONS
from concierge.conversations.schemas import PassedStage
from concierge.customers.schemas.context import CustomerContext
from concierge.intelligence.schemas import ConversationAnalysis
from concierge.kit.fields import PlainText

STRANGER: Final = CustomerContext()


class PreviewIn(BaseModel):
    """A sample message. `last_stage` is the stage the conversation was in before it, its step taken."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), PlainText
    ]
    last_stage: StageName | None = None


class PreviewStageOut(BaseModel):
    """The stage the message comes to and why; `held` says why its step would not be taken."""

    name: str
    because: str
    held: str | None
    held_because: str | None


class PreviewOut(BaseModel):
    """`system_prompt` is what a language model is told before it answers, `stages` how the house writer says each stage."""

    system_prompt: str
    stage: PreviewStageOut | None
    stages: list[StageOut]


def preview(persona: Persona, wanted: PreviewIn, analysis: ConversationAnalysis) -> PreviewOut:
    """Tell a stranger's message to the persona."""
    last = None if wanted.last_stage is None else PassedStage(wanted.last_stage, str(persona.id), taken=True)
    lead = Lead(persona, wanted.message, (), last)
    moment = moment_of(wanted.message, (), analysis, None)
    strategy = decide(analysis, STRANGER, ProductContext(), StrategyPolicy(), moment, lead)
    brief = AnswerBrief(
        question=wanted.message,
        question_vector=np.zeros(DIMENSIONS, np.float32),
        idf={},
        passages=(),
        strategy=strategy,
        customer=STRANGER,
    )
    told = prompting.render(prompting.Persona(persona.name, voice=persona.system_prompt), brief)
    choice = strategy.stage
    return PreviewOut(
        system_prompt=told.system,
        stage=choice
        and PreviewStageOut(
            name=choice.stage.name,
            because=choice.because,
            held=choice.held,
            held_because=choice.held_because,
        ),
        stages=[StageOut.of(stage) for stage in persona.tactics.stages],
    )
