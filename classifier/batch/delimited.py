"""CSV and TSV: the bytes of every record stay, the added cells follow them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from classifier.errors import InputError

_SNIFFED = 64 * 1024
_DELIMITERS = ",;\t|"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is written: its encoding and its delimiter."""

    encoding: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its cells, the line it starts on, and its text without the line end."""

    cells: list[str]
    line: int
    raw: str
    line_end: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was set aside: the line it starts on, why, and its text."""

    line: int
    reason: str
    raw: str


def detect(path: Path) -> Format:
    """Encoding and delimiter of a file.

    Raises
    ------
    InputError
        If the file is empty or holds no text.
    """
    with path.open("rb") as stream:
        head = stream.read(_SNIFFED)
    if not head.strip():
        raise InputError(f"{path} is empty: a header line and rows are wanted")
    encoding = _encoding(path, head)
    text = head.decode(encoding, "replace")
    if "\x00" in text:
        raise InputError(f"{path} is not a text file: give CSV, TSV or .xlsx")
    first = text.splitlines()[0]
    delimiter = max(_DELIMITERS, key=first.count)
    return Format(encoding, delimiter)


def _encoding(path: Path, head: bytes) -> str:
    """UTF-8 or UTF-16 by its mark, UTF-8 if the whole file is valid, else Windows-1252."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


class _Lines:
    """Lines of a file, the ones taken since the last record kept as they were."""

    def __init__(self, stream: Iterable[str]) -> None:
        self._stream = iter(stream)
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._stream)
        self.taken.append(line)
        self.number += 1
        return line


def read_records(path: Path, written: Format) -> Iterator[Record]:
    """The records of a file, header first; blank lines are records without cells.

    Raises
    ------
    InputError
        If a quoted cell is never closed, or bytes don't fit the encoding.
    """
    with path.open(encoding=written.encoding, newline="") as stream:
        lines = _Lines(stream)
        reader = csv.reader(lines, delimiter=written.delimiter, strict=True)
        while True:
            line = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise InputError(
                    f"{path} line {line}: not readable as CSV ({error}); mend the quotes there"
                ) from error
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path} near line {line}: bytes that are not {written.encoding}; save the file as UTF-8"
                ) from error
            raw = "".join(lines.taken)
            lines.taken.clear()
            bare = raw.rstrip("\r\n")
            yield Record(cells, line, bare, raw[len(bare) :])


def cells_to_text(cells: Sequence[str], delimiter: str) -> str:
    """Cells as one piece of a record, quoted where needed, without a line end."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="").writerow(cells)
    return buffer.getvalue()


def label_delimited(
    source: Path,
    target: BinaryIO,
    written: Format,
    place: int,
    names: Sequence[str],
    cells_of: Callable[[Sequence[str]], list[tuple[str, ...]]],
    *,
    chunk: int,
    progress: Callable[[int], None],
    reject: Callable[[Reject], None],
) -> None:
    """Copy `source` to `target` with the added cells at the end of each record.

    A record with fewer cells than the header is filled with empty ones first, so that the added
    cells stand in their columns; one with more is handed to `reject` instead. `progress` is told
    the rows done after each chunk.
    """
    out = io.TextIOWrapper(target, encoding=written.encoding, newline="", write_through=True)
    records = read_records(source, written)
    header = next(records)
    out.write(_joined(header, names, len(header.cells), written) + header.line_end)
    pending: list[Record] = []

    def flush() -> None:
        texts = [r.cells[place] if place < len(r.cells) else "" for r in pending]
        for record, cells in zip(pending, cells_of(texts), strict=True):
            out.write(_joined(record, cells, len(header.cells), written) + record.line_end)
        progress(len(pending))
        pending.clear()

    for record in records:
        if len(record.cells) > len(header.cells):
            reject(
                Reject(
                    record.line,
                    f"{len(record.cells)} cells where the header has {len(header.cells)}: quote the cell "
                    f"that holds the delimiter '{written.delimiter}'",
                    record.raw,
                )
            )
            continue
        if not record.cells:  # a blank line stays a blank line
            flush()
            out.write(record.raw + record.line_end)
            continue
        pending.append(record)
        if len(pending) >= chunk:
            flush()
    flush()
    out.detach()


def _joined(record: Record, added: Sequence[str], width: int, written: Format) -> str:
    missing = written.delimiter * (width - len(record.cells))
    return record.raw + missing + written.delimiter + cells_to_text(added, written.delimiter)
