"""Every setting is documented, under its name, with the default it has."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from concierge.kit.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "settings.md"
ROW = re.compile(r"^\| `(CONCIERGE_\w+)` \| .+ \| .{10,} \|$", re.MULTILINE)


def variables(model: type[BaseModel] = Settings, prefix: str = "CONCIERGE_") -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        variable = prefix + name.upper()
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= variables(inner, f"{variable}__")
        else:
            found.add(variable)
    return found


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    assert set(ROW.findall(PAGE.read_text(encoding="utf-8"))) == variables()


def test_the_page_is_what_its_script_writes(tmp_path: Path) -> None:
    script = f"import runpy; print(runpy.run_path({str(ROOT / 'tools' / 'settings_reference.py')!r})['page'](), end='')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    written = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )

    assert written.stdout == PAGE.read_text(encoding="utf-8")


def test_a_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCIERGE_LIMITS__MESSAGE_CHARS", "5000")
    monkeypatch.setenv("CONCIERGE_PORT", "9000")

    settings = Settings()

    assert (settings.limits.message_chars, settings.limits.turn_seconds) == (5_000, 60.0)
    assert settings.origin == "http://localhost:9000"
