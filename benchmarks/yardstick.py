"""Two fixed pieces of work, which have nothing to do with the product: machines differ by five times and more, and their
milliseconds can be compared only beside these.
"""

from collections.abc import Callable, Sequence
from time import perf_counter

from benchmarks.figures import Figure, Timings
from concierge.llm.minilm import MiniLM

TRIES = 9
LOOP = 1_000_000
TOKENS = 480
WORD = "table "  # One token.


def measure(model: MiniLM) -> Sequence[Figure]:
    """Medians, in milliseconds."""
    text = [WORD * (TOKENS // 4)] * 4
    return (
        Figure("A million turns of an empty Python loop", _timed(_loop), "ms"),
        Figure(f"{TOKENS} tokens through the local model", _timed(lambda: model.embed(text)), "ms"),
    )


def _loop() -> None:
    for _ in range(LOOP):
        pass


def _timed(work: Callable[[], object]) -> float:
    durations: list[float] = []
    for _ in range(TRIES):
        began = perf_counter()
        work()
        durations.append((perf_counter() - began) * 1000)
    return Timings(tuple(durations)).p50
