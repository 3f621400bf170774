import sys


def say(line: str) -> None:
    """Tell what takes minutes; the tables alone are what a run prints."""
    print(f"  {line}", file=sys.stderr, flush=True)
