"""Which stage of its persona's tactics a conversation is in, and whether its next step is taken now. Two tables. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from concierge.agents.schemas.stages import Cue, Persona, Stage, StageStep
from concierge.chat.strategy.cues import (
    Lead,
    any_of,
    begins_another_matter,
    now_shows,
    replies_to_us,
    shows,
    tells_symptom,
    wonders,
)
from concierge.chat.strategy.fallback import Situation
from concierge.chat.strategy.manner import is_open_ended
from concierge.chat.strategy.schemas import StageChoice, Strategy
from concierge.chat.writers.brief import Outcome
from concierge.chat.writers.phrases import is_call_for_help
from concierge.chat.writers.wishes import named
from concierge.conversations.schemas import PassedStage
from concierge.intelligence.view import MessageView
from concierge.knowledge.lexical import terms


@dataclass(frozen=True, slots=True)
class Course:
    """A conversation on its way through the stages; `at` is where the last turn was, None before the first."""

    it: Situation
    lead: Lead
    stages: tuple[Stage, ...]
    at: int | None
    escalates: bool = False

    @property
    def here(self) -> Stage:
        return self.stages[self.at or 0]

    def shows(self, *cues: Cue) -> bool:
        return any(shows(cue, self.lead) for cue in cues)

    @property
    def is_troubled(self) -> bool:
        """Whether there is trouble; to ask how something is done is none."""
        it = self.it
        asks_only = it.analysis.intent_category == "problem_solving" and not it.analysis.pain_points
        return it.is_troubled and not (asks_only and self.shows("asks_how"))

    @property
    def tells_trouble(self) -> bool:
        """Whether this message tells what is wrong, and does not merely call for help."""
        if self.it.moment.is_greeting or is_call_for_help(self.lead.message):
            return False
        return self.it.moment.unresolved > 0 or tells_symptom(self.lead.message)

    @property
    def has_told_trouble(self) -> bool:
        return self.tells_trouble or any(
            tells_symptom(message) or MessageView(message).trouble for message in self.lead.earlier
        )

    @property
    def speaks_of_goods(self) -> bool:
        """Whether it is about something that could be had: a wish, a price, a kind of thing, or one of them by name."""
        it = self.it
        if is_open_ended(it) or it.is_buying or it.product.filters or _kinds(it, self.lead.message):
            return True
        asked = set(terms(self.lead.message))
        return any(
            match.kind == "product" and asked & set(terms(match.title)) for match in it.product.matches
        )


@dataclass(frozen=True, slots=True)
class Move:
    """A row of the first table: where it leads, or None where it does not hold. `because` is said to operators."""

    name: str
    because: str
    to: Callable[[Course], Stage | None]


@dataclass(frozen=True, slots=True)
class Hold:
    """A row of the second table: why the step of a stage is not taken now."""

    name: str
    because: str
    holds: Callable[[Course, Stage], bool]


def stage_of(it: Situation, *, escalates: bool = False) -> StageChoice | None:
    """The stage a turn is in; None where nobody in particular leads."""
    lead = it.lead
    if lead is None or not lead.persona.tactics.stages:
        return None
    stages = lead.persona.tactics.stages
    course = Course(it, lead, stages, _place(stages, lead), escalates)
    move, stage = next(
        (move, stage) for move in MOVES if (stage := move.to(course)) is not None
    )  # The last row always holds.
    hold = next((hold for hold in HOLDS if hold.holds(course, stage)), None)
    return StageChoice(
        stage=stage,
        move=move.name,
        because=move.because,
        before=None if course.at is None else course.here.name,
        held=hold.name if hold else None,
        held_because=hold.because if hold else None,
        replies=replies_to_us(lead),
    )


def passed(strategy: Strategy, persona: Persona, outcome: Outcome) -> PassedStage | None:
    """What the next turn has to know of the stage that this one was in."""
    if strategy.stage is None:
        return None
    taken = strategy.leading is not None and outcome == "answered"
    return PassedStage(strategy.stage.stage.name, str(persona.id), taken=taken, closed=strategy.stage.closed)


def _place(stages: Sequence[Stage], lead: Lead) -> int | None:
    """Where the last turn was; nowhere, if another persona led it or that stage is no more."""
    last = lead.last
    if last is None or last.persona_id != str(lead.persona.id):
        return None
    return next((place for place, stage in enumerate(stages) if stage.name == last.name), None)


def _kinds(it: Situation, text: str) -> list[str]:
    """The kinds of goods a text names."""
    return named(text, [price.category for price in it.product.pricing if price.category])


def _closing(course: Course) -> Stage | None:
    return course.here if "close_warmly" in course.it.analysis.next_best_actions else None


def _waits(course: Course) -> Stage | None:
    if not course.is_troubled or any(stage.of_trouble for stage in course.stages):
        return None
    return course.stages[0]


def _did_not_help(course: Course) -> Stage | None:
    """Back to finding out when it happens, for who tried what was said."""
    if course.at is None or not course.here.of_trouble or not course.shows("tried"):
        return None
    if not course.tells_trouble and not course.has_told_trouble:
        return None
    return next((stage for stage in course.stages if stage.of_trouble and "tried" in stage.reached), None)


def _new_trouble(course: Course) -> Stage | None:
    """To the first stage that deals with trouble, where another one is told, or the first one."""
    if not course.tells_trouble or course.shows("solved"):
        return None
    last = course.lead.last
    ended = course.at is not None and (course.here is course.stages[-1] or (last is not None and last.closed))
    elsewhere = course.at is not None and not course.here.of_trouble
    if not (elsewhere or ended or begins_another_matter(course.lead.message)):
        return None
    return next((stage for stage in course.stages if stage.of_trouble), None)


def _new_matter(course: Course) -> Stage | None:
    last = course.lead.last
    if course.at is None or last is None:
        return None
    now, before = _kinds(course.it, course.lead.message), _kinds(course.it, " ".join(course.lead.earlier))
    of_another_kind = bool(now and before and not set(now) & set(before))
    if last.closed or of_another_kind or begins_another_matter(course.lead.message):
        return _entry(course, fresh=True)
    return None


def _entry(course: Course, *, fresh: bool = False) -> Stage:
    """The furthest stage that the message itself asks for, or else the first. What was told of a former matter tells
    nothing of a `fresh` one.
    """
    lead = Lead(course.lead.persona, course.lead.message, () if fresh else course.lead.earlier)
    asked = [stage for stage in course.stages if any(shows(cue, lead) for cue in stage.reached)]
    return asked[-1] if asked else course.stages[0]


def _begins(course: Course) -> Stage | None:
    return _entry(course) if course.at is None else None


def _ahead(course: Course) -> Stage | None:
    """The furthest later stage that the message asks for."""
    later = course.stages[(course.at or 0) + 1 :]
    asked = [stage for stage in later if course.shows(*stage.reached)]
    return asked[-1] if asked else None


def _still(course: Course) -> Stage | None:
    """Where it is, for who asks once more for what this stage is for."""
    asks = course.at is not None and any(now_shows(cue, course.lead) for cue in course.here.reached)
    return course.here if asks and not replies_to_us(course.lead) else None


def _on(course: Course) -> Stage | None:
    place = (course.at or 0) + 1
    return course.stages[place] if place < len(course.stages) and course.shows(*course.here.left) else None


MOVES: Final = (
    Move("closing", "Is content and asks nothing: the matter is closed.", _closing),
    Move("trouble", "There is trouble: whatever was being led to waits until it is settled.", _waits),
    Move("new_trouble", "Tells of another trouble, so it is looked into from the beginning.", _new_trouble),
    Move("did_not_help", "What was tried did not help: back to finding out when it happens.", _did_not_help),
    Move("new_matter", "Comes to another matter, which begins anew.", _new_matter),
    Move(
        "begins", "Nobody has led this conversation yet: it begins with what the message asks for.", _begins
    ),
    Move("ahead", "Asks for what a later stage is for.", _ahead),
    Move("still", "Asks for more of what this stage is for.", _still),
    Move("on", "What this stage was for has been said.", _on),
    Move("stays", "What this stage is for has not been said yet.", lambda course: course.here),
)

_designs: Final = any_of("asks_design", "compares", "asks_how", "constraint_told")


def _goods(course: Course) -> bool:
    return course.speaks_of_goods


def _design(course: Course) -> bool:
    return course.speaks_of_goods or _designs(course.lead) or wonders(course.lead.message)


def _subject(course: Course) -> bool:
    return is_open_ended(course.it) or wonders(course.lead.message)


def _anything(course: Course) -> bool:
    return course.speaks_of_goods or _subject(course)


# When a step has to do with what was asked; of a step that is not here its evidence decides.
PERTINENT: Final[Mapping[StageStep, Callable[[Course], bool]]] = {
    "ask_need": _goods,
    "weigh_needs": _goods,
    "show_proof": _goods,
    "ask_constraint": _design,
    "ask_part": _design,
    "name_loss": _design,
    "ask_rollout": _design,
    "ask_interest": _subject,
    "custom": _anything,
}


def _is_beside(course: Course, stage: Stage) -> bool:
    pertinent = PERTINENT.get(stage.step)
    asks_for_it = any(now_shows(cue, course.lead) for cue in stage.reached)
    return not (pertinent is None or pertinent(course) or asks_for_it or replies_to_us(course.lead))


HOLDS: Final = (
    Hold(
        "person",
        "A person is offered instead.",
        lambda course, _: course.escalates or course.it.moment.asks_for_person,
    ),
    Hold(
        "greeting",
        "A greeting is returned, and nothing more.",
        lambda course, _: course.it.moment.is_greeting,
    ),
    Hold("closed", "The matter is closed.", lambda course, _: bool(_closing(course))),
    Hold(
        "angry",
        "Is angry: nothing is asked of them.",
        lambda course, _: course.it.analysis.emotional_state == "angry",
    ),
    Hold(
        "upset",
        "Is upset: only what settles the trouble is asked.",
        lambda course, stage: course.it.is_upset and not stage.of_trouble,
    ),
    Hold(
        "trouble",
        "Trouble is not the moment to lead on.",
        lambda course, stage: course.is_troubled and not stage.of_trouble,
    ),
    Hold(
        "hurry",
        "Is in a hurry: the answer is enough.",
        lambda course, stage: course.it.analysis.urgency_level == "critical" and not stage.of_trouble,
    ),
    Hold(
        "order",
        "Waits for an order: only a look at it can tell.",
        lambda course, stage: stage.of_trouble and "check_order" in course.it.analysis.next_best_actions,
    ),
    Hold(
        "no_trouble",
        "No trouble was told.",
        lambda course, stage: (
            stage.of_trouble
            and not course.has_told_trouble
            and not course.shows("asks_prevention", "asks_fix")
        ),
    ),
    Hold(
        "not_buying",
        "Is not buying: a step towards an order would press.",
        lambda course, stage: (
            stage.step == "offer_purchase"
            and not (course.it.policy.purchase_steps and course.shows("wants_to_buy"))
        ),
    ),
    Hold(
        "known",
        "What would be asked has been said.",
        lambda course, stage: (
            (stage.step == "ask_need" and (course.shows("need_told") or bool(course.it.customer.goals)))
            or (stage.step == "ask_constraint" and course.shows("constraint_told"))
        ),
    ),
    Hold(
        "settled",
        "The answer settles what was asked; nothing is led on from there.",
        _is_beside,
    ),
)
