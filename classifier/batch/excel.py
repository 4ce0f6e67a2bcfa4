"""Excel workbooks: the added columns go to the right of the chosen sheet's table."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import Any, BinaryIO

from classifier.batch.columns import joined_text
from classifier.batch.rows import RowLabeller, Summary, typed
from classifier.errors import InputError, MissingExtra
from classifier.suggest import did_you_mean

OLD_FORMATS = (".xls", ".ods")
"""Read by their values; written as .xlsx."""

_CHUNK = 512
_NOT_KEPT = {"xl/charts/": "charts", "xl/pivotTables/": "pivot tables", "xl/media/": "pictures"}


def open_workbook(path: Path) -> Any:
    """The workbook at `path`; of an .xls or .ods, a new one with its sheets and values.

    Raises
    ------
    MissingExtra
        If the [excel] extra is not installed.
    InputError
        If the file is no workbook.
    """
    try:
        import openpyxl
        import python_calamine
    except ImportError as error:
        raise MissingExtra("reading Excel files", "excel") from error
    try:
        if path.suffix.lower() not in OLD_FORMATS:
            return openpyxl.load_workbook(path, keep_vba=path.suffix.lower() == ".xlsm")
        old = python_calamine.CalamineWorkbook.from_path(path)
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.active)
        for name in old.sheet_names:
            sheet = workbook.create_sheet(name)
            for row in old.get_sheet_by_name(name).to_python(skip_empty_area=False):
                sheet.append([None if value == "" else value for value in row])
    except Exception as error:  # both libraries raise whatever their parsers raise
        raise InputError(f"{path} is not a readable workbook ({error})") from error
    return workbook


def not_kept(path: Path) -> list[str]:
    """What the workbook holds that labelling would lose: charts, pivot tables, pictures."""
    if path.suffix.lower() in OLD_FORMATS:
        return ["formats and formulas"]
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return [what for folder, what in _NOT_KEPT.items() if any(name.startswith(folder) for name in names)]


def find_sheet(workbook: Any, path: Path, wanted: str | None) -> Any:
    """The sheet called `wanted`, or the first one.

    Raises
    ------
    InputError
        If there is no such sheet.
    """
    if wanted is None:
        return workbook.worksheets[0]
    names = [sheet.title for sheet in workbook.worksheets]
    if wanted not in names:
        hint = did_you_mean(wanted, names)
        raise InputError(f"{path}: no sheet '{wanted}'{hint} (sheets: {', '.join(names)})")
    return workbook[wanted]


def sheet_rows(sheet: Any, path: Path, most: int | None = None) -> list[list[str]]:
    """The header and the first rows of a sheet, as text; at most `most` rows.

    Raises
    ------
    InputError
        If the sheet is empty.
    """
    rows = [[_as_text(cell) for cell in row] for row in sheet.iter_rows(max_row=most, values_only=True)]
    if not rows or not any(rows[0]):
        raise InputError(f"{path}: sheet '{sheet.title}' is empty: a header row and rows are wanted")
    return rows


def _as_text(value: object) -> str:
    return "" if value is None else str(value)


def label_sheet(
    workbook: Any,
    sheet: Any,
    target: BinaryIO,
    labeller: RowLabeller,
    places: Sequence[int],
    names: Sequence[str],
    *,
    kept: Sequence[int] = (),
    progress: Callable[[int], None] = lambda rows: None,
) -> Summary:
    """Write the workbook with the added columns; sheets, formats, filters and formulas stay.

    `kept` are the places of added columns that stand there already: rows with a verdict keep it.
    """
    width = sheet.max_column
    columns = [place + 1 for place in kept] or [width + offset for offset in range(1, len(names) + 1)]
    if not kept:
        for column, name in zip(columns, names, strict=True):
            cell = sheet.cell(1, column, name)
            cell._style = copy(sheet.cell(1, width)._style)
        _widen(sheet, width, columns)
    summary = Summary()
    for start in range(2, sheet.max_row + 1, _CHUNK):
        rows = list(range(start, min(start + _CHUNK, sheet.max_row + 1)))
        done = [row for row in rows if kept and _as_text(sheet.cell(row, columns[0]).value)]
        fresh = sorted(set(rows) - set(done))
        texts = [
            joined_text([_as_text(sheet.cell(row, place + 1).value) for place in places], range(len(places)))
            for row in fresh
        ]
        added = labeller.cells(texts)
        for row, cells in zip(fresh, added, strict=True):
            for column, value in zip(columns, typed(cells), strict=True):
                sheet.cell(row, column, value if value != "" else None)
        before = [tuple(_as_text(sheet.cell(row, column).value) for column in columns) for row in done]
        summary.merge(Summary.of([*before, *added]))
        progress(summary.rows)
    workbook.save(target)
    return summary


def _widen(sheet: Any, width: int, columns: Sequence[int]) -> None:
    """Let a filter or a table that spans all columns span the added ones too."""
    from openpyxl.utils import get_column_letter, range_boundaries

    if sheet.auto_filter.ref:
        left, top, right, bottom = range_boundaries(sheet.auto_filter.ref)
        if right == width:
            sheet.auto_filter.ref = f"{get_column_letter(left)}{top}:{get_column_letter(columns[-1])}{bottom}"
