"""`train`: labelled texts -> a model folder."""

from __future__ import annotations

import os
import platform
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import sklearn
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold
from sklearn.pipeline import Pipeline

import classifier
from classifier.errors import InputError
from classifier.labels import CLASSES, OTHER
from classifier.long_texts import weighed
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
from classifier.training.dataset import Dataset
from classifier.training.finetune import EncoderArrays
from classifier.training.long_texts import LongScores, LongTexts, learned, long_texts_of
from classifier.training.metrics import Scores, reliability, score, slices
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

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ObjectArray = npt.NDArray[np.object_]

Tell = Callable[[str, float], None]
"""Called with the step that is under way and the share of the work that is done."""

GUIDE_VERSION = 1
FOLDS = 5
STRONG_FOLDS = 3
BATCH_COLUMN = "batch"
LARGE_BATCH = 1 / 4
"""From this share of the texts on, a batch is held out family by family: a model that learned
without all of it would know far less than the one that is to ship."""
FEW_GROUPS = 12
"""Up to so many groups are held out one at a time."""
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
    batches = _batches(data) if base is None else None
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
    return Fitted(held_out, pipeline, to_arrays(pipeline, held_out.long_texts), None)


def _fit_strong(
    recipe: Recipe, data: Dataset, groups: ObjectArray, tell: Tell, memory: joblib.Memory
) -> Fitted:
    """The pipeline with an encoder; one fine-tuning takes minutes, so there are few folds."""
    kinds = kinds_in(data, recipe.base)
    splits = StratifiedGroupKFold(STRONG_FOLDS, shuffle=True, random_state=recipe.seed)
    parts = list(splits.split(groups, data.labels.astype(str), groups))
    steps = Steps(tell, 1 + len(parts))
    work = memory.cache(scores_without, ignore=["tell"])
    scored: list[tuple[IntArray, LongTexts, FloatArray]] = []
    for number, (others, rows) in enumerate(parts, 1):
        step = f"fold {number} of {len(parts)}"
        rest = others[~np.isin(data.groups[others], data.groups[rows])]
        held_out = data.take(rows)
        long = long_texts_of(held_out, recipe.seed)
        texts = [*held_out.texts, *long.strings]
        scored.append((rows, long, work(recipe, data.take(rest), kinds, texts, steps.within(step))))
        steps.finish(step)
    scores = HeldOutScores.of([(rows, own) for rows, _, own in scored])
    folds = []
    for number, (rows, long, own) in enumerate(scored):
        found = probabilities(scores, data, kinds, number, own)
        of_texts = found.take(np.arange(len(rows)))
        folds.append(
            Fold(rows, of_texts.classes, of_texts.best_kinds(kinds), long.scored(found.classes[len(rows) :]))
        )
    held = together(folds, with_kinds=bool(kinds))
    pipeline, encoder = fit_both(recipe, data, kinds, tell=steps.within("fitting on everything"))
    arrays, encoder = finish(pipeline, encoder, scores, data, kinds, held.long_texts)
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


def write_held_out(data: Dataset, held_out: HeldOut, path: Path) -> None:
    """Write texts, labels and held-out probabilities, for comparisons with models to come."""
    frame = pd.DataFrame({"text": data.texts, "label": data.labels, "group": data.groups})
    if data.kinds is not None:
        frame["kind"] = data.kinds
    frame[[f"p_{name}" for name in CLASSES]] = held_out.p
    write_atomically(path, frame.to_csv(index=False).encode("utf-8", "surrogatepass"))


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


def _batches(data: Dataset) -> ObjectArray | None:
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
