from pathlib import Path

import pytest

from concierge.llm.minilm import MiniLM


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("minilm")


@pytest.fixture(scope="session")
def model(cache: Path) -> MiniLM:
    return MiniLM.load(cache)
