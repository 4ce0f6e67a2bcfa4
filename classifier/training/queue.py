"""`queue`: which notes to label next, and what the next ones should buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.model_selection import StratifiedKFold

from classifier.labels import CLASSES
from classifier.training.class_head import ClassHead
from classifier.training.dataset import Dataset

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ROUND = 25
CANDIDATES = 8
"""Of so many times the wanted number, the most uncertain, a varied choice is made."""
DIMENSIONS = 50
LABEL_WEIGHT = 3.0
"""How much more a label of one's own counts than a shipped statement."""
ENOUGH_FOR_A_CURVE = 30
SHARES = (0.25, 0.5, 1.0)
STOP_BELOW = 0.005
"""Stop where a round would surely buy less accuracy than this."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What labels have bought so far, on held-out labelled notes.

    points : number of labels trained on, accuracy; the first is with none of them.
    gain : accuracy that the next round should buy; spread : standard deviation of that over the folds.
    """

    points: list[tuple[int, float]]
    gain: float
    spread: float

    @property
    def enough(self) -> bool:
        """Whether to stop: the next round would buy next to nothing."""
        return self.gain + 2 * self.spread < STOP_BELOW


def choose(
    texts: Sequence[str],
    labelled: Dataset | None,
    base: Dataset | None,
    count: int = ROUND,
    *,
    seed: int = 0,
) -> list[int]:
    """Places of the `count` texts most worth a label, the most uncertain first.

    A model of what is labelled so far tells which texts it is least sure of; of those, the nearest
    to the centres of as many clusters, weighted by the uncertainty, are taken (Zhdanov 2019,
    "Diverse mini-batch active learning"), so that they differ from one another. A text of words
    not met before has little to go by and is therefore uncertain.
    """
    if len(texts) <= count:
        return list(range(len(texts)))
    known = [data for data in (labelled, base) if data is not None and len(data)]
    if not known or len({label for data in known for label in data.labels}) < len(CLASSES):
        return sorted(np.random.default_rng(seed).permutation(len(texts))[:count].tolist())
    head = ClassHead([text for data in known for text in data.texts] + list(texts))
    n = sum(len(data) for data in known)
    rows = np.arange(n)
    weight = np.concatenate([np.full(len(data), LABEL_WEIGHT if data is labelled else 1.0) for data in known])
    p = head.probabilities(
        rows, np.concatenate([data.labels for data in known]), weight, np.arange(n, n + len(texts))
    )
    entropy = -(p * np.log(p + 1e-12)).sum(axis=1)
    best = np.argsort(-entropy, kind="stable")[: CANDIDATES * count]
    vectors = head.vectors[n:][best]
    dimensions = min(DIMENSIONS, len(best) - 1, vectors.shape[1] - 1)
    reduced = TruncatedSVD(dimensions, random_state=seed).fit_transform(vectors)
    clusters = KMeans(count, n_init=1, random_state=seed).fit(reduced, sample_weight=entropy[best])
    distance = clusters.transform(reduced)
    taken: list[int] = []
    for cluster in range(count):
        place = next(int(i) for i in np.argsort(distance[:, cluster], kind="stable") if int(i) not in taken)
        taken.append(place)
    return [int(i) for i in best[sorted(taken)]]


def learning_curve(labelled: Dataset, base: Dataset | None, *, seed: int = 0) -> Curve | None:
    """Accuracy on held-out labelled notes with none, a quarter, half and all of the others; None
    where the labels are too few to tell.

    What the next round should buy is read off the gain from half to all: gains follow the
    logarithm of the number of labels.
    """
    counts = [int((labelled.labels == name).sum()) for name in CLASSES]
    if len(labelled) < ENOUGH_FOR_A_CURVE or min(counts) < 5:
        return None
    base_texts = [] if base is None else base.texts
    head = ClassHead([*labelled.texts, *base_texts])
    labels = labelled.labels if base is None else np.concatenate([labelled.labels, base.labels])
    weight = np.concatenate([np.full(len(labelled), LABEL_WEIGHT), np.ones(len(base_texts))])
    fixed = np.arange(len(labelled), len(labels))
    shares: tuple[float, ...] = SHARES
    if base is not None:
        shares = (0.0, *SHARES)
        by_base = head.probabilities(fixed, labels[fixed], weight[fixed], np.arange(len(labelled)))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    right = np.zeros((5, len(shares)))
    sizes = np.zeros(len(shares))
    for fold, (rest, held_out) in enumerate(folds.split(labelled.labels, labelled.labels.astype(str))):
        shuffled = np.random.default_rng(seed + fold).permutation(rest)
        for column, share in enumerate(shares):
            own = np.concatenate([shuffled[: round(share * len(rest))], fixed])
            p = head.probabilities(own, labels[own], weight[own], held_out) if share else by_base[held_out]
            right[fold, column] = (np.array(CLASSES)[p.argmax(axis=1)] == labels[held_out]).mean()
            sizes[column] = round(share * len(rest))
    per_doubling = right[:, -1] - right[:, -2]
    doublings = np.log2(1 + ROUND / len(labelled))
    return Curve(
        [(int(n), float(each)) for n, each in zip(sizes, right.mean(axis=0), strict=True)],
        float(per_doubling.mean() * doublings),
        float(per_doubling.std(ddof=1) / np.sqrt(5) * doublings),
    )
