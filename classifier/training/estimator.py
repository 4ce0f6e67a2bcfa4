"""The classifier behind the pipeline: linear heads for class and kind, and their calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import LinearSVC
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from classifier.labels import CLASSES, FLAGS, KINDS, KINDS_OF
from classifier.scorer import N_CLASSES, Probabilities, calibrated, class_features, softmax

FloatArray = npt.NDArray[np.float64]
INT8_MAX = 127
MARGIN_SCALE = 4.0
"""Margins are multiplied by this before the softmax; 2 to 5 did equally well."""
TOLERANCE = 0.01
"""Of the solver; a hundredth of that took a quarter longer and gave the same scores."""
LEARNED_FLAGS = tuple(flag for flag in FLAGS if flag != "opt_out")
"""An opt-out is a kind; its flag follows from that."""
LEAST_FLAGGED = 20
ABSENT = -20.0
"""Score of a class or kind that the training texts lack."""


class StallClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Stall, objection or neither, and the kind, from one sparse matrix of n-grams.

    Two sets of one-against-rest linear SVMs (squared hinge; Fan et al. 2008, "LIBLINEAR") share
    the features: one over the three classes, one over the kinds. The softmax of their margins is
    mixed, with weights and a bias a class learned on out-of-fold scores, into calibrated class
    probabilities. Logistic regressions in their place took seven times as long to train and were
    no better.

    Coefficients are rounded to a grid of 255 steps a column, so that the arrays of the exported
    scorer are the same model and not a likeness of it.

    Parameters
    ----------
    C : float, default=1.0
        Inverse regularisation of the class head.
    kind_C : float, default=2.0
        Inverse regularisation of the kind head.
    calibration_folds : int, default=3
        Folds of the out-of-fold scores that the calibration is learned on.
    random_state : int, default=0
        Seed of the solver.

    Attributes
    ----------
    classes_ : ndarray of shape (3,)
    kinds_ : tuple of str
        Kinds met in training, class by class; empty if none were given.
    flags_ : tuple of str
        Flags that at least 20 training texts have; a text has one where its score is above 0.
    coef_ : ndarray of shape (3 + n_kinds, n_features)
    intercept_ : ndarray of shape (3 + n_kinds,)
    scale_ : ndarray of shape (3 + n_kinds,)
        Step of the grid of each column.
    calibration_ : ndarray of shape (6,)
        As `classifier.scorer.Arrays.calibration`.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "kind_C": [Interval(Real, 0, None, closed="neither")],
        "calibration_folds": [Interval(Integral, 2, None, closed="left")],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        C: float = 1.0,
        kind_C: float = 2.0,
        calibration_folds: int = 3,
        random_state: int = 0,
    ) -> None:
        self.C = C
        self.kind_C = kind_C
        self.calibration_folds = calibration_folds
        self.random_state = random_state

    def fit(
        self,
        X: sp.csr_matrix,
        y: Sequence[str],
        kind: Sequence[str] | None = None,
        flags: Sequence[str | None] | None = None,
        groups: Sequence[object] | None = None,
        sample_weight: Sequence[float] | None = None,
    ) -> StallClassifier:
        """Learn both heads, then the calibration on out-of-fold scores.

        `kind` names the kind of each text (empty where it is not known), `flags` its flags joined
        by ``;`` (None where they are not known); `groups` keeps the versions of one statement in
        one fold.
        """
        self._validate_params()
        labels = np.asarray(y, dtype=object)
        flagged, flags_known = _flag_matrix(flags, len(labels))
        self.classes_ = np.array(CLASSES)
        kinds = None if kind is None or not any(kind) else np.asarray(kind, dtype=object)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
        self.kinds_ = () if kinds is None else tuple(k for k in KINDS if k in set(kinds))
        self.flags_ = tuple(flagged)
        targets = _Targets(labels, kinds, flagged, flags_known, weight)
        scores = self._held_out_scores(X, targets, groups)
        self.calibration_ = fit_calibration(scores, labels, kinds, self.kinds_, weight)
        self.coef_, intercept, self.scale_ = self._heads(X, targets)
        n_before = len(intercept) - len(flagged)
        thresholds = [
            _best_threshold(scores[flags_known, n_before + i], has[flags_known])
            for i, has in enumerate(flagged.values())
        ]
        self.intercept_ = intercept - np.array([0.0] * n_before + thresholds)
        return self

    def decision_function(self, X: sp.csr_matrix) -> FloatArray:
        """Scores of the classes and kinds before calibration, (n, 3 + n_kinds)."""
        check_is_fitted(self)
        scores: FloatArray = X @ self.coef_.T + self.intercept_
        return scores

    def probabilities(self, X: sp.csr_matrix) -> Probabilities:
        """Calibrated probabilities of the classes, and of the kinds within each class."""
        return calibrated(self.decision_function(X), self.kinds_, self.calibration_)

    def predict_proba(self, X: sp.csr_matrix) -> FloatArray:
        """Calibrated probabilities of the classes, (n, 3)."""
        return self.probabilities(X).classes

    def predict(self, X: sp.csr_matrix) -> npt.NDArray[np.str_]:
        """The most probable class of each text."""
        best: npt.NDArray[np.str_] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return best

    def _heads(self, X: sp.csr_matrix, targets: _Targets) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Coefficients (n_columns, n_features), intercepts and grid steps of all heads."""
        heads = [self._head(X, targets.labels, CLASSES, self.C, targets.weight)]
        if targets.kinds is not None:
            known = np.flatnonzero(targets.kinds != "")
            weight = None if targets.weight is None else targets.weight[known]
            heads.append(self._head(X[known], targets.kinds[known], self.kinds_, self.kind_C, weight))
        known = np.flatnonzero(targets.flags_known)
        weight = None if targets.weight is None else targets.weight[known]
        for has in targets.flagged.values():
            both = self._head(X[known], has[known].astype(int), ("0", "1"), self.C, weight)
            heads.append((both[0][1:], both[1][1:]))
        coef = np.vstack([own for own, _ in heads])
        step = np.maximum(np.abs(coef).max(axis=1), 1e-12) / INT8_MAX
        rounded = np.rint(coef / step[:, None]) * step[:, None]
        return rounded, np.concatenate([own for _, own in heads]), step

    def _head(
        self,
        X: sp.csr_matrix,
        target: npt.NDArray[np.object_],
        names: Sequence[str],
        C: float,
        weight: FloatArray | None,
    ) -> tuple[FloatArray, FloatArray]:
        """Margins, scaled, with rows in the order of `names`; absent names score low."""
        model = LinearSVC(C=C, tol=TOLERANCE, random_state=self.random_state)
        model.fit(X, target.astype(str), sample_weight=weight)
        found, own_intercept = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # one row stands for both
            found, own_intercept = np.vstack([-found, found]), np.array([-1, 1]) * own_intercept
        coef = np.zeros((len(names), X.shape[1]))
        intercept = np.full(len(names), ABSENT)
        rows = [list(names).index(name) for name in model.classes_]
        coef[rows], intercept[rows] = MARGIN_SCALE * found, MARGIN_SCALE * own_intercept
        return coef, intercept

    def _held_out_scores(
        self, X: sp.csr_matrix, targets: _Targets, groups: Sequence[object] | None
    ) -> FloatArray:
        """Score of every text by heads that saw nothing of its group, (n, n_columns)."""
        labels = targets.labels
        folds = StratifiedGroupKFold(self.calibration_folds)
        together = np.arange(len(labels)) if groups is None else np.asarray(groups)
        scores = np.zeros((len(labels), N_CLASSES + len(self.kinds_) + len(self.flags_)))
        for rest, held_out in folds.split(X, labels.astype(str), together):
            coef, intercept, _ = self._heads(X[rest], targets.take(rest))
            scores[held_out] = X[held_out] @ coef.T + intercept
        return scores


@dataclass(frozen=True, slots=True)
class _Targets:
    """What the heads are to learn: labels, kinds, flags by name (where they are known), and how
    much each text counts."""

    labels: npt.NDArray[np.object_]
    kinds: npt.NDArray[np.object_] | None
    flagged: dict[str, npt.NDArray[np.bool_]]
    flags_known: npt.NDArray[np.bool_]
    weight: FloatArray | None

    def take(self, rows: npt.NDArray[np.int64]) -> _Targets:
        """The given rows."""
        return _Targets(
            self.labels[rows],
            None if self.kinds is None else self.kinds[rows],
            {flag: has[rows] for flag, has in self.flagged.items()},
            self.flags_known[rows],
            None if self.weight is None else self.weight[rows],
        )


def _flag_matrix(
    flags: Sequence[str | None] | None, n: int
) -> tuple[dict[str, npt.NDArray[np.bool_]], npt.NDArray[np.bool_]]:
    """For each flag that enough texts have: which of the `n` texts have it; and where that is known."""
    cells = [(cell or "").split(";") for cell in flags] if flags is not None else [[""]] * n
    found = {flag: np.array([flag in cell for cell in cells]) for flag in LEARNED_FLAGS}
    known = np.ones(n, dtype=bool) if flags is None else np.array([cell is not None for cell in flags])
    return {flag: has for flag, has in found.items() if has.sum() >= LEAST_FLAGGED}, known


def _best_threshold(scores: FloatArray, has: npt.NDArray[np.bool_]) -> float:
    """The threshold with the best F1 on held-out scores."""
    order = np.argsort(-scores)
    right = np.cumsum(has[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + has.sum())
    best = int(f1.argmax())
    return float(scores[order[best : best + 2]].mean())


def fit_calibration(
    scores: FloatArray,
    y: npt.NDArray[np.object_],
    kinds: npt.NDArray[np.object_] | None,
    names: Sequence[str],
    weight: FloatArray | None = None,
) -> FloatArray:
    """Minimise the log-loss of held-out `scores` (n, 3 + n_kinds) over the calibration.

    `weight` (n,) says how much each text counts; all count the same by default.
    """
    by_class, by_kind = class_features(scores, names)
    target = np.array([CLASSES.index(label) for label in y])
    rows = np.arange(len(target))

    def loss(parameters: FloatArray) -> float:
        mixed = parameters[0] * by_class + parameters[1] * by_kind + parameters[2:]
        losses = -np.log(softmax(mixed)[rows, target] + 1e-12)
        return float(np.average(losses, weights=weight) + 1e-4 * (parameters**2).sum())

    best = minimize(loss, np.array([0.7, 0.3 if len(names) else 0.0, 0, 0, 0]), method="L-BFGS-B").x
    sharpness = 1.0
    if kinds is not None:
        sharpness = _fit_sharpness(scores[:, N_CLASSES : N_CLASSES + len(names)], y, kinds, names)
    if not len(names):
        best[1] = 0.0
    return np.array([best[0], best[1], sharpness, *best[2:]])


def _fit_sharpness(
    scores: FloatArray,
    y: npt.NDArray[np.object_],
    kinds: npt.NDArray[np.object_],
    names: Sequence[str],
) -> float:
    """Temperature of the kinds within their class (Guo et al. 2017), as its inverse."""

    def loss(parameters: FloatArray) -> float:
        total = 0.0
        for label, own in KINDS_OF.items():
            columns = [names.index(kind) for kind in own if kind in names]
            rows = np.flatnonzero((y == label) & (kinds != ""))
            if not len(rows) or not columns:
                continue
            target = [columns.index(names.index(kind)) for kind in kinds[rows]]
            p = softmax(parameters[0] * scores[rows][:, columns])
            total -= np.log(p[np.arange(len(rows)), target] + 1e-12).sum()
        return total / len(y)

    return float(minimize(loss, np.array([1.0]), method="L-BFGS-B", bounds=[(0.05, 20)]).x[0])
