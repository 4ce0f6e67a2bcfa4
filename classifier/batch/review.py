"""The review sheet: rows that a person should look at, the most doubtful first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from pathlib import Path

from classifier.batch.labelled import Row
from classifier.errors import MissingExtra
from classifier.labels import CLASSES, KINDS, UNSURE, in_words

HEADER = ("row", "text", "why", "said", "said kind", "confidence", "evidence", "label", "kind")
"""`label` and `kind` are empty, for the right ones; `text`, `label` and `kind` are what `train` reads."""

_MOST = 2_000
_WIDTHS = (7, 80, 34, 11, 18, 11, 40, 12, 18)
_WHY = {
    "mixed": "takes two stances: {secondary} besides",
    "too_long": "longer than one statement: only its beginning was read",
}


def write_review(rows: Iterable[Row], path: Path) -> int:
    """Write the sheet to `path` (.xlsx); return how many rows it holds.

    At most 2,000 rows: those the model doubts most. Empty texts are left out.

    Raises
    ------
    MissingExtra
        If the [excel] extra is not installed.
    """
    try:
        import openpyxl
        from openpyxl.styles import Alignment, Font, PatternFill
        from openpyxl.worksheet.datavalidation import DataValidation
    except ImportError as error:
        raise MissingExtra("writing a review sheet", "excel") from error
    doubtful = (row for row in rows if row.added["review"] not in ("", "empty"))
    chosen = heapq.nsmallest(_MOST, doubtful, key=_sureness)
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Review"
    sheet.append(HEADER)
    for row in chosen:
        sheet.append([_safe(cell) for cell in _cells(row)])
    for column, width in zip(sheet.iter_cols(max_row=1), _WIDTHS, strict=True):
        sheet.column_dimensions[column[0].column_letter].width = width
        column[0].font = Font(bold=True)
    for cells in sheet.iter_rows(min_row=2):
        cells[1].alignment = Alignment(wrap_text=True, vertical="top")
        for cell in cells[-2:]:
            cell.fill = PatternFill("solid", fgColor="FFF6D6")
    for letter, allowed in (("H", CLASSES), ("I", None)):
        if allowed and chosen:
            choice = DataValidation(type="list", formula1=f'"{",".join(allowed)}"', allow_blank=True)
            choice.add(f"{letter}2:{letter}{len(chosen) + 1}")
            sheet.add_data_validation(choice)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:I{len(chosen) + 1}"
    _add_kinds(workbook, sheet, len(chosen))
    workbook.save(path)
    return len(chosen)


def _sureness(row: Row) -> tuple[bool, float]:
    """Unsure rows first, the least confident of them at the top."""
    return row.added["review"] != UNSURE, float(row.added["confidence"] or 0)


def _cells(row: Row) -> tuple[object, ...]:
    added = row.added
    probabilities = sorted(((float(added[f"p_{name}"] or 0), name) for name in CLASSES), reverse=True)
    if added["review"] == UNSURE:
        why = " or ".join(f"{name} ({p:.0%})" for p, name in probabilities[:2]) + "?"
    else:
        why = _WHY.get(added["review"], added["review"]).format(
            secondary=in_words(added["secondary"].replace("/", ", "))
        )
    said, kind = added["verdict"], in_words(added["kind"])
    confidence = float(added["confidence"] or 0)
    return row.number, row.text, why, said, kind, confidence, added["evidence"], None, None


def _safe(cell: object) -> object:
    """A cell that no spreadsheet runs, nor refuses: without characters that XML can't hold."""
    if not isinstance(cell, str):
        return cell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    plain: str = ILLEGAL_CHARACTERS_RE.sub("", cell)[:32_000]
    return "'" + plain if plain.startswith("=") else plain


def _add_kinds(workbook: object, sheet: object, count: int) -> None:
    """A second sheet with the kinds, from which the last column is chosen."""
    from openpyxl.worksheet.datavalidation import DataValidation

    kinds = workbook.create_sheet("Kinds")  # type: ignore[attr-defined]
    for kind in KINDS:
        kinds.append([kind])
    choice = DataValidation(type="list", formula1=f"Kinds!$A$1:$A${len(KINDS)}", allow_blank=True)
    if count:
        choice.add(f"I2:I{count + 1}")
        sheet.add_data_validation(choice)  # type: ignore[attr-defined]
