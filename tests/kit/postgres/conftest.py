"""Real servers in folders of their own; each test gets a copy of one freshly created cluster."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from concierge.kit.postgres import EmbeddedPostgres
from concierge.kit.postgres.home import Home
from concierge.kit.postgres.processes import end_all
from concierge.kit.postgres.tuning import has_roomy_shared_memory
from tests.kit.postgres.support import FAST

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # Spares the disk when it is there.


@pytest.fixture(scope="session")
def folder_for_all() -> Generator[Path]:
    """Pytest's own temporary folders shut out other users, and as root PostgreSQL runs as another user."""
    in_memory = SHARED_MEMORY if has_roomy_shared_memory(SHARED_MEMORY) else None
    folder = Path(tempfile.mkdtemp(prefix="concierge-test-", dir=in_memory))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(folder_for_all: Path) -> Path:
    folder = folder_for_all / "template"
    with EmbeddedPostgres(folder, FAST):
        pass
    return folder


@pytest.fixture
def empty_dir(folder_for_all: Path) -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(dir=folder_for_all))
    folder.chmod(0o755)
    data_dir = folder / "postgres"
    yield data_dir
    for cluster in folder.rglob("cluster"):
        end_all(cluster, grace_s=0)
        short = Home(cluster.parent).socket_dir
        if short.parent != cluster.parent:
            shutil.rmtree(short, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data_dir(template: Path, empty_dir: Path) -> Path:
    """A data folder whose cluster exists and whose server is stopped."""
    subprocess.run(["cp", "-a", str(template), str(empty_dir)], check=True)
    return empty_dir


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("Only root can start programs as other users.")
