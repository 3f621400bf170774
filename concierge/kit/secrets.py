"""The server's signing key: given by the operator, or made once and kept beside the data."""

import os
import secrets
import tempfile
from pathlib import Path

from concierge.kit.settings import Settings

KEY_FILE = "secret-key"


def signing_key(settings: Settings) -> str:
    """Return the key that signs every token; all processes of one data directory share it."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    return _kept_key(settings.data_dir / KEY_FILE)


def _kept_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _create_once(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()


def _create_once(path: Path, key: str) -> None:
    """Write beside and link into place, so that of two racing processes one wins and no half file is read."""
    # A name of its own for every caller: threads of one process race as well, and share its number.
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    draft = Path(name)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
