"""How many labels does `stallcheck queue` save against labelling at random?

Usage: python benchmarks/labelling_queue.py [SEEDS]     (default: 10)

The training part of the shipped statements plays the unlabelled notes; the first 25 labels are
random. Prints macro-F1 on the test part by number of labels, for both ways of choosing (mean and
standard deviation over the seeds), then how many chosen labels reach what 500 random ones do.
Nothing but the labels so far is learned from: no shipped statement helps.
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.svm import LinearSVC

from classifier.training.dataset import Dataset, shipped
from classifier.training.features import NgramVectorizer
from classifier.training.metrics import macro_f1
from classifier.training.queue import ROUND, choose

MOST = 500


def main() -> None:
    """Print both curves and the number of labels that are worth 500 random ones."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    pool, test = shipped("train"), shipped("test")
    vectors = NgramVectorizer().fit_transform([*pool.texts, *test.texts])
    chosen = np.array([curve(pool, test, vectors, seed, at_random=False) for seed in range(seeds)])
    random = np.array([curve(pool, test, vectors, seed, at_random=True) for seed in range(seeds)])
    sizes = np.arange(1, chosen.shape[1] + 1) * ROUND
    print("| labels | chosen | at random |\n|---|---|---|")
    for size, own, other in zip(sizes, chosen.T, random.T, strict=True):
        print(f"| {size} | {own.mean():.3f} ({own.std():.3f}) | {other.mean():.3f} ({other.std():.3f}) |")
    goal = random[:, -1].mean()
    needed = [int(sizes[np.argmax(np.append(own, goal) >= goal).clip(max=len(sizes) - 1)]) for own in chosen]
    print(
        f"\n{MOST} random labels reach {goal:.3f}; chosen ones reach that with {np.median(needed):.0f} "
        f"(median of {seeds} seeds; {min(needed)} to {max(needed)})"
    )


def curve(pool: Dataset, test: Dataset, vectors: object, seed: int, *, at_random: bool) -> list[float]:
    """Macro-F1 on `test` after 25, 50, ... 500 labels."""
    order = np.random.default_rng(seed).permutation(len(pool))
    taken = list(order[:ROUND])
    found = [score(pool, test, vectors, taken)]
    while len(taken) < MOST:
        if at_random:
            taken = list(order[: len(taken) + ROUND])
        else:
            rest = np.setdiff1d(order, taken)
            places = choose([pool.texts[i] for i in rest], pool.take(np.array(taken)), None, ROUND, seed=seed)
            taken += list(rest[places])
        found.append(score(pool, test, vectors, taken))
    return found


def score(pool: Dataset, test: Dataset, vectors: object, taken: list[int]) -> float:
    """Macro-F1 on `test` of a linear SVM that learned the taken rows."""
    model = LinearSVC(random_state=0).fit(vectors[taken], pool.labels[taken].astype(str))
    return macro_f1(test.labels, model.predict(vectors[len(pool) :]))


if __name__ == "__main__":
    main()
