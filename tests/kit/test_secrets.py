"""The signing key is made once, shared by all processes of a data directory, and readable by nobody else."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from concierge.kit.secrets import KEY_FILE, signing_key
from concierge.kit.settings import Settings


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")

    assert signing_key(settings) == signing_key(settings)
    assert len(signing_key(settings)) >= 32


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    signing_key(Settings(data_dir=tmp_path))

    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_racing_processes_agree_on_one_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(signing_key, [settings] * 32))

    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_given_key_is_used_and_nothing_written(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, secret_key="given")  # pyright: ignore[reportArgumentType]  # pydantic makes it a SecretStr.

    assert signing_key(settings) == "given"
    assert not list(tmp_path.iterdir())
