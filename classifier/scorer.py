"""A trained model as plain arrays: texts -> probabilities and evidence, with NumPy alone.

`Scorer` holds what `classifier.training` learned: the hashes of the kept n-grams, their idf and
their weights for every class and kind. It gives the same probabilities as the scikit-learn
pipeline it was exported from, reads no pickle, and imports neither scikit-learn nor pandas. The
scores of a fine-tuned encoder (`classifier.encoder`) are added to its own where a model has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from classifier import ngrams
from classifier.errors import ModelError
from classifier.labels import CLASS_OF, CLASSES, OTHER
from classifier.text import counted

if TYPE_CHECKING:
    from classifier.encoder import Encoder

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
AnyFloats = TypeVar("AnyFloats", FloatArray, Float32Array)

N_CLASSES = len(CLASSES)
SLOT_BITS = 22
_SLOT_SHIFT = np.uint32(32 - SLOT_BITS)
_SMALL_BATCH = 20_000  # look-ups; below this, searching beats building the slot table
_CHUNK = 4_096  # texts scored together, so that the work stays in the processor's cache
_MAX_REMEMBERED_WORDS = 200_000


def slots(hashes: ngrams.UIntArray) -> ngrams.UIntArray:
    """Slot of each hash in the look-up table; the kept n-grams of a model have distinct slots."""
    return hashes >> _SLOT_SHIFT


@dataclass(frozen=True, slots=True)
class Arrays:
    """What `scorer.npz` holds.

    Columns of `weights` are the three classes, then the kinds of `kinds`, then `flags`.

    keys : (n_grams,) uint32, sorted hashes of the kept n-grams.
    idf : (n_grams,) float64.
    weights : (n_grams, n_columns) int8; times `scale` they are the pipeline's coefficients.
    scale, bias : (n_columns,) float64.
    kinds : (n_kinds,) names of the kinds, class by class.
    flags : (n_flags,) names of the flags; a text has one where its score is above 0.
    calibration : (6,) float64: weights of the class head, of the kind head and of the kinds
        within a class, then one bias a class.
    views : (38, 3) float64: how the views of a text of several segments are weighed (`classifier.views`).
    """

    keys: ngrams.UIntArray
    idf: FloatArray
    weights: npt.NDArray[np.int8]
    scale: FloatArray
    bias: FloatArray
    kinds: npt.NDArray[np.str_]
    flags: npt.NDArray[np.str_]
    calibration: FloatArray
    views: FloatArray


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Probabilities of a batch.

    classes : (n_texts, 3), rows sum to 1, in the order of `labels.CLASSES`.
    kinds : (n_texts, n_kinds), the probability of each kind within its class.
    flags : (n_texts, n_flags), whether each flag was found.
    """

    classes: FloatArray
    kinds: FloatArray
    flags: npt.NDArray[np.bool_]

    def take(self, rows: ngrams.IntArray) -> Probabilities:
        """The given rows."""
        return Probabilities(self.classes[rows], self.kinds[rows], self.flags[rows])

    def best_kinds(self, names: Sequence[str]) -> npt.NDArray[np.object_]:
        """The most probable kind, of the kinds `names`, within each text's best class, (n_texts,)."""
        best = np.full(len(self.classes), OTHER, dtype=object)
        own_class = self.classes.argmax(axis=1)
        for c, columns in kind_columns(names):
            rows = np.flatnonzero(own_class == c)
            choice = self.kinds[rows, columns].argmax(axis=1)
            best[rows] = np.asarray(names, dtype=object)[columns][choice]
        return best


@dataclass(frozen=True, slots=True)
class Occurrences:
    """N-grams of a batch of texts, token by token.

    word : (n_tokens,) the word each token is (part of).
    runs : for lone tokens and for the kept pairs of each gap of `ngrams.GAPS`: the offsets of their
        tokens, the first token of each (n,), and their weights times idf in the units of the scores
        (n, n_columns); a lone token's include its characters'.
    norm : (n_documents,) what the sums of each text are divided by.
    """

    word: ngrams.IntArray
    runs: list[tuple[tuple[int, ...], ngrams.IntArray, Float32Array]]
    norm: FloatArray


def softmax(scores: AnyFloats) -> AnyFloats:
    """Row-wise softmax, worked out column by column: NumPy is slow along short rows.

    The columns are added one after another, so that a row comes out the same in any batch.
    """
    columns = np.ascontiguousarray(scores.T)
    columns = np.exp(columns - columns.max(axis=0))
    result: AnyFloats = (columns / sum(columns)).T
    return result


def kind_columns(kinds: Sequence[str]) -> tuple[tuple[int, slice], ...]:
    """For each class that has kinds: its index and the slice of `kinds` that is its own."""
    return _kind_columns(tuple(kinds))


@cache
def _kind_columns(kinds: tuple[str, ...]) -> tuple[tuple[int, slice], ...]:
    of_class = [CLASSES.index(CLASS_OF[kind]) for kind in kinds]
    if of_class != sorted(of_class):
        raise ModelError("kinds are not in the order of their classes")
    return tuple(
        (c, slice(of_class.index(c), of_class.index(c) + of_class.count(c))) for c in sorted(set(of_class))
    )


def class_features(logits: FloatArray, kinds: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Log-probabilities of the classes by the class head and by the kind head, both (n, 3)."""
    by_class = np.log(softmax(logits[:, :N_CLASSES]))
    if not len(kinds):
        return by_class, np.zeros_like(by_class)
    by_kind = softmax(logits[:, N_CLASSES : N_CLASSES + len(kinds)])
    summed = np.full_like(by_class, 1e-12)
    for c, columns in kind_columns(kinds):
        summed[:, c] += sum(by_kind.T[columns])
    return by_class, np.log(summed)


def calibrated(logits: FloatArray, kinds: Sequence[str], calibration: FloatArray) -> Probabilities:
    """Turn the columns' scores (n, n_columns) into probabilities.

    The two heads' log-probabilities are mixed with learned weights and a bias a class: vector
    scaling (Guo et al. 2017, "On calibration of modern neural networks") over two predictors.
    """
    class_weight, kind_weight, sharpness = calibration[:3]
    by_class, by_kind = class_features(logits, kinds)
    classes = softmax(class_weight * by_class + kind_weight * by_kind + calibration[3:])
    within = np.zeros((len(logits), len(kinds)))
    for _, columns in kind_columns(kinds):
        within[:, columns] = softmax(sharpness * logits[:, N_CLASSES:][:, columns])
    return Probabilities(classes, within, logits[:, N_CLASSES + len(kinds) :] > 0)


class Scorer:
    """Scores batches of texts from `Arrays`; one instance remembers the words it has met."""

    def __init__(self, arrays: Arrays, encoder: Encoder | None = None) -> None:
        self.arrays = arrays
        self.encoder = encoder
        self.kinds: tuple[str, ...] = tuple(str(kind) for kind in arrays.kinds)
        self.flags: tuple[str, ...] = tuple(str(flag) for flag in arrays.flags)
        unknown = np.zeros((1, len(arrays.scale)), np.float32)
        weighted = arrays.weights * arrays.idf[:, None].astype(np.float32)
        self._values: Float32Array = np.ascontiguousarray(np.concatenate([weighted, unknown]))
        self._squares: FloatArray = np.append(arrays.idf**2, 0.0)
        self._slot_table: npt.NDArray[np.int32] | None = None
        self._lock = Lock()
        self._words = _RememberedWords(len(arrays.scale))

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Calibrated probabilities of each text, quoted mail and signatures left out."""
        return self.calibrated(self.logits(texts))

    def calibrated(self, logits: FloatArray) -> Probabilities:
        """Calibrated probabilities from `logits`."""
        return calibrated(logits, self.kinds, self.arrays.calibration)

    def logits(self, texts: Sequence[str]) -> FloatArray:
        """Scores of the classes and kinds before calibration, (n_texts, n_columns)."""
        texts = [counted(text) for text in texts]
        with self._lock:
            parts = [self._chunk(texts[at : at + _CHUNK]) for at in range(0, len(texts), _CHUNK)]
        logits = np.concatenate([np.empty((0, len(self.arrays.scale))), *parts])
        if self.encoder is not None:
            logits[:, : self.encoder.n_columns] += self.encoder.scores(texts)
        return logits

    def _chunk(self, texts: Sequence[str]) -> FloatArray:
        tokens = ngrams.tokenize(texts, self._words.table)
        self._learn(self._words.table.take_fresh())
        sums, squares = self._sum_by_document(tokens)
        if len(self._words.table) > _MAX_REMEMBERED_WORDS:
            self._words = _RememberedWords(len(self.arrays.scale))
        norm = np.sqrt(np.maximum(squares, 1e-300))
        result: FloatArray = sums / norm[:, None] * self.arrays.scale + self.arrays.bias
        return result

    def _sum_by_document(self, tokens: ngrams.Tokens) -> tuple[FloatArray, FloatArray]:
        """Unscaled weight sums (n_documents, n_columns) and squared norms (n_documents,).

        Walks over the place in the text, not over the texts: with the longest text first, the
        texts that have a j-th token are a prefix, and their rows are added in one operation.
        """
        lengths = np.bincount(tokens.document, minlength=tokens.n_documents)
        order = np.argsort(-lengths, kind="stable")
        first = (np.cumsum(lengths) - lengths)[order]
        remaining = lengths[order]
        words = tokens.words
        of_pairs = list(zip(ngrams.GAPS, self._rows_of_pairs(words), strict=True))
        sums = np.zeros((tokens.n_documents, len(self.arrays.scale)), np.float32)
        squares = np.zeros(tokens.n_documents)
        for place in range(int(remaining[0]) if len(remaining) else 0):
            alive = np.searchsorted(-remaining, -place)  # texts with more than `place` tokens
            at = first[:alive] + place
            number = words[at]
            sums[:alive] += self._words.sums.take(number, axis=0)
            squares[:alive] += self._words.squares[number]
            for gap, rows in of_pairs:
                alive = np.searchsorted(-remaining, -(place + gap))
                row = rows[at[:alive]]
                sums[:alive] += self._values.take(row, axis=0)
                squares[:alive] += self._squares[row]
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return sums[back].astype(np.float64), squares[back]

    def _rows_of_pairs(self, words: ngrams.IntArray) -> list[ngrams.IntArray]:
        """For each gap the rows of the pairs that begin at each token (texts run together)."""
        hashes = self._words.hashes[words]
        return [self._rows(ngrams.pair_hash(hashes, gap)) for gap in ngrams.GAPS]

    def _rows(self, hashes: ngrams.UIntArray) -> ngrams.IntArray:
        """Row of each hash in `weights`; the row after the last, all zero, if it isn't kept."""
        keys = self.arrays.keys
        row: npt.NDArray[np.int32] | ngrams.IntArray
        if len(hashes) < _SMALL_BATCH and self._slot_table is None:
            row = np.searchsorted(keys, hashes)
        else:
            if self._slot_table is None:
                self._slot_table = np.zeros(1 << SLOT_BITS, np.int32)
                self._slot_table[slots(keys)] = np.arange(len(keys))
            row = self._slot_table[slots(hashes)]
        known = keys.take(row, mode="clip") == hashes if len(keys) else np.zeros(len(row), bool)
        return np.where(known, row, len(keys))

    def occurrences(self, words: Sequence[str], document: ngrams.IntArray, n_documents: int) -> Occurrences:
        """The kept n-grams of texts that are given word by word, for `classifier.evidence`.

        `document` (n_words,), ascending, tells the text of each word.
        """
        with self._lock:
            tokens = ngrams.tokenize(words, self._words.table)
            self._learn(self._words.table.take_fresh())
            numbers = tokens.words
            own = self._words.sums.take(numbers, axis=0)
            squares = self._words.squares[numbers]
            rows_of_pairs = self._rows_of_pairs(numbers)
        of_token = document[tokens.document] if len(document) else tokens.document
        norm_squares = np.bincount(of_token, squares, minlength=n_documents)
        scale = self.arrays.scale.astype(np.float32)
        runs: list[tuple[tuple[int, ...], ngrams.IntArray, Float32Array]]
        runs = [((0,), np.arange(len(numbers)), own * scale)]
        for gap, rows in zip(ngrams.GAPS, rows_of_pairs, strict=True):
            token = ngrams.pairs(of_token, gap)
            token = token[rows[token] < len(self.arrays.keys)]
            row = rows[token]
            norm_squares += np.bincount(of_token[token], self._squares[row], minlength=n_documents)
            runs.append(((0, gap), token, self._values.take(row, axis=0) * scale))
        return Occurrences(tokens.document, runs, np.sqrt(np.maximum(norm_squares, 1e-300)))

    def _learn(self, fresh: list[bytes]) -> None:
        """Work out the sums of new words once: the word's own weights and its n-grams'."""
        if not fresh:
            return
        grams = ngrams.word_grams(fresh)
        by_word = np.argsort(grams.char_word, kind="stable")
        rows = self._rows(grams.char_hash[by_word])
        first = np.searchsorted(grams.char_word[by_word], np.arange(len(fresh)))
        own = self._rows(grams.word_hash)
        self._words.add(
            np.add.reduceat(self._values.take(rows, axis=0), first) + self._values.take(own, axis=0),
            np.add.reduceat(self._squares[rows], first) + self._squares[own],
            grams.word_hash,
        )


class _RememberedWords:
    """Words met so far: their numbers, hashes, weight sums and squared norms.

    The arrays are longer than the table, so that they are rarely made anew; number 0 is the
    separator.
    """

    def __init__(self, n_columns: int) -> None:
        self.table = ngrams.WordTable()
        self.sums: Float32Array = np.zeros((1024, n_columns), np.float32)
        self.squares: FloatArray = np.zeros(1024)
        self.hashes: ngrams.UIntArray = np.zeros(1024, np.uint32)

    def add(self, sums: Float32Array, squares: FloatArray, hashes: ngrams.UIntArray) -> None:
        """Fill in the words that were numbered last."""
        n_words = len(self.table)
        if n_words > len(self.hashes):
            more = max(len(self.hashes), n_words - len(self.hashes))
            self.sums = np.pad(self.sums, ((0, more), (0, 0)))
            self.squares = np.pad(self.squares, (0, more))
            self.hashes = np.pad(self.hashes, (0, more))
        new = slice(n_words - len(hashes), n_words)
        self.sums[new], self.squares[new], self.hashes[new] = sums, squares, hashes
