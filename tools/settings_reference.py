"""Write docs/settings.md from the settings themselves: `python tools/settings_reference.py`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from concierge.kit.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
INTRODUCTION = """# Settings

Every setting is an environment variable, read once when a process starts. All of them are optional: without any, the
product keeps its own PostgreSQL and its files in one data directory and listens on http://localhost:8000.
A name with two underscores sets one value of a group: `CONCIERGE_LIMITS__MESSAGE_CHARS=5000`.

| Variable | Default | Meaning |
| --- | --- | --- |
"""
# Where a default is a place on the machine that asks, or a size better read in another unit.
SHOWN_DEFAULTS = {
    "CONCIERGE_DATA_DIR": "`.data` in a checkout, else `~/.local/share/concierge`",
    "CONCIERGE_LIMITS__UPLOAD_BYTES": "`52428800` (50 MB)",
    "CONCIERGE_LIMITS__BODY_BYTES": "`2097152` (2 MB)",
    "CONCIERGE_LIMITS__FETCH_BYTES": "`20971520` (20 MB)",
}


def page() -> str:
    return INTRODUCTION + "".join(
        f"| `{name}` | {_default(name, field)} | {_meaning(field)} |\n" for name, field in variables()
    )


def variables(
    model: type[BaseModel] = Settings, prefix: str = "CONCIERGE_"
) -> Iterator[tuple[str, FieldInfo]]:
    """Yield every variable and its field, those of groups after the others."""
    groups: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            groups.append((f"{variable}__", field.annotation))
        else:
            yield variable, field
    for group, inner in groups:
        yield from variables(inner, group)


def _default(name: str, field: FieldInfo) -> str:
    if name in SHOWN_DEFAULTS:
        return SHOWN_DEFAULTS[name]
    value: Any = field.default
    if value is None:
        return "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _meaning(field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"a setting has no description: {field}")
    return f"{field.description} `true` or `false`." if field.annotation is bool else field.description


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
