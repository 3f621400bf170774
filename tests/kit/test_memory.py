"""How much memory there is, and that what is freed is given back to the machine."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from concierge.kit.memory import machine_bytes

# Growing blocks teach glibc to keep larger and larger ones, and one behind each holds the heap up: one that is too large to
# fit into what the interpreter has freed.
PROGRAM = """
import ctypes, os, sys
from concierge.kit.memory import return_freed_memory
if sys.argv[1] == "returning":
    return_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
def work():
    for size in (1 << 20, 8 << 20, 24 << 20):
        large = libc.malloc(size)
        ctypes.memset(large, 1, size)
        libc.malloc(100_000)
        libc.free(large)
    blocks = []
    for _ in range(8):
        blocks.append(libc.malloc(8 << 20))
        ctypes.memset(blocks[-1], 1, 8 << 20)
        libc.malloc(100_000)
    for block in blocks:
        libc.free(block)
work()
print(int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20)
"""


def megabytes_left(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps memory like this")
def test_large_blocks_that_are_freed_leave_the_process() -> None:
    assert megabytes_left("returning") + 20 < megabytes_left("by default")


@pytest.mark.parametrize(
    ("limit", "is_less"),
    [("536870912\n", True), ("max\n", False), ("9223372036854771712\n", False), ("", False)],
)
def test_a_container_has_what_it_is_allowed(tmp_path: Path, limit: str, *, is_less: bool) -> None:
    (tmp_path / "memory.max").write_text(limit)

    found = machine_bytes([tmp_path / "is not there", tmp_path / "memory.max"])

    assert found == (512 * 1024 * 1024 if is_less else psutil.virtual_memory().total)
