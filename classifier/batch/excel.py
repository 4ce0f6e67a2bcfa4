"""Excel workbooks: the added columns go to the right of the first sheet's table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import Any, BinaryIO

from classifier.errors import InputError, MissingExtra

_NUMBERS = range(2, 6)  # confidence and the three probabilities


def open_workbook(path: Path) -> Any:
    """The workbook at `path`.

    Raises
    ------
    MissingExtra
        If the [excel] extra is not installed.
    InputError
        If the file is no workbook.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtra("reading Excel files", "excel") from error
    try:
        return openpyxl.load_workbook(path)
    except Exception as error:  # openpyxl raises whatever its parsers raise
        raise InputError(f"{path} is not a readable .xlsx workbook ({error})") from error


def sheet_rows(workbook: Any, path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the first sheet, as text.

    Raises
    ------
    InputError
        If the sheet is empty.
    """
    rows = [[_as_text(cell) for cell in row] for row in workbook.worksheets[0].iter_rows(values_only=True)]
    if not rows or not any(rows[0]):
        raise InputError(f"{path}: the first sheet is empty: a header row and rows are wanted")
    return rows[0], rows[1:]


def _as_text(value: object) -> str:
    return "" if value is None else str(value)


def label_workbook(
    workbook: Any,
    target: BinaryIO,
    place: int,
    names: Sequence[str],
    cells_of: Callable[[Sequence[str]], list[tuple[str, ...]]],
    *,
    chunk: int,
    progress: Callable[[int], None],
) -> None:
    """Write the workbook with the added columns; sheets, formats and formulas stay."""
    sheet = workbook.worksheets[0]
    width = sheet.max_column
    for offset, name in enumerate(names, 1):
        cell = sheet.cell(1, width + offset, name)
        cell._style = copy(sheet.cell(1, width)._style)
    for start in range(2, sheet.max_row + 1, chunk):
        numbers = range(start, min(start + chunk, sheet.max_row + 1))
        texts = [_as_text(sheet.cell(row, place + 1).value) for row in numbers]
        for row, cells in zip(numbers, cells_of(texts), strict=True):
            for offset, value in enumerate(cells):
                if value:
                    typed = float(value) if offset in _NUMBERS else value
                    sheet.cell(row, width + offset + 1, typed)
        progress(len(numbers))
    workbook.save(target)
