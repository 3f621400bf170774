"""The int8 model agrees with a plain float32 forward pass, keeps offsets exact, and heals a damaged cache."""

import math
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer

from concierge.llm.minilm import DIMENSION, MiniLM, WeightsError
from concierge.llm.minilm.model import (
    BATCH_TOKENS,
    OVERLAP_TOKENS,
    STATES_WINDOW_TOKENS,
    WINDOW_TOKENS,
    batches_of,
    has_wide_registers,
    windows_of,
)
from concierge.llm.minilm.weights import (
    HEADS,
    LAYER_NORM_EPSILON,
    LAYERS,
    WEIGHTS_SHA256,
    Tensors,
    converted_folder,
    published_folder,
    read_safetensors,
    sha256_of,
)

Matrix = NDArray[np.float32]

SENTENCES = [
    "How long do I have to return a sofa?",
    "You can return any item within 30 days of delivery.",
    "Der Versand dauert 3–5 Werktage.",
    "The mitochondrion is the powerhouse of the cell, said Prof. O'Neill in 1957 (p. 12).",
    "a",
    "Refunds are paid to the card you used. " * 12,
]


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    return read_safetensors(published_folder() / "model.safetensors")


def layer_norm(x: Matrix, tensors: Tensors, name: str) -> Matrix:
    centred = x - x.mean(axis=-1, keepdims=True)
    scale = np.sqrt(centred.var(axis=-1, keepdims=True) + LAYER_NORM_EPSILON)
    return centred / scale * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]


def linear(x: Matrix, tensors: Tensors, name: str) -> Matrix:
    return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]


def gelu(x: Matrix) -> Matrix:
    return x * (1 + np.vectorize(math.erf, otypes=[np.float32])(x / math.sqrt(2))) / 2


def attention(x: Matrix, tensors: Tensors, name: str) -> Matrix:
    def heads(part: str) -> Matrix:
        return linear(x, tensors, f"{name}.self.{part}").reshape(len(x), HEADS, -1).transpose(1, 0, 2)

    query, key, value = heads("query"), heads("key"), heads("value")
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = (weights / weights.sum(axis=-1, keepdims=True)) @ value
    return linear(mixed.transpose(1, 0, 2).reshape(x.shape), tensors, f"{name}.output.dense")


def reference_states(ids: list[int], tensors: Tensors) -> Matrix:
    """BERT as the paper has it, in numpy float32."""
    x = (
        tensors["embeddings.word_embeddings.weight"][ids]
        + tensors["embeddings.position_embeddings.weight"][: len(ids)]
        + tensors["embeddings.token_type_embeddings.weight"][0]
    )
    x = layer_norm(x, tensors, "embeddings.LayerNorm")
    for number in range(LAYERS):
        name = f"encoder.layer.{number}"
        x = layer_norm(
            x + attention(x, tensors, f"{name}.attention"), tensors, f"{name}.attention.output.LayerNorm"
        )
        hidden = gelu(linear(x, tensors, f"{name}.intermediate.dense"))
        x = layer_norm(
            x + linear(hidden, tensors, f"{name}.output.dense"), tensors, f"{name}.output.LayerNorm"
        )
    return x


def reference_vector(text: str, tensors: Tensors) -> Matrix:
    tokenizer = Tokenizer.from_file(str(published_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    mean = reference_states(tokenizer.encode(text).ids, tensors).mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_installed_weights_are_the_published_ones() -> None:
    assert sha256_of(published_folder() / "model.safetensors") == WEIGHTS_SHA256


def test_vectors_agree_with_a_float32_forward_pass(model: MiniLM, tensors: Tensors) -> None:
    vectors = model.embed(SENTENCES)
    reference = np.stack([reference_vector(sentence, tensors) for sentence in SENTENCES])
    cosines = (vectors * reference).sum(axis=1)
    assert float(cosines.mean()) >= 0.995
    assert float(cosines.min()) >= 0.99


def test_vectors_have_length_one_and_their_order_is_the_texts(model: MiniLM) -> None:
    together = model.embed(SENTENCES)
    assert together.shape == (len(SENTENCES), DIMENSION)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for sentence, vector in zip(SENTENCES, together, strict=True):
        assert float(model.embed([sentence])[0] @ vector) > 0.99


def test_a_question_lies_nearer_to_its_answer_than_to_anything_else(model: MiniLM) -> None:
    question, *others = model.embed(SENTENCES)
    assert int(np.argmax([question @ other for other in others])) == 0


@pytest.mark.parametrize("text", ["", "   ", "\x01\x02", "🪑🪑", "\u202e"])
def test_text_without_words_still_has_a_vector(model: MiniLM, text: str) -> None:
    assert np.isfinite(model.embed([text])).all()
    assert model.token_states([text], [""])[0].spans.shape[1] == 2


def test_no_texts_give_an_empty_matrix(model: MiniLM) -> None:
    assert model.embed([]).shape == (0, DIMENSION)
    assert model.token_states([], []) == []


def test_token_spans_point_at_the_words(model: MiniLM) -> None:
    text = "Größe: 180 × 90 cm – the “Kōkā” table."
    spans = model.token_states([text], [""])[0].spans
    words = re.sub(r"\s", "", "".join(text[start:end] for start, end in spans))
    assert words == re.sub(r"\s", "", text)


def test_a_preface_colours_the_states_and_has_none_of_its_own(model: MiniLM) -> None:
    text = "It takes 900 seconds at most. " * 40
    (alone,) = model.token_states([text], [""])
    (prefaced,) = model.token_states([text], ["AWS Lambda quotas: " * 30])
    assert prefaced.states.shape == alone.states.shape
    assert (prefaced.spans == alone.spans).all()
    question = model.embed(["AWS Lambda quotas"])[0]
    nearness = [float(states.mean(axis=0) @ question) for states in (prefaced.states, alone.states)]
    assert nearness[0] > nearness[1] + 0.1


def test_long_text_is_stitched_from_windows_in_order(model: MiniLM) -> None:
    text = " ".join(f"Shelf {number} holds {number * 7} books." for number in range(200))
    result = model.token_states([text], [""])[0]
    assert len(result.states) == len(result.spans) > 10 * STATES_WINDOW_TOKENS
    assert np.isfinite(result.states).all()
    assert (np.diff(result.spans[:, 0]) > 0).all()
    head_end = int(np.searchsorted(result.spans[:, 0], 400))
    alone = model.token_states([text[:1000]], [""])[0].states
    similar = (result.states[:head_end] * alone[:head_end]).sum(axis=1)
    similar /= np.linalg.norm(result.states[:head_end], axis=1) * np.linalg.norm(alone[:head_end], axis=1)
    assert float(np.median(similar)) > 0.8


@given(st.integers(0, 20_000), st.sampled_from([WINDOW_TOKENS, STATES_WINDOW_TOKENS]))
@settings(max_examples=200, deadline=None)
def test_windows_cover_every_token_and_overlap(tokens: int, longest: int) -> None:
    windows = windows_of(tokens, longest)
    assert windows[0][0] == 0
    assert windows[-1][1] == tokens
    assert all(end - start <= longest for start, end in windows)
    for (_, end), (start, _) in pairwise(windows):
        assert end - start >= OVERLAP_TOKENS - 1


@given(st.lists(st.integers(2, WINDOW_TOKENS + 2)))
@settings(deadline=None)
def test_batches_hold_every_window_once_within_the_token_budget(lengths: list[int]) -> None:
    batches = batches_of(lengths)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) * max(lengths[index] for index in batch) <= BATCH_TOKENS


def test_a_damaged_cache_is_replaced(tmp_path: Path) -> None:
    binary = converted_folder(tmp_path) / "model.bin"
    whole = binary.read_bytes()
    binary.write_bytes(whole[: len(whole) // 2])
    MiniLM.load(tmp_path)
    assert binary.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_loaders_that_race_end_with_one_whole_model(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        folders = list(pool.map(converted_folder, [tmp_path] * 3))
    assert len(set(folders)) == 1
    assert list(tmp_path.iterdir()) == folders[:1]


def test_other_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the published weights")
    with pytest.raises(WeightsError, match="SHA-256"):
        converted_folder(tmp_path / "cache", source=tmp_path)
    with pytest.raises(WeightsError, match="cannot be read"):
        converted_folder(tmp_path / "cache", source=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("flags", "wide"),
    [
        ("fpu avx2", False),
        ("avx512f avx512cd avx512vl avx512bw avx512dq", False),
        ("avx512f avx512cd avx512vl avx512bw avx512dq avx512_vnni", True),
    ],
)
def test_wide_registers_are_used_where_they_cost_no_speed(flags: str, *, wide: bool, tmp_path: Path) -> None:
    described = tmp_path / "cpuinfo"
    described.write_text(f"processor\t: 0\nflags\t\t: {flags}\n", encoding="utf-8")

    assert has_wide_registers(described) is wide
    assert not has_wide_registers(tmp_path / "nowhere")
