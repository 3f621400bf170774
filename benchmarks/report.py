"""The table people read, the files machines read."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one run by group, and what could not be measured and why."""

    groups: Mapping[str, Sequence[Figure]]
    notes: Sequence[str]
    quick: bool

    @property
    def figures(self) -> list[Figure]:
        return [figure for figures in self.groups.values() for figure in figures]

    @property
    def missed(self) -> list[Figure]:
        return [figure for figure in self.figures if not figure.met]


def machine() -> dict[str, object]:
    """What the figures depend on, without a name of the machine."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3),
        "python": platform.python_version(),
        "load": [round(value, 1) for value in os.getloadavg()],
    }


def show(report: Report, console: Console) -> None:
    table = Table(title="Concierge benchmarks", title_justify="left", pad_edge=False)
    table.add_column("What")
    table.add_column("Measured", justify="right")
    table.add_column("Target", justify="right")
    table.add_column("")
    table.add_column("", style="dim")
    for group, figures in report.groups.items():
        table.add_section()
        table.add_row(f"[bold]{group}[/]")
        for figure in figures:
            table.add_row(*_cells(figure))
    console.print(table)
    for note in report.notes:
        console.print(f"[yellow]•[/] {note}", soft_wrap=True)
    missed = len(report.missed)
    console.print(
        f"[bold red]{missed} of the targets missed.[/]" if missed else "[bold green]All targets met.[/]"
    )


def save(report: Report, *, summary: bool) -> Path:
    """Write the run to a file of its own; with `summary` also to the one that is kept with the source."""
    now = datetime.now(UTC)
    document = {
        "measured_at": now.isoformat(timespec="seconds"),
        "quick": report.quick,
        "machine": machine(),
        "notes": list(report.notes),
        "groups": {group: [_entry(figure) for figure in figures] for group, figures in report.groups.items()},
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    path.write_text(text, encoding="utf-8")
    if summary:
        (RESULTS / "summary.json").write_text(text, encoding="utf-8")
    return path


def _cells(figure: Figure) -> tuple[str, str, str, str, str]:
    verdict = "" if figure.target is None else "[green]✓[/]" if figure.met else "[bold red]✗[/]"
    target = "" if figure.target is None else f"{figure.target} {figure.unit}"
    return f"  {figure.name}", f"{_number(figure.value)} {figure.unit}", target, verdict, figure.detail


def _entry(figure: Figure) -> dict[str, object]:
    entry = asdict(figure)
    entry["value"] = round(figure.value, 4)
    entry["target"] = None if figure.target is None else str(figure.target)
    return {**entry, "met": figure.met}


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor()
    lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
