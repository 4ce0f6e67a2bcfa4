"""What more statements buy: the pipeline trained on ever larger parts of the corpus.

Usage: python benchmarks/learning_curve.py [OUT_OF_DOMAIN]

Whole families of the train part are drawn at random, five times for each size. Every model is
scored on the test part (other writers), on the minimal pairs of contrast.csv and, if its path is
given, on a file of other people's words. Texts are scored as a whole, so a shipped model does better.
Cells: mean of five draws (least to greatest).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from classifier.labels import CLASSES
from classifier.training.dataset import Dataset, read, shipped
from classifier.training.pipeline import fit, make_pipeline, to_scorer

SIZES = (500, 1_000, 2_000, 4_000, 8_000)
DRAWS = 5
CONTRAST = Path(__file__).parent.parent / "data" / "contrast.csv"


def main() -> None:
    """Print one line for each size, as Markdown."""
    train = shipped("train")
    tests = {"writers held out": shipped("test"), "minimal pairs": read(CONTRAST)}
    tests |= {Path(path).name: read(Path(path)) for path in sys.argv[1:]}
    print("| statements | " + " | ".join(f"{name}, macro-F1" for name in tests) + " | class and kind |")
    print("|---" * (len(tests) + 2) + "|")
    for size in [*(size for size in SIZES if size < len(train)), len(train)]:
        draws = [scores(train.take(draw(train, size, seed)), tests) for seed in range(DRAWS)]
        cells = [f"{np.mean(c):.3f} ({min(c):.3f} to {max(c):.3f})" for c in zip(*draws, strict=True)]
        print(f"| {size:,} | " + " | ".join(cells) + " |", flush=True)


def draw(data: Dataset, size: int, seed: int) -> npt.NDArray[np.int64]:
    """Rows of whole families, drawn at random, about `size` of them."""
    names, number = np.unique(data.groups.astype(str), return_inverse=True)
    place = np.random.default_rng(seed).permutation(len(names))[number]
    return np.sort(np.argsort(place, kind="stable")[:size])


def scores(train: Dataset, tests: dict[str, Dataset]) -> list[float]:
    """Macro-F1 on each test; then, on the first, the share of class and kind both right."""
    scorer = to_scorer(fit(make_pipeline(), train))
    found = []
    for test in tests.values():
        p = scorer.probabilities(test.texts)
        kinds = p.best_kinds(scorer.kinds)
        answer = np.array(CLASSES, dtype=object)[p.classes.argmax(axis=1)]
        found.append(float(f1_score(test.labels.astype(str), answer.astype(str), average="macro")))
        if len(found) == 1:
            stance = test.labels != "neither"
            both = (answer == test.labels) & (kinds == test.kinds)
            of_kinds = float(both[stance].mean())
    return [*found, of_kinds]


if __name__ == "__main__":
    main()
