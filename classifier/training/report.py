"""An evaluation as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.decide import judge
from classifier.html import check_installed, svg, write_page
from classifier.labels import CLASSES
from classifier.scorer import Scorer
from classifier.training.costs import Costs
from classifier.training.dataset import Dataset
from classifier.training.evaluate import Evaluation
from classifier.training.metrics import Slice, errors_by_confidence, reliability, score, slices
from classifier.training.noise import robustness
from classifier.training.promotion import contrast
from classifier.verdict import Model

FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]

MOST_ERRORS = 30
LENGTHS = ((5, "up to 5 words"), (12, "6 to 12"), (25, "13 to 25"), (60, "26 to 60"), (10**9, "over 60"))
_INK = "#1f1f1f"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A text that the model gets wrong: what it said, how surely, and the words that made it say so."""

    text: str
    label: str
    kind: str
    said: str
    confidence: float
    words: tuple[str, ...]


def write_evaluation(
    path: Path,
    evaluation: Evaluation,
    model: Model,
    data: Dataset,
    *,
    title: str,
    by: Sequence[str] = (),
    costs: Costs | None = None,
    seed: int = 0,
) -> None:
    """Write the page: scores, charts, slices, traps, noise, costs and errors to read.

    Raises
    ------
    MissingExtra
        If the [report] extra is not installed.
    """
    check_installed()
    p = judge(model.scorer, data.texts).best.p
    write_page(
        path,
        "evaluation",
        title=title,
        scores=evaluation.model,
        baselines={"keyword list": evaluation.keywords, "majority": evaluation.majority},
        classes=CLASSES,
        reliability=_reliability(p, data.labels),
        coverage=_coverage(p, data.labels),
        slices=_slices(p, data, by, seed),
        overall=evaluation.model.accuracy,
        traps=_traps(model.scorer, seed),
        noise=robustness(model.scorer, data, seed=seed),
        costs=costs,
        mistakes=_mistakes(p, data, model),
    )


def _slices(p: FloatArray, data: Dataset, by: Sequence[str], seed: int) -> dict[str, list[Slice]]:
    """Accuracy by length, by channel and kind where the data have them, and by the columns asked for."""
    columns = {"length": np.array([_length(text) for text in data.texts], dtype=object)}
    for name in dict.fromkeys(["channel", "kind", *by]):
        if name in data.frame:
            columns[name] = data.frame[name].to_numpy(dtype=object)
    return {name: slices(p, data.labels, data.groups, own, seed=seed) for name, own in columns.items()}


def _length(text: str) -> str:
    words = len(text.split())
    return next(name for most, name in LENGTHS if words <= most)


def _traps(scorer: Scorer, seed: int) -> Any:
    """Scores on the shipped minimal pairs."""
    pairs = contrast()
    return score(judge(scorer, pairs.texts).best.p, pairs.labels, pairs.groups, seed=seed)


def _mistakes(p: FloatArray, data: Dataset, model: Model) -> list[Mistake]:
    """The texts that the model is most wrongly sure of."""
    answer = np.array(CLASSES, dtype=object)[p.argmax(axis=1)]
    wrong = np.flatnonzero(answer != data.labels)
    worst = wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")][:MOST_ERRORS]
    verdicts = model.predict([data.texts[i] for i in worst])
    return [
        Mistake(
            data.texts[i],
            data.labels[i],
            "" if data.kinds is None else data.kinds[i],
            answer[i],
            float(p[i].max()),
            tuple(span.text for span in verdict.evidence if span.speaks_for == answer[i]),
        )
        for i, verdict in zip(worst, verdicts, strict=True)
    ]


def _reliability(p: FloatArray, labels: ObjectArray) -> str:
    """Share right against confidence, in bins of equal mass, as SVG."""
    from matplotlib.figure import Figure

    at, share, _ = zip(*reliability(p, labels), strict=True)
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], ":", color=_INK, label="as it should be")
    axes.plot(at, share, "-o", color=_INK, label="the model")
    axes.set(xlabel="confidence", ylabel="share right", xlim=(0.3, 1.02), ylim=(0, 1.05))
    return _finish(figure, axes)


def _coverage(p: FloatArray, labels: ObjectArray) -> str:
    """Error rate among the most confident texts, as SVG."""
    from matplotlib.figure import Figure

    rates = errors_by_confidence(p, labels)
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(np.arange(1, len(rates) + 1) / len(rates), rates, color=_INK, label="the model")
    axes.set(xlabel="share answered, the most confident first", ylabel="share wrong of those", xlim=(0, 1.02))
    axes.set_ylim(bottom=0)
    return _finish(figure, axes)


def _finish(figure: Any, axes: Any) -> str:
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return svg(figure)
