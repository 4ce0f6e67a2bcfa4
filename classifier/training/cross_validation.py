"""Every text predicted by a model that saw nothing of its group."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import joblib
import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from classifier.labels import OTHER
from classifier.long_texts import weighed
from classifier.persistence import default_model, load_scorer
from classifier.training.dataset import Dataset
from classifier.training.long_texts import LongScores, learned, long_texts_of
from classifier.training.metrics import Scores, score
from classifier.training.pipeline import fit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ObjectArray = npt.NDArray[np.object_]

Tell = Callable[[str, float], None]
"""Called with the step that is under way and the share of the work that is done."""

FOLDS = 5
FEW_GROUPS = 12
"""Up to so many groups are held out one at a time."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predictions for every text by a model that saw nothing of its group.

    Long texts are weighed as in `classifier.decide`; its mixed rule is left out.

    p : (n, 3) class probabilities; kinds : (n,) the most probable kind of the predicted class, ``other``
    where weighing a long text changed its class.
    long_texts : (9,) how the views of long texts are weighed, learned on these predictions.
    """

    p: FloatArray
    kinds: ObjectArray | None
    long_texts: FloatArray


@dataclass(frozen=True, slots=True)
class Fold:
    """What a fold's model says of the texts that it did not learn from: their rows (n,), their class
    probabilities (n, 3), their kinds (n,) and their long texts."""

    rows: IntArray
    p: FloatArray
    kinds: ObjectArray
    long: LongScores


@dataclass(slots=True)
class Steps:
    """Says after each of `total` fits how far the work is: `tell(step, share of the work done)`."""

    tell: Tell = lambda step, share: None
    total: int = 0
    done: int = field(default=0, init=False)

    def start(self, step: str) -> None:
        """A step begins."""
        self.tell(step, min(1.0, self.done / max(self.total, 1)))

    def finish(self, step: str) -> None:
        """A fit is done."""
        self.done += 1
        self.start(step)

    def within(self, step: str) -> Callable[[float], None]:
        """Says how far the fit is that goes on, by the share of it that is done."""
        self.start(step)
        return lambda share: self.tell(step, (self.done + share) / self.total)


def cross_validate(
    data: Dataset,
    pipeline: Pipeline,
    *,
    groups: ObjectArray | None = None,
    base: Dataset | None = None,
    weight: float = 1.0,
    seed: int = 0,
    steps: Steps | None = None,
    memory: joblib.Memory | None = None,
) -> HeldOut:
    """Predict every text by a copy of `pipeline` trained without its group.

    `groups` (n,) may be another division than `data.groups`; nothing of a text's own group is
    trained on either. Five folds, or one for each group where there are few. All of `base`, if
    given, is in every training part. Folds run in processes of their own, one a core; `memory`
    keeps what they found.
    """
    groups = data.groups if groups is None else groups
    steps = steps or Steps()
    parts = list(_folds(groups, seed).split(groups, data.labels.astype(str), groups))
    work = (memory or joblib.Memory(None)).cache(_fold)
    rests = (others[~np.isin(data.groups[others], data.groups[held_out])] for others, held_out in parts)
    steps.start(f"{len(parts)} folds")
    results = joblib.Parallel(n_jobs=min(len(parts), os.cpu_count() or 1), return_as="generator")(
        joblib.delayed(work)(pipeline, data.take(rest), base, weight, data.take(rows), seed)
        for rest, (_, rows) in zip(rests, parts, strict=True)
    )
    folds = []
    for number, ((_, rows), (p, kinds, long)) in enumerate(zip(parts, results, strict=True), 1):
        folds.append(Fold(rows, p, kinds, long))
        steps.finish(f"fold {number} of {len(parts)}")
    return together(folds, with_kinds=data.kinds is not None or base is not None)


def together(folds: Sequence[Fold], *, with_kinds: bool) -> HeldOut:
    """The predictions of all folds, those for the long texts of each weighed as the others teach; where
    they are too few to teach it, as in the shipped model."""
    order = np.argsort(np.concatenate([fold.rows for fold in folds]))
    overall = learned([fold.long for fold in folds])
    too_few = overall is None
    if overall is None:
        overall = load_scorer(default_model())[0].arrays.long_texts
    p, kinds = [], []
    for own in folds:
        others = None if too_few else learned([fold.long for fold in folds if fold is not own])
        coefficients = overall if others is None else others
        n_written = len(own.long.row)
        weighed_p = own.p.copy()
        weighed_p[own.long.row] = weighed(
            own.long.features[:n_written], own.long.n_segments[:n_written], coefficients
        )
        same = weighed_p.argmax(axis=1) == own.p.argmax(axis=1)
        p.append(weighed_p)
        kinds.append(np.where(same, own.kinds, OTHER))
    return HeldOut(
        np.concatenate(p)[order],
        np.concatenate(kinds)[order] if with_kinds else None,
        overall,
    )


def n_folds(groups: ObjectArray) -> int:
    """How many folds `cross_validate` makes of these groups."""
    return int(_folds(groups, 0).get_n_splits(groups, groups, groups))


def _folds(groups: ObjectArray, seed: int) -> LeaveOneGroupOut | StratifiedGroupKFold:
    if len(set(groups)) <= FEW_GROUPS:
        return LeaveOneGroupOut()
    return StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)


def _fold(
    pipeline: Pipeline, data: Dataset, base: Dataset | None, weight: float, held_out: Dataset, seed: int
) -> tuple[FloatArray, ObjectArray, LongScores]:
    """Predictions for `held_out` by a copy of the pipeline fitted on `data` and `base`."""
    fitted = fit(clone(pipeline), data, base=base, weight=weight)
    long = long_texts_of(held_out, seed)
    return *predict(fitted, held_out.texts), long.scored(predict(fitted, long.strings)[0])


def score_held_out(data: Dataset, held_out: HeldOut, *, seed: int = 0) -> Scores:
    """Scores of held-out predictions, with intervals over the groups of `data`."""
    return score(
        held_out.p,
        data.labels,
        data.groups,
        kinds=data.kinds,
        predicted_kinds=held_out.kinds,
        seed=seed,
    )


def predict(pipeline: Pipeline, texts: list[str]) -> tuple[FloatArray, ObjectArray]:
    """Class probabilities (n, 3) and the most probable kind of the predicted class (n,)."""
    model = pipeline["classifier"]
    found = model.probabilities(pipeline[:-1].transform(texts))
    return found.classes, found.best_kinds(model.kinds_)
