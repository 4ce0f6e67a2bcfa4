"""The same words typed or heard badly, to see whether verdicts hold."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.decide import judge
from classifier.labels import CLASSES
from classifier.scorer import Scorer
from classifier.training.dataset import Dataset
from classifier.training.metrics import BOOTSTRAP_ROUNDS, Estimate

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


@dataclass(frozen=True, slots=True)
class Robustness:
    """What one disturbance changes.

    stays : share of the texts whose class stays.
    accuracy : on the disturbed texts.
    ratio : of that to the accuracy on the clean texts.
    """

    disturbance: str
    stays: float
    accuracy: float
    ratio: Estimate


def robustness(scorer: Scorer, data: Dataset, *, seed: int = 0) -> list[Robustness]:
    """Every disturbance at a time; intervals from a bootstrap over the texts."""
    clean = _answers(scorer, data.texts)
    right = clean == data.labels
    draws = np.random.default_rng(seed).integers(0, len(data), (BOOTSTRAP_ROUNDS, len(data)))
    found = []
    for name, disturb in WAYS.items():
        chosen = random.Random(seed)
        answer = _answers(scorer, [disturb(text, chosen) for text in data.texts])
        still = answer == data.labels
        ratios = still[draws].mean(axis=1) / np.maximum(right[draws].mean(axis=1), 1e-9)
        low, high = np.percentile(ratios, [2.5, 97.5])
        ratio = Estimate(float(still.mean() / max(right.mean(), 1e-9)), float(low), float(high))
        found.append(Robustness(name, float((answer == clean).mean()), float(still.mean()), ratio))
    return found


def _answers(scorer: Scorer, texts: Sequence[str]) -> npt.NDArray[np.object_]:
    best: npt.NDArray[np.int64] = judge(scorer, texts).best.classes
    return np.array(CLASSES, dtype=object)[best]
