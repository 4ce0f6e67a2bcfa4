"""Which words decided: exact shares of a text's words in its class scores, a batch at once.

The scores of the class head are linear in the n-grams; the kind head enters through the
log-sum-exp of each class's kinds. Integrated gradients from the empty text (Sundararajan et al.
2017, "Axiomatic attribution for deep networks") split both exactly: the shares of all words add
up to what the text changed in each score. A pair of words falls evenly on both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier import ngrams
from classifier.labels import CLASSES
from classifier.scorer import N_CLASSES, Scorer, kind_columns, softmax
from classifier.text import counted_spans

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
_WORD = re.compile(r"[^ \t\n\r\x0b\x0c]+")
_PUNCTUATION = ".,;:!\"'()[]\u201c\u201d"
_MOST_SPANS = 3
_KEEP_SHARE = 0.2  # of the strongest word's share


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the text and what it added to the score of the class it speaks for.

    `weight` is positive: by so much the span raised that class's score over the mean of the three
    classes' (scores are log-probabilities up to a constant, of the whole before its segments are weighed).
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


@dataclass(frozen=True, slots=True)
class WordShares:
    """Words of a batch and their shares in the class scores.

    words : (n_words,) pieces of the texts between white space, those that count.
    document : (n_words,) the text each word stands in, ascending.
    shares : (n_words, 3), centred: the three classes' shares of a word sum to 0. Summed over a
        text's words they are its centred scores less those of the empty text.
    """

    words: list[str]
    document: ngrams.IntArray
    shares: Float32Array


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of neighbouring words that speak for a class, all (n_runs,), text by text, the
    strongest first.

    document : the text of each; first, last : its first and last word; weight : what it added.
    """

    document: ngrams.IntArray
    first: ngrams.IntArray
    last: ngrams.IntArray
    weight: FloatArray


def word_shares(scorer: Scorer, texts: Sequence[str], logits: FloatArray) -> WordShares:
    """What each word of each text added to each class's score; `logits` are the scorer's."""
    split = [_words(text) for text in texts]
    words = [word for own in split for word in own]
    document = np.repeat(np.arange(len(texts)), np.fromiter(map(len, split), np.int64, len(split)))
    occurrences = scorer.occurrences(words, document, len(texts))
    weights = _column_weights(scorer, logits) / occurrences.norm[:, None]
    of_class = _class_of_columns(scorer)
    per_token = np.zeros((len(occurrences.word), N_CLASSES), np.float32)
    for offsets, token, values in occurrences.runs:
        where = document[occurrences.word[token]]
        share = (values * weights[where]) @ (of_class / len(offsets))
        for offset in offsets:
            per_token[token + offset] += share
    shares = np.zeros((len(words), N_CLASSES), np.float32)
    if len(per_token):
        first = np.flatnonzero(np.diff(occurrences.word, prepend=-1))
        shares[occurrences.word[first]] = np.add.reduceat(per_token, first)
    return WordShares(words, document, shares - shares.mean(axis=1, keepdims=True))


def _words(text: str) -> list[str]:
    """The words of a text that count."""
    if "\n" not in text and ":" not in text:
        return _WORD.findall(text)
    return [word for start, end in counted_spans(text) for word in _WORD.findall(text, start, end)]


def _column_weights(scorer: Scorer, logits: FloatArray) -> Float32Array:
    """How much each column counts in its class's score on the way from the empty text: (n, n_columns)."""
    class_weight, kind_weight = scorer.arrays.calibration[:2]
    bias = scorer.arrays.bias.astype(np.float32)
    change = logits.astype(np.float32) - bias
    places, shares = ((_NODES + 1) / 2).astype(np.float32), (_NODE_WEIGHTS / 2).astype(np.float32)
    weights = np.zeros(logits.shape, np.float32)
    weights[:, :N_CLASSES] = class_weight
    for _, columns in kind_columns(scorer.kinds):
        own = slice(N_CLASSES + columns.start, N_CLASSES + columns.stop)
        along = bias[own] + places[:, None, None] * change[:, own]  # (n_places, n, n_kinds)
        probabilities = softmax(along.reshape(-1, along.shape[2])).reshape(along.shape)
        weights[:, own] = kind_weight * (shares[:, None, None] * probabilities).sum(axis=0)
    return weights


def _class_of_columns(scorer: Scorer) -> Float32Array:
    """Which columns speak for which class: (n_columns, 3) of 0 and 1, flags for none."""
    of_class = np.zeros((len(scorer.arrays.scale), N_CLASSES), np.float32)
    of_class[range(N_CLASSES), range(N_CLASSES)] = 1
    for c, own in kind_columns(scorer.kinds):
        of_class[N_CLASSES + own.start : N_CLASSES + own.stop, c] = 1
    return of_class


def strongest_runs(shares: WordShares, classes: ngrams.IntArray, n_documents: int) -> Runs:
    """For each text the few runs of words that speak most for its class.

    `classes` (n_documents,) are places in `labels.CLASSES`.
    """
    document = shares.document
    weight = shares.shares[np.arange(len(document)), classes[document]].astype(np.float64)
    strongest = np.zeros(n_documents)
    np.maximum.at(strongest, document, weight)
    strong = weight >= np.maximum(strongest * _KEEP_SHARE, 1e-6)[document]
    joins = strong[:-1] & (document[1:] == document[:-1])  # with the word before
    begins = strong & ~np.concatenate([[False], joins])[: len(strong)]
    place, first = np.flatnonzero(strong), np.flatnonzero(begins)
    run = np.cumsum(begins)[place] - 1  # number of the run that each strong word belongs to
    total: FloatArray = np.bincount(run, weight[place], minlength=len(first)).astype(np.float64)
    order = np.lexsort((-total, document[first]))
    owner = document[first[order]]
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    kept = order[rank < _MOST_SPANS]
    last = first + np.bincount(run, minlength=len(first)) - 1
    return Runs(document[first[kept]], first[kept], last[kept], total[kept])


def run_texts(shares: WordShares, runs: Runs, n_documents: int) -> list[list[str]]:
    """For each text the words of its runs."""
    found: list[list[str]] = [[] for _ in range(n_documents)]
    words = shares.words
    for d, first, last in zip(runs.document.tolist(), runs.first.tolist(), runs.last.tolist(), strict=True):
        piece = " ".join(words[first : last + 1])
        found[d].append(piece.strip(_PUNCTUATION) or piece)
    return found


def evidence_for(texts: Sequence[str], shares: WordShares, classes: ngrams.IntArray) -> list[list[Evidence]]:
    """For each text the few spans that speak most for its class, strongest first."""
    found: list[list[Evidence]] = [[] for _ in texts]
    spans = [
        word.span()
        for text in texts
        for start, end in counted_spans(text)
        for word in _WORD.finditer(text, start, end)
    ]
    runs = strongest_runs(shares, classes, len(texts))
    for d, first, last, weight in zip(runs.document, runs.first, runs.last, runs.weight, strict=True):
        start, end = spans[first][0], spans[last][1]
        piece = texts[d][start:end].strip(_PUNCTUATION) or texts[d][start:end]
        start = texts[d].index(piece, start)
        found[d].append(Evidence(start, start + len(piece), piece, float(weight), CLASSES[classes[d]]))
    return found


def evidence_against(
    texts: Sequence[str], shares: WordShares, classes: ngrams.IntArray
) -> list[Evidence | None]:
    """For each text the strongest span that speaks for another class than its own."""
    rivals = [evidence_for(texts, shares, (classes + step) % N_CLASSES) for step in (1, 2)]
    strongest = []
    for first, second in zip(*rivals, strict=True):
        both = first[:1] + second[:1]
        strongest.append(max(both, key=lambda span: span.weight, default=None))
    return strongest
