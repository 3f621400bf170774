"""The command line: `concierge …`. Commands import what they need when they run, so that `--help` is quick."""

from concierge.entrypoints.cli.main import main

__all__ = ["main"]
