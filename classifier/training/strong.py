"""The strong model: the n-gram pipeline and a fine-tuned encoder, their scores added up.

Both are trained without the texts that are scored; how much the encoder counts beside the n-grams
is learned on those held-out scores, a weight for the classes and one for the kinds (stacking:
Wolpert 1992, "Stacked generalization"), and then the calibration anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from classifier.encoder import Encoder
from classifier.labels import CLASSES, KINDS
from classifier.scorer import N_CLASSES, Arrays, Probabilities, calibrated, softmax
from classifier.text import counted
from classifier.training.dataset import Dataset
from classifier.training.estimator import ABSENT, fit_calibration
from classifier.training.finetune import EncoderArrays, Targets, fine_tune, with_weights
from classifier.training.pipeline import fit, to_arrays

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeldOutScores:
    """Scores of texts by models that saw nothing of their group, both (n, 3 + n_kinds).

    fold : (n,) the fold in which each text was held out.
    """

    ngrams: FloatArray
    encoder: FloatArray
    fold: npt.NDArray[np.int64]

    @classmethod
    def of(cls, folds: Sequence[tuple[npt.NDArray[np.int64], FloatArray]]) -> HeldOutScores:
        """From each fold's rows (n_held_out,) and both scores of those texts and perhaps further ones,
        (2, n_held_out or more, 3 + n_kinds)."""
        order = np.argsort(np.concatenate([rows for rows, _ in folds]))
        both = np.concatenate([scores[:, : len(rows)] for rows, scores in folds], axis=1)[:, order]
        fold = np.repeat(np.arange(len(folds)), [len(rows) for rows, _ in folds])[order]
        return cls(both[0], both[1], fold)

    def mixed(self, weights: FloatArray) -> FloatArray:
        """Their sum, the encoder's columns times `weights`."""
        return self.ngrams + self.encoder * weights


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a model is made of: the untrained pipeline, the texts that it learns besides the notes,
    how much a note counts beside one of those, the seed, and the folder of a pretrained encoder."""

    pipeline: Pipeline
    base: Dataset | None
    weight: float
    seed: int
    pretrained: Path | None


def kinds_in(data: Dataset, base: Dataset | None) -> tuple[str, ...]:
    """The kinds that any of the texts has, class by class."""
    met = {
        kind for rows in (data, base) if rows is not None and rows.kinds is not None for kind in rows.kinds
    }
    return tuple(kind for kind in KINDS if kind in met)


def fit_both(
    recipe: Recipe,
    data: Dataset,
    kinds: Sequence[str],
    *,
    tell: Callable[[float], None] = lambda share: None,
) -> tuple[Pipeline, EncoderArrays]:
    """A fitted copy of the pipeline and a fine-tuned encoder.

    Raises
    ------
    MissingExtra
        If the packages that fine-tune are not installed.
    """
    both = data if recipe.base is None else data.join(recipe.base)
    counts = np.ones(len(both))
    counts[: len(data)] = recipe.weight
    places = {kind: place for place, kind in enumerate(kinds)}
    own_kinds = [""] * len(both) if both.kinds is None else both.kinds
    targets = Targets(
        np.array([CLASSES.index(label) for label in both.labels]),
        np.array([places.get(kind, -1) for kind in own_kinds]),
        counts,
    )
    assert recipe.pretrained is not None
    encoder = fine_tune(both.texts, targets, kinds, recipe.pretrained, seed=recipe.seed, tell=tell)
    return fit(clone(recipe.pipeline), data, base=recipe.base, weight=recipe.weight), encoder


def scores_without(
    recipe: Recipe,
    data: Dataset,
    kinds: Sequence[str],
    texts: Sequence[str],
    tell: Callable[[float], None] = lambda share: None,
) -> FloatArray:
    """Scores of `texts` by the pipeline and by the encoder, learned from `data`: (2, n, 3 + n_kinds)."""
    pipeline, encoder = fit_both(recipe, data, kinds, tell=tell)
    model = pipeline["classifier"]
    found = model.decision_function(pipeline[:-1].transform(list(texts)))
    columns = [N_CLASSES + kinds.index(kind) for kind in model.kinds_]
    ngrams = np.full((len(texts), N_CLASSES + len(kinds)), ABSENT)
    ngrams[:, :N_CLASSES] = found[:, :N_CLASSES]
    ngrams[:, columns] = found[:, N_CLASSES : N_CLASSES + len(columns)]
    return np.stack([ngrams, Encoder(encoder).scores([counted(text) for text in texts])])


def probabilities(
    scores: HeldOutScores, data: Dataset, kinds: Sequence[str], fold: int, of: FloatArray
) -> Probabilities:
    """Probabilities from the scores `of` texts by a fold's models (2, n, 3 + n_kinds), mixed and
    calibrated by what was learned on the other folds."""
    weights, calibration = stack(scores, data, kinds, np.flatnonzero(scores.fold != fold))
    return calibrated(of[0] + of[1] * weights, kinds, calibration)


def stack(
    scores: HeldOutScores, data: Dataset, kinds: Sequence[str], rows: npt.NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """The weights of the encoder's columns (n_columns,) and the calibration, learned on `rows`."""
    labels = data.labels[rows]
    named = None if data.kinds is None else data.kinds[rows]
    weights = np.ones(N_CLASSES + len(kinds))
    classes, of_kinds = slice(None, N_CLASSES), slice(N_CLASSES, None)
    weights[classes] = _weight(scores, rows, classes, [CLASSES.index(label) for label in labels])
    if named is not None and kinds:
        known = named != ""
        place = [list(kinds).index(kind) for kind in named[known]]
        weights[of_kinds] = _weight(scores, rows[known], of_kinds, place)
    mixed = scores.mixed(weights)[rows]
    return weights, fit_calibration(mixed, labels, named, kinds)


def _weight(
    scores: HeldOutScores, rows: npt.NDArray[np.int64], columns: slice, target: Sequence[int]
) -> float:
    """How much the encoder's columns count beside those of the n-grams."""
    ngrams, encoder = scores.ngrams[rows, columns], scores.encoder[rows, columns]
    own = np.arange(len(rows)), np.asarray(target)

    def loss(parameters: FloatArray) -> float:
        return float(-np.log(softmax(parameters[0] * ngrams + parameters[1] * encoder)[own] + 1e-12).mean())

    found = minimize(loss, np.array([0.5, 0.5]), method="L-BFGS-B", bounds=[(0.01, 10), (0, 10)]).x
    return float(found[1] / found[0])


def finish(
    pipeline: Pipeline,
    encoder: EncoderArrays,
    scores: HeldOutScores,
    data: Dataset,
    kinds: Sequence[str],
    views: FloatArray,
) -> tuple[Arrays, EncoderArrays]:
    """The arrays of the model's scorer and encoder, mixed and calibrated on all held-out scores."""
    weights, calibration = stack(scores, data, kinds, np.arange(len(data)))
    return replace(to_arrays(pipeline, views), calibration=calibration), with_weights(encoder, weights)
