"""The pipeline: text -> n-grams -> calibrated classes and kinds; and its plain-array face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline

from classifier.scorer import Arrays, FloatArray, Scorer
from classifier.text import counted
from classifier.training.dataset import Dataset
from classifier.training.estimator import StallClassifier
from classifier.training.features import NgramVectorizer
from classifier.views import the_whole_alone


class CountedText(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Leaves out quoted mail, signatures and the seller's own lines (`classifier.text`)."""

    def fit(self, texts: Sequence[str], y: object = None) -> CountedText:
        """Nothing to learn."""
        return self

    def transform(self, texts: Sequence[str]) -> list[str]:
        """What counts of each text."""
        return [counted(text) for text in texts]

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        return tags


def make_pipeline(**parameters: object) -> Pipeline:
    """The untrained pipeline; `parameters` as for `set_params` (``classifier__C=10``).

    Fit it with texts and labels; kinds, flags and groups go in as ``classifier__kind``,
    ``classifier__flags`` and ``classifier__groups``.
    """
    pipeline = Pipeline(
        [("counted", CountedText()), ("ngrams", NgramVectorizer()), ("classifier", StallClassifier())]
    )
    return pipeline.set_params(**parameters)


def fit(pipeline: Pipeline, data: Dataset, *, base: Dataset | None = None, weight: float = 1.0) -> Pipeline:
    """Fit `pipeline` on all of `data`, each text counting as `weight` texts of `base`, if given."""
    counts = None
    if base is not None:
        counts = np.concatenate([np.full(len(data), weight), np.ones(len(base))])
        data = data.join(base)
    return pipeline.fit(
        data.texts,
        data.labels,
        classifier__kind=data.kinds,
        classifier__flags=data.flags,
        classifier__groups=data.groups,
        classifier__sample_weight=counts,
    )


def to_arrays(pipeline: Pipeline, views: FloatArray) -> Arrays:
    """The plain-array face of a fitted pipeline: the same model, exactly; and how it weighs the views of
    texts of several segments (`classifier.views`)."""
    ngrams, classifier = pipeline["ngrams"], pipeline["classifier"]
    return Arrays(
        keys=ngrams.keys_,
        idf=ngrams.idf_,
        weights=np.rint(classifier.coef_.T / classifier.scale_).astype(np.int8, order="C"),
        scale=classifier.scale_,
        bias=classifier.intercept_,
        kinds=np.array(classifier.kinds_, dtype=np.str_),
        flags=np.array(classifier.flags_, dtype=np.str_),
        calibration=classifier.calibration_,
        views=views,
    )


def to_scorer(pipeline: Pipeline) -> Scorer:
    """The scorer of a fitted pipeline, by which the whole of a text alone counts."""
    return Scorer(to_arrays(pipeline, the_whole_alone()))
