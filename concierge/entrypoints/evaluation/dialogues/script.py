"""The script of conversations as YAML. Every complaint names the file, the line and the field."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from concierge.agents.schemas.policy import EscalationReason, FallbackStrategy
from concierge.chat.schemas import SessionContext
from concierge.chat.strategy.schemas import Tone
from concierge.kit.errors import InvalidInputError, NotFoundError


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Text = Annotated[str, Field(min_length=1)]
# One text alone is a list of one.
Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1)]
CheckName = Literal[
    "cites", "contains", "contains_any", "lacks", "answers", "abstains", "strategy", "stage", "tone", "opening",
    "max_sentences", "questions", "claims_supported", "escalation", "not_like_before",
    "answer_first", "banned_phrases", "one_question", "opening_repeated", "numbers_cited", "promises", "length",
]  # fmt: skip


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(Strict):
    """What a reply is held to; what is left out is not checked. Texts are compared without regard to case.

    `cites`: each is part of a title or address among the first `among` sources. `escalation`: whether a person is
    offered for a reason, or for which. `opening`: whether the reply begins with words that carry no fact.
    """

    cites: Texts | None = None
    among: Annotated[int, Field(ge=1)] = 3
    contains: Texts | None = None
    contains_any: Texts | None = None
    lacks: Texts | None = None
    answers: Literal[True] | None = None
    abstains: Literal[True] | None = None
    strategy: Annotated[tuple[FallbackStrategy, ...], BeforeValidator(_listed)] | None = None
    stage: Texts | None = None
    tone: Annotated[tuple[Tone, ...], BeforeValidator(_listed)] | None = None
    opening: Literal["none", "some"] | None = None
    max_sentences: Annotated[int, Field(ge=1)] | None = None
    questions: Annotated[int, Field(ge=0)] | None = None
    claims_supported: Literal[True] | None = None
    escalation: bool | EscalationReason | None = None
    not_like_before: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.answers and self.abstains:
            raise ValueError("a reply cannot both answer and abstain")
        return self


class ScriptedTurn(Expected):
    """`days_later`: the visitor comes back after so many days and begins a new conversation; `context` is what their
    page says from this turn on.
    """

    says: Text
    days_later: Annotated[int, Field(ge=1)] | None = None
    context: SessionContext | None = None


class Dialogue(Strict):
    """`known_as`: the business's server vouches for who writes. A dialogue that is `held_out` is not to be tuned to."""

    name: Text
    held_out: bool = False
    known_as: Text | None = None
    context: SessionContext = SessionContext()
    turns: Annotated[tuple[ScriptedTurn, ...], Field(min_length=1)]


class PassPolicy(Strict):
    """`turns`: the least share of turns in which nothing fails. `never`: checks of which not one may fail."""

    turns: Annotated[float, Field(ge=0, le=1)] = 1.0
    never: tuple[CheckName, ...] = ()


class Script(Strict):
    """`begins` is the time of every dialogue's first turn, for answers that depend on the day; without it, now."""

    begins: datetime | None = None
    policy: Annotated[PassPolicy, Field(alias="pass")] = PassPolicy()
    dialogues: Annotated[tuple[Dialogue, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [dialogue.name for dialogue in self.dialogues]
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two dialogues are called “{repeated}”")
        return self


def read_script(path: Path) -> Script:
    """Errors: NotFoundError, InvalidInputError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.", code="path_not_found") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"{path} could not be read as UTF-8 text: {error}.", code="file_unreadable"
        ) from error
    node: yaml.Node | None = None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return Script.model_validate(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems = [f"line {line}: this is no YAML ({error.problem})"]
    except ValidationError as error:
        problems = [_problem(node, where, said) for where, said in _causes(error)]
    raise InvalidInputError(f"{path}, {'; '.join(_few(problems))}.", code="script_invalid")


def _causes(error: ValidationError) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """The complaints, without those that only follow from one about a part: a list whose entries are wrong is not empty."""
    found = [(entry["loc"], entry["msg"]) for entry in error.errors(include_url=False)]
    for where, said in found:
        if not any(len(other) > len(where) and other[: len(where)] == where for other, _ in found):
            yield where, said


def _problem(node: yaml.Node | None, where: Sequence[int | str], message: str) -> str:
    place = tuple(_place(node, where))
    line = place[-1][1] if place else 1
    field = ".".join(str(part) for part, _ in place) or "the file"
    return f"line {line}: `{field}`: {message.removeprefix('Value error, ')}"


def _place(node: yaml.Node | None, where: Sequence[int | str]) -> Iterator[tuple[int | str, int]]:
    """Follow a path into the document as far as it goes, with the line of each part."""
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                if isinstance(part, str):
                    yield part, _line(node)
                return
            yield part, _line(found[0])
            node = found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            yield part, _line(node)
        else:
            return


def _line(node: yaml.Node | None) -> int:
    """The line a node begins on, counted from 1; composed nodes know it."""
    return node.start_mark.line + 1 if node and node.start_mark else 1


SHOWN_PROBLEMS = 3


def _few(problems: list[str]) -> list[str]:
    rest = len(problems) - SHOWN_PROBLEMS
    return [*problems[:SHOWN_PROBLEMS], *([f"and {rest} more"] if rest > 0 else [])]
