"""The house rules no other tool checks: size of files and functions, file names of a room, forbidden markers."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_WEB_FILE_LINES = 250
ROOM_FILES = {"__init__", "models", "schemas", "repository", "service", "routes", "jobs", "errors"}
# Rooms whose shape ARCHITECTURE names file by file instead of by the seven common names.
FREE_ROOMS = {"entrypoints", "chat", "llm", "kit"}
# Modules beyond the seven common names, each explained in docs/decisions/.
NAMED_MODULES = {
    "accounts": {"access", "scope", "tokens"},
    "billing": {"budgets", "events", "payments", "plans", "stripe_api"},
    "agents": {"entitled", "templates"},
    "customers": {
        "deriving",
        "extraction",
        "facts",
        "identity",
        "inference",
        "knowing",
        "prompts",
        "recall",
        "requests",
        "summary",
        "traits",
    },
    "catalog": {
        "filters",
        "indexing",
        "matching",
        "prices",
        "reading",
        "rows",
        "statements",
        "synonyms",
        "vectors",
    },
    "intelligence": {
        "analyst",
        "attributes",
        "cues",
        "dimensions",
        "features",
        "heads",
        "language",
        "lexicons",
        "prompts",
        "prototypes",
        "reading",
        "rules",
        "settling",
        "tokens",
        "view",
        "vocabulary",
        "weighing",
    },
    "learning": {"beta", "judging", "rewards", "sampling", "segments"},
    "knowledge": {
        "chunker",
        "chunkers",
        "chunking",
        "context",
        "contradictions",
        "parsing",
        "sources",
        "search",
        "surroundings",
        "indexes",
        "instructions",
        "ranking",
        "reindexing",
        "resident",
        "lexical",
        "ingestion",
        "metrics",
    },
    "tools": {"arithmetic", "calculator", "freshness", "pages", "providers", "sites"},
}
MARKER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|@ts-ignore")
BARE_IGNORE = re.compile(r"# (type: ignore|noqa)\s*$")
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|farm|root)/")
SELF = "tools/house_rules.py"


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := Path(line)).is_file()]


def long_functions(path: Path, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {lines} lines (limit {MAX_FUNCTION_LINES})"


def late_imports(path: Path, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield f"{path}:{inner.lineno}: import inside a function"


def room_names(path: Path) -> Iterator[str]:
    parts = path.parts
    if parts[0] != "concierge" or len(parts) < 3 or path.suffix != ".py":
        return
    room, name = parts[1], Path(parts[2]).stem
    if room in FREE_ROOMS or name in ROOM_FILES | NAMED_MODULES.get(room, set()):
        return
    yield f"{path}: a room has only {', '.join(sorted(ROOM_FILES - {'__init__'}))}"


def python_problems(path: Path, text: str) -> Iterator[str]:
    tree = ast.parse(text)
    if text.count("\n") > MAX_FILE_LINES:
        yield f"{path}: {text.count(chr(10))} lines (limit {MAX_FILE_LINES})"
    yield from long_functions(path, tree)
    yield from late_imports(path, tree)
    yield from room_names(path)


def text_problems(path: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if MARKER.search(line) or BARE_IGNORE.search(line):
            yield f"{path}:{number}: {line.strip()[:90]}"
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: names a path of one machine"


def problems(path: Path) -> Iterator[str]:
    if (
        path.suffix not in {".py", ".ts", ".tsx", ".sh", ".md", ".toml", ".yml", ".css", ".html"}
        or str(path) == SELF
    ):
        return
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from python_problems(path, text)
    if path.suffix in {".ts", ".tsx"} and text.count("\n") > MAX_WEB_FILE_LINES:
        yield f"{path}: {text.count(chr(10))} lines (limit {MAX_WEB_FILE_LINES})"
    if path.name != "CONTRIBUTING.md":
        yield from text_problems(path, text)


def main() -> int:
    found = [problem for path in tracked_files() for problem in problems(path)]
    print("\n".join(found) or "House rules: all kept.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
