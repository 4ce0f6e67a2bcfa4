"""Texts -> the cells of the added columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from classifier.labels import UNSURE
from classifier.text import MAX_CHARACTERS
from classifier.verdict import Model, Verdict

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
        verdicts = self.model.predict([text[:MAX_CHARACTERS].replace("\x00", " ") for text in scorable])
        self._seen.update((text, (*_EMPTY, "empty")) for text in fresh)
        for text, verdict in zip(scorable, verdicts, strict=True):
            self._seen[text] = _cells(verdict, _review(verdict, text))
        found = [self._seen[text] for text in texts]
        for row in found:
            self.summary.add(row)
        return found


def _cells(verdict: Verdict, review: str) -> tuple[str, ...]:
    p = verdict.probabilities
    own = [e.text for e in verdict.evidence if e.speaks_for == max(p, key=lambda name: p[name])]
    second = verdict.secondary
    return (
        verdict.verdict,
        verdict.kind or "",
        f"{verdict.confidence:.4f}",
        *(f"{p[name]:.4f}" for name in ("stall", "objection", "neither")),
        f"{second.verdict}/{second.kind}" if second else "",
        ";".join(verdict.flags),
        safe_cell("; ".join(" ".join(words.split()) for words in own)),
        review,
    )


def _review(verdict: Verdict, text: str) -> str:
    """Why a person should look at the row, or nothing."""
    if len(text) > MAX_CHARACTERS:
        return "too_long"
    if verdict.verdict == UNSURE:
        return UNSURE
    return "mixed" if verdict.mixed else ""


def safe_cell(cell: str) -> str:
    """`cell`, quoted so that no spreadsheet runs it as a formula."""
    return "'" + cell if cell.startswith(_FORMULA_STARTS) else cell
