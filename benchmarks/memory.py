"""How much memory a process and all it started take, over time."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

import psutil

SAMPLE_S = 0.5
QUARTERS = 4


class Watch:
    """Samples the memory of processes until the first of them ends; what processes share counts once (PSS)."""

    def __init__(self, pid: int, *others: Callable[[], psutil.Process | None]) -> None:
        """`others` find processes to count too, each with its children, when there are any."""
        self._process = psutil.Process(pid)
        self._others = others
        self._samples: list[float] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def megabytes(self) -> list[float]:
        """Wait for the end. Returns the samples, at equal intervals."""
        self._thread.join()
        return self._samples

    def _watch(self) -> None:
        while self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
            self._samples.append(sum(map(pss, self._all())) / 1024**2)
            time.sleep(SAMPLE_S)

    def _all(self) -> Iterator[psutil.Process]:
        for top in (self._process, *(find() for find in self._others)):
            if top is not None:
                yield from with_children(top)


def with_children(top: psutil.Process) -> Sequence[psutil.Process]:
    try:
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def postmaster(data_dir: Path) -> psutil.Process | None:
    """The PostgreSQL server under a data directory of the product."""
    for path in data_dir.rglob("postmaster.pid"):
        try:
            return psutil.Process(int(path.read_text("ascii").split("\n", 1)[0]))
        except (ValueError, psutil.NoSuchProcess, FileNotFoundError):
            continue
    return None


def quarters(samples: Sequence[float]) -> list[float]:
    """The median of each quarter of the time; of less than four samples, the samples."""
    if len(samples) < QUARTERS:
        return list(samples)
    edges = [len(samples) * number // QUARTERS for number in range(QUARTERS + 1)]
    return [median(samples[start:end]) for start, end in pairwise(edges)]
