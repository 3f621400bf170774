"""Field types shared by what crosses HTTP: text that PostgreSQL can hold, names, origins."""

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

ORIGIN = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?", re.IGNORECASE)
TextT = TypeVar("TextT", bound=str)


class Out(BaseModel):
    """What leaves through HTTP, read from an object's attributes."""

    model_config = ConfigDict(from_attributes=True)


def plain_text(value: TextT) -> TextT:
    """Refuse what no database and no reader can handle: NUL characters and halves of surrogate pairs."""
    if "\x00" in value:
        raise ValueError("must not contain the character NUL")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("must be valid Unicode text") from error
    return value


def origin(value: str) -> str:
    if not ORIGIN.fullmatch(value):
        raise ValueError("must be an origin such as https://shop.example (scheme and host, no path)")
    return value.lower()


PlainText = AfterValidator(plain_text)
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), PlainText]
LongText = Annotated[str, StringConstraints(max_length=2_000), PlainText]
Origin = Annotated[str, StringConstraints(max_length=255), AfterValidator(origin)]
