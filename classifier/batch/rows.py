"""Texts -> the cells of the added columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from classifier.labels import CLASSES, UNSURE
from classifier.text import MAX_CHARACTERS
from classifier.verdict import Decision, Model

_EMPTY = ("",) * 9
_MOST_REMEMBERED = 100_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(slots=True)
class Summary:
    """What the labelled rows came to."""

    rows: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    reviews: Counter[str] = field(default_factory=Counter)

    def add(self, cells: Sequence[str]) -> None:
        """Count one row's added cells."""
        self.rows += 1
        self.verdicts[cells[0]] += 1
        if cells[1]:
            self.kinds[cells[0], cells[1]] += 1
        if cells[-1]:
            self.reviews[cells[-1]] += 1


class RowLabeller:
    """Added cells for texts; a text met before is not scored again."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.summary = Summary()
        self._seen: dict[str, tuple[str, ...]] = {}

    def cells(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """For each text the cells of `columns.ADDED`, in order."""
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.clear()
        fresh = [text for text in dict.fromkeys(texts) if text not in self._seen]
        scorable = [text for text in fresh if any(map(str.isalnum, text))]
        decisions = self.model.decide([text[:MAX_CHARACTERS] for text in scorable])
        self._seen.update((text, (*_EMPTY, "empty")) for text in fresh)
        for text, decision in zip(scorable, decisions, strict=True):
            self._seen[text] = _cells(decision, _review(decision, text))
        found = [self._seen[text] for text in texts]
        for row in found:
            self.summary.add(row)
        return found


def _cells(decision: Decision, review: str) -> tuple[str, ...]:
    p = decision.probabilities
    second = decision.secondary
    return (
        decision.verdict,
        decision.kind or "",
        f"{decision.best.confidence:.4f}",
        *(f"{p[name]:.4f}" for name in CLASSES),
        f"{second.verdict}/{second.kind}" if second else "",
        ";".join(decision.flags),
        safe_cell("; ".join(" ".join(span.text.split()) for span in decision.evidence)),
        review,
    )


def _review(decision: Decision, text: str) -> str:
    """Why a person should look at the row, or nothing."""
    if len(text) > MAX_CHARACTERS:
        return "too_long"
    if decision.verdict == UNSURE:
        return UNSURE
    return "mixed" if decision.secondary else ""


def safe_cell(cell: str) -> str:
    """`cell`, quoted so that no spreadsheet runs it as a formula."""
    return "'" + cell if cell.startswith(_FORMULA_STARTS) else cell
