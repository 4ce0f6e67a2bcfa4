"""`train`: labelled texts -> a model folder."""

from __future__ import annotations

import platform
import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import sklearn
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline

import classifier
from classifier.errors import InputError
from classifier.labels import CLASSES
from classifier.persistence import (
    CARD_TEXT_FILE,
    HELD_OUT_FILE,
    PIPELINE_FILE,
    Card,
    default_model,
    load_scorer,
    save_scorer,
    write_atomically,
)
from classifier.scorer import Arrays
from classifier.training.class_head import held_out_probabilities
from classifier.training.cross_validation import (
    FOLDS,
    Fold,
    HeldOut,
    Steps,
    Tell,
    cross_validate,
    n_folds,
    prior_views,
    score_held_out,
    together,
)
from classifier.training.dataset import Dataset
from classifier.training.finetune import EncoderArrays
from classifier.training.metrics import Scores, reliability, slices
from classifier.training.model_card import model_card
from classifier.training.pipeline import fit, make_pipeline, to_arrays
from classifier.training.strong import (
    HeldOutScores,
    Recipe,
    finish,
    fit_both,
    kinds_in,
    probabilities,
    scores_without,
)
from classifier.training.views import Divided, divided_texts

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ObjectArray = npt.NDArray[np.object_]

GUIDE_VERSION = 1
STRONG_FOLDS = 3
BATCH_COLUMN = "batch"
LARGE_BATCH = 1 / 4
"""From this share of the texts on, a batch is held out family by family: a model that learned
without all of it would know far less than the one that is to ship."""
LEAST_OF_EACH_CLASS = 10
TARGET_PRECISION = 0.95
ENOUGH_FOR_A_BAND = 300
"""With fewer notes of their own, a team's model keeps the unsure band of the shipped one."""
WEIGHTS = (1.0, 3.0, 10.0)
"""How much more a note of one's own may count than a shipped statement."""
REGULARISATIONS = (1.0, 0.3, 3.0)
"""Values of C that are tried; the first one wins a tie."""
CHECKPOINTS = ".training"
SLICED = ("channel", "dialect", "kind")
"""Columns by which a model card tells the accuracy."""
PRECISIONS = tuple(round(0.80 + 0.01 * i, 2) for i in range(20))
"""Target precisions whose thresholds a card holds."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What `train` made: the folder, the scorer's SHA-256, the card and the held-out predictions
    with their scores."""

    folder: Path
    sha256: str
    card: Card
    held_out: HeldOut
    scores: Scores


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model fitted on everything and the held-out predictions of its like."""

    held_out: HeldOut
    pipeline: Pipeline
    arrays: Arrays
    encoder: EncoderArrays | None


def train(
    data: Dataset,
    folder: Path,
    *,
    base: Dataset | None = None,
    pretrained: Path | None = None,
    target_precision: float = TARGET_PRECISION,
    seed: int = 0,
    tell: Tell = lambda step, share: None,
) -> Trained:
    """Train on `data`, score by cross-validation that holds out groups, write the model folder.

    With `base`, every model also learns from those texts (less the ones that are in `data`); how
    much more a text of `data` counts than one of `base`, and how much is regularised, is chosen by
    cross-validation. The scores
    are on `data` alone.

    With `pretrained`, the folder of a BERT, the model is a strong one (`classifier.training.strong`).

    What is held out are whole batches, where the data have a column ``batch`` with several: people
    differ more than families of statements do. A batch of more than a quarter of the texts is held out
    by its groups instead. The unsure band is chosen on those predictions; with `base` and fewer than 300
    texts it is that of the shipped model.

    What was computed is kept in the folder until the model is written, so that a run that was
    stopped goes on where it was when it is started again with the same data.

    Raises
    ------
    InputError
        If a class has fewer than 10 texts, or if there are too few groups to hold any out.
    MissingExtra
        If a strong model is asked for and what trains it is not installed.
    """
    check_enough(data)
    base = None if base is None else base.without(data.texts)
    batches = batches_of(data) if base is None else None
    memory = joblib.Memory(folder / CHECKPOINTS, verbose=0)
    weight, pipeline = 1.0, make_pipeline()
    if base is not None:
        tell("searching", 0.0)
        weight, C = search(data, base, seed=seed + 1)
        pipeline = make_pipeline(classifier__C=C)
    recipe = Recipe(pipeline, base, weight, seed, pretrained)
    groups = data.groups if batches is None else batches
    fitted = (_fit_ngrams if pretrained is None else _fit_strong)(recipe, data, groups, tell, memory)
    scores = score_held_out(data, fitted.held_out, seed=seed)
    if base is not None and len(data) < ENOUGH_FOR_A_BAND:
        unsure = {**load_scorer(default_model())[1]["unsure"], "target_precision": target_precision}
        unsure["threshold"] = unsure["thresholds"][f"{target_precision:g}"]
        unsure["of_the_shipped_model"] = True
    else:
        unsure = unsure_bands(fitted.held_out.p, data.labels, target_precision)
    card = _card(data, pipeline, scores, unsure, seed)
    card["held_out_by"] = _held_out_by(data, batches)
    card["slices"] = _slices(data, fitted.held_out.p, seed)
    card["reliability"] = reliability(fitted.held_out.p, data.labels)
    if base is not None:
        card["data"] |= {"base_texts": len(base), "base_sha256": base.sha256(), "weight": weight}
    tell("writing", 1.0)
    write_held_out(data, fitted.held_out, folder / HELD_OUT_FILE)
    whole = save_scorer(folder, fitted.arrays, card, fitted.encoder)
    _dump_pipeline(fitted.pipeline, folder)
    write_atomically(folder / CARD_TEXT_FILE, model_card(whole).encode())
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return Trained(folder, whole["sha256"], whole, fitted.held_out, scores)


def _fit_ngrams(
    recipe: Recipe, data: Dataset, groups: ObjectArray, tell: Tell, memory: joblib.Memory
) -> Fitted:
    """The n-gram pipeline alone."""
    pipeline, base, weight, seed = recipe.pipeline, recipe.base, recipe.weight, recipe.seed
    steps = Steps(tell, 1 + n_folds(groups))
    held_out = cross_validate(
        data, pipeline, groups=groups, base=base, weight=weight, seed=seed, steps=steps, memory=memory
    )
    steps.start("fitting on everything")
    fit(pipeline, data, base=base, weight=weight)
    return Fitted(held_out, pipeline, to_arrays(pipeline, held_out.views), None)


def _fit_strong(
    recipe: Recipe, data: Dataset, groups: ObjectArray, tell: Tell, memory: joblib.Memory
) -> Fitted:
    """The pipeline with an encoder; one fine-tuning takes minutes, so there are few folds."""
    kinds, prior = kinds_in(data, recipe.base), prior_views(recipe.base)
    splits = StratifiedGroupKFold(STRONG_FOLDS, shuffle=True, random_state=recipe.seed)
    parts = list(splits.split(groups, data.labels.astype(str), groups))
    steps = Steps(tell, 1 + len(parts))
    work = memory.cache(scores_without, ignore=["tell"])
    scored: list[tuple[IntArray, Divided, FloatArray]] = []
    for number, (others, rows) in enumerate(parts, 1):
        step = f"fold {number} of {len(parts)}"
        rest = others[~np.isin(data.groups[others], data.groups[rows])]
        held_out = data.take(rows)
        divided = divided_texts(held_out, recipe.seed)
        texts = [*held_out.texts, *divided.strings]
        scored.append((rows, divided, work(recipe, data.take(rest), kinds, texts, steps.within(step))))
        steps.finish(step)
    scores = HeldOutScores.of([(rows, own) for rows, _, own in scored])
    folds = []
    for number, (rows, divided, own) in enumerate(scored):
        found = probabilities(scores, data, kinds, number, own)
        of_texts = found.take(np.arange(len(rows)))
        views = divided.scored(found.take(len(rows) + np.arange(len(divided.strings))), kinds)
        folds.append(Fold(rows, of_texts.classes, of_texts.best_kinds(kinds), views))
    held = together(folds, with_kinds=bool(kinds), prior=prior)
    pipeline, encoder = fit_both(recipe, data, kinds, tell=steps.within("fitting on everything"))
    arrays, encoder = finish(pipeline, encoder, scores, data, kinds, held.views)
    return Fitted(held, pipeline, arrays, encoder)


def search(data: Dataset, base: Dataset, *, seed: int = 0) -> tuple[float, float]:
    """The weight of a text of `data`, then the regularisation C, with the least held-out log-loss.

    The class head alone decides: whole pipelines rank them alike and take a minute each.
    """
    own = np.arange(len(data)), np.array([CLASSES.index(label) for label in data.labels])

    def loss(weight: float, C: float) -> float:
        p = held_out_probabilities(data, base, weight, C=C, seed=seed)
        return float(-np.log(p[own] + 1e-12).mean())

    weight = min(WEIGHTS, key=lambda each: loss(each, 1.0))
    return weight, min(REGULARISATIONS, key=lambda each: loss(weight, each))


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


def write_held_out(data: Dataset, held_out: HeldOut, path: Path) -> None:
    """Write texts, labels and held-out probabilities, for comparisons with models to come."""
    frame = pd.DataFrame({"text": data.texts, "label": data.labels, "group": data.groups})
    if data.kinds is not None:
        frame["kind"] = data.kinds
    frame[[f"p_{name}" for name in CLASSES]] = held_out.p
    write_atomically(path, frame.to_csv(index=False).encode("utf-8", "surrogatepass"))


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


def _slices(data: Dataset, p: FloatArray, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Held-out accuracy by channel, dialect and kind, where the data tell them; the worst first."""
    columns = {name: data.frame[name].to_numpy(dtype=object) for name in SLICED if name in data.frame}
    return {
        name: [asdict(each) for each in slices(p, data.labels, data.groups, values, seed=seed)]
        for name, values in columns.items()
    }


def batches_of(data: Dataset) -> ObjectArray | None:
    """Who wrote or gathered each text, if the data tell and name enough; of a large batch its groups."""
    if BATCH_COLUMN not in data.frame or data.frame[BATCH_COLUMN].nunique() < FOLDS:
        return None
    batch = data.frame[BATCH_COLUMN]
    return np.where(_of_a_large_batch(batch), data.groups, batch).astype(object)


def _of_a_large_batch(batch: pd.Series[str]) -> npt.NDArray[np.bool_]:
    return (batch.map(batch.value_counts()) > LARGE_BATCH * len(batch)).to_numpy(dtype=bool)


def _held_out_by(data: Dataset, batches: ObjectArray | None) -> str | None:
    """The columns whose values were held out whole, joined by a comma."""
    if batches is None:
        return data.group_column
    large = _of_a_large_batch(data.frame[BATCH_COLUMN]).any()
    return f"{BATCH_COLUMN}, {data.group_column or 'row'}" if large else BATCH_COLUMN


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
