"""The class head alone: quick, uncalibrated predictions where a choice hangs on them and no verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import LinearSVC

from classifier.labels import CLASSES
from classifier.scorer import softmax
from classifier.text import counted
from classifier.training.dataset import Dataset
from classifier.training.estimator import MARGIN_SCALE, TOLERANCE
from classifier.training.features import NgramVectorizer

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class ClassHead:
    """The class head of the pipeline alone, on vectors of all texts that are computed once: a
    fraction of a second where the pipeline takes ten."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.vectors = NgramVectorizer().fit_transform([counted(text) for text in texts])

    def probabilities(
        self,
        rows: IntArray,
        labels: npt.NDArray[np.object_],
        weight: FloatArray,
        asked: IntArray,
        C: float = 1.0,
    ) -> FloatArray:
        """Uncalibrated class probabilities (n_asked, 3) after learning `labels` of `rows`."""
        names = sorted(set(labels))
        model = LinearSVC(C=C, tol=TOLERANCE, random_state=0).fit(
            self.vectors[rows], labels.astype(str), sample_weight=weight
        )
        margins = model.decision_function(self.vectors[asked])
        if margins.ndim == 1:
            margins = np.stack([-margins, margins], axis=1)
        scores = np.full((len(asked), len(CLASSES)), -20.0)
        scores[:, [CLASSES.index(name) for name in names]] = MARGIN_SCALE * margins
        return softmax(scores)


def held_out_probabilities(
    notes: Dataset, base: Dataset, weight: float = 1.0, *, C: float = 1.0, folds: int = 5, seed: int = 0
) -> FloatArray:
    """Class probabilities (n, 3) of `notes`, each by a head that learned from `base` and from the
    notes of other groups, a note counting as `weight` statements of the base; one temperature
    (Guo et al. 2017) calibrates them all."""
    both = notes.join(base)
    head = ClassHead(both.texts)
    n = len(notes)
    counts = np.concatenate([np.full(n, weight), np.ones(len(base))])
    p = np.zeros((n, len(CLASSES)))
    splits = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for rest, held_out in splits.split(p, notes.labels.astype(str), notes.groups):
        rows = np.concatenate([rest, np.arange(n, len(both))])
        p[held_out] = head.probabilities(rows, both.labels[rows], counts[rows], held_out, C)
    return _tempered(p, notes.labels)


def _tempered(p: FloatArray, labels: npt.NDArray[np.object_]) -> FloatArray:
    """Probabilities at the temperature that has the least log-loss on `labels`."""
    scores = np.log(np.maximum(p, 1e-12))
    own = np.arange(len(p)), np.array([CLASSES.index(label) for label in labels])

    def loss(sharpness: float) -> float:
        return float(-np.log(softmax(sharpness * scores)[own] + 1e-12).mean())

    return softmax(minimize_scalar(loss, bounds=(0.05, 5.0), method="bounded").x * scores)
