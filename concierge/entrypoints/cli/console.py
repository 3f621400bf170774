"""How the command line speaks: results on standard output, everything else beside it."""

from collections.abc import Generator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from concierge.kit.logging import configure_logging
from concierge.kit.settings import Settings

out = Console(highlight=False)
aside = Console(stderr=True, highlight=False)


def complain(sentence: str) -> None:
    """Say what went wrong; names of files and such are printed as they are."""
    aside.print(f"[bold red]✗[/] {escape(sentence)}", soft_wrap=True)


def say(sentence: str) -> None:
    """Say something with markup; what comes from outside is to be escaped first."""
    aside.print(sentence, soft_wrap=True)


def settings_of_command() -> Settings:
    """Read the settings of a command that ends by itself. It logs warnings only, unless the settings say otherwise."""
    settings = Settings()
    asked = "log_level" in settings.model_fields_set
    configure_logging(settings if asked else settings.model_copy(update={"log_level": "warning"}))
    return settings


@contextmanager
def typed_input() -> Generator[None]:
    """Tell what is wrong with what was typed, one sentence for each field, and end the command."""
    try:
        yield
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            complain(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}")
        raise typer.Exit(1) from error
