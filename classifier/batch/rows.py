"""Texts -> the cells of the added columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from classifier.decide import decide
from classifier.labels import CLASSES, UNSURE
from classifier.text import MAX_CHARACTERS
from classifier.verdict import Model

Cells = tuple[str, ...]
"""The added cells of one row, in the order of `columns.ADDED`."""

_FOUR_DECIMALS = "{:.4f}".format
_EMPTY = ("",) * 9
_NUMBERS = range(2, 6)  # confidence and the three probabilities
_MOST_REMEMBERED = 20_000
_SCORED_TOGETHER = 4_096  # texts; their segments' scores are held at once
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(slots=True)
class Summary:
    """What the labelled rows came to."""

    rows: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    reviews: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, rows: Sequence[Cells]) -> Summary:
        """The counts of some rows' added cells."""
        return cls(
            len(rows),
            Counter(cells[0] for cells in rows),
            Counter((cells[0], cells[1]) for cells in rows if cells[1]),
            Counter(cells[-1] for cells in rows if cells[-1]),
        )

    def merge(self, other: Summary) -> None:
        """Add the counts of other rows."""
        self.rows += other.rows
        self.verdicts += other.verdicts
        self.kinds += other.kinds
        self.reviews += other.reviews

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            "rows": self.rows,
            "verdicts": dict(self.verdicts),
            "kinds": [
                {"verdict": verdict, "kind": kind, "rows": rows}
                for (verdict, kind), rows in self.kinds.most_common()
            ],
            "review": dict(self.reviews),
        }

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Summary:
        """The summary that `to_dict` described."""
        kinds = Counter({(each["verdict"], each["kind"]): each["rows"] for each in found["kinds"]})
        return cls(found["rows"], Counter(found["verdicts"]), kinds, Counter(found["review"]))


class RowLabeller:
    """Added cells for texts; a text met before is not scored again."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._seen: dict[str, Cells] = {}

    def cells(self, texts: Sequence[str]) -> list[Cells]:
        """For each text the cells of `columns.ADDED`, in order."""
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.clear()
        fresh = [text for text in dict.fromkeys(texts) if text not in self._seen]
        scorable = [text for text in fresh if any(map(str.isalnum, text))]
        self._seen.update((text, (*_EMPTY, "empty")) for text in fresh)
        for start in range(0, len(scorable), _SCORED_TOGETHER):
            part = scorable[start : start + _SCORED_TOGETHER]
            self._seen.update(zip(part, self._score(part), strict=True))
        return [self._seen[text] for text in texts]

    def _score(self, texts: Sequence[str]) -> Iterator[Cells]:
        """The cells of texts that hold letters or digits."""
        found = decide(self.model.scorer, [text[:MAX_CHARACTERS] for text in texts])
        confidence = found.best.confidence
        unsure = confidence < self.model.threshold
        verdicts = np.where(unsure, UNSURE, np.array(CLASSES, dtype=object)[found.best.classes])
        parts = found.segments.stances
        labels = np.array([f"{CLASSES[c]}/" for c in parts.classes], dtype=object) + parts.kinds
        second = np.where(unsure | (found.secondary < 0), "", np.append(labels, "")[found.secondary])
        review = np.where(second != "", "mixed", "").astype(object)
        review[unsure] = UNSURE
        review[[len(text) > MAX_CHARACTERS for text in texts]] = "too_long"
        return zip(
            verdicts,
            np.where(unsure, "", found.best.kinds),
            map(_FOUR_DECIMALS, confidence.tolist()),
            *(map(_FOUR_DECIMALS, column) for column in found.best.p.T.tolist()),
            second,
            map(";".join, found.flags),
            map(safe_cell, map("; ".join, found.evidence_texts())),
            review.tolist(),
            strict=True,
        )


def safe_cell(cell: str) -> str:
    """`cell`, quoted so that no spreadsheet runs it as a formula."""
    return "'" + cell if cell.startswith(_FORMULA_STARTS) else cell


def typed(cells: Cells) -> list[str | float]:
    """The cells with confidence and probabilities as numbers."""
    return [float(cell) if cell and place in _NUMBERS else cell for place, cell in enumerate(cells)]
