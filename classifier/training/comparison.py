"""`compare`: two models on the same rows, and whether one is really better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from classifier.labels import CLASSES
from classifier.training.dataset import Dataset
from classifier.training.metrics import BOOTSTRAP_ROUNDS, Estimate, bootstrap_rows, macro_f1

FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]

LEAST_IN_A_SLICE = 20
WORSE_BY = 0.02
"""A model that loses more than two points is worse, even where the rows are too few to be sure."""


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """By how much accuracy differs (second less first) on the `n` texts with this `value` of `column`."""

    column: str
    value: str
    n: int
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Changed:
    """A text whose class differs between the models. `row` counts from 0."""

    row: int
    text: str
    label: str
    first: str
    second: str
    first_confidence: float
    second_confidence: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The second model against the first, on the same `n` texts.

    accuracy, macro_f1 : of the first and of the second.
    difference, macro_f1_difference : second less first; 95% intervals from a bootstrap over groups
        in which both models meet the same sample.
    only_first, only_second : texts that one model alone gets right.
    p_value : McNemar's exact test (McNemar 1947) of those two counts.
    slices : by column, the greatest loss first.
    """

    n: int
    groups: int
    accuracy: tuple[float, float]
    difference: Estimate
    macro_f1: tuple[float, float]
    macro_f1_difference: Estimate
    only_first: int
    only_second: int
    p_value: float
    slices: list[SliceDifference]
    changed: list[Changed]

    @property
    def outcome(self) -> str:
        """``better`` or ``worse`` where the interval of the difference leaves out 0, else ``no
        clear difference``."""
        if self.difference.low > 0:
            return "better"
        return "worse" if self.difference.high < 0 else "no clear difference"

    @property
    def not_worse(self) -> bool:
        """Whether accuracy is neither surely lower nor lower by more than two points."""
        return self.difference.high >= 0 and self.difference.value >= -WORSE_BY

    def to_dict(self) -> dict[str, object]:
        """As plain JSON types."""
        return asdict(self) | {"outcome": self.outcome, "not_worse": self.not_worse}


def compare(
    first: FloatArray, second: FloatArray, data: Dataset, *, by: Sequence[str] = (), seed: int = 0
) -> Comparison:
    """Compare the class probabilities (n, 3) of two models on the same texts."""
    answers = [np.array(CLASSES, dtype=object)[p.argmax(axis=1)] for p in (first, second)]
    rights = [answer == data.labels for answer in answers]
    gain = rights[1].astype(float) - rights[0]
    samples = bootstrap_rows(data.groups, BOOTSTRAP_ROUNDS, seed)
    f1 = [macro_f1(data.labels, answer) for answer in answers]
    f1_drawn = [
        macro_f1(data.labels[rows], answers[1][rows]) - macro_f1(data.labels[rows], answers[0][rows])
        for rows in samples
    ]
    only = [int((gain < 0).sum()), int((gain > 0).sum())]
    columns = {"label": data.labels, **{name: data.frame[name].to_numpy(dtype=object) for name in by}}
    return Comparison(
        n=len(data),
        groups=len(set(map(str, data.groups))),
        accuracy=(float(rights[0].mean()), float(rights[1].mean())),
        difference=_estimate(float(gain.mean()), [gain[rows].mean() for rows in samples]),
        macro_f1=(f1[0], f1[1]),
        macro_f1_difference=_estimate(f1[1] - f1[0], f1_drawn),
        only_first=only[0],
        only_second=only[1],
        p_value=float(binomtest(only[0], sum(only)).pvalue) if sum(only) else 1.0,
        slices=_slices(gain, data.groups, columns, seed),
        changed=_changed(first, second, data, answers),
    )


def _slices(
    gain: FloatArray, groups: ObjectArray, columns: Mapping[str, ObjectArray], seed: int
) -> list[SliceDifference]:
    """The difference for every value that enough texts have, the greatest loss first."""
    found = []
    for column, values in columns.items():
        for value in sorted(set(values)):
            own = np.flatnonzero(values == value)
            if value == "" or len(own) < LEAST_IN_A_SLICE:
                continue
            drawn = [gain[own[rows]].mean() for rows in bootstrap_rows(groups[own], BOOTSTRAP_ROUNDS, seed)]
            found.append(SliceDifference(column, value, len(own), _estimate(float(gain[own].mean()), drawn)))
    return sorted(found, key=lambda each: each.difference.value)


def _changed(
    first: FloatArray, second: FloatArray, data: Dataset, answers: Sequence[ObjectArray]
) -> list[Changed]:
    """Rows with another class; those that the second model gets wrong first, the surest first."""
    rows = np.flatnonzero(answers[0] != answers[1])
    lost = answers[1][rows] != data.labels[rows]
    order = rows[np.lexsort((-second[rows].max(axis=1), ~lost))]
    return [
        Changed(
            int(i),
            data.texts[i],
            data.labels[i],
            answers[0][i],
            answers[1][i],
            float(first[i].max()),
            float(second[i].max()),
        )
        for i in order
    ]


def _estimate(value: float, drawn: Sequence[float]) -> Estimate:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(value, float(low), float(high))
