"""The columns that labelling adds, and which column holds the buyer's words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from classifier.batch.rows import safe_cell
from classifier.errors import InputError
from classifier.suggest import did_you_mean

ADDED = (
    "verdict",
    "kind",
    "confidence",
    "p_stall",
    "p_objection",
    "p_neither",
    "secondary",
    "flags",
    "evidence",
    "review",
)
"""Columns added to every row, in this order."""

_NAMES = (
    "text",
    "note",
    "notes",
    "call notes",
    "comment",
    "comments",
    "description",
    "body",
    "message",
    "statement",
    "buyer words",
    "transcript",
    "remarks",
    "details",
    "lost reason",
    "reason",
    "log",
    "activity log",
    "full comments",
    "note body",
    "note content",
)
_SAMPLE_ROWS = 200


def added_columns(header: Sequence[str], prefix: str) -> list[str]:
    """Names of the added columns.

    Raises
    ------
    InputError
        If one of them is in `header` already, or if the prefix begins like a formula.
    """
    names = [prefix + name for name in ADDED]
    if safe_cell(prefix) != prefix:
        raise InputError(f"a spreadsheet would read the prefix '{prefix}' as a formula: choose letters")
    clash = [name for name in names if name in header]
    if clash:
        raise InputError(
            f"the input has a column '{clash[0]}' already: choose other names with --prefix, "
            "such as --prefix stallcheck_, or label the rows that lack a verdict with --only new"
        )
    return names


def existing_columns(header: Sequence[str], prefix: str) -> tuple[int, ...]:
    """Places of the added columns in a table that was labelled before, in the order of `ADDED`.

    Raises
    ------
    InputError
        If one of them is not there.
    """
    places = {name: place for place, name in enumerate(header)}
    missing = [prefix + name for name in ADDED if prefix + name not in places]
    if missing:
        raise InputError(
            f"no column '{missing[0]}': --only new wants a table that was labelled before "
            "(leave it out to label every row)"
        )
    return tuple(places[prefix + name] for name in ADDED)


def joined_text(cells: Sequence[str], places: Sequence[int]) -> str:
    """The buyer's words of a row: the cells at `places` that are not empty, a line each."""
    if len(places) == 1:
        return cells[places[0]]
    return "\n".join(cells[place] for place in places if cells[place].strip())


def find_column(header: Sequence[str], wanted: str) -> int:
    """Place of column `wanted`, by exact name, else whatever its case.

    Raises
    ------
    InputError
        If there is no such column, or if the name fits several.
    """
    exact = [i for i, name in enumerate(header) if name == wanted]
    alike = [i for i, name in enumerate(header) if name.strip().lower() == wanted.strip().lower()]
    for places in (exact, alike):
        if len(places) > 1:
            raise InputError(f"column '{wanted}' stands {len(places)} times in the header: rename one")
        if places:
            return places[0]
    raise InputError(f"no column '{wanted}'{did_you_mean(wanted, header)} (columns: {', '.join(header)})")


def guess_column(header: Sequence[str], rows: Sequence[Sequence[str]], *, beside: Sequence[int] = ()) -> int:
    """Place of the column that most likely holds the buyer's words, none of those `beside` it.

    A telling name counts most, then how much running text the first rows hold.

    Raises
    ------
    InputError
        If no column holds running text.
    """
    sample = rows[:_SAMPLE_ROWS]
    scores = [
        (_name_score(name) + _prose_score([row[i] for row in sample if i < len(row)]), -i)
        for i, name in enumerate(header)
        if i not in beside
    ]
    best, place = max(scores, default=(0.0, 0))
    if best < 1:
        raise InputError(f"no column looks like text: name it with --column (columns: {', '.join(header)})")
    return -place


def _name_score(name: str) -> float:
    plain = " ".join(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))
    if plain in _NAMES:
        return 6.0
    return 3.0 if set(plain.split()) & {word for known in _NAMES for word in known.split()} else 0.0


def _prose_score(cells: Sequence[str]) -> float:
    """0 to 8: mean words a filled cell, at most 8, less where cells are empty or repeat."""
    filled = [cell for cell in cells if cell.strip()]
    if not filled:
        return -6.0
    words = [len(re.findall(r"[^\W\d_]{2,}", cell)) for cell in filled]
    mean = min(sum(words) / len(filled), 8.0)
    if mean < 1:
        return -6.0
    mean *= (1 + len(filled) / len(cells)) / 2
    return mean if len(set(filled)) > len(filled) / 2 else mean / 2
