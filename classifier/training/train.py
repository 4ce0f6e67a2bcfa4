"""`train`: labelled texts -> a model folder."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold
from sklearn.pipeline import Pipeline

import classifier
from classifier.errors import InputError
from classifier.labels import CLASSES
from classifier.persistence import CARD_TEXT_FILE, PIPELINE_FILE, Card, save_scorer, write_atomically
from classifier.training.dataset import Dataset
from classifier.training.metrics import Scores, score
from classifier.training.model_card import model_card
from classifier.training.pipeline import make_pipeline, to_arrays

FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]

GUIDE_VERSION = 1
FOLDS = 5
BATCH_COLUMN = "batch"
FEW_GROUPS = 12
"""Up to so many groups are held out one at a time."""
LEAST_OF_EACH_CLASS = 10
TARGET_PRECISION = 0.95
PRECISIONS = tuple(round(0.80 + 0.01 * i, 2) for i in range(20))
"""Target precisions whose thresholds a card holds."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predictions for every text by a model that saw nothing of its group.

    p : (n, 3) class probabilities; kinds : (n,) the most probable kind of the predicted class.
    """

    p: FloatArray
    kinds: ObjectArray | None


@dataclass(frozen=True, slots=True)
class Trained:
    """What `train` made: the folder, the scorer's SHA-256, the card and the held-out scores."""

    folder: Path
    sha256: str
    card: Card
    scores: Scores


def train(
    data: Dataset,
    folder: Path,
    *,
    target_precision: float = TARGET_PRECISION,
    seed: int = 0,
    progress: Callable[[str], None] = lambda step: None,
) -> Trained:
    """Train on `data`, score by cross-validation that holds out groups, write the model folder.

    The unsure band is chosen on predictions that hold out whole batches, where the data have a
    column ``batch`` with several: people differ more than families of statements do.

    Raises
    ------
    InputError
        If a class has fewer than 10 texts, or if there are too few groups to hold any out.
    """
    check_enough(data)
    held_out = cross_validate(data, make_pipeline(), seed=seed, progress=progress)
    progress("scoring")
    scores = score_held_out(data, held_out, seed=seed)
    by_batch = held_out
    batches = _batches(data)
    if batches is not None:
        by_batch = cross_validate(data, make_pipeline(), groups=batches, seed=seed, progress=progress)
    progress("fitting on everything")
    pipeline = fit(make_pipeline(), data)
    unsure = unsure_bands(by_batch.p, data.labels, target_precision)
    unsure["held_out"] = data.group_column if batches is None else BATCH_COLUMN
    card = _card(data, pipeline, scores, unsure, seed)
    progress("writing")
    sha256 = save_scorer(folder, to_arrays(pipeline), card)
    _dump_pipeline(pipeline, folder)
    whole = {"name": folder.name, "sha256": sha256, **card}
    write_atomically(folder / CARD_TEXT_FILE, model_card(whole).encode())
    return Trained(folder, sha256, whole, scores)


def check_enough(data: Dataset) -> None:
    """Refuse data with too few texts of a class or too few groups."""
    counts = Counter(data.labels)
    for name in CLASSES:
        if counts[name] < LEAST_OF_EACH_CLASS:
            raise InputError(
                f"only {counts[name]} texts are labelled {name}: at least {LEAST_OF_EACH_CLASS} "
                "of each class are wanted"
            )
    groups = len(set(data.groups))
    if groups < FOLDS:
        raise InputError(
            f"column '{data.group_column}' has {groups} different values: at least {FOLDS} groups "
            "are wanted, so that some can be held out"
        )


def fit(pipeline: Pipeline, data: Dataset) -> Pipeline:
    """Fit `pipeline` on all of `data`."""
    return pipeline.fit(
        data.texts,
        data.labels,
        classifier__kind=data.kinds,
        classifier__flags=data.flags,
        classifier__groups=data.groups,
    )


def cross_validate(
    data: Dataset,
    pipeline: Pipeline,
    *,
    groups: ObjectArray | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda step: None,
) -> HeldOut:
    """Predict every text by a copy of `pipeline` trained without its group.

    `groups` (n,) may be another division than `data.groups`; nothing of a text's own group is
    trained on either. Five folds, or one for each group where there are few.
    """
    groups = data.groups if groups is None else groups
    p = np.zeros((len(data), len(CLASSES)))
    kinds = None if data.kinds is None else np.empty(len(data), dtype=object)
    folds = (
        LeaveOneGroupOut()
        if len(set(groups)) <= FEW_GROUPS
        else StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    )
    count = folds.get_n_splits(p, data.labels, groups)
    for number, (others, held_out) in enumerate(folds.split(p, data.labels.astype(str), groups), 1):
        progress(f"fold {number} of {count}")
        rest = others[~np.isin(data.groups[others], data.groups[held_out])]
        fold = fit(clone(pipeline), data.take(rest))
        part = data.take(held_out)
        p[held_out], found = predict(fold, part.texts)
        if kinds is not None:
            kinds[held_out] = found
    return HeldOut(p, kinds)


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


def unsure_band(p: FloatArray, labels: ObjectArray, target: float) -> tuple[float, float]:
    """The least confidence at which answers reach precision `target`, and the share answered.

    Every threshold from there up is at least as precise on these texts as `target`, as far as
    their number lets one say; where no threshold reaches it, the best one is taken.
    """
    confidence = p.max(axis=1)
    right = np.array(CLASSES, dtype=object)[p.argmax(axis=1)] == labels
    order = np.argsort(-confidence, kind="stable")
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(precision >= target)
    last = int(enough[-1]) if len(enough) else int(precision.argmax())
    return float(confidence[order[last]]), (last + 1) / len(order)


def unsure_bands(p: FloatArray, labels: ObjectArray, target: float) -> dict[str, Any]:
    """The band for the target, and for others that a user may ask for instead."""
    threshold, answered = unsure_band(p, labels, target)
    others = {str(each): unsure_band(p, labels, each) for each in PRECISIONS}
    return {
        "target_precision": target,
        "threshold": threshold,
        "answered": answered,
        "thresholds": {each: found[0] for each, found in others.items()},
        "answered_at": {each: found[1] for each, found in others.items()},
    }


def _batches(data: Dataset) -> ObjectArray | None:
    """Who wrote or gathered each text, if the data tell and name enough."""
    if BATCH_COLUMN not in data.frame or data.frame[BATCH_COLUMN].nunique() < FOLDS:
        return None
    return data.frame[BATCH_COLUMN].to_numpy(dtype=object)


def _card(data: Dataset, pipeline: Pipeline, scores: Scores, unsure: dict[str, Any], seed: int) -> Card:
    counts: dict[str, Any] = {
        "texts": len(data),
        "groups": len(set(data.groups)),
        "group_column": data.group_column,
        "labels": dict(Counter(data.labels)),
        "sha256": data.sha256(),
    }
    if data.kinds is not None:
        counts["kinds"] = dict(sorted(Counter(kind for kind in data.kinds if kind).items()))
    return {
        "guide_version": GUIDE_VERSION,
        "data": counts,
        "unsure": unsure,
        "held_out": scores.to_dict(),
        "parameters": {
            name: value
            for name, value in pipeline.get_params().items()
            if "__" in name and isinstance(value, int | float | str)
        },
        "seed": seed,
        "versions": {
            "stallcheck": classifier.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }


def _dump_pipeline(pipeline: Pipeline, folder: Path) -> None:
    """Write the estimator for analysts, beside its place first."""
    beside = folder / f".{PIPELINE_FILE}.part"
    try:
        joblib.dump(pipeline, beside, compress=3)
        beside.replace(folder / PIPELINE_FILE)
    finally:
        beside.unlink(missing_ok=True)
