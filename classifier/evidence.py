"""Which words decided: exact shares of a text's words in its class scores, a batch at once.

The scores of the class head are linear in the n-grams; the kind head enters through the
log-sum-exp of each class's kinds. Integrated gradients from the empty text (Sundararajan et al.
2017, "Axiomatic attribution for deep networks") split both exactly: the shares of all words add
up to what the text changed in each score. An n-gram of several words falls evenly on them.
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
from classifier.text import Span, counted_spans

FloatArray = npt.NDArray[np.float64]

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
_WORD = re.compile(r"[^ \t\n\r\x0b\x0c]+")
_PUNCTUATION = ".,;:!\"'()[]\u201c\u201d"
_MOST_SPANS = 3
_KEEP_SHARE = 0.2  # of the strongest word's share


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the text and what it added to the score of the class it speaks for.

    `weight` is positive: by so much the span raised that class's score over the mean of the three
    classes' (scores are log-probabilities up to a constant).
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

    spans : (n_words,) character offsets of each word in its text.
    document : (n_words,) the text each word stands in, ascending.
    shares : (n_words, 3), centred: the three classes' shares of a word sum to 0. Summed over a
        text's words they are its centred scores less those of the empty text.
    """

    spans: list[Span]
    document: ngrams.IntArray
    shares: FloatArray


def word_shares(scorer: Scorer, texts: Sequence[str], logits: FloatArray) -> WordShares:
    """What each word of each text added to each class's score; `logits` are the scorer's."""
    spans, document = _words(texts)
    words = [texts[d][start:end] for d, (start, end) in zip(document.tolist(), spans, strict=True)]
    occurrences = scorer.occurrences(words, document, len(texts))
    weights = _column_weights(scorer, logits)
    per_token = np.zeros((len(occurrences.word), N_CLASSES))
    for size, (token, values) in enumerate(occurrences.runs, 1):
        where = document[occurrences.word[token]]
        share = _by_class(scorer, values * weights[where] / occurrences.norm[where, None]) / size
        for place in range(size):
            per_token[token + place] += share
    shares = np.zeros((len(spans), N_CLASSES))
    np.add.at(shares, occurrences.word, per_token)
    return WordShares(spans, document, shares - shares.mean(axis=1, keepdims=True))


def _words(texts: Sequence[str]) -> tuple[list[Span], ngrams.IntArray]:
    """Offsets of the words that count, and the text each stands in."""
    spans: list[Span] = []
    counts = []
    for text in texts:
        before = len(spans)
        for start, end in counted_spans(text):
            spans += [word.span() for word in _WORD.finditer(text, start, end)]
        counts.append(len(spans) - before)
    return spans, np.repeat(np.arange(len(texts)), counts)


def _column_weights(scorer: Scorer, logits: FloatArray) -> FloatArray:
    """How much each column counts in its class's score on the way from the empty text: (n, n_columns)."""
    class_weight, kind_weight = scorer.arrays.calibration[:2]
    bias = scorer.arrays.bias
    weights = np.zeros_like(logits)
    weights[:, :N_CLASSES] = class_weight
    steps = (_NODES + 1) / 2
    for _, columns in kind_columns(scorer.kinds):
        own = slice(N_CLASSES + columns.start, N_CLASSES + columns.stop)
        change = logits[:, own] - bias[own]
        path = bias[own] + steps[:, None, None] * change  # (n_steps, n, n_own)
        along = softmax(path.reshape(-1, path.shape[2])).reshape(path.shape)
        weights[:, own] = kind_weight * np.tensordot(_NODE_WEIGHTS / 2, along, axes=1)
    return weights


def _by_class(scorer: Scorer, columns: FloatArray) -> FloatArray:
    """Sum of each class's own columns: (n, 3)."""
    summed = columns[:, :N_CLASSES].copy()
    for c, own in kind_columns(scorer.kinds):
        summed[:, c] += columns[:, N_CLASSES + own.start : N_CLASSES + own.stop].sum(axis=1)
    return summed


def evidence_for(texts: Sequence[str], shares: WordShares, classes: ngrams.IntArray) -> list[list[Evidence]]:
    """For each text the few spans that speak most for its class, strongest first.

    Neighbouring words that speak for the class make one span. `classes` (n_texts,) are places in
    `labels.CLASSES`.
    """
    found: list[list[Evidence]] = [[] for _ in texts]
    document, weight = shares.document, shares.shares[np.arange(len(shares.spans)), classes[shares.document]]
    strongest = np.zeros(len(texts))
    np.maximum.at(strongest, document, weight)
    strong = weight >= np.maximum(strongest * _KEEP_SHARE, 1e-6)[document]
    before = np.concatenate([[False], strong[:-1] & (document[1:] == document[:-1])])[: len(strong)]
    run = np.cumsum(strong & ~before) - 1  # number of the run that each strong word belongs to
    place = np.flatnonzero(strong)
    first = np.flatnonzero(strong & ~before)
    last = first + np.bincount(run[place], minlength=len(first)) - 1
    total = np.bincount(run[place], weight[place], minlength=len(first))
    for r in np.lexsort((-total, document[first])):
        d = int(document[first[r]])
        if len(found[d]) < _MOST_SPANS:
            start, end = shares.spans[first[r]][0], shares.spans[last[r]][1]
            piece = texts[d][start:end].strip(_PUNCTUATION)
            if piece:
                start = texts[d].index(piece, start)
                label = CLASSES[classes[d]]
                found[d].append(Evidence(start, start + len(piece), piece, float(total[r]), label))
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
