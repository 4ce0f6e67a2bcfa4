"""`evaluate`: a model against labelled texts, beside a majority and a keyword baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from classifier.decide import judge
from classifier.errors import InputError
from classifier.labels import FLAGS
from classifier.scorer import Scorer
from classifier.suggest import did_you_mean
from classifier.training.baselines import keywords, majority
from classifier.training.cross_validation import Steps, cross_validate, n_folds, score_held_out
from classifier.training.dataset import Dataset
from classifier.training.metrics import Flagged, Scores, Slice, score, slices
from classifier.training.pipeline import make_pipeline
from classifier.training.train import check_enough

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of the model and of two baselines on the same texts, and of the model by column."""

    model: Scores
    keywords: Scores
    majority: Scores
    slices: dict[str, list[Slice]]

    def to_dict(self) -> dict[str, object]:
        """As plain JSON types."""
        return asdict(self)


def evaluate(scorer: Scorer, data: Dataset, *, by: Sequence[str] = (), seed: int = 0) -> Evaluation:
    """Score what a trained model says, before it abstains, of `data`, which it should not have learned from.

    Raises
    ------
    InputError
        If a column of `by` is not in the data.
    """
    check_columns(data, by)
    found = judge(scorer, data.texts)
    scores = score(
        found.best.p,
        data.labels,
        data.groups,
        kinds=data.kinds,
        predicted_kinds=found.best.kinds,
        flags=None if data.flags is None else _flagged([cell.split(";") for cell in data.flags]),
        predicted_flags=_flagged(found.flags),
        seed=seed,
    )
    return _beside_baselines(scores, data, found.best.p, by, seed)


def evaluate_by_cross_validation(
    data: Dataset,
    *,
    hold_out: str | None = None,
    by: Sequence[str] = (),
    seed: int = 0,
    tell: Callable[[str, float], None] = lambda step, share: None,
) -> Evaluation:
    """Train and score on `data` by folds that hold out whole groups, or whole values of a column.

    Raises
    ------
    InputError
        If a class has fewer than 10 texts, if there are too few groups, or if a column named in
        `hold_out` or `by` is not in the data or is all one value.
    """
    check_enough(data)
    check_columns(data, [*by, *([hold_out] if hold_out else [])])
    if hold_out and data.frame[hold_out].nunique() < 2:
        raise InputError(f"column '{hold_out}' has one value: nothing could be held out")
    groups = data.frame[hold_out].to_numpy(dtype=object) if hold_out else None
    steps = Steps(tell, n_folds(data.groups if groups is None else groups))
    held_out = cross_validate(data, make_pipeline(), groups=groups, seed=seed, steps=steps)
    scores = score_held_out(data, held_out, seed=seed)
    return _beside_baselines(scores, data, held_out.p, by, seed)


def _flagged(flags: Sequence[Sequence[str]]) -> Flagged:
    return {name: np.array([name in own for own in flags], dtype=bool) for name in FLAGS}


def check_columns(data: Dataset, columns: Sequence[str]) -> None:
    """Refuse a column that the data lack.

    Raises
    ------
    InputError
        With the columns that are there.
    """
    for column in columns:
        if column not in data.frame:
            near = did_you_mean(column, data.frame.columns)
            raise InputError(f"no column '{column}'{near} (columns are {', '.join(data.frame.columns)})")


def _beside_baselines(
    scores: Scores, data: Dataset, p: FloatArray, by: Sequence[str], seed: int
) -> Evaluation:
    return Evaluation(
        scores,
        score(keywords(data.texts), data.labels, data.groups, seed=seed),
        score(majority(data.labels, len(data)), data.labels, data.groups, seed=seed),
        {
            column: slices(p, data.labels, data.groups, data.frame[column].to_numpy(dtype=object), seed=seed)
            for column in by
        },
    )
