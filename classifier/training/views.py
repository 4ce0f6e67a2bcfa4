"""How the views of a text of several segments are weighed: learned on held-out texts and recombined notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from classifier.decide import surest_segments
from classifier.labels import CLASSES
from classifier.scorer import Probabilities, softmax
from classifier.text import Span, segments
from classifier.training.dataset import Dataset
from classifier.views import LEAST_SEGMENTS, SHAPE, features, passages, terms

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ObjectArray = npt.NDArray[np.object_]

NOTES = 500
"""Recombined notes of a fold."""
SHORTEST_NOTE, LONGEST_NOTE = 4, 30
"""Statements in one."""
WITHOUT_A_STANCE = ("logistics", "small_talk", "question", "buying_signal", "advance", "referral", "resolved")
BOTH_STANCES = 0.2
"""Share of the notes with an objection that hold a stall too."""
NOTES_SHARE = 0.25
"""How much all recombined notes may count against all texts of several segments that somebody wrote."""
PRIOR_WEIGHT = 10.0
"""Of the squared distance to the coefficients before, against the summed log-loss; 3 to 100 did as well."""
_LEAST_TO_RECOMBINE = 20
_LENGTHS = (15, 160)


@dataclass(frozen=True, slots=True)
class Divided:
    """Texts of several segments of one fold, which the fold's model did not learn from.

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

    def scored(self, found: Probabilities, kinds: Sequence[str]) -> DividedScores:
        """What is learned from; `found` are the probabilities of `strings`, of the kinds `kinds`."""
        n = len(self.classes)
        whole, _, by_passage = np.split(found.classes, [n, n + len(self.of_segment)])
        by_segment = found.take(n + np.arange(len(self.of_segment)))
        views = features(whole, by_segment.classes, self.of_segment, by_passage, self.of_passage)
        n_segments = np.bincount(self.of_segment, minlength=n)
        return DividedScores(
            self.row, self.classes, views, n_segments, self._kinds_of_segments(by_segment, kinds)
        )

    def _kinds_of_segments(self, by_segment: Probabilities, names: Sequence[str]) -> ObjectArray:
        """For each class the kind of the likeliest segment of each text, (n, 3)."""
        rows = np.arange(len(self.of_segment))
        of_class = []
        for c, certain in enumerate(np.eye(len(CLASSES))):
            surest = by_segment.take(surest_segments(rows, self.of_segment, by_segment.classes[:, c]))
            as_class = replace(surest, classes=np.tile(certain, (len(self.classes), 1)))
            of_class.append(as_class.best_kinds(names))
        return np.stack(of_class, axis=1)


@dataclass(frozen=True, slots=True)
class DividedScores:
    """Divided texts, of which the first `len(row)` were written whole, the others recombined.

    classes : (n,); features, n_segments : as `classifier.views.weighed` reads them.
    kinds : (n, 3) the kind that each text has where a class is its own by its segments.
    """

    row: IntArray
    classes: IntArray
    features: FloatArray
    n_segments: IntArray
    kinds: ObjectArray

    @property
    def counts(self) -> FloatArray:
        """How much each text counts, (n,): all recombined ones at most `NOTES_SHARE` of the written ones."""
        written, recombined = len(self.row), len(self.classes) - len(self.row)
        share = min(1.0, NOTES_SHARE * written / max(recombined, 1))
        return np.repeat([1.0, share], [written, recombined])


def divided_texts(data: Dataset, seed: int) -> Divided:
    """The texts of `data` that have several segments, and `NOTES` more recombined from its statements.

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
    classes = np.array([*own, *of_notes], dtype=np.int64)
    return Divided(row, classes, [*texts, *pieces, *larger], of_segment, of_passage)


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


def learned(folds: Sequence[DividedScores], prior: FloatArray) -> FloatArray:
    """The coefficients with the least log-loss on the texts of `folds`; the fewer these are, the nearer to
    the coefficients `prior`."""
    known = np.concatenate([terms(each.features, each.n_segments) for each in folds])
    right = np.eye(len(CLASSES))[np.concatenate([each.classes for each in folds])]
    counts = np.concatenate([each.counts for each in folds])
    total = max(counts.sum(), 1.0)

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        away = flat.reshape(SHAPE) - prior
        p = softmax(known @ flat.reshape(SHAPE))
        value = -counts @ np.log(p[right > 0] + 1e-12) + PRIOR_WEIGHT * (away**2).sum()
        slope = known.T @ (counts[:, None] * (p - right)) + 2 * PRIOR_WEIGHT * away
        return float(value / total), slope.ravel() / total

    best: FloatArray = minimize(loss, prior.ravel(), jac=True, method="L-BFGS-B").x
    return best.reshape(SHAPE)
