"""How good probabilities are: scores, calibration, and intervals by grouped bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from classifier.labels import CLASSES

FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]

BOOTSTRAP_ROUNDS = 1_000
CALIBRATION_BINS = 10


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Scores of one class; `support` is its number of texts."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    support: int


@dataclass(frozen=True, slots=True)
class Scores:
    """How predictions fare against labels.

    accuracy, macro_f1 : over the three classes.
    stall_or_objection : accuracy between the two, on texts that are one of them.
    kind_accuracy : share of stalls and objections whose class and kind are both right.
    calibration_error : expected calibration error of the best class, 10 bins of equal mass.
    confusion : (3, 3) counts, label by predicted class, in the order of `labels.CLASSES`.
    """

    n: int
    groups: int
    accuracy: Estimate
    macro_f1: Estimate
    stall_or_objection: Estimate
    kind_accuracy: Estimate | None
    calibration_error: Estimate
    classes: dict[str, ClassScores]
    confusion: list[list[int]]

    def to_dict(self) -> dict[str, object]:
        """As plain JSON types."""
        return asdict(self)


def calibration_error(p: FloatArray, labels: ObjectArray) -> float:
    """Expected calibration error of the most probable class (Naeini et al. 2015), equal-mass bins.

    Parameters
    ----------
    p : ndarray of shape (n, 3)
    labels : ndarray of shape (n,)
    """
    confidence = p.max(axis=1)
    right = np.array(CLASSES)[p.argmax(axis=1)] == labels
    order = np.argsort(confidence, kind="stable")
    bins = np.array_split(order, CALIBRATION_BINS)
    gaps = [abs(right[b].mean() - confidence[b].mean()) * len(b) for b in bins if len(b)]
    return float(sum(gaps) / len(labels))


def bootstrap_rows(groups: ObjectArray, rounds: int, seed: int) -> list[npt.NDArray[np.int64]]:
    """Row numbers of each bootstrap sample; whole groups are drawn with replacement."""
    _, number = np.unique(groups.astype(str), return_inverse=True)
    order = np.argsort(number, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(number))[:-1])
    random = np.random.default_rng(seed)
    return [
        np.concatenate([members[g] for g in random.integers(0, len(members), len(members))])
        for _ in range(rounds)
    ]


def score(
    p: FloatArray,
    labels: ObjectArray,
    groups: ObjectArray,
    *,
    kinds: ObjectArray | None = None,
    predicted_kinds: ObjectArray | None = None,
    rounds: int = BOOTSTRAP_ROUNDS,
    seed: int = 0,
) -> Scores:
    """Score probabilities `p` (n, 3) against `labels` (n,), with 95% intervals.

    Intervals are percentiles over `rounds` bootstrap samples of whole groups.
    """
    predicted = np.array(CLASSES, dtype=object)[p.argmax(axis=1)]
    samples = bootstrap_rows(groups, rounds, seed)
    target = np.searchsorted(np.sort(CLASSES), labels.astype(str))
    answer = np.searchsorted(np.sort(CLASSES), predicted.astype(str))
    names = sorted(CLASSES)

    def estimate(figure: Callable[[npt.NDArray[np.int64]], float]) -> Estimate:
        drawn = [figure(rows) for rows in samples]
        low, high = np.nanpercentile(drawn, [2.5, 97.5]) if drawn else (np.nan, np.nan)
        return Estimate(figure(np.arange(len(labels))), float(low), float(high))

    def of_class(position: int, figure: int) -> Callable[[npt.NDArray[np.int64]], float]:
        return lambda rows: _class_figures(target[rows], answer[rows])[figure, position]

    per_class = {
        name: ClassScores(
            precision=estimate(of_class(names.index(name), 0)),
            recall=estimate(of_class(names.index(name), 1)),
            f1=estimate(of_class(names.index(name), 2)),
            support=int((labels == name).sum()),
        )
        for name in CLASSES
    }
    stance = labels != "neither"
    first = np.where(p[:, 0] >= p[:, 1], CLASSES[0], CLASSES[1])
    right_kind = None
    if kinds is not None and predicted_kinds is not None:
        right_kind = (predicted == labels) & (predicted_kinds == kinds)
    return Scores(
        n=len(labels),
        groups=len(set(map(str, groups))),
        accuracy=estimate(lambda rows: float((target[rows] == answer[rows]).mean())),
        macro_f1=estimate(lambda rows: float(_class_figures(target[rows], answer[rows])[2].mean())),
        stall_or_objection=estimate(lambda rows: _mean_where(first == labels, stance, rows)),
        kind_accuracy=None
        if right_kind is None
        else estimate(lambda rows: _mean_where(right_kind, stance, rows)),
        calibration_error=estimate(lambda rows: calibration_error(p[rows], labels[rows])),
        classes=per_class,
        confusion=confusion_matrix(labels.astype(str), predicted.astype(str), labels=CLASSES).tolist(),
    )


def _class_figures(target: npt.NDArray[np.int64], answer: npt.NDArray[np.int64]) -> FloatArray:
    """Precision, recall and F1 of each class: (3, 3), a row a figure; 0 where undefined."""
    counts = np.bincount(target * 3 + answer, minlength=9).reshape(3, 3).astype(float)
    right = counts.diagonal()
    answered, wanted = counts.sum(axis=0), counts.sum(axis=1)
    precision = right / np.maximum(answered, 1)
    recall = right / np.maximum(wanted, 1)
    f1 = 2 * right / np.maximum(answered + wanted, 1)
    return np.array([precision, recall, f1])


def _mean_where(
    right: npt.NDArray[np.bool_], within: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64]
) -> float:
    chosen = rows[within[rows]]
    return float(right[chosen].mean()) if len(chosen) else float("nan")
