"""The plain-array scorer and the scikit-learn pipeline are one model."""

from __future__ import annotations

import random

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from classifier.persistence import load_scorer
from classifier.scorer import Scorer

WORDS = [
    "let",
    "me",
    "think",
    "price",
    "don't",
    "budget",
    "?",
    "20%",
    "caf\u00e9",
    "\u0130stanbul",
    "\u4e2d\u6587",
    "ok",
]


@pytest.fixture(scope="module")
def both(tiny_model) -> tuple[Scorer, Pipeline]:
    return load_scorer(tiny_model)[0], joblib.load(tiny_model / "pipeline.joblib")


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)),
        min_size=1,
        max_size=100,
    )
)
def test_same_probabilities_on_any_text(both, texts: list[str]) -> None:
    scorer, pipeline = both
    fast = scorer.probabilities(texts)
    slow = pipeline["classifier"].probabilities(pipeline[:-1].transform(texts))
    np.testing.assert_allclose(fast.classes, slow.classes, atol=1e-6)
    np.testing.assert_allclose(fast.kinds, slow.kinds, atol=1e-6)
    np.testing.assert_allclose(fast.classes.sum(axis=1), 1)


def test_same_probabilities_on_ten_thousand_random_strings(both) -> None:
    scorer, pipeline = both
    chosen = random.Random(0)
    alphabet = [
        *map(chr, range(32, 127)),
        *map(chr, range(160, 1_400)),
        *"\u4e2d\u6587\u30ab\u0e01\U0001f600\u2019",
    ]
    texts = [
        " ".join(chosen.choices(WORDS, k=chosen.randrange(20)))
        if number % 2
        else "".join(chosen.choices(alphabet, k=chosen.randrange(120)))
        for number in range(10_000)
    ]
    fast = scorer.probabilities(texts)
    slow = pipeline["classifier"].probabilities(pipeline[:-1].transform(texts))
    np.testing.assert_allclose(fast.classes, slow.classes, atol=1e-6)
    np.testing.assert_allclose(fast.kinds, slow.kinds, atol=1e-6)


def test_a_text_scores_the_same_alone_and_in_any_batch(model) -> None:
    texts = ["Let me think about it", "It's too dear for what it is", "", "What does it cost?"] * 3_000
    together = model.scorer.probabilities(texts).classes
    alone = np.vstack([model.scorer.probabilities([text]).classes for text in texts[:4]])
    np.testing.assert_allclose(together, np.tile(alone, (3_000, 1)), atol=1e-6)


def test_words_beyond_the_memory_are_scored_all_the_same(model, monkeypatch) -> None:
    texts = ["Let me think about it", "The price is too high"]
    before = model.scorer.probabilities(texts).classes
    monkeypatch.setattr("classifier.scorer._MAX_REMEMBERED_WORDS", 1)
    for _ in range(2):
        np.testing.assert_allclose(model.scorer.probabilities(texts).classes, before, atol=1e-9)
