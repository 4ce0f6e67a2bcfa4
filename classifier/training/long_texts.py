"""How the views of a long text are weighed: learned on held-out long texts and recombined notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from classifier.labels import CLASSES
from classifier.long_texts import LEAST_SEGMENTS, N_COEFFICIENTS, features, passages, weighed
from classifier.text import Span, segments
from classifier.training.dataset import Dataset

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NOTES = 500
"""Recombined notes of a fold."""
SHORTEST_NOTE, LONGEST_NOTE = 4, 30
"""Statements in one."""
WITHOUT_A_STANCE = ("logistics", "small_talk", "question", "buying_signal", "advance", "referral", "resolved")
BOTH_STANCES = 0.2
"""Share of the notes with an objection that hold a stall too."""
WRITTEN_WEIGHT = 2.0
"""How much all texts that somebody wrote whole count against all recombined notes."""
_LEAST_TO_RECOMBINE = 20
_LENGTHS = (15, 160)


@dataclass(frozen=True, slots=True)
class LongTexts:
    """Long texts of one fold, which the fold's model did not learn from.

    row : of those that somebody wrote whole, which come first, their rows among the held-out texts.
    classes : (n,) places in `labels.CLASSES`.
    strings : the texts, then their segments, then their passages: what is to be scored.
    of_segment, of_passage : the text of each segment and passage, ascending.
    """

    row: IntArray
    classes: IntArray
    strings: list[str]
    of_segment: IntArray
    of_passage: IntArray

    def scored(self, p: FloatArray) -> LongScores:
        """What is learned from; `p` (n_strings, 3) are the class probabilities of `strings`."""
        n = len(self.classes)
        whole, of_segments, of_passages = np.split(p, [n, n + len(self.of_segment)])
        views = features(whole, of_segments, self.of_segment, of_passages, self.of_passage)
        return LongScores(self.row, self.classes, views, np.bincount(self.of_segment, minlength=n))


@dataclass(frozen=True, slots=True)
class LongScores:
    """Long texts as `classifier.long_texts.weighed` reads them: (n, 2, 3) and (n,); the first
    `len(row)` were written whole, the others recombined."""

    row: IntArray
    classes: IntArray
    features: FloatArray
    n_segments: IntArray


def long_texts_of(data: Dataset, seed: int) -> LongTexts:
    """The long texts of `data`, and `NOTES` more recombined from its statements.

    A recombined note is one short statement with a stance among others without, in random order; a third
    have none, and some with an objection hold a stall too. Where there are too few short statements, no
    note is made.
    """
    cut = [segments(text) for text in data.texts]
    n_segments = np.array([len(own) for own in cut])
    row = np.flatnonzero(n_segments >= LEAST_SEGMENTS)
    notes, of_notes = _recombined(data, np.random.default_rng(seed))
    texts = [*(data.texts[i] for i in row), *notes]
    spans = [*(cut[i] for i in row), *map(segments, notes)]
    own = [CLASSES.index(label) for label in data.labels[row]]
    of_segment, pieces = _pieces(texts, spans)
    of_passage, larger = _pieces(texts, [passages(each) for each in spans])
    return LongTexts(row, np.array([*own, *of_notes]), [*texts, *pieces, *larger], of_segment, of_passage)


def _pieces(texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[IntArray, list[str]]:
    """The text that each span is of, and what it holds."""
    document = np.repeat(np.arange(len(texts)), [len(own) for own in spans])
    return document, [text[a:b] for text, own in zip(texts, spans, strict=True) for a, b in own]


def _recombined(data: Dataset, random: np.random.Generator) -> tuple[list[str], list[int]]:
    """Notes and their classes."""
    length = np.array([len(text) for text in data.texts])
    one_line = np.array(["\n" not in text for text in data.texts], dtype=bool)  # so no signature, no quote
    short = one_line & (length >= _LENGTHS[0]) & (length <= _LENGTHS[1])
    by_class = [np.flatnonzero(short & (data.labels == name)) for name in CLASSES]
    without = data.labels == "neither" if data.kinds is None else np.isin(data.kinds, WITHOUT_A_STANCE)
    plain = np.flatnonzero(short & without)
    if min(len(plain), *map(len, by_class)) < _LEAST_TO_RECOMBINE:
        return [], []
    stall, objection = CLASSES.index("stall"), CLASSES.index("objection")
    notes, classes = [], []
    for _ in range(NOTES):
        size = int(np.exp(random.uniform(np.log(SHORTEST_NOTE), np.log(LONGEST_NOTE + 1))))
        own = int(random.integers(len(CLASSES)))
        rows = random.choice(plain, size)
        if own in (stall, objection):
            rows[0] = random.choice(by_class[own])
        if own == objection and random.random() < BOTH_STANCES:
            rows[1] = random.choice(by_class[stall])
        texts = [data.texts[row] for row in random.permutation(rows)]
        note = " ".join(text if text[-1] in ".!?" else f"{text}." for text in texts)
        if len(segments(note)) >= LEAST_SEGMENTS:
            notes.append(note)
            classes.append(own)
    return notes, classes


def learned(folds: Sequence[LongScores]) -> FloatArray | None:
    """The coefficients with the least log-loss on the long texts of `folds`; None where no note could be
    recombined."""
    if all(len(each.classes) == len(each.row) for each in folds):
        return None
    views = np.concatenate([each.features for each in folds])
    n_segments = np.concatenate([each.n_segments for each in folds])
    written = np.concatenate([np.arange(len(each.classes)) < len(each.row) for each in folds])
    classes = np.concatenate([each.classes for each in folds])
    weight = np.where(written, WRITTEN_WEIGHT / max(written.sum(), 1), 1 / (~written).sum())
    own = np.arange(len(classes)), classes

    def loss(coefficients: FloatArray) -> float:
        p = weighed(views, n_segments, coefficients)
        return float(np.average(-np.log(p[own] + 1e-12), weights=weight) + 1e-4 * (coefficients**2).sum())

    best: FloatArray = minimize(loss, np.full(N_COEFFICIENTS, 0.2), method="L-BFGS-B").x
    return best
