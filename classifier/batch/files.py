"""`label_file`: a table in, the same table with verdicts out, whatever its format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from classifier.batch import delimited, excel
from classifier.batch.columns import added_columns, find_column, guess_column
from classifier.batch.rows import RowLabeller, Summary
from classifier.errors import InputError
from classifier.verdict import Model

DELIMITED = (".csv", ".tsv", ".txt")
WORKBOOKS = (".xlsx", ".xlsm")
_SAMPLE = 200
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Labelled:
    """What `label_file` did: the column it read, whether that was a guess, and the counts."""

    column: str
    guessed: bool
    summary: Summary


def label_file(
    source: Path,
    target: Path,
    model: Model,
    *,
    column: str | None = None,
    prefix: str = "",
    announce: Callable[[str, bool], None] = lambda column, guessed: None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Labelled:
    """Label the rows of `source` into `target`; nothing is left at `target` if that fails.

    Parameters
    ----------
    source, target : Path
        CSV, TSV or .xlsx; both of one kind.
    column : str, optional
        The column with the buyer's words; guessed by name and content when not given.
    prefix : str
        Put before the names of the added columns.
    announce : callable
        Told the column and whether it was guessed, before any row is scored.
    progress : callable
        Told the number of rows done, chunk by chunk.

    Raises
    ------
    InputError
        If a file is missing, empty, of an unknown kind, or the same as the other; if the column
        is not there; if an added column's name is taken.
    MissingExtra
        If a workbook is given and the [excel] extra is not installed.
    """
    _check(source, target)
    labeller = RowLabeller(model)
    workbook = excel.open_workbook(source) if source.suffix.lower() in WORKBOOKS else None
    written = None if workbook else delimited.detect(source)
    if written:
        records = delimited.read_records(source, written)
        header = next(records).cells
        rows = [record.cells for record in islice(records, _SAMPLE)]
    else:
        header, rows = excel.sheet_rows(workbook, source)
    place = guess_column(header, rows) if column is None else find_column(header, column)
    names = added_columns(header, prefix)
    announce(header[place], column is None)
    with _written_beside(target) as out:
        if written:
            delimited.label_delimited(
                source, out, written, place, names, labeller.cells, chunk=_CHUNK, progress=progress
            )
        else:
            excel.label_workbook(workbook, out, place, names, labeller.cells, chunk=_CHUNK, progress=progress)
    return Labelled(header[place], column is None, labeller.summary)


def _check(source: Path, target: Path) -> None:
    if not source.is_file():
        raise InputError(f"{source}: no such file")
    kinds = [_kind(path) for path in (source, target)]
    if kinds[0] != kinds[1]:
        raise InputError(f"{target}: write {source.suffix} as {source.suffix}, not as {target.suffix}")
    if target.exists() and source.samefile(target):
        raise InputError(f"{target} is the input itself: choose another output")
    if not target.absolute().parent.is_dir():
        raise InputError(f"{target.parent}: no such folder")


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    for name, suffixes in (("delimited", DELIMITED), ("workbook", WORKBOOKS)):
        if suffix in suffixes:
            return name
    raise InputError(f"{path}: '{suffix}' is not a kind of file that label reads (.csv, .tsv, .txt, .xlsx)")


@contextmanager
def _written_beside(target: Path) -> Iterator[BinaryIO]:
    """A file beside `target` that takes its place only if all went well."""
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as out:
            yield out
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
