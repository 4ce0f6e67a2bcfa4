"""`label_file`: a table in, the same table with verdicts out, whatever its format."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from classifier import __version__
from classifier.batch import excel, parquet
from classifier.batch.columns import ADDED, added_columns, existing_columns, find_column, guess_column
from classifier.batch.delimited import Delimited, guess_delimiter, records
from classifier.batch.journal import Journal, Progress, only_run
from classifier.batch.jsonlines import JsonLines, parse
from classifier.batch.lines import Encoding, detect_encoding, has_bad_bytes, read_blocks
from classifier.batch.rows import RowLabeller, Summary
from classifier.batch.stream import Source, label_lines, label_with_journal
from classifier.errors import InputError
from classifier.verdict import Model

DELIMITED = (".csv", ".tsv", ".txt")
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet",)
WORKBOOKS = (".xlsx", ".xlsm", *excel.OLD_FORMATS)
_KINDS = {
    "delimited": DELIMITED,
    "JSON Lines": JSON_LINES,
    "Parquet": PARQUET,
    "workbook": WORKBOOKS,
}
_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Options:
    """How a table is to be labelled.

    columns : with the buyer's words, joined if there are several; guessed when none is given.
    prefix : put before the names of the added columns.
    only_new : label just the rows without a verdict, of a table that was labelled before.
    sheet : of a workbook; the first one when not given.
    jobs : worker processes, -1 for one a core; small files take one.
    resume : go on where a run that was cut off stopped.
    in_place : the output may be the input, of which a backup is kept.
    """

    columns: tuple[str, ...] = ()
    prefix: str = ""
    only_new: bool = False
    sheet: str | None = None
    jobs: int = -1
    resume: bool = False
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Labelled:
    """What `label_file` did.

    columns : the columns it read, `guessed` if they were not given.
    set_aside : rows that could not be read, which are in the file `rejects` (None if there are none).
    backup : of the input, when it was written in place.
    aside : the rows set aside, as CSV, when the output is a stream.
    """

    columns: tuple[str, ...]
    guessed: bool
    summary: Summary
    set_aside: int = 0
    rejects: Path | None = None
    backup: Path | None = None
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Whom to tell what is going on.

    columns : told the columns and whether they were guessed, before any row is scored.
    rows : told how many rows are done and what share of the input that is (None if unknown).
    warn : told what the user should know.
    """

    columns: Callable[[Sequence[str], bool], None] = lambda names, guessed: None
    rows: Callable[[int, float | None], None] = lambda rows, share: None
    warn: Callable[[str], None] = lambda message: None


def label_file(
    source: Path,
    target: Path,
    model: Model,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Labelled:
    """Label the rows of `source` into `target`, which appears only when it is whole.

    Line-based files (CSV, TSV, JSON Lines) are streamed; a run that is cut off leaves a journal
    beside `target`. Rows that can't be read are set aside in a ``.rejects.csv`` beside it.

    Raises
    ------
    InputError
        If a file is missing, empty, of an unknown kind, or being written by another run; if the
        output is the input; if a column or sheet is not there; if an added column's name is taken.
    MissingExtra
        If the format needs an extra that is not installed.
    """
    options, watcher = options or Options(), watcher or Watcher()
    _check(source, target, options)
    with only_run(target):
        backup = _back_up(source) if target.exists() and source.samefile(target) else None
        label = _label_lines if _is_line_based(source) else _label_whole
        return replace(label(source, target, model, options, watcher), backup=backup)


def label_stream(
    source: BinaryIO,
    target: BinaryIO,
    model: Model,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Labelled:
    """Label CSV, TSV or JSON Lines from one stream to another; rejects come back as `aside`.

    The input is copied to a temporary file first, for its encoding can only be told at its end.

    Raises
    ------
    InputError
        As `label_file`.
    """
    options, watcher = options or Options(), watcher or Watcher()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "standard input"
        with copy.open("wb") as out:
            shutil.copyfileobj(source, out)
        opened = _open_lines(copy, options, _looks_like_json(copy))
        watcher.columns(opened.columns, not options.columns)
        rejects = BytesIO()
        state = Progress({})
        label_lines(
            opened.source,
            model,
            target,
            rejects,
            state,
            jobs=options.jobs,
            keep=_report(opened.source, watcher),
        )
        summary = Summary.from_dict(state.summary or {})
        return Labelled(
            opened.columns, not options.columns, summary, state.set_aside, aside=rejects.getvalue().decode()
        )


@dataclass(frozen=True, slots=True)
class _Opened:
    """A line-based file that is ready to be labelled, and the columns it is read from."""

    source: Source
    columns: tuple[str, ...]


def _label_lines(source: Path, target: Path, model: Model, options: Options, watcher: Watcher) -> Labelled:
    opened = _open_lines(source, options, source.suffix.lower() in JSON_LINES)
    watcher.columns(opened.columns, not options.columns)
    status = source.stat()
    identity: dict[str, object] = {
        "source": str(source.absolute()),
        "size": status.st_size,
        "changed": status.st_mtime_ns,
        "columns": list(opened.columns),
        "prefix": options.prefix,
        "only_new": options.only_new,
        "model": model.card.get("sha256", ""),
        "threshold": model.threshold,
        "version": __version__,
    }
    state = label_with_journal(
        opened.source,
        target,
        model,
        identity,
        resume=options.resume,
        jobs=options.jobs,
        progress=_report(opened.source, watcher),
        warn=watcher.warn,
    )
    rejects = Journal(target).rejects if state.set_aside else None
    summary = Summary.from_dict(state.summary or {})
    return Labelled(opened.columns, not options.columns, summary, state.set_aside, rejects)


def _report(source: Source, watcher: Watcher) -> Callable[[Progress], None]:
    size = source.path.stat().st_size
    return lambda state: watcher.rows(state.row, state.end / size)


def _open_lines(path: Path, options: Options, is_json: bool) -> _Opened:
    encoding = detect_encoding(path)
    return (_open_json if is_json else _open_delimited)(path, encoding, options)


def _open_delimited(path: Path, encoding: Encoding, options: Options) -> _Opened:
    first = next(read_blocks(path, encoding, lambda lines, last: (len(lines), 0)))
    delimiter = guess_delimiter(first.lines[0])
    head = list(islice(records(first.lines, delimiter, last=False), _SAMPLE + 1))
    if not head or head[0].fault or not any(cell.strip() for cell in head[0].cells):
        raise InputError(
            f"{path}: the first line is no header ({head[0].fault if head else 'an open quote'})"
        )
    header, rows = head[0], [record.cells for record in head[1:]]
    if has_bad_bytes(header.raw):
        raise InputError(f"{path}: the header has bytes that are not {encoding.name}: save the file as UTF-8")
    places, names, kept = _columns(header.cells, rows, options)
    layout = Delimited(delimiter, len(header.cells), places, kept)
    end = len(encoding.mark) + len(encoding.encode("".join(first.lines[: header.after])))
    source = Source(path, encoding, layout, layout.header(header, names), end, header.after)
    return _Opened(source, tuple(header.cells[place] for place in places))


def _open_json(path: Path, encoding: Encoding, options: Options) -> _Opened:
    first = next(read_blocks(path, encoding, lambda lines, last: (len(lines), 0)))
    found = [record for _, record in map(parse, first.lines[:_SAMPLE]) if record]
    if not found:
        raise InputError(f"{path}: none of the first lines is a JSON object: one {{...}} a line is wanted")
    header = list(dict.fromkeys(key for record in found for key in record))
    rows = [["" if record.get(key) is None else str(record[key]) for key in header] for record in found]
    places, names, _ = _columns(header, rows, options)
    keys = tuple(header[place] for place in places)
    layout = JsonLines(keys, tuple(names), options.only_new)
    return _Opened(Source(path, encoding, layout, "", len(encoding.mark), 0), keys)


def _looks_like_json(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(1024).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")


def _columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], options: Options
) -> tuple[tuple[int, ...], list[str], tuple[int, ...]]:
    """Places of the buyer's words, names of the added columns, places of those that stand there."""
    if options.only_new:
        kept = existing_columns(header, options.prefix)
        names = [options.prefix + name for name in ADDED]
    else:
        kept, names = (), added_columns(header, options.prefix)
    if options.columns:
        return tuple(find_column(header, name) for name in options.columns), names, kept
    return (guess_column(header, rows, beside=kept),), names, kept


def text_columns(source: Path, options: Options) -> tuple[str, ...]:
    """The columns with the buyer's words that `label_file` would read."""
    suffix = source.suffix.lower()
    if suffix in PARQUET:
        table = parquet.open_parquet(source)
        header = table.schema_arrow.names
        places, _, _ = _columns(header, parquet.first_rows(table, _SAMPLE), options)
        return tuple(header[place] for place in places)
    return _open_lines(source, options, suffix in JSON_LINES).columns


def check_kinds(paths: Sequence[Path]) -> None:
    """Refuse files of different kinds.

    Raises
    ------
    InputError
        With two that differ.
    """
    for path in paths:
        if format_of(path) != format_of(paths[0]):
            raise InputError(f"{path.name} and {paths[0].name} are of different kinds: keep one kind")


def _label_whole(source: Path, target: Path, model: Model, options: Options, watcher: Watcher) -> Labelled:
    """Label a format that can't be written piece by piece."""
    labeller = RowLabeller(model)
    is_parquet = source.suffix.lower() in PARQUET
    if is_parquet:
        table = parquet.open_parquet(source)
        header, rows = table.schema_arrow.names, parquet.first_rows(table, _SAMPLE)
        total = table.metadata.num_rows
    else:
        workbook = excel.open_workbook(source)
        sheet = excel.find_sheet(workbook, source, options.sheet)
        header, *rows = excel.sheet_rows(sheet, source, _SAMPLE + 1)
        total = sheet.max_row - 1
        if lost := excel.not_kept(source):
            watcher.warn(f"the {' and '.join(lost)} of {source} are not kept in {target}")
    places, names, kept = _columns(header, rows, options)
    columns = tuple(header[place] for place in places)
    watcher.columns(columns, not options.columns)

    def progress(rows: int) -> None:
        watcher.rows(rows, rows / total if total else None)

    with _written_beside(target) as out:
        if is_parquet:
            done = parquet.label_parquet(table, out, labeller, places, names, kept=kept, progress=progress)
        else:
            done = excel.label_sheet(
                workbook, sheet, out, labeller, places, names, kept=kept, progress=progress
            )
    return Labelled(columns, not options.columns, done)


def _check(source: Path, target: Path, options: Options) -> None:
    if not source.is_file():
        raise InputError(f"{source}: no such file")
    kinds = [format_of(path) for path in (source, target)]
    if target.suffix.lower() in excel.OLD_FORMATS:
        raise InputError(f"{target}: {target.suffix} can be read but not written: write .xlsx")
    if kinds[0] != kinds[1]:
        raise InputError(f"{target}: write {source.suffix} as {source.suffix}, not as {target.suffix}")
    if target.is_dir():
        raise InputError(f"{target} is a folder: name a file")
    if target.exists() and source.samefile(target) and not options.in_place:
        raise InputError(f"{target} is the input itself: choose another output, or say --in-place")
    if not target.absolute().parent.is_dir():
        raise InputError(f"{target.parent}: no such folder")
    if options.sheet and kinds[0] != "workbook":
        raise InputError(f"{source} has no sheets: leave out --sheet")


def format_of(path: Path) -> str:
    """What sort of table it is, by its suffix.

    Raises
    ------
    InputError
        If it is none that can be labelled.
    """
    suffix = path.suffix.lower()
    for name, suffixes in _KINDS.items():
        if suffix in suffixes:
            return name
    readable = ", ".join(suffix for suffixes in _KINDS.values() for suffix in suffixes)
    raise InputError(f"{path}: '{suffix}' is not a kind of file that label reads ({readable})")


def _is_line_based(path: Path) -> bool:
    return path.suffix.lower() in (*DELIMITED, *JSON_LINES)


def _back_up(path: Path) -> Path:
    """A second name for the file as it is, which stays when another takes its place."""
    number = 0
    while True:
        number += 1
        backup = path.with_name(f"{path.name}.bak{'' if number == 1 else number}")
        if backup.exists() and backup.samefile(path):
            return backup  # of a run that was cut off
        if not backup.exists():
            break
    try:
        os.link(path, backup)
    except OSError:  # a file system without links
        shutil.copy2(path, backup)
    return backup


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
