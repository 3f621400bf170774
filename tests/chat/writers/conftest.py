from pathlib import Path

import pytest

from concierge.llm.minilm import MiniLM
from tests.chat.writers.library import Library


@pytest.fixture(scope="session")
def library(shared_folder: Path) -> Library:
    return Library(MiniLM.load(shared_folder / "minilm"))
