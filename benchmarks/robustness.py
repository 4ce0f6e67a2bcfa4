"""Do verdicts hold when the same words are typed or heard badly?

Usage: python benchmarks/robustness.py [MODEL]     (default: the shipped model)

Each statement of the test part is disturbed in one way at a time. Prints, for each way, the share
of classes that stay, the accuracy, and that over the accuracy on the clean texts; 95% intervals of
that ratio from a bootstrap over the statements.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable

import numpy as np

import classifier
from classifier.labels import CLASSES
from classifier.training.dataset import shipped

Disturbance = Callable[[str, random.Random], str]
FILLERS = ("um", "uh", "like", "you know", "i mean")
SOUNDS_LIKE = {"their": "there", "your": "you're", "its": "it's", "to": "two", "for": "four", "know": "no"}


def typos(share: float) -> Disturbance:
    """Two neighbouring letters swapped, one dropped or one doubled, in this share of the words."""

    def disturb(text: str, chosen: random.Random) -> str:
        return re.sub(
            r"[A-Za-z]{3,}", lambda m: typo(m.group(), chosen) if chosen.random() < share else m.group(), text
        )

    return disturb


def typo(word: str, chosen: random.Random) -> str:
    """One slip of the fingers."""
    at = chosen.randrange(len(word) - 1)
    return chosen.choice(
        [
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        ]
    )


def heard(text: str, chosen: random.Random) -> str:
    """As speech recognition gives it: no case or marks, fillers, a word taken for another."""
    words = []
    for word in re.sub(r"[^\w\s']", " ", text.lower()).split():
        if chosen.random() < 0.08:
            words.append(chosen.choice(FILLERS))
        words.append(SOUNDS_LIKE.get(word, word))
    return " ".join(words)


WAYS: dict[str, Disturbance] = {
    "upper case": lambda text, _: text.upper(),
    "lower case": lambda text, _: text.lower(),
    "curly quotes": lambda text, _: text.replace("'", "\u2019"),
    "no punctuation": lambda text, _: re.sub(r"[^\w\s']", "", text),
    "no apostrophes": lambda text, _: text.replace("'", ""),
    "a typo in twenty words": typos(0.05),
    "a typo in ten words": typos(0.1),
    "a typo in five words": typos(0.2),
    "speech recognition": heard,
}


def main() -> None:
    """Print a line for each disturbance, as Markdown."""
    scorer = classifier.load(sys.argv[1] if len(sys.argv) > 1 else None).scorer
    data = shipped("test")
    names = np.array(CLASSES, dtype=object)
    clean = names[scorer.probabilities(data.texts).classes.argmax(axis=1)]
    right = clean == data.labels
    draws = np.random.default_rng(0).integers(0, len(data), (1_000, len(data)))
    print(f"Clean accuracy {right.mean():.3f} on {len(data)} statements.\n")
    print("| disturbed | class stays | accuracy | of the clean accuracy |\n|---|---|---|---|")
    for name, disturb in WAYS.items():
        chosen = random.Random(0)
        found = scorer.probabilities([disturb(text, chosen) for text in data.texts]).classes
        answer = names[found.argmax(axis=1)]
        still = answer == data.labels
        low, high = np.percentile(still[draws].mean(axis=1) / right[draws].mean(axis=1), [2.5, 97.5])
        share = f"{still.mean() / right.mean():.3f} ({low:.3f} to {high:.3f})"
        print(f"| {name} | {(answer == clean).mean():.3f} | {still.mean():.3f} | {share} |")


if __name__ == "__main__":
    main()
