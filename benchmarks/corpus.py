"""The corpus in figures: coverage, agreement, repetition, words that give a class away.

Usage: python benchmarks/corpus.py [FILE]     (default: data/statements.csv)
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import cohen_kappa_score

from classifier.labels import CLASSES, KINDS_OF

SIMILAR = 0.8
SAMPLE = 3_000
LONGEST = 20
GRIDS = ("channel", "setting", "dialect", "stage")
LEAST_ROWS_OF_A_WORD = 30


def main() -> None:
    """Print every table, as Markdown."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "data/statements.csv")
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    print(f"{len(rows):,} statements, {rows.family.nunique():,} families, {rows.batch.nunique()} batches\n")
    counts(rows)
    for column in GRIDS:
        grid(rows, column)
    if (rows.label_2 != "").any():
        agreement(rows)
    repetition(rows)
    giveaways(rows)


def table(heading: list[str], lines: list[list[object]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(heading) + " |\n|" + "---|" * len(heading))
    for line in lines:
        print("| " + " | ".join(map(str, line)) + " |")
    print()


def counts(rows: pd.DataFrame) -> None:
    """Labels, kinds, lengths and mixed messages."""
    kinds = Counter(rows.kind)
    lines: list[list[object]] = [
        [label, f"{(rows.label == label).sum():,}", ", ".join(f"{k} {kinds[k]:,}" for k in KINDS_OF[label])]
        for label in CLASSES
    ]
    table(["label", "statements", "kinds"], lines)
    words = rows.text.str.split().str.len()
    several = rows.text.str.contains(r"[.!?]\s+\S|\n\s*\S", regex=True)
    print(
        f"Words: median {words.median():.0f}, 5% to 95% {words.quantile(0.05):.0f} to "
        f"{words.quantile(0.95):.0f}, longest {words.max()}. Two sentences or more: {several.mean():.0%}. "
        f"With a second stance: {(rows.secondary != '').sum():,}. "
        f"In the test part: {(rows.part == 'test').sum():,}.\n"
    )


def grid(rows: pd.DataFrame, column: str) -> None:
    """Label by one column, and how often the commonest label of its value is right."""
    crossed = pd.crosstab(rows[column], rows.label).reindex(columns=CLASSES, fill_value=0)
    lines = [[name, *(f"{n:,}" for n in row)] for name, row in crossed.iterrows() for row in [row]]
    table([column, *CLASSES], lines)
    guess = crossed.max(axis=1).sum() / len(rows)
    base = rows.label.value_counts(normalize=True).max()
    print(
        f"Guessing the label from the {column} alone is right in {guess:.1%} (commonest label: {base:.1%}).\n"
    )


def agreement(rows: pd.DataFrame) -> None:
    """How the first and the second, blind reading agree."""
    read = rows[rows.label_2 != ""]
    lines = []
    for name, part in [("all", read), *read.groupby("channel")]:
        lines.append(
            [
                name,
                f"{len(part):,}",
                f"{(part.label_1 == part.label_2).mean():.3f}",
                f"{cohen_kappa_score(part.label_1, part.label_2):.3f}",
                f"{(part.kind_1 == part.kind_2).mean():.3f}",
                f"{cohen_kappa_score(part.kind_1, part.kind_2):.3f}",
            ]
        )
    table(["channel", "read twice", "label agrees", "kappa, label", "kind agrees", "kappa, kind"], lines)
    print(f"Certainty: {dict(Counter(read.certainty))}\n")


def repetition(rows: pd.DataFrame) -> None:
    """Duplicates across families, shared word n-grams, distinct openings."""
    plain = rows.text.str.lower().str.replace(r"[^\w\s]", "", regex=True).str.split().str.join(" ")
    print(f"Exact duplicates (case and punctuation aside): {plain.duplicated().sum()}")
    print(
        f"Rows with a near-duplicate in another family (cosine of character 3-5-grams at least {SIMILAR}): "
        f"{near_duplicates(rows, plain):.2%}"
    )
    short = rows[plain.str.split().str.len() <= LONGEST]
    sample = short.sample(min(SAMPLE, len(short)), random_state=0)
    shares = [f"{n}-grams {shared(plain[sample.index], sample.family, n):.1%}" for n in (4, 5, 6)]
    print(
        f"Of {len(sample):,} rows of at most {LONGEST} words, those that share word n-grams with another "
        f"family: {', '.join(shares)}"
    )
    openings = plain.str.split().str[:3].str.join(" ")
    print(
        f"Distinct openings (three words): {openings.nunique() / len(rows):.1%}; commonest: "
        + ", ".join(f"{words} {n}" for words, n in openings.value_counts().head(8).items())
        + "\n"
    )


def near_duplicates(rows: pd.DataFrame, plain: pd.Series[str]) -> float:
    """Share of rows that resemble a row of another family."""
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), use_idf=False).fit_transform(plain)
    family = rows.family.to_numpy()
    found = 0
    for start in range(0, len(rows), 500):
        alike = (vectors[start : start + 500] @ vectors.T).tocoo()
        close = alike.data >= SIMILAR
        here, there = alike.row[close] + start, alike.col[close]
        found += len(set(here[family[here] != family[there]]))
    return found / len(rows)


def shared(plain: pd.Series[str], families: pd.Series[str], n: int) -> float:
    """Share of rows with a word n-gram that stands in another family too."""
    where: dict[tuple[str, ...], set[str]] = defaultdict(set)
    grams = {}
    for index, text in plain.items():
        words = text.split()
        grams[index] = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
        for gram in grams[index]:
            where[gram].add(families[index])
    return float(np.mean([any(len(where[gram]) > 1 for gram in own) for own in grams.values()]))


def giveaways(rows: pd.DataFrame) -> None:
    """Words that tell most about the label alone."""
    counter = CountVectorizer(binary=True, token_pattern=r"[\w']+", min_df=LEAST_ROWS_OF_A_WORD)
    present = counter.fit_transform(rows.text.str.replace("\u2019", "'"))
    shares = np.array([(present[(rows.label == label).to_numpy()].sum(axis=0)).A1 for label in CLASSES]).T
    total = shares.sum(axis=1)
    base = np.array([(rows.label == label).mean() for label in CLASSES])
    information = (shares / total[:, None] * np.log((shares + 0.5) / total[:, None] / base)).sum(
        axis=1
    ) * total
    words = counter.get_feature_names_out()
    lines = [
        [re.sub(r"\|", "", words[i]), total[i], *(f"{x:.0%}" for x in shares[i] / total[i])]
        for i in np.argsort(-information)[:20]
    ]
    table(["word", "rows", *CLASSES], lines)


if __name__ == "__main__":
    main()
