"""How to get into the demo organization: made up once, kept beside the data for whoever runs the server."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self
from uuid import UUID

FILE = "demo.json"
EMAIL = "owner@coconut.example"


@dataclass(frozen=True, slots=True)
class DemoCredentials:
    email: str
    password: str
    org_id: UUID
    agent_id: UUID
    pack_id: UUID
    secret_key: str
    publishable_key: str

    @classmethod
    def load(cls, data_dir: Path) -> Self | None:
        try:
            values: dict[str, Any] = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
            for name in ("org_id", "agent_id", "pack_id"):
                values[name] = UUID(values[name])
            return cls(**values)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def save(self, data_dir: Path) -> None:
        draft = data_dir / f"{FILE}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, default=str, indent=2)
        draft.replace(data_dir / FILE)
