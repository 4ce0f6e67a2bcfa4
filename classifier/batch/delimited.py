"""CSV and TSV: the bytes of every record stay, the added cells follow them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from classifier.batch.columns import joined_text
from classifier.batch.lines import Block, LabelledBlock, Reject, has_bad_bytes
from classifier.batch.rows import Cells, RowLabeller, Summary

_DELIMITERS = ",;\t|"
_LONGEST_RECORD = 200_000
"""Characters; a record that goes on longer began with a quote that nobody closed."""
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its cells, or why they can't be told; lines `first` up to `after`; its text."""

    cells: list[str]
    fault: str
    first: int
    after: int
    raw: str
    line_end: str


@dataclass(frozen=True, slots=True)
class Delimited:
    """How to label the records of a file.

    width : number of columns of the header.
    places : columns with the buyer's words.
    kept : where the added columns stand already, in order, if only rows without a verdict are to
        be labelled.
    """

    delimiter: str
    width: int
    places: tuple[int, ...]
    kept: tuple[int, ...] = ()

    def whole(self, lines: list[str], last: bool) -> tuple[int, int]:
        """How many of `lines` make whole records, and how many records."""
        try:
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            return len(lines), sum(1 for _ in reader)
        except csv.Error:  # a record that goes on, or one that can't be read
            pass
        count = rows = 0
        for record in records(lines, self.delimiter, last=last):
            count = record.after
            rows += 1
        return count, rows

    def label(self, block: Block, labeller: RowLabeller) -> LabelledBlock:
        """The block with the added cells at the end of each record, and the rows set aside."""
        rejects, fitting, out = [], [], []
        row = block.first_row - 1
        for record in records(block.lines, self.delimiter, last=True):
            row += 1
            if fault := record.fault or self._misfit(record):
                rejects.append(Reject(row, block.first_line + record.first, fault, record.raw))
            else:
                fitting.append(record)
        fresh = [record for record in fitting if record.cells and not self._has_verdict(record)]
        added = labeller.cells([joined_text(record.cells, self.places) for record in fresh])
        texts = iter(cells_to_lines(added, self.delimiter))
        cells = iter(added)
        counted: list[Cells] = []
        for record in fitting:
            if not record.cells:  # a blank line stays a blank line
                out.append(record.raw + record.line_end)
            elif self._has_verdict(record):
                counted.append(tuple(record.cells[place] for place in self.kept))
                out.append(record.raw + record.line_end)
            else:
                counted.append(next(cells))
                out.append(self._with(record, next(texts)) + record.line_end)
        return LabelledBlock("".join(out), Summary.of(counted), rejects)

    def header(self, record: Record, names: Sequence[str]) -> str:
        """The header's text with the added names."""
        if self.kept:
            return record.raw + record.line_end
        return self._with(record, cells_to_lines([names], self.delimiter)[0]) + record.line_end

    def _misfit(self, record: Record) -> str:
        if has_bad_bytes(record.raw):
            return "bytes that are not in the file's encoding: save the file as UTF-8"
        if not record.cells or len(record.cells) == self.width:
            return ""
        mend = f"quote the cell that holds the delimiter '{self.delimiter}' or a line break"
        return f"{len(record.cells)} cells where the header has {self.width}: {mend}"

    def _has_verdict(self, record: Record) -> bool:
        return bool(self.kept) and record.cells[self.kept[0]] != ""

    def _with(self, record: Record, added: str) -> str:
        """The record's text with the added cells."""
        if not self.kept:
            return record.raw + self.delimiter + added
        cells = raw_cells(record.raw, self.delimiter)
        for place, cell in zip(self.kept, raw_cells(added, self.delimiter), strict=True):
            cells[place] = cell
        return self.delimiter.join(cells)


def guess_delimiter(line: str) -> str:
    """The commonest of comma, semicolon, tab and bar in a header line."""
    return max(_DELIMITERS, key=line.count)


def records(lines: list[str], delimiter: str, *, last: bool) -> Iterator[Record]:
    """The records that `lines` hold, in order; of a record that can't be read, its first line.

    Unless the file ends there (`last`), a record that may go on is left out, and whatever
    follows it.
    """
    start = 0
    while start < len(lines):
        reader = csv.reader(lines[start:] if start else lines, delimiter=delimiter, strict=True)
        done = start
        fault = ""
        try:
            for cells in reader:
                after = start + reader.line_num
                raw = lines[done] if after - done == 1 else "".join(lines[done:after])
                bare = raw.rstrip("\r\n")
                yield Record(cells, "", done, after, bare, raw[len(bare) :])
                done = after
        except csv.Error as error:
            open_quote = "unexpected end" in str(error)
            rest = sum(map(len, lines[done:])) if open_quote else 0
            if open_quote and not last and rest < _LONGEST_RECORD:
                return
            fault = "a quote that is never closed" if open_quote else f"not readable as CSV ({error})"
        if not fault:
            return
        bare = lines[done].rstrip("\r\n")
        yield Record([], f"{fault}: mend the quotes there", done, done + 1, bare, lines[done][len(bare) :])
        start = done + 1


def raw_cells(raw: str, delimiter: str) -> list[str]:
    """The cells of a record as they are written, quotes and all."""
    mark = re.escape(delimiter)
    return re.findall(rf'(?:^|(?<={mark}))("(?:[^"]|"")*"[^{mark}]*|[^{mark}]*)', raw, re.DOTALL)


def cells_to_lines(rows: Iterable[Sequence[str]], delimiter: str) -> list[str]:
    """Each row's cells as a piece of a record, quoted where needed, without a line end."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return buffer.getvalue().split("\n")[:-1]
