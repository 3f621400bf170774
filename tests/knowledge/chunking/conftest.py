from pathlib import Path

import pytest

from concierge.llm.minilm import MiniLM


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> MiniLM:
    cache: Path = tmp_path_factory.mktemp("minilm")
    return MiniLM.load(cache)
