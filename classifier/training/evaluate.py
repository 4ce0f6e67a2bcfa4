"""`evaluate`: a model against labelled texts, beside a majority and a keyword baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from classifier.scorer import Scorer
from classifier.training.baselines import keywords, majority
from classifier.training.dataset import Dataset
from classifier.training.metrics import Scores, score
from classifier.training.pipeline import make_pipeline
from classifier.training.train import check_enough, cross_validate, score_held_out


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of the model and of two baselines on the same texts."""

    model: Scores
    keywords: Scores
    majority: Scores

    def to_dict(self) -> dict[str, object]:
        """As plain JSON types."""
        return asdict(self)


def evaluate(scorer: Scorer, data: Dataset, *, seed: int = 0) -> Evaluation:
    """Score a trained model on `data`, which it should not have been trained on."""
    found = scorer.probabilities(data.texts)
    return Evaluation(
        score(
            found.classes,
            data.labels,
            data.groups,
            kinds=data.kinds,
            predicted_kinds=found.best_kinds(scorer.kinds),
            seed=seed,
        ),
        *_baselines(data, seed),
    )


def evaluate_by_cross_validation(
    data: Dataset, *, seed: int = 0, progress: Callable[[str], None] = lambda step: None
) -> Evaluation:
    """Train and score on `data` by five folds that hold out whole groups.

    Raises
    ------
    InputError
        If a class has fewer than 10 texts, or if there are too few groups.
    """
    check_enough(data)
    held_out = cross_validate(data, make_pipeline(), seed=seed, progress=progress)
    return Evaluation(score_held_out(data, held_out, seed=seed), *_baselines(data, seed))


def _baselines(data: Dataset, seed: int) -> tuple[Scores, Scores]:
    return (
        score(keywords(data.texts), data.labels, data.groups, seed=seed),
        score(majority(data.labels, len(data)), data.labels, data.groups, seed=seed),
    )
