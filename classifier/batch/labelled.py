"""The rows of a labelled table, whatever its format, one by one."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.batch import excel, parquet
from classifier.batch.columns import ADDED
from classifier.batch.delimited import guess_delimiter
from classifier.batch.jsonlines import parse
from classifier.batch.lines import detect_encoding
from classifier.errors import InputError
from classifier.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a labelled table.

    number : from 1, the header not counted.
    cells : as text, by the name of the column.
    text : the buyer's words.
    added : the added cells, by their names without the prefix.
    """

    number: int
    cells: dict[str, str]
    text: str
    added: dict[str, str]


def read_labelled(
    path: Path, columns: Sequence[str], prefix: str = "", sheet: str | None = None
) -> Iterator[Row]:
    """The rows that `label_file` wrote; `columns` hold the buyer's words."""
    for number, cells in enumerate(table_rows(path, sheet), 1):
        text = "\n".join(cells[name] for name in columns if cells.get(name, "").strip())
        yield Row(number, cells, text, {name: cells.get(prefix + name, "") for name in ADDED})


def check_columns(header: Sequence[str], wanted: Sequence[str]) -> None:
    """Refuse a column that is not there.

    Raises
    ------
    InputError
        With the columns that are.
    """
    for name in wanted:
        if name not in header:
            raise InputError(f"no column '{name}'{did_you_mean(name, header)} (columns: {', '.join(header)})")


def header_of(path: Path, sheet: str | None = None) -> list[str]:
    """Names of the columns, in order."""
    return list(next(table_rows(path, sheet), {}))


def table_rows(path: Path, sheet: str | None = None) -> Iterator[dict[str, str]]:
    """The rows of a table as text, by the name of the column."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        source = parquet.open_parquet(path)
        for batch in source.iter_batches():
            yield from (_as_text(row) for row in batch.to_pylist())
    elif suffix in (".xlsx", ".xlsm", *excel.OLD_FORMATS):
        rows = excel.sheet_rows(excel.find_sheet(excel.open_workbook(path), path, sheet), path)
        yield from (dict(zip(rows[0], row, strict=True)) for row in rows[1:])
    elif suffix in (".jsonl", ".ndjson"):
        with path.open(encoding="utf-8-sig") as lines:
            yield from (_as_text(record) for _, record in map(parse, lines) if record)
    else:
        encoding = detect_encoding(path)
        with path.open(encoding=encoding.name, errors=encoding.errors, newline="") as stream:
            stream.seek(0)
            first = stream.readline().lstrip("\ufeff")
            stream.seek(0)
            records = csv.reader(stream, delimiter=guess_delimiter(first))
            header = [name.lstrip("\ufeff") for name in next(records)]
            yield from (dict(zip(header, row, strict=False)) for row in records if row)


def _as_text(record: dict[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in record.items()}
