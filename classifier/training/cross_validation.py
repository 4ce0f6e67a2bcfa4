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

from classifier.persistence import default_model, load_scorer
from classifier.training.dataset import Dataset
from classifier.training.metrics import Scores, score
from classifier.training.pipeline import fit, to_scorer
from classifier.training.views import DividedScores, divided_texts, learned
from classifier.views import the_whole_alone, weighed

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

    p : (n, 3) class probabilities, the views of texts of several segments weighed as in
        `classifier.decide`.
    kinds : (n,) the most probable kind of the predicted class.
    views : how the views are weighed (`classifier.views.SHAPE`), learned on these predictions.
    """

    p: FloatArray
    kinds: ObjectArray | None
    views: FloatArray


@dataclass(frozen=True, slots=True)
class Fold:
    """What a fold's model says of the texts that it did not learn from: their rows (n,), their class
    probabilities (n, 3), their kinds (n,), and those of several segments."""

    rows: IntArray
    p: FloatArray
    kinds: ObjectArray
    divided: DividedScores


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
    prior = prior_views(base)
    parts = list(_folds(groups, seed).split(groups, data.labels.astype(str), groups))
    work = (memory or joblib.Memory(None)).cache(_fold)
    rests = (others[~np.isin(data.groups[others], data.groups[held_out])] for others, held_out in parts)
    steps.start(f"{len(parts)} folds")
    results = joblib.Parallel(n_jobs=min(len(parts), os.cpu_count() or 1), return_as="generator")(
        joblib.delayed(work)(pipeline, data.take(rest), base, weight, data.take(rows), seed)
        for rest, (_, rows) in zip(rests, parts, strict=True)
    )
    folds = []
    for number, ((_, rows), (p, kinds, divided)) in enumerate(zip(parts, results, strict=True), 1):
        folds.append(Fold(rows, p, kinds, divided))
        steps.finish(f"fold {number} of {len(parts)}")
    return together(folds, with_kinds=data.kinds is not None or base is not None, prior=prior)


def prior_views(base: Dataset | None) -> FloatArray:
    """Weights of views to set out from: those of the shipped default model for what is learned on top of
    the shipped statements, else the whole alone."""
    return the_whole_alone() if base is None else load_scorer(default_model())[0].arrays.views


def together(folds: Sequence[Fold], *, with_kinds: bool, prior: FloatArray) -> HeldOut:
    """The predictions of all folds, the views of each fold's texts weighed as the others teach, who set out
    from the weights `prior`."""
    order = np.argsort(np.concatenate([fold.rows for fold in folds]))
    p, kinds = [], []
    for own in folds:
        taught = learned([fold.divided for fold in folds if fold is not own], prior)
        rows, divided = own.divided.row, own.divided
        by_views = weighed(divided.features[: len(rows)], divided.n_segments[: len(rows)], taught)
        new = by_views.argmax(axis=1)
        changed = np.flatnonzero(new != own.p[rows].argmax(axis=1))
        p.append(own.p.copy())
        kinds.append(own.kinds.copy())
        p[-1][rows] = by_views
        kinds[-1][rows[changed]] = divided.kinds[changed, new[changed]]
    return HeldOut(
        np.concatenate(p)[order],
        np.concatenate(kinds)[order] if with_kinds else None,
        learned([fold.divided for fold in folds], prior),
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
) -> tuple[FloatArray, ObjectArray, DividedScores]:
    """Predictions for `held_out` by a copy of the pipeline fitted on `data` and `base`."""
    fitted = fit(clone(pipeline), data, base=base, weight=weight)
    scorer = to_scorer(fitted)
    found = scorer.probabilities(held_out.texts)
    divided = divided_texts(held_out, seed)
    views = divided.scored(scorer.probabilities(divided.strings), scorer.kinds)
    return found.classes, found.best_kinds(scorer.kinds), views


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
