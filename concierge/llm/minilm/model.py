"""Tokenise, window, encode on two single-thread workers, pool."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock, get_native_id
from typing import Any, Self

import ctranslate2
import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from concierge.llm.minilm.weights import COMPUTE_TYPE, converted_folder, published_folder

DIMENSION = 384
WINDOW_TOKENS = 254  # 256 with [CLS] and [SEP]: the length the model was trained for.
# Token states come from shorter windows: in long ones they are less about what stands there. On SQuAD articles the chunk
# that answers comes first for 51 % of the questions with states of 254 tokens at a time, for 59 % with these.
STATES_WINDOW_TOKENS = 94
OVERLAP_TOKENS = 16
PREFACE_TOKENS = 20
BATCH_TOKENS = 512  # Larger batches fall out of the processor's cache and run at half the speed.
WORKERS = 2
BACKGROUND_NICENESS = 15
CLS, SEP = 101, 102
AVX512 = ("avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq")  # What CTranslate2 needs of it.

FloatArray = NDArray[np.float32]
Window = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TokenStates:
    """The contextual states of one text's tokens, special tokens removed."""

    states: FloatArray  # (tokens, 384)
    spans: NDArray[np.int32]  # (tokens, 2) character offsets into the text


class MiniLM:
    """The loaded model. Every method blocks, releases the GIL while it computes, and may be called from many threads."""

    def __init__(self, encoder: Any, background: Callable[[], Any], tokenizer: Tokenizer) -> None:
        self._encoder = encoder
        self._background = background
        self._tokenizer = tokenizer
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="minilm")

    @classmethod
    def load(cls, cache_dir: Path) -> Self:
        """Load the model, converting it into `cache_dir` on first use. Raises WeightsError when the weights are wrong."""
        load = partial(_encoder, converted_folder(cache_dir))
        tokenizer = Tokenizer.from_file(str(published_folder() / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return cls(load(), _Once(partial(_in_background, load)), tokenizer)

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """One unit vector per text, shape (n, 384): the mean over all tokens, [CLS] and [SEP] included, as in training."""
        encodings = self._tokenize(texts)
        owners: list[int] = []
        windows: list[list[int]] = []
        for owner, encoding in enumerate(encodings):
            ids = encoding.ids
            for start, end in windows_of(len(ids), WINDOW_TOKENS):
                owners.append(owner)
                windows.append([CLS, *ids[start:end], SEP])
        sums = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for owner, states in zip(owners, self._encode(windows, self._encoder), strict=True):
            sums[owner] += states.sum(axis=0)
        return unit_rows(sums)

    def token_states(self, texts: Sequence[str], prefaces: Sequence[str]) -> list[TokenStates]:
        """The states of every token of every text; long texts go through in overlapping windows, stitched mid-overlap.

        The preface of a text is read before each of its windows, as far as PREFACE_TOKENS reach, and has no states.
        """
        encodings = self._tokenize(texts)
        before = [encoding.ids[:PREFACE_TOKENS] for encoding in self._tokenize(prefaces)]
        plans = [windows_of(len(encoding.ids), STATES_WINDOW_TOKENS) for encoding in encodings]
        windows = [
            [CLS, *preface, *encoding.ids[start:end], SEP]
            for encoding, preface, plan in zip(encodings, before, plans, strict=True)
            for start, end in plan
        ]
        encoded = iter(self._encode(windows, self._background()))
        return [
            TokenStates(
                _stitch(plan, len(preface), encoded),
                np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2),
            )
            for encoding, preface, plan in zip(encodings, before, plans, strict=True)
        ]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(encoding.ids) for encoding in self._tokenize(texts)]

    def _tokenize(self, texts: Sequence[str]) -> list[Encoding]:
        if len(texts) == 1:
            return [self._tokenizer.encode(texts[0], add_special_tokens=False)]
        return self._tokenizer.encode_batch(list(texts), add_special_tokens=False)

    def _encode(self, windows: list[list[int]], encoder: Any) -> list[FloatArray]:
        """The states of each window (special tokens included), in the order given."""
        batches = batches_of([len(window) for window in windows])
        inputs = [[windows[index] for index in batch] for batch in batches]
        forward = partial(_forward, encoder)
        outputs = map(forward, inputs) if len(inputs) == 1 else self._pool.map(forward, inputs)
        states: list[FloatArray] = [np.empty((0, DIMENSION), dtype=np.float32)] * len(windows)
        for batch, output in zip(batches, outputs, strict=True):
            for row, index in enumerate(batch):
                states[index] = output[row, : len(windows[index])]
        return states


class _Once:
    """Makes a value when it is first asked for, in whichever thread that is."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: Any = None

    def __call__(self) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


def _encoder(folder: Path) -> Any:
    if has_wide_registers():
        os.environ.setdefault(
            "CT2_FORCE_CPU_ISA", "AVX512"
        )  # CTranslate2 reads it when its first model is loaded.
    return ctranslate2.Encoder(str(folder), compute_type=COMPUTE_TYPE, inter_threads=WORKERS, intra_threads=1)


def has_wide_registers(described_in: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor has AVX-512 without the lower clock its first processors paid for it with.

    CTranslate2 uses AVX2 unless it is told; with AVX-512 it reads a quarter to a third more tokens in a second.
    """
    try:
        described = described_in.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    flags = next((line.split() for line in described.splitlines() if line.startswith("flags")), [])
    return {*AVX512, "avx512_vnni"} <= set(flags)


def _in_background(load: Callable[[], Any]) -> Any:
    """Load a second encoder whose threads yield the processor to everything else, above all to a visitor's question."""
    with ThreadPoolExecutor(1, initializer=_yield_processor) as pool:
        return pool.submit(load).result()


def _yield_processor() -> None:
    """Lower the priority of this thread; those it starts inherit it. Only Linux keeps a priority per thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), BACKGROUND_NICENESS)


def _forward(encoder: Any, batch: list[list[int]]) -> FloatArray:
    return np.array(encoder.forward_batch(batch).last_hidden_state, dtype=np.float32)


def windows_of(tokens: int, longest: int) -> list[Window]:
    """Cut `tokens` into windows of equal length, at most `longest`, neighbours sharing OVERLAP_TOKENS."""
    if tokens <= longest:
        return [(0, tokens)]
    count = -(-(tokens - OVERLAP_TOKENS) // (longest - OVERLAP_TOKENS))
    length = -(-(tokens + (count - 1) * OVERLAP_TOKENS) // count)
    starts = [number * (tokens - length) // (count - 1) for number in range(count)]
    return [(start, start + length) for start in starts]


def batches_of(lengths: Sequence[int]) -> list[list[int]]:
    """Group indices of windows of like length, longest first; a batch, padded, has at most BATCH_TOKENS tokens."""
    batches: list[list[int]] = []
    room = 0
    for index in sorted(range(len(lengths)), key=lambda index: lengths[index], reverse=True):
        if room == 0:
            batches.append([])
            room = max(1, BATCH_TOKENS // lengths[index])
        batches[-1].append(index)
        room -= 1
    return batches


def unit_rows(matrix: FloatArray) -> FloatArray:
    """Scale each row to length 1; a row of zeros stays."""
    norms = np.linalg.norm(matrix, axis=-1, keepdims=True)
    return (matrix / np.where(norms > 0, norms, 1)).astype(np.float32)


def _stitch(plan: Sequence[Window], preface: int, encoded: Iterable[FloatArray]) -> FloatArray:
    """Join one text's windows: where two overlap, each token takes the window in which it stands further from the edge.

    `preface` tokens at the head of each window are left out, as are [CLS] and [SEP].
    """
    states = np.empty((plan[-1][1], DIMENSION), dtype=np.float32)
    begin = 0
    for number, (start, end) in enumerate(plan):
        last = number + 1 == len(plan)
        until = end if last else (plan[number + 1][0] + end) // 2
        window = next(iter(encoded))[1 + preface : -1]
        states[begin:until] = window[begin - start : until - start]
        begin = until
    return states
