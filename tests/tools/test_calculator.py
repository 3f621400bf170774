"""Calculations in the sandbox: what they give, what ends them, and what they cannot reach."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter

import pytest

from concierge.tools.calculator import OUTPUT_CHARS, Calculator

pytestmark = pytest.mark.anyio


@pytest.fixture
async def calculator() -> AsyncIterator[Calculator]:
    calculator = Calculator()
    yield calculator
    await calculator.close()


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("3 * 349 + 49", "1096"),
        ("sum(x * 1.19 for x in range(10))", "53.55"),
        ("price = 349.0\ncount = 3\nprice * count * 0.9", "942.3"),
        ("from decimal import Decimal\nDecimal('1.10') * 3", "3.30"),
        ("import math\nmath.ceil(17.5 / 4)", "5"),
        ("import datetime\ndatetime.date(2026, 3, 1) + datetime.timedelta(days=30)", "2026-03-31"),
        ("def roi(gain, cost):\n    return (gain - cost) / cost\nroi(1500, 1200)", "0.25"),
        ("[1.5, 2, 'three']", "1.5, 2, three"),
        ("{'total': 1047, 'saved': 104.7}", "total: 1047, saved: 104.7"),
        ("'chairs: ' + str(3)", "chairs: 3"),
        ("10 > 3", "True"),
        ("x = 4", None),
        ("None", None),
    ],
)
async def test_the_last_expression_is_the_value(
    calculator: Calculator, source: str, value: str | None
) -> None:
    calculated = await calculator.run(source)

    assert (calculated.value, calculated.failure, calculated.because) == (value, None, "")
    assert calculated.milliseconds > 0


async def test_what_is_printed_comes_beside_the_value(calculator: Calculator) -> None:
    calculated = await calculator.run("print('per month:', 1200 / 12)\n1200")

    assert (calculated.printed, calculated.value) == ("per month: 100.0\n", "1200")


@pytest.mark.parametrize(
    ("source", "failure"),
    [
        ("1 / 0", "error"),
        ("unknown_name", "error"),
        ("raise ValueError('x' * 1_000_000)", "error"),
        ("raise SystemExit(3)", "error"),
        ("x = [", "syntax"),
        ("(" * 3_900, "syntax"),
        ("-" * 3_900 + "1", "syntax"),
        ("\x00", "syntax"),
        ("\ud800", "syntax"),
        ("1" + " + 1" * 1_000, "too_long"),
        ("while True: pass", "time"),
        ("sum(range(10**9))", "time"),
        ("import math\nmath.factorial(1_000_000)", "time"),
        ("try:\n    while True: pass\nfinally:\n    while True: pass", "time"),
        ("10 ** 10 ** 8", "memory"),
        ("9 ** 9 ** 9 ** 9", "memory"),
        ("'a' * 100_000_000", "memory"),
        ("[0] * 10 ** 9", "memory"),
        ("f'{1:>1000000000}'", "memory"),
        ("x = []\nwhile True: x.append(x[:] + [1])", "memory"),
        ("def f(n): return f(n + 1)\nf(0)", "recursion"),
        ("print('a' * 5_000)", "output"),
        ("for i in range(10 ** 7): print(i)", "output"),
        ("'a' * 5_000", "output"),
        ("2 ** 100_000", "output"),
        ("a = 'b' * 1_000_000\n[a] * 200", "output"),
        ("x = [1]\nfor _ in range(60): x = [x, x]\nx", "no_value"),
        ("list(range(1_000))", "no_value"),
        ("lambda: 1\nclass A: pass\nA()", "no_value"),
    ],
)
async def test_code_that_cannot_be_finished_fails_with_its_kind_and_a_short_reason(
    calculator: Calculator, source: str, failure: str
) -> None:
    begun = perf_counter()

    calculated = await calculator.run(source)

    assert (calculated.failure, calculated.value) == (failure, None)
    assert 0 < len(calculated.because) <= 200
    assert len(calculated.printed) <= OUTPUT_CHARS
    assert perf_counter() - begun < 4
    assert (await calculator.run("1 + 1")).value == "2"


@pytest.mark.parametrize(
    "source",
    [
        "open('{secret}').read()",
        "import pathlib\npathlib.Path('{secret}').read_text()",
        "import os\nos.listdir('/')",
        "import os\nos.environ['SECRET_OF_THE_TEST']",
        "import os\nos.getenv('SECRET_OF_THE_TEST')",
        "import os\nos.system('cat {secret}')",
        "import subprocess\nsubprocess.run(['cat', '{secret}'])",
        "import socket\nsocket.create_connection(('127.0.0.1', 1))",
        "import urllib.request",
        "import ctypes",
        "import concierge",
        "__import__('os').system('id')",
        "().__class__.__base__.__subclasses__()",
        "(lambda: 0).__globals__",
        "(lambda: 0).__code__",
        "print.__self__",
        "globals()",
        "[].__class__.__mro__",
        "'{{0.__class__}}'.format(1)",
        "import builtins\nbuiltins.open('{secret}')",
        "import importlib\nimportlib.import_module('os')",
        "import sys\nsys.modules['os'].environ",
        "eval(\"open('{secret}').read()\")",
        'exec("import os\\nprint(os.environ)")',
        "input()",
        "breakpoint()",
    ],
)
async def test_nothing_outside_can_be_reached(
    calculator: Calculator, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret-itself")
    monkeypatch.setenv("SECRET_OF_THE_TEST", "the-secret-itself")

    calculated = await calculator.run(source.format(secret=secret))

    assert calculated.failure in {"error", "forbidden"}
    assert calculated.value is None
    assert "the-secret-itself" not in calculated.printed + calculated.because


async def test_no_file_is_written(calculator: Calculator, tmp_path: Path) -> None:
    wanted = tmp_path / "mine.txt"

    calculated = await calculator.run(f"open({str(wanted)!r}, 'w').write('here')")

    assert calculated.failure == "forbidden"
    assert not wanted.exists()


async def test_one_calculation_knows_nothing_of_another(calculator: Calculator) -> None:
    await calculator.run("secret = 42")

    assert (await calculator.run("secret")).failure == "error"


async def test_sleeping_costs_no_time(calculator: Calculator) -> None:
    begun = perf_counter()

    calculated = await calculator.run("import time\ntime.sleep(30)\n1")

    assert calculated.failure in {None, "time"}
    assert perf_counter() - begun < 1


async def test_everybody_else_is_served_meanwhile(calculator: Calculator) -> None:
    await calculator.run("1")
    gaps: list[float] = []

    async def beat() -> None:
        last = perf_counter()
        while True:
            await asyncio.sleep(0.005)
            gaps.append(perf_counter() - last)
            last = perf_counter()

    beating = asyncio.create_task(beat())
    await asyncio.gather(calculator.run("while True: pass"), calculator.run("'a' * 10_000_000"))
    beating.cancel()

    assert len(gaps) > 20
    assert max(gaps) < 0.5


async def test_more_than_can_run_at_once_wait_or_are_told_so(calculator: Calculator) -> None:
    done = await asyncio.gather(*(calculator.run("while True: pass") for _ in range(12)))

    failures = [own.failure for own in done]
    assert set(failures) == {"time", "busy"}
    assert failures.count("time") >= 4


async def test_a_caller_that_goes_away_leaves_the_sandbox_usable(calculator: Calculator) -> None:
    running = asyncio.create_task(calculator.run("while True: pass"))
    await asyncio.sleep(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (await calculator.run("2 + 2")).value == "4"


async def test_a_machine_without_the_sandbox_says_so(
    calculator: Calculator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONTY_BIN", "/nonexistent/monty")

    calculated = await calculator.run("1 + 1")

    assert (calculated.failure, calculated.value) == ("unavailable", None)
    assert "nonexistent" not in calculated.because


async def test_closing_ends_every_process(calculator: Calculator) -> None:
    await calculator.run("1")
    await calculator.close()
    await calculator.close()

    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    if children.exists():
        running = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in children.read_text().split()]
        assert "monty" not in running
    assert (await calculator.run("1 + 1")).value == "2"
