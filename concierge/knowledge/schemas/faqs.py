"""Question–answer pairs over HTTP."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, HttpUrl, StringConstraints, model_validator

from concierge.kit.fields import PlainText
from concierge.kit.pagination import Identified

MAX_QUESTION_CHARS = 500
MAX_ANSWER_CHARS = 4_000
MOST_WORDINGS = 20
# Stands between question and answer in the text of a pair.
BETWEEN = "\n\n"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    if not any(character.isalnum() for character in line):
        raise ValueError("must contain a word")
    return line


Question = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION_CHARS),
    PlainText,
    AfterValidator(_one_line),
]
Answer = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_ANSWER_CHARS), PlainText
]
Wordings = Annotated[
    list[Question],
    Field(max_length=MOST_WORDINGS, description="Other ways in which the question is asked."),
]


class FaqIn(BaseModel):
    """A question, and what is said to whoever asks it."""

    question: Question
    wordings: Wordings = []
    answer: Answer
    url: HttpUrl | None = Field(default=None, description="Where to read more; shown with the source.")


class FaqPatch(BaseModel):
    """What is left out stays as it is; `url` may be set to null."""

    question: Question | None = None
    wordings: Wordings | None = None
    answer: Answer | None = None
    url: HttpUrl | None = None

    @model_validator(mode="after")
    def only_the_address_may_be_missing(self) -> Self:
        for name in self.model_fields_set - {"url"}:
            if getattr(self, name) is None:
                raise ValueError(f"`{name}` cannot be null; leave it out to keep it as it is")
        return self


class FaqOut(Identified):
    """`from_feed`: the pair comes from a feed and is changed there."""

    pack_id: UUID
    source_id: UUID
    question: str
    wordings: list[str]
    answer: str
    url: str | None
    from_feed: bool
    flags: list[str]
    updated_at: datetime
