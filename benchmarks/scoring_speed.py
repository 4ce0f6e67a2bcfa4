"""Texts a second, one process: our scorer (classes and kinds) against scikit-learn's TF-IDF.

The texts are those of the corpus of at most 30 words, repeated in random order with one word
exchanged, so that no two are alike. Each is run in turn several times; medians are printed.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

import classifier
from classifier.training.dataset import Dataset, shipped

TEXTS = 20_000
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
    theirs = peer(data).predict_proba
    rates = []
    for _ in range(RUNS):
        scorer = classifier.load().scorer  # a new one: words are remembered within a run only
        rates.append((rate(scorer.probabilities, texts), rate(theirs, texts)))
    print(f"{TEXTS:,} texts, median {words:.0f} words, one process")
    print(f"stallcheck, classes and kinds   {statistics.median(a for a, _ in rates):>9,.0f} texts/s")
    print(f"scikit-learn TF-IDF, classes    {statistics.median(b for _, b in rates):>9,.0f} texts/s")
    ratios = [a / b for a, b in rates]
    spread = f"({min(ratios):.1f} to {max(ratios):.1f})"
    print(f"ratio                           {statistics.median(ratios):>9.1f} {spread}")


if __name__ == "__main__":
    main()
