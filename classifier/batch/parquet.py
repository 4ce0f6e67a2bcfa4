"""Parquet: columns, types and metadata stay, the added columns follow them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from classifier.batch.columns import joined_text
from classifier.batch.rows import RowLabeller, Summary, typed
from classifier.errors import InputError, MissingExtra


def open_parquet(path: Path) -> Any:
    """The file at `path`, opened.

    Raises
    ------
    MissingExtra
        If the [parquet] extra is not installed.
    InputError
        If the file is no Parquet.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("reading Parquet files", "parquet") from error
    try:
        return pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise InputError(f"{path} is not a readable Parquet file ({error})") from error


def first_rows(source: Any, count: int) -> list[list[str]]:
    """The first rows as text, for guessing the column."""
    for batch in source.iter_batches(batch_size=count):
        return [[_as_text(value) for value in row.values()] for row in batch.to_pylist()]
    return []


def label_parquet(
    source: Any,
    target: BinaryIO,
    labeller: RowLabeller,
    places: Sequence[int],
    names: Sequence[str],
    *,
    kept: Sequence[int] = (),
    progress: Callable[[int], None] = lambda rows: None,
) -> Summary:
    """Write the table with the added columns, row group by row group.

    `kept` are the places of added columns that stand there already: rows with a verdict keep it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = source.schema_arrow
    if not kept:
        for name, kind in zip(names, _types(pa), strict=True):
            schema = schema.append(pa.field(name, kind))
    summary = Summary()
    codec = source.metadata.row_group(0).column(0).compression if source.num_row_groups else "snappy"
    with pq.ParquetWriter(
        target, schema, compression=codec.lower().replace("uncompressed", "none")
    ) as writer:
        for group in range(source.num_row_groups):
            table = source.read_row_group(group)
            texts = _texts(table, places)
            old = _old(table, kept)
            fresh = [i for i, before in enumerate(old) if not before] if kept else range(len(texts))
            cells = dict(zip(fresh, labeller.cells([texts[i] for i in fresh]), strict=True))
            rows = [cells[i] if i in cells else old[i] for i in range(len(texts))]
            summary.merge(Summary.of(rows))
            columns = list(zip(*map(typed, rows), strict=True)) or [()] * len(names)
            for place, (name, kind) in enumerate(zip(names, _types(pa), strict=True)):
                values = pa.array([None if value == "" else value for value in columns[place]], kind)
                if kept:
                    field = schema.field(kept[place])
                    table = table.set_column(kept[place], field, values.cast(field.type))
                else:
                    table = table.append_column(pa.field(name, kind), values)
            writer.write_table(table, row_group_size=max(len(texts), 1))
            progress(summary.rows)
    return summary


def _types(pa: Any) -> list[Any]:
    """Numbers for the confidence and the probabilities, text for the rest."""
    return [pa.float64() if isinstance(value, float) else pa.string() for value in typed(("1",) * 10)]


def _texts(table: Any, places: Sequence[int]) -> list[str]:
    columns = [table.column(place).to_pylist() for place in places]
    return [
        joined_text([_as_text(cell) for cell in row], range(len(places)))
        for row in zip(*columns, strict=True)
    ]


def _old(table: Any, kept: Sequence[int]) -> list[tuple[str, ...]]:
    """The added cells that stand there already; empty for a row without a verdict."""
    columns = [table.column(place).to_pylist() for place in kept]
    return [tuple(map(_as_text, row)) if row[0] else () for row in zip(*columns, strict=True)]


def _as_text(value: object) -> str:
    return "" if value is None else str(value)
