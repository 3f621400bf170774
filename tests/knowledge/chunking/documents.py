"""Random documents, and an encoder quick enough to chunk thousands of them."""

import re
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from concierge.llm.minilm import TokenStates

DIMENSION = 384
LINES = [
    "# Returns",
    "## Chairs",
    "### Oak chairs #",
    "Title\n=====",
    "You may return a chair within 30 days. We pay the way back.",
    "See https://shop.example/a.b?c=1.5 for prices, e.g. 4.50 a piece.",
    "- a list item",
    "- a longer list item: " + "with many words in it, " * 20,
    "1. Open the box. Take out the legs.",
    "| a | b |",
    "|---|---|",
    "| 1 | 2 |",
    "```\ncode = 1\n\nmore = 2\n```",
    "```",
    "---",
    "",
    "",
    "椅子可以退货。我们支付运费！",
    "word " * 80,
    "x" * 700,
    "🪑\u200d🪑 \u202e",
]
documents = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from(LINES), max_size=40).map("\n".join),
    st.lists(st.one_of(st.text(max_size=40), st.sampled_from(LINES)), max_size=30).map("\r\n".join),
)


def letters(text: str) -> str:
    """The text without white space."""
    return "".join(text.split())


class HashEncoder:
    """A TokenEncoder whose states depend on the words alone. The real model takes a second for what this does at once."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [self._state(text) for text in texts]
        return np.stack(rows) if rows else np.empty((0, DIMENSION), dtype=np.float32)

    def token_states(self, texts: Sequence[str], prefaces: Sequence[str]) -> list[TokenStates]:
        assert len(texts) == len(prefaces)
        return [self._states(text) for text in texts]

    def _states(self, text: str) -> TokenStates:
        words = list(re.finditer(r"\w+", text))
        spans = np.array([word.span() for word in words], dtype=np.int32).reshape(-1, 2)
        return TokenStates(self.embed([word.group() for word in words]), spans)

    @staticmethod
    def _state(word: str) -> NDArray[np.float32]:
        state = np.zeros(DIMENSION, dtype=np.float32)
        state[sum(word.encode("utf-8", "replace")) % DIMENSION] = 1
        return state
