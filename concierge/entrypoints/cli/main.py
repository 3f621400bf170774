import signal
import sys

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from concierge.entrypoints.cli import (
    analyze,
    ask,
    billing,
    catalog,
    customer,
    database,
    evaluate,
    ingest,
    learning,
    owner,
    packs,
    search,
    serve,
    sources,
    watch,
)
from concierge.entrypoints.cli.console import complain
from concierge.kit.errors import ConciergeError
from concierge.kit.memory import return_freed_memory
from concierge.kit.settings import Settings

app = typer.Typer(
    help="Concierge: AI agents that answer your visitors from what your business knows.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="rich",
)
app.command()(serve.serve)
app.command()(serve.worker)
app.command()(serve.demo)
app.command()(ingest.ingest)
app.command()(watch.watch)
app.command()(ask.ask)
app.command()(search.search)
app.command()(analyze.analyze)
app.command("create-owner")(owner.create_owner)
app.command()(serve.openapi)
app.add_typer(packs.app, name="packs")
app.add_typer(database.app, name="db")
app.add_typer(customer.app, name="customer")
app.add_typer(sources.app, name="sources")
app.add_typer(learning.app, name="learning")
app.add_typer(evaluate.app, name="eval")
app.add_typer(catalog.app, name="catalog")
app.add_typer(billing.app, name="billing")


def main() -> None:
    """Run a command; a failure we know is a sentence, not a traceback."""
    return_freed_memory()
    # A supervisor's farewell lets commands clean up after themselves, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except ConciergeError as error:
        complain(error.detail)
        sys.exit(1)
    except SettingsError as error:
        complain(f"A setting cannot be read: {error}.")
        sys.exit(1)
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            name = "__".join(str(part) for part in problem["loc"]).upper()
            complain(f"The setting CONCIERGE_{name} is not valid: {problem['msg']}.")
        sys.exit(1)
    except KeyboardInterrupt:
        complain("Stopped.")
        sys.exit(130)
