"""Long texts: the score of the whole, weighed against its likeliest sentence and passage.

The model has learned on statements of a sentence or two. Among many sentences without a stance the
one that takes a stance drowns in the score of the whole, and on its own it lacks its context; how much
each view is worth, and how that changes with the length, is learned on held-out texts
(`classifier.training.long_texts`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classifier.labels import CLASSES
from classifier.scorer import N_CLASSES, FloatArray, softmax
from classifier.text import Span

IntArray = npt.NDArray[np.int64]

LEAST_SEGMENTS = 4
"""From so many segments on a text is long."""
MOST_SEGMENTS = 60
"""A longer text is weighed like one of so many; what is learned from goes no further."""
PASSAGE = 3
"""Neighbouring segments that make a passage."""
VIEWS = 3
"""The whole, the likeliest segment, the likeliest passage."""
N_COEFFICIENTS = 2 * VIEWS + 1 + (N_CLASSES - 1)
_NEITHER = CLASSES.index("neither")
_STANCES = [c for c in range(N_CLASSES) if c != _NEITHER]
_LEAST = 1e-6


def passages(segments: Sequence[Span]) -> list[Span]:
    """The passages of a long text: from the start of each segment to the end of the second one after it."""
    return [
        (first[0], last[1])
        for first, last in zip(segments[: 1 - PASSAGE], segments[PASSAGE - 1 :], strict=True)
    ]


def features(
    whole: FloatArray,
    by_segment: FloatArray,
    of_segment: IntArray,
    by_passage: FloatArray,
    of_passage: IntArray,
) -> FloatArray:
    """Log-odds of each stance in each view of n long texts, (n, 2, 3).

    whole : (n, 3) class probabilities of each text; by_segment, by_passage : (n_pieces, 3) of its pieces,
    text by text; of_segment, of_passage : (n_pieces,) the text of each, ascending, none left out.
    """
    log = np.log(np.maximum(whole, _LEAST))
    return np.stack(
        [
            log[:, _STANCES] - log[:, [_NEITHER]],
            _log_odds(_likeliest(by_segment, of_segment)),
            _log_odds(_likeliest(by_passage, of_passage)),
        ],
        axis=2,
    )


def _likeliest(pieces: FloatArray, document: IntArray) -> FloatArray:
    """The most that any piece of a text gives to each stance, (n, 2)."""
    first = np.flatnonzero(np.diff(document, prepend=-1))
    most: FloatArray = np.maximum.reduceat(pieces[:, _STANCES], first)
    return most


def _log_odds(p: FloatArray) -> FloatArray:
    p = np.clip(p, _LEAST, 1 - _LEAST)
    odds: FloatArray = np.log(p / (1 - p))
    return odds


def weighed(views: FloatArray, n_segments: IntArray, coefficients: FloatArray) -> FloatArray:
    """Class probabilities of long texts, (n, 3), from their `features` and numbers of segments (n,).

    `coefficients` (9,): the weights of the three views at `LEAST_SEGMENTS`, what is added to each where
    a text is e times as long, what is taken off both stances there, and a bias for each stance.
    """
    length = np.log(np.minimum(n_segments, MOST_SEGMENTS) / LEAST_SEGMENTS)[:, None]
    at_least, more, (per_length, *bias) = np.split(coefficients, [VIEWS, 2 * VIEWS])
    scores = np.zeros((len(views), N_CLASSES))
    weights = at_least + more * length  # (n, 3)
    scores[:, _STANCES] = (views * weights[:, None, :]).sum(axis=2) - per_length * length + bias
    return softmax(scores)
