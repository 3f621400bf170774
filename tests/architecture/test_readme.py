"""What the README tells a newcomer to type works as written."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
HANDBOOK = "# Refunds\n\nA refund takes five working days and goes back to the card you paid with.\n"


def commands(marker: str) -> list[str]:
    """The lines of the shell block that contains `marker`, without their comments."""
    block = next(body for language, body in BLOCK.findall(README) if language == "sh" and marker in body)
    return [line.split("  #")[0].strip() for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Path]:
    """A folder with documents, which PostgreSQL's own user may enter when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="concierge-readme-"))
    folder.chmod(0o755)
    (folder / "docs").mkdir()
    (folder / "docs" / "refunds.md").write_text(HANDBOOK, encoding="utf-8")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def typed(line: str, folder: Path) -> str:
    """Run a line of the README with this environment's `concierge`."""
    words = shlex.split(line)
    words[0] = str(Path(sys.executable).with_name(Path(words[0]).name))
    environment = {
        **os.environ,
        "CONCIERGE_DATA_DIR": str(folder / "data"),
        "CONCIERGE_OWNER_PASSWORD": "correct horse battery",
    }
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.timeout(240)
def test_from_nothing_to_an_answer_from_ones_own_documents(newcomer: Path) -> None:
    create, ingest, ask = commands("create-owner")
    assert "concierge ingest PATH --agent acme" in typed(create, newcomer)
    assert "1 document read" in typed(ingest, newcomer)

    answer = typed(ask, newcomer)

    assert "five working days" in answer
    assert "Refunds" in answer

    (search,) = commands("concierge search")
    assert "Candidates" in typed(search, newcomer)


def test_a_message_is_read_with_its_reasons(newcomer: Path) -> None:
    explain, outage = commands("concierge analyze")

    assert "nobody answers" in typed(explain, newcomer)
    assert "writes from /status" in typed(outage, newcomer)


@pytest.mark.timeout(240)
def test_looking_after_it(newcomer: Path) -> None:
    status, backup, restore, _worker = commands("db backup")
    assert "schema" in typed(status, newcomer)
    assert "Wrote" in typed(backup, newcomer)
    assert "Restored" in typed(f"{restore} --yes", newcomer)


def test_every_make_target_it_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    named = set(re.findall(r"\bmake ([a-z]+)\b", README)) - {"sets"}

    assert named <= targets


def test_every_file_it_links_to_exists() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
