"""Texts a second, one process: our scorer (classes and kinds) against scikit-learn's TF-IDF.

The texts are those of the corpus of at most 30 words, repeated in random order with one word
exchanged, so that no two are alike. Each is run in turn several times; medians are printed. Where
fastText is installed (``pip install fasttext-numpy2-wheel``) its batch prediction with n-grams of the
same lengths is measured too, with vectors of 10 and of 100 numbers (its default). The strong model
scores 1,000 of the texts, on all cores, as its matrix products do.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

import classifier
from classifier.training.dataset import Dataset, shipped

TEXTS = 20_000
STRONG_TEXTS = 1_000
RUNS = 5
LONGEST = 30


def varied_texts(data: Dataset) -> list[str]:
    """Texts of the corpus, no two alike, with a median of about a dozen words."""
    choice = random.Random(0)
    split = [text.split() for text in data.texts]
    pool = [words for words in split if 3 <= len(words) <= LONGEST]
    vocabulary = [word for words in split for word in words]
    texts = []
    for _ in range(TEXTS):
        words = list(choice.choice(pool))
        words[choice.randrange(len(words))] = choice.choice(vocabulary)
        texts.append(" ".join(words))
    return texts


def peer(data: Dataset) -> Pipeline:
    """Word 1-2 and character 2-5 TF-IDF with a logistic regression over the classes."""
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    )
    return make_pipeline(features, LogisticRegression(C=10, max_iter=50)).fit(data.texts, data.labels)


def fasttext_peers(data: Dataset) -> dict[str, Callable[[list[str]], object]]:
    """fastText with word 1-2 and character 2-5 n-grams, if it is installed."""
    try:
        import fasttext
    except ImportError:
        return {}
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as lines:
        for text, label in zip(data.texts, data.labels, strict=True):
            print(f"__label__{label} {' '.join(text.split())}", file=lines)
        lines.flush()
        models = {
            f"fastText, {dim} numbers": fasttext.train_supervised(
                lines.name, dim=dim, wordNgrams=2, minn=2, maxn=5, verbose=0
            )
            for dim in (10, 100)
        }
    return {name: partial(model.predict, k=3) for name, model in models.items()}


def rate(score: Callable[[list[str]], object], texts: list[str]) -> float:
    """Texts a second."""
    start = time.perf_counter()
    score(texts)
    return len(texts) / (time.perf_counter() - start)


def main() -> None:
    """Measure both in turn and print."""
    data = shipped("train")
    texts = varied_texts(data)
    words = statistics.median(len(text.split()) for text in texts)
    peers = {"scikit-learn TF-IDF, classes": peer(data).predict_proba, **fasttext_peers(data)}
    strong = "stallcheck --model strong"
    peers[strong] = classifier.load("strong").scorer.probabilities
    ours, theirs = [], {name: [] for name in peers}
    for _ in range(RUNS):
        scorer = classifier.load().scorer  # a new one: words are remembered within a run only
        ours.append(rate(scorer.probabilities, texts))
        for name, score in peers.items():
            theirs[name].append(rate(score, texts[:STRONG_TEXTS] if name == strong else texts))
    print(f"{TEXTS:,} texts, median {words:.0f} words, one process")
    print(f"stallcheck, classes and kinds   {statistics.median(ours):>9,.0f} texts/s")
    for name, rates in theirs.items():
        ratios = [a / b for a, b in zip(ours, rates, strict=True)]
        spread = f"({min(ratios):.1f} to {max(ratios):.1f})"
        print(f"{name:<31} {statistics.median(rates):>9,.0f} texts/s")
        print(f"ratio                           {statistics.median(ratios):>9.1f} {spread}")


if __name__ == "__main__":
    main()
