"""A text of several segments: the score of the whole, weighed against its likeliest segment and passage.

The score of the whole adds up what its words say, so that one sentence with a reason is outweighed by
another that puts off, and a sentence with a stance drowns among many without one; on its own, a segment
lacks its context. How much each view is worth, and how that changes with the length, is learned on
held-out texts (`classifier.training.views`; stacking: Wolpert 1992, "Stacked generalization").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classifier.scorer import N_CLASSES, FloatArray, softmax
from classifier.text import Span

IntArray = npt.NDArray[np.int64]

LEAST_SEGMENTS = 2
MOST_SEGMENTS = 60
"""A longer text is weighed like one of so many; what is learned from goes no further."""
PASSAGE = 3
"""Neighbouring segments that make a passage."""
N_FEATURES = 2 * 3 * N_CLASSES
SHAPE = (2 * (N_FEATURES + 1), N_CLASSES)
"""Of the coefficients: a row for each feature and one for the bias, in the shortest texts and then in the
longest; between them they go with the logarithm of the number of segments."""
_LEAST = 1e-3
"""Smaller probabilities are all alike: a single view that is beside itself must not outvote the others."""


def passages(segments: Sequence[Span]) -> list[Span]:
    """The passages of a text of more than three segments: from the start of each segment to the end of
    the second one after it; a shorter text has none."""
    if len(segments) <= PASSAGE:
        return []
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
    """What each view says of n texts of several segments, (n, 18): for each class the logarithm of its
    probability and of that of its absence, in the whole, in the likeliest segment and passage.

    whole : (n, 3) class probabilities of each text; by_segment, by_passage : (n_pieces, 3) of its pieces;
    of_segment, of_passage : (n_pieces,) the text of each, ascending. Of segments none is left out; a text
    without passages is its own.
    """
    passage = whole.copy()
    passage[np.unique(of_passage)] = _likeliest(by_passage, of_passage)
    p = np.hstack([whole, _likeliest(by_segment, of_segment), passage])
    logs: FloatArray = np.log(np.maximum(np.hstack([p, 1 - p]), _LEAST))
    return logs


def _likeliest(pieces: FloatArray, document: IntArray) -> FloatArray:
    """The most that any piece of a text gives to each class, (n_texts, 3)."""
    first = np.flatnonzero(np.diff(document, prepend=-1))
    most: FloatArray = np.maximum.reduceat(pieces, first) if len(first) else pieces
    return most


def the_whole_alone() -> FloatArray:
    """Coefficients by which every text keeps the probabilities of its whole, down to a thousandth."""
    own = np.zeros((N_FEATURES + 1, N_CLASSES))
    own[:N_CLASSES] = np.eye(N_CLASSES)
    return np.vstack([own, own])


def weighed(views: FloatArray, n_segments: IntArray, coefficients: FloatArray) -> FloatArray:
    """Class probabilities (n, 3) of texts of several segments, from their `features` (n, 18), the numbers
    of their segments (n,) and coefficients of shape `SHAPE`."""
    products = terms(views, n_segments)[:, :, None] * coefficients
    return softmax(products.sum(axis=1))  # not a matrix product, whose last bits depend on the batch


def terms(views: FloatArray, n_segments: IntArray) -> FloatArray:
    """What the coefficients are multiplied with, (n, 38)."""
    with_bias = np.hstack([views, np.ones((len(views), 1))])
    longest = np.log(MOST_SEGMENTS / LEAST_SEGMENTS)
    length = np.log(np.minimum(n_segments, MOST_SEGMENTS) / LEAST_SEGMENTS)[:, None] / longest
    return np.hstack([with_bias * (1 - length), with_bias * length])
