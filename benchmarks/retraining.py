"""What do a team's own notes buy, and how many wrong labels does `stallcheck check` find?

Usage: python benchmarks/retraining.py     (needs pip install '.[analyst]')

First the home trades (building, solar, floors, houses) are held out of the shipped statements and play a
team: models learn from the rest and from 100, 300 and 1,000 of the team's statements, and are
compared with the model of the rest alone on other statements of those trades (accuracy, 95% interval
from a bootstrap over families; three draws). Then the label of every twentieth statement of the test part is
changed at random, five times, and `check` doubts labels: precision and recall of the changed ones.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import classifier
from classifier.labels import CLASSES
from classifier.scorer import Scorer
from classifier.training.check import check
from classifier.training.comparison import compare
from classifier.training.dataset import Dataset, shipped
from classifier.training.pipeline import fit, make_pipeline, to_scorer
from classifier.training.train import search

HOME = ("home_improvement", "solar", "flooring_furniture", "real_estate_buyers", "real_estate_sellers")
SIZES = (100, 300, 1_000)
DRAWS = 3
FLIPPED = 0.05
ROUNDS = 5


def main() -> None:
    """Print both tables."""
    gains()
    flipped()


def gains() -> None:
    """What notes of a new trade buy."""
    data, test = shipped("train"), shipped("test")
    is_home = data.frame["setting"].isin(HOME).to_numpy()
    base, team = data.take(~is_home), data.take(is_home)
    others = test.take(test.frame["setting"].isin(HOME).to_numpy())
    before = to_scorer(fit(make_pipeline(), base))
    print(f"Base: {len(base):,} statements; team: {len(team):,}.\n")
    print("| notes | weight | accuracy before | after | gain |\n|---|---|---|---|---|")
    for size in SIZES:
        for draw in range(DRAWS):
            order = np.random.default_rng(draw).permutation(len(team))
            notes, rest = team.take(order[:size]), team.take(order[size:])
            apart = rest.take(~np.isin(rest.groups, notes.groups))
            print(row(base, notes, apart.join(others), before), flush=True)


def row(base: Dataset, notes: Dataset, tested: Dataset, before: Scorer) -> str:
    """One line of the table: the base alone against the base with the notes, on the same texts."""
    weight, C = search(notes, base)
    after = to_scorer(fit(make_pipeline(classifier__C=C), notes, base=base, weight=weight))
    found = compare(*(each.probabilities(tested.texts).classes for each in (before, after)), tested)
    gain = found.difference
    return (
        f"| {len(notes)} | {weight:g} | {found.accuracy[0]:.3f} | {found.accuracy[1]:.3f} "
        f"| {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}) |"
    )


def flipped() -> None:
    """How well wrong labels are found."""
    model, test = classifier.load(), shipped("test").frame[["text", "label"]]
    precision, recall = [], []
    for seed in range(ROUNDS):
        random = np.random.default_rng(seed)
        rows = test.copy()
        wrong = random.choice(len(rows), round(FLIPPED * len(rows)), replace=False)
        for place in wrong:
            others = [name for name in CLASSES if name != rows.loc[place, "label"]]
            rows.loc[place, "label"] = random.choice(others)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "notes.csv"
            rows.to_csv(path, index=False)
            doubted = {each.row - 2 for each in check(path, model).of("probably_wrong")}
        hits = len(doubted & set(wrong.tolist()))
        precision.append(hits / max(len(doubted), 1))
        recall.append(hits / len(wrong))
    print(
        f"\nOf {len(wrong)} changed labels among {len(test):,}: precision {np.mean(precision):.2f} "
        f"({min(precision):.2f} to {max(precision):.2f}), recall {np.mean(recall):.2f} "
        f"({min(recall):.2f} to {max(recall):.2f}), {ROUNDS} rounds"
    )


if __name__ == "__main__":
    main()
