"""Which words decided: exact shares of a text's characters in its class scores.

The scores of the class head are linear in the n-grams; the kind head enters through the
log-sum-exp of each class's kinds. Integrated gradients from the empty text (Sundararajan et al.
2017, "Axiomatic attribution for deep networks") split both exactly: the shares of all n-grams
add up to what the text changed in each score. An n-gram's share falls evenly on its characters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier import ngrams
from classifier.labels import CLASSES
from classifier.scorer import N_CLASSES, Scorer, kind_columns, softmax
from classifier.text import counted_spans

FloatArray = npt.NDArray[np.float64]

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
_MOST_SPANS = 3
_PUNCTUATION = ".,;:!\"'()[]\u201c\u201d"
_KEEP_SHARE = 0.2  # of the strongest token's weight


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the text and what it added to the log-odds of the class it speaks for.

    `weight` is positive: the span raised the score of class `speaks_for` by so much against the
    mean of the three classes.
    """

    start: int
    end: int
    text: str
    weight: float
    speaks_for: str

    def to_dict(self) -> dict[str, object]:
        """The contract's JSON object."""
        return {
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "weight": round(self.weight, 4),
            "for": self.speaks_for,
        }


def contributions(scorer: Scorer, text: str) -> FloatArray:
    """What each character added to each class's score, (n_characters, 3).

    Scores are centred: at each character the three classes' shares sum to 0. Summed over the
    characters they are the centred scores of the text less those of the empty text.
    """
    places = np.array([i for start, end in _with_breaks(counted_spans(text)) for i in range(start, end)])
    kept = "".join("\n" if i < 0 else text[i] for i in places)
    tokens = ngrams.token_spans(kept)
    shares = np.zeros((len(text), N_CLASSES))
    if not tokens:
        return shares
    rows, begins, ends = _occurrences(scorer, [word for word, _ in tokens])
    origin = places[np.concatenate([np.array(at) for _, at in tokens])]  # byte -> character
    columns = scorer.row_values(rows) / np.sqrt(max(scorer.row_squares(rows).sum(), 1e-300))
    weights = columns @ _effective_columns(scorer, columns.sum(axis=0))  # (n_occurrences, 3)
    weights -= weights.mean(axis=1, keepdims=True)
    per_byte = _spread(weights, begins, ends, len(origin))
    np.add.at(shares, origin, per_byte)
    return shares


def _with_breaks(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans with a line break, marked by index -1, between one and the next."""
    return [piece for span in spans for piece in ((-1, 0), span)][1:]


def _occurrences(
    scorer: Scorer, words: list[bytes]
) -> tuple[ngrams.IntArray, ngrams.IntArray, ngrams.IntArray]:
    """Row, first byte and end byte of each n-gram of one text (bytes of its tokens in a row)."""
    lengths = np.array([len(word) for word in words])
    end = np.cumsum(lengths)
    start = end - lengths
    grams = ngrams.word_grams(words)
    h = grams.word_hash
    inner = start[grams.char_word] + grams.char_start - 1  # the pad before the word is no byte
    hashes = [h, ngrams.pair_hash(h[:-1], h[1:]), ngrams.triple_hash(h[:-2], h[1:-1], h[2:])]
    begins = [start, start[:-1], start[:-2]]
    ends = [end, end[1:], end[2:]]
    rows = scorer.rows(np.concatenate([*hashes[: len(words)], grams.char_hash]))
    first = np.concatenate([*begins[: len(words)], np.maximum(inner, start[grams.char_word])])
    last = np.concatenate([*ends[: len(words)], np.minimum(inner + grams.char_size, end[grams.char_word])])
    return rows, first, last


def _effective_columns(scorer: Scorer, total: FloatArray) -> FloatArray:
    """Weight of each column in each class's score along the path from empty text, (n_columns, 3)."""
    class_weight, kind_weight = scorer.arrays.calibration[:2]
    effective = np.zeros((len(total), N_CLASSES))
    effective[range(N_CLASSES), range(N_CLASSES)] = class_weight
    bias = scorer.arrays.bias
    steps = (_NODES + 1) / 2
    for c, columns in kind_columns(scorer.kinds):
        own = slice(N_CLASSES + columns.start, N_CLASSES + columns.stop)
        path = softmax(bias[own] + steps[:, None] * total[own])  # (n_steps, n_own)
        effective[own, c] = kind_weight * (_NODE_WEIGHTS / 2) @ path
    return effective


def _spread(weights: FloatArray, begins: ngrams.IntArray, ends: ngrams.IntArray, n: int) -> FloatArray:
    """Lay each weight evenly over its bytes: (n, 3)."""
    each = weights / np.maximum(ends - begins, 1)[:, None]
    change = np.zeros((n + 1, weights.shape[1]))
    np.add.at(change, begins, each)
    np.add.at(change, ends, -each)
    spread: FloatArray = np.cumsum(change, axis=0)[:-1]
    return spread


def spans_of(text: str, shares: FloatArray, label: str) -> list[Evidence]:
    """The few spans that speak most for class `label`, and the strongest one against it.

    Neighbouring words that speak for the same class make one span.
    """
    words = _words(text)
    if not words:
        return []
    per_word = np.array([shares[start:end].sum(axis=0) for start, end in words])  # (n_words, 3)
    c = CLASSES.index(label)
    rivals = np.delete(np.arange(N_CLASSES), c)
    found = _runs(text, words, per_word, c)[:_MOST_SPANS]
    against = [span for r in rivals for span in _runs(text, words, per_word, int(r))[:1]]
    against.sort(key=lambda span: -span.weight)
    taken = [(span.start, span.end) for span in found]
    found += [s for s in against[:1] if all(s.end <= a or s.start >= b for a, b in taken)]
    return found


def _words(text: str) -> list[tuple[int, int]]:
    """Spans of the white-space separated words of `text`."""
    spans, at = [], 0
    for piece in text.split():
        start = text.index(piece, at)
        at = start + len(piece)
        spans.append((start, at))
    return spans


def _runs(text: str, words: list[tuple[int, int]], per_word: FloatArray, c: int) -> list[Evidence]:
    """Runs of neighbouring words that raise class `c` noticeably, strongest first."""
    weight = per_word[:, c]
    floor = max(weight.max() * _KEEP_SHARE, 1e-6)
    strong = np.concatenate([[False], weight >= floor, [False]])
    edges = np.flatnonzero(strong[1:] != strong[:-1])
    runs = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        start, end = words[first][0], words[last - 1][1]
        piece = text[start:end].strip(_PUNCTUATION)
        if piece:
            start = text.index(piece, start)
            total = float(weight[first:last].sum())
            runs.append(Evidence(start, start + len(piece), piece, total, CLASSES[c]))
    return sorted(runs, key=lambda run: -run.weight)
