"""How good probabilities are: scores, calibration, and intervals by grouped bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from classifier.labels import CLASSES

FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]
Flagged = dict[str, npt.NDArray[np.bool_]]
"""For each flag, which of the texts have it."""

BOOTSTRAP_ROUNDS = 1_000
CALIBRATION_BINS = 10
COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of the texts, the most confident first, that accuracy is reported on."""


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
    kind_accuracy : share of stalls and objections whose class and kind are both right,
        of those whose kind is known.
    calibration_error : expected calibration error of the best class, 10 bins of equal mass.
    aurc : area under the risk-coverage curve: the error rate among the most confident texts,
        averaged over how many of them are answered. 0 is perfect.
    coverage : accuracy on the most confident tenth, two tenths, ... of the texts.
    flags : for each flag that some text has, by name.
    families_right : share of the groups of two or more texts that have every class right.
    confusion : (3, 3) counts, label by predicted class, in the order of `labels.CLASSES`.
    """

    n: int
    groups: int
    accuracy: Estimate
    macro_f1: Estimate
    stall_or_objection: Estimate
    kind_accuracy: Estimate | None
    calibration_error: Estimate
    aurc: Estimate
    coverage: dict[str, Estimate]
    families_right: Estimate | None
    flags: dict[str, ClassScores]
    classes: dict[str, ClassScores]
    confusion: list[list[int]]

    def to_dict(self) -> dict[str, object]:
        """As plain JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Slice:
    """Accuracy over the three classes on the `n` texts that share a `value` of some column."""

    value: str
    n: int
    accuracy: Estimate


def calibration_error(p: FloatArray, labels: ObjectArray) -> float:
    """Expected calibration error of the most probable class (Naeini et al. 2015), equal-mass bins.

    Parameters
    ----------
    p : ndarray of shape (n, 3)
    labels : ndarray of shape (n,)
    """
    return sum(abs(right - said) * n for said, right, n in reliability(p, labels)) / len(labels)


def reliability(p: FloatArray, labels: ObjectArray) -> list[tuple[float, float, int]]:
    """Mean confidence, share right and number of texts in each bin of equal mass, the least sure first."""
    confidence = p.max(axis=1)
    right = np.array(CLASSES, dtype=object)[p.argmax(axis=1)] == labels
    bins = np.array_split(np.argsort(confidence, kind="stable"), CALIBRATION_BINS)
    return [
        (float(confidence[rows].mean()), float(right[rows].mean()), len(rows)) for rows in bins if len(rows)
    ]


def errors_by_confidence(p: FloatArray, labels: ObjectArray) -> FloatArray:
    """The risk-coverage curve (El-Yaniv and Wiener 2010): (n,) the error rate among the 1, 2, ...
    n most confident texts. Texts of equal confidence share their errors evenly.

    Parameters
    ----------
    p : ndarray of shape (n, 3)
    labels : ndarray of shape (n,)
    """
    wrong = (np.array(CLASSES)[p.argmax(axis=1)] != labels).astype(float)
    confidence = p.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    _, tie = np.unique(-confidence[order], return_inverse=True)
    shared = (np.bincount(tie, wrong[order]) / np.bincount(tie))[tie]
    rates: FloatArray = np.cumsum(shared) / np.arange(1, len(wrong) + 1)
    return rates


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
    flags: Flagged | None = None,
    predicted_flags: Flagged | None = None,
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

    def estimates(figure: Callable[[npt.NDArray[np.int64]], FloatArray]) -> list[Estimate]:
        drawn = np.array([figure(rows) for rows in samples])
        low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
        whole = figure(np.arange(len(labels)))
        return [Estimate(*map(float, each)) for each in zip(whole, low, high, strict=True)]

    def estimate(figure: Callable[[npt.NDArray[np.int64]], float]) -> Estimate:
        return estimates(lambda rows: np.array([figure(rows)]))[0]

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
    is_right = target == answer
    first = np.where(p[:, 0] >= p[:, 1], CLASSES[0], CLASSES[1])
    has_kind = stance & (kinds != "") if kinds is not None else np.zeros(len(labels), bool)
    right_kind = None
    if predicted_kinds is not None and has_kind.any():
        right_kind = (predicted == labels) & (predicted_kinds == kinds)
    aurc, *coverage = estimates(lambda rows: _selective(p[rows], labels[rows]))
    return Scores(
        n=len(labels),
        groups=len(set(map(str, groups))),
        accuracy=estimate(lambda rows: float(is_right[rows].mean())),
        macro_f1=estimate(lambda rows: float(_class_figures(target[rows], answer[rows])[2].mean())),
        stall_or_objection=estimate(lambda rows: _mean_where(first == labels, stance, rows)),
        kind_accuracy=None
        if right_kind is None
        else estimate(lambda rows: _mean_where(right_kind, has_kind, rows)),
        calibration_error=estimate(lambda rows: calibration_error(p[rows], labels[rows])),
        aurc=aurc,
        coverage={f"{share:.0%}": each for share, each in zip(COVERAGES, coverage, strict=True)},
        families_right=_families_right(is_right, groups, rounds, seed),
        flags=_flag_scores(flags or {}, predicted_flags or {}, estimates),
        classes=per_class,
        confusion=confusion_matrix(labels.astype(str), predicted.astype(str), labels=CLASSES).tolist(),
    )


def macro_f1(labels: ObjectArray, predicted: ObjectArray) -> float:
    """Mean of the F1 of the three classes; a class that is neither labelled nor predicted counts 0."""
    names = np.sort(CLASSES)
    target, answer = (np.searchsorted(names, each.astype(str)) for each in (labels, predicted))
    return float(_class_figures(target, answer)[2].mean())


def slices(
    p: FloatArray, labels: ObjectArray, groups: ObjectArray, values: ObjectArray, *, seed: int = 0
) -> list[Slice]:
    """Accuracy for each distinct value (n,), the worst first; intervals as in `score`."""
    right = np.array(CLASSES, dtype=object)[p.argmax(axis=1)] == labels
    found = []
    for value in sorted(set(values)):
        own = np.flatnonzero(values == value)
        drawn = [right[own[rows]].mean() for rows in bootstrap_rows(groups[own], BOOTSTRAP_ROUNDS, seed)]
        low, high = np.percentile(drawn, [2.5, 97.5])
        found.append(Slice(value, len(own), Estimate(float(right[own].mean()), float(low), float(high))))
    return sorted(found, key=lambda each: each.accuracy.value)


def _class_figures(target: npt.NDArray[np.int64], answer: npt.NDArray[np.int64]) -> FloatArray:
    """Precision, recall and F1 of each class: (3, 3), a row a figure; 0 where undefined."""
    counts = np.bincount(target * 3 + answer, minlength=9).reshape(3, 3).astype(float)
    right = counts.diagonal()
    answered, wanted = counts.sum(axis=0), counts.sum(axis=1)
    precision = right / np.maximum(answered, 1)
    recall = right / np.maximum(wanted, 1)
    f1 = 2 * right / np.maximum(answered + wanted, 1)
    return np.array([precision, recall, f1])


def _selective(p: FloatArray, labels: ObjectArray) -> FloatArray:
    """The area under the risk-coverage curve, then the accuracy at each of `COVERAGES`."""
    rates = errors_by_confidence(p, labels)
    answered = [max(1, round(share * len(labels))) for share in COVERAGES]
    return np.array([rates.mean(), *(1 - rates[n - 1] for n in answered)])


def _flag_scores(
    flags: Flagged,
    predicted: Flagged,
    estimates: Callable[[Callable[[npt.NDArray[np.int64]], FloatArray]], list[Estimate]],
) -> dict[str, ClassScores]:
    """Precision, recall and F1 of each flag that a text has and that the model may find."""
    found = {}
    for name in flags.keys() & predicted.keys():
        has, said = flags[name], predicted[name]
        if has.any():
            precision, recall, f1 = estimates(partial(_binary, has, said))
            found[name] = ClassScores(precision, recall, f1, int(has.sum()))
    return dict(sorted(found.items()))


def _binary(
    has: npt.NDArray[np.bool_], said: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64]
) -> FloatArray:
    """Precision, recall and F1 of yes-or-no answers on some rows; 0 where undefined."""
    right, answered, wanted = (int(each[rows].sum()) for each in (has & said, said, has))
    return np.array([right / max(answered, 1), right / max(wanted, 1), 2 * right / max(answered + wanted, 1)])


def _families_right(
    is_right: npt.NDArray[np.bool_], groups: ObjectArray, rounds: int, seed: int
) -> Estimate | None:
    """Share of the groups with several members whose members are all right."""
    _, number, size = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    right = (np.bincount(number, is_right) == size)[size > 1]
    if not len(right):
        return None
    draws = np.random.default_rng(seed).integers(0, len(right), (rounds, len(right)))
    low, high = np.percentile(right[draws].mean(axis=1), [2.5, 97.5])
    return Estimate(float(right.mean()), float(low), float(high))


def _mean_where(
    right: npt.NDArray[np.bool_], within: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64]
) -> float:
    chosen = rows[within[rows]]
    return float(right[chosen].mean()) if len(chosen) else float("nan")
