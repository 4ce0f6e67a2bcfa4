"""Line-based files: their encoding, and blocks of whole records.

A block holds the lines of one or more records as they stand in the file. Text is decoded so that
encoding it again gives the same bytes, whatever they were; a record with bytes that do not fit
the encoding is known by the surrogates in it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol

from classifier.batch.rows import RowLabeller, Summary
from classifier.errors import InputError

_BLOCK_CHARACTERS = 256 * 1024
_SNIFFED = 64 * 1024
_READ = 1 << 16  # larger blocks, decoded one after another, leave holes of their size in the heap
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BAD_BYTE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the text of a file is written: a codec's name and the byte order mark, if any."""

    name: str
    mark: bytes = b""

    @property
    def errors(self) -> str:
        """The error handler that keeps bytes which do not fit."""
        return "surrogatepass" if self.name.startswith("utf-16") else "surrogateescape"

    def encode(self, text: str) -> bytes:
        """The bytes of `text`, those that did not fit as they were."""
        return text.encode(self.name, self.errors)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records of a file.

    lines : with their line ends.
    first_line, first_row : numbers, from 1, of the first line and of the first record after the
        header.
    n_lines, n_records : how many there are.
    end : offset in bytes of what follows the block.
    """

    lines: list[str]
    first_line: int
    first_row: int
    n_lines: int
    n_records: int
    end: int


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was set aside: its number, the line it starts on, why, and its text."""

    row: int
    line: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class LabelledBlock:
    """What a block became: its new text, what its rows came to, and what was set aside."""

    text: str
    summary: Summary
    rejects: list[Reject]


class LineFormat(Protocol):
    """A kind of line-based file: where its records end, and how they take the added cells."""

    def whole(self, lines: list[str], last: bool) -> tuple[int, int]:
        """How many of `lines` make whole records, and how many records that is."""

    def label(self, block: Block, labeller: RowLabeller) -> LabelledBlock:
        """The block's records with the added cells."""


def detect_encoding(path: Path) -> Encoding:
    """UTF-8 or UTF-16 by the mark; else UTF-8 where most lines beyond ASCII are; else Windows-1252.

    Raises
    ------
    InputError
        If the file is empty or holds no text.
    """
    with path.open("rb") as stream:
        head = stream.read(_SNIFFED)
        if not head.strip():
            raise InputError(f"{path} is empty: a header line and rows are wanted")
        for mark, name in _MARKS:
            if head.startswith(mark):
                return Encoding(name, mark)
        if b"\x00" in head:
            raise InputError(f"{path} is not a text file (or UTF-16 without a mark): save it as UTF-8")
        stream.seek(0)
        valid = broken = 0
        for block in iter(lambda: stream.read(_READ) + stream.readline(), b""):
            try:
                block.decode()
                valid += not block.isascii()
            except UnicodeDecodeError:
                utf8 = [_is_utf8(line) for line in block.split(b"\n") if not line.isascii()]
                valid += sum(utf8)
                broken += len(utf8) - sum(utf8)
    return Encoding("utf-8" if valid >= broken else "cp1252")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def has_bad_bytes(text: str) -> bool:
    """Whether `text` came from bytes that do not fit the encoding."""
    return not text.isascii() and _BAD_BYTE.search(text) is not None


def read_blocks(
    path: Path,
    encoding: Encoding,
    whole: Callable[[list[str], bool], tuple[int, int]],
    *,
    start: int = 0,
    line: int = 1,
    row: int = 1,
) -> Iterator[Block]:
    """The file from byte `start`, which is line `line` and record `row`, block by block.

    `whole` is given lines and whether the file ends there; it tells how many of them make whole
    records, and how many records those are.
    """
    end = max(start, len(encoding.mark))
    with path.open("rb") as binary:
        binary.seek(end)
        stream = TextIOWrapper(binary, encoding.name, encoding.errors, newline="")
        waiting: list[str] = []
        while True:
            fresh = stream.readlines(_BLOCK_CHARACTERS)
            waiting += fresh
            if not waiting:
                return
            count, records = whole(waiting, not fresh)
            if count:
                lines, waiting = waiting[:count], waiting[count:]
                end += len(encoding.encode("".join(lines)))
                yield Block(lines, line, row, count, records, end)
                line += count
                row += records
