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
from classifier.persistence import write_atomically
from classifier.verdict import Model

DELIMITED = (".csv", ".tsv", ".txt")
WORKBOOKS = (".xlsx", ".xlsm")
_SAMPLE = 200
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Labelled:
    """What `label_file` did: the column it read, whether that was a guess, and the counts.

    `set_aside` rows that do not fit the header are in the file `rejects` (None if there are none).
    """

    column: str
    guessed: bool
    summary: Summary
    set_aside: int
    rejects: Path | None


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

    Rows that do not fit the header are set aside in a ``.rejects.csv`` beside `target`.

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
    rejected: list[delimited.Reject] = []
    with _written_beside(target) as out:
        if written:
            delimited.label_delimited(
                source,
                out,
                written,
                place,
                names,
                labeller.cells,
                chunk=_CHUNK,
                progress=progress,
                reject=rejected.append,
            )
        else:
            excel.label_workbook(workbook, out, place, names, labeller.cells, chunk=_CHUNK, progress=progress)
    rejects = _write_rejects(target, rejected) if rejected else None
    return Labelled(header[place], column is None, labeller.summary, len(rejected), rejects)


def _write_rejects(target: Path, rejected: list[delimited.Reject]) -> Path:
    """A CSV beside `target` with the line, the reason and the text of each row set aside."""
    path = target.with_suffix(".rejects.csv")
    lines = [("line", "reason", "text"), *((str(r.line), r.reason, r.raw) for r in rejected)]
    text = "".join(delimited.cells_to_text(cells, ",") + "\n" for cells in lines)
    write_atomically(path, text.encode("utf-8", "surrogatepass"))
    return path


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
