"""The labelled statements of the corpus that are nearest to a text, by the n-grams of the model."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from classifier import ngrams
from classifier.persistence import packaged
from classifier.scorer import FloatArray, Scorer
from classifier.text import counted


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A statement of the corpus: its words, its class and kind, and how like the text it is (0 to 1)."""

    text: str
    label: str
    kind: str
    similarity: float

    def to_dict(self) -> dict[str, object]:
        """As plain JSON types."""
        return asdict(self) | {"similarity": round(self.similarity, 4)}


class Neighbours:
    """The training part of the shipped statements, indexed by the n-grams that a scorer keeps.

    Similarity is the cosine of the idf-weighted n-grams, each counted once.
    """

    def __init__(self, scorer: Scorer, path: Path | None = None) -> None:
        self._keys, self._squares = scorer.arrays.keys, scorer.arrays.idf**2
        self._path = path or packaged("data") / "statements.csv"

    def nearest(self, text: str, count: int = 3) -> list[Neighbour]:
        """The statements that share most with `text`, the nearest first; none that share nothing."""
        grams, _ = self._grams([counted(text)])
        if not len(grams):
            return []
        rows, (all_grams, documents, norms) = self._rows, self._index
        starts, ends = np.searchsorted(all_grams, grams), np.searchsorted(all_grams, grams, side="right")
        shared: FloatArray = np.zeros(len(rows))
        for gram, start, end in zip(grams, starts, ends, strict=True):
            shared[documents[start:end]] += self._squares[gram]
        similarity = shared / np.maximum(norms * np.sqrt(self._squares[grams].sum()), 1e-12)
        best = np.argsort(-similarity, kind="stable")[:count]
        return [
            Neighbour(rows[i]["text"], rows[i]["label"], rows[i]["kind"], float(similarity[i]))
            for i in best
            if similarity[i] > 0
        ]

    @cached_property
    def _rows(self) -> list[dict[str, str]]:
        with self._path.open(encoding="utf-8", newline="") as stream:
            return [row for row in csv.DictReader(stream) if row["part"] == "train"]

    @cached_property
    def _index(self) -> tuple[ngrams.IntArray, ngrams.IntArray, FloatArray]:
        """Kept n-grams, sorted, the statement each stands in, and the norm of every statement."""
        grams, documents = self._grams([counted(row["text"]) for row in self._rows])
        norms = np.sqrt(np.bincount(documents, self._squares[grams], minlength=len(self._rows)))
        order = np.argsort(grams, kind="stable")
        return grams[order], documents[order], norms

    def _grams(self, texts: Sequence[str]) -> tuple[ngrams.IntArray, ngrams.IntArray]:
        """The distinct kept n-grams of each text, as rows of the model, and the text of each."""
        found = ngrams.occurrences(texts)
        row = np.searchsorted(self._keys, found.hashes)
        row[row == len(self._keys)] = 0
        known = self._keys[row] == found.hashes
        pairs = np.unique(np.stack([found.documents[known], row[known]]), axis=1)
        return pairs[1], pairs[0]
