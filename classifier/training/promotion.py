"""Whether a model may go into service: it is compared with the one that is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.decide import judge
from classifier.errors import ModelError
from classifier.labels import CLASSES
from classifier.persistence import HELD_OUT_FILE, load_scorer, packaged
from classifier.training.comparison import Comparison, compare
from classifier.training.dataset import Dataset, bare, read, shipped

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Check:
    """The candidate against the model in service on one set of texts."""

    on: str
    comparison: Comparison


def checks(candidate: Path, serving: Path, *, seed: int = 0) -> list[Check]:
    """Compare on the fixed test set, on the contrast set and on the team's own held-out rows.

    A text that either model learned from is judged by that model's held-out prediction on its own
    rows, and left out of the other two sets.

    Raises
    ------
    ModelError
        If a folder is damaged.
    """
    own = read_held_out(candidate)
    served = read_held_out(serving)
    learned = [text for rows in (own, served) if rows is not None for text in rows[0].texts]
    found = []
    for name, data in (("fixed test set", shipped("test")), ("contrast set", contrast())):
        unseen = data.without(learned)
        before, after = (scores(folder, unseen.texts) for folder in (serving, candidate))
        found.append(Check(name, compare(before, after, unseen, seed=seed)))
    if own is not None:
        data, p = own
        found.append(Check("your held-out notes", compare(serving_scores(serving, data), p, data, seed=seed)))
    return found


def contrast() -> Dataset:
    """The minimal pairs that ship with the package, for evaluation only."""
    return read(packaged("data") / "contrast.csv")


def scores(folder: Path, texts: list[str]) -> FloatArray:
    """Class probabilities (n, 3) by the model in a folder."""
    return judge(load_scorer(folder)[0], texts).best.p


def overlap(folder: Path, data: Dataset) -> int:
    """How many of the texts the model in a folder learned from, as far as the folder tells."""
    known = read_held_out(folder)
    return 0 if known is None else len(data) - len(data.without(known[0].texts))


def serving_scores(folder: Path, data: Dataset) -> FloatArray:
    """Class probabilities (n, 3) by the model in service; held-out ones where it learned the text."""
    p = scores(folder, data.texts)
    known = read_held_out(folder)
    if known is not None:
        held_out = {bare(text): row for text, row in zip(known[0].texts, known[1], strict=True)}
        for i, text in enumerate(data.texts):
            p[i] = held_out.get(bare(text), p[i])
    return p


def read_held_out(folder: Path) -> tuple[Dataset, FloatArray] | None:
    """The texts that a model learned from with its held-out probabilities (n, 3), if it has them.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    path = folder / HELD_OUT_FILE
    if not path.is_file():
        return None
    try:
        data = read(path)
        p = data.frame[[f"p_{name}" for name in CLASSES]].apply(pd.to_numeric).to_numpy(dtype=float)
    except Exception as error:  # damaged in whatever way
        raise ModelError(f"{path}: not the held-out rows of a model ({error}); train it again") from error
    return data, p
