"""A small fine-tuned BERT as plain arrays: texts -> scores of classes and kinds, with NumPy.

Only models that were trained with ``--strong`` have one. Its scores are added to those of the
n-grams before calibration (`classifier.scorer.Scorer`). The forward pass is that of Devlin et al.
2019, "BERT: Pre-training of deep bidirectional transformers for language understanding"; a text
is the mean of its tokens, as in Reimers and Gurevych 2019, "Sentence-BERT".
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from classifier.errors import MissingExtra

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

MAX_TOKENS = 128
"""What a text has beyond is read by the n-grams alone; segments are read on their own."""
STEP = ".step"
"""A matrix may be stored as int8; the array of its name with this ending (n_rows,) holds what each
row is to be multiplied by."""
_BATCH_TOKENS = 2_048
_EPSILON = 1e-12


class Encoder:
    """Scores batches of texts.

    Parameters
    ----------
    arrays : mapping of str to array
        What `encoder.npz` holds: the BERT's parameters by their usual names
        (``encoder.layer.0.output.dense.weight``), ``scores.weight`` (n_columns, width) with
        ``scores.bias`` (n_columns,), ``n_heads`` (), and ``tokenizer`` (n_bytes,): the JSON that the
        package tokenizers writes. Matrices may be int8 with a step a row (`packed`).

    Raises
    ------
    MissingExtra
        If the package tokenizers is not installed.
    KeyError, ValueError
        If a parameter is missing, or if they do not fit one another.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        own = dict(arrays)
        self._tokenizer = read_tokenizer(own.pop("tokenizer").tobytes())
        n_heads = int(own.pop("n_heads"))
        own = _unpacked(own)
        self._embeddings = own["embeddings.word_embeddings.weight"]
        self._places = own["embeddings.position_embeddings.weight"][:MAX_TOKENS]
        self._places = self._places + own["embeddings.token_type_embeddings.weight"][0]
        self._norm = own["embeddings.LayerNorm.weight"], own["embeddings.LayerNorm.bias"]
        n_layers = 1 + max(int(name.split(".")[2]) for name in own if name.startswith("encoder.layer."))
        self._layers = [_Layer(own, f"encoder.layer.{number}.", n_heads) for number in range(n_layers)]
        self._scores = own["scores.weight"].T.copy(), own["scores.bias"]
        self.scores([""])  # so that arrays that do not fit fail here

    @property
    def n_columns(self) -> int:
        """How many scores a text gets: the classes, then the kinds."""
        return len(self._scores[1])

    def scores(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Scores of the classes and kinds, (n_texts, n_columns)."""
        tokens = [each.ids for each in self._tokenizer.encode_batch(list(texts))]
        length = np.array([len(own) for own in tokens])
        found = np.zeros((len(texts), self.n_columns))
        order = np.argsort(length, kind="stable")
        while len(order):
            rows = order[: max(1, _BATCH_TOKENS // int(length[order[0]]))]
            rows = rows[: max(1, _BATCH_TOKENS // int(length[rows[-1]]))]
            order = order[len(rows) :]
            ids = np.zeros((len(rows), int(length[rows[-1]])), np.int64)
            for own, row in zip(ids, rows.tolist(), strict=True):
                own[: length[row]] = tokens[row]
            found[rows] = self._batch(ids, length[rows])
        return found

    def _batch(self, ids: IntArray, length: IntArray) -> Float32Array:
        """Scores of texts of `length` tokens, padded to the same number, (n, n_columns)."""
        real = np.arange(ids.shape[1]) < length[:, None]
        states = (self._embeddings[ids] + self._places[: ids.shape[1]]).reshape(ids.size, -1)
        states = _normalised(states, *self._norm)
        hidden = np.where(real, np.float32(0), np.float32(-1e9))[:, None, None, :]
        for layer in self._layers:
            states = layer(states, hidden)
        states = states.reshape(*ids.shape, -1) * real[:, :, None]
        mean = states.sum(axis=1) / length[:, None].astype(np.float32)
        weight, bias = self._scores
        result: Float32Array = mean @ weight + bias
        return result


class _Layer:
    """Self-attention, then two dense layers, each with a residual and a norm."""

    def __init__(self, tensors: Mapping[str, Float32Array], prefix: str, n_heads: int) -> None:
        def dense(name: str) -> tuple[Float32Array, Float32Array]:
            return tensors[f"{prefix}{name}.weight"].T.copy(), tensors[f"{prefix}{name}.bias"]

        def norm(name: str) -> tuple[Float32Array, Float32Array]:
            return tensors[f"{prefix}{name}.weight"], tensors[f"{prefix}{name}.bias"]

        self.n_heads = n_heads
        parts = [dense(f"attention.self.{name}") for name in ("query", "key", "value")]
        self.ask = np.concatenate([w for w, _ in parts], axis=1), np.concatenate([b for _, b in parts])
        self.attended = dense("attention.output.dense")
        self.attended_norm = norm("attention.output.LayerNorm")
        self.wide = dense("intermediate.dense")
        self.narrow = dense("output.dense")
        self.narrow_norm = norm("output.LayerNorm")

    def __call__(self, states: Float32Array, hidden: Float32Array) -> Float32Array:
        """The next states, (n * n_tokens, width); `hidden` (n, 1, 1, n_tokens) is added to the scores of
        tokens that are none."""
        n, n_tokens = len(hidden), hidden.shape[-1]
        parts = (states @ self.ask[0] + self.ask[1]).reshape(n, n_tokens, 3, self.n_heads, -1)
        query, key, value = np.ascontiguousarray(parts.transpose(2, 0, 3, 1, 4))
        scores = query @ key.transpose(0, 1, 3, 2)
        scores *= np.float32(1 / np.sqrt(query.shape[-1]))
        scores += hidden
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        seen = (scores @ value).transpose(0, 2, 1, 3).reshape(states.shape)
        states = _normalised(states + seen @ self.attended[0] + self.attended[1], *self.attended_norm)
        wide = _gelu(states @ self.wide[0] + self.wide[1])
        return _normalised(states + wide @ self.narrow[0] + self.narrow[1], *self.narrow_norm)


def _normalised(states: Float32Array, weight: Float32Array, bias: Float32Array) -> Float32Array:
    centred = states - states.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(_EPSILON))
    result: Float32Array = centred / spread * weight + bias
    return result


def _gelu(states: Float32Array) -> Float32Array:
    """By a tangent (Hendrycks and Gimpel 2016, "Gaussian error linear units"): NumPy computes that a
    hundred times as fast as the error function. The encoder is fine-tuned with it."""
    inner = np.float32(np.sqrt(2 / np.pi)) * (states + np.float32(0.044715) * states * states * states)
    result: Float32Array = np.float32(0.5) * states * (1 + np.tanh(inner))
    return result


def packed(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """The same arrays with every matrix as int8 and a step a row: a quarter of the size."""
    small: dict[str, npt.NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.ndim < 2:
            small[name] = array
            continue
        step = np.maximum(np.abs(array).max(axis=1), _EPSILON) / 127
        small[name] = np.rint(array / step[:, None]).astype(np.int8)
        small[name + STEP] = step.astype(np.float32)
    return small


def _unpacked(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Float32Array]:
    """What `packed` was given, nearly."""
    whole: dict[str, Float32Array] = {}
    for name, array in arrays.items():
        if name.endswith(STEP):
            continue
        whole[name] = np.asarray(array, np.float32)
        if name + STEP in arrays:
            whole[name] *= arrays[name + STEP][:, None]
    return whole


def read_tokenizer(content: bytes) -> Tokenizer:
    """A tokenizer from the JSON that the package tokenizers writes, cutting off what is too long.

    Raises
    ------
    MissingExtra
        If that package is not installed.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("this model reads with an encoder, which", "strong") from error
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # it warns in every process forked off
    tokenizer = Tokenizer.from_str(content.decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer
