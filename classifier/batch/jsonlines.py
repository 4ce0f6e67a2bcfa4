"""JSON Lines: each object's text stays, the added keys follow its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from classifier.batch.columns import joined_text
from classifier.batch.lines import Block, LabelledBlock, Reject, has_bad_bytes
from classifier.batch.rows import Cells, RowLabeller, Summary, typed


@dataclass(frozen=True, slots=True)
class JsonLines:
    """How to label the objects of a file.

    keys : of the buyer's words.
    names : of the added values.
    only_new : whether objects that have a verdict keep it.
    """

    keys: tuple[str, ...]
    names: tuple[str, ...]
    only_new: bool = False

    def whole(self, lines: list[str], last: bool) -> tuple[int, int]:
        """Every line is a record."""
        return len(lines), len(lines)

    def label(self, block: Block, labeller: RowLabeller) -> LabelledBlock:
        """The block with the added values at the end of each object, and the lines set aside."""
        rejects: list[Reject] = []
        found: list[tuple[str, dict[str, Any] | None]] = []
        for number, line in enumerate(block.lines):
            fault, record = parse(line)
            if not fault and record:
                fault = self._misfit(record)
            if fault:
                row = block.first_row + number
                rejects.append(Reject(row, block.first_line + number, fault, line.rstrip("\r\n")))
            else:
                found.append((line, record))
        fresh = [record for _, record in found if record is not None and not self._has_verdict(record)]
        cells = iter(labeller.cells([self._text(record) for record in fresh]))
        out, counted = [], []
        for line, record in found:
            if record is None:
                out.append(line)
            elif self._has_verdict(record):
                counted.append(tuple(_as_text(record.get(name)) for name in self.names))
                out.append(line)
            else:
                counted.append(next(cells))
                out.append(self._with(line, record, counted[-1]))
        return LabelledBlock("".join(out), Summary.of(counted), rejects)

    def _text(self, record: Mapping[str, Any]) -> str:
        return joined_text([_as_text(record.get(key)) for key in self.keys], range(len(self.keys)))

    def _misfit(self, record: Mapping[str, Any]) -> str:
        if not self.only_new and (clash := [name for name in self.names if name in record]):
            return f"the object has a key '{clash[0]}' already: choose other names with --prefix"
        return ""

    def _has_verdict(self, record: Mapping[str, Any]) -> bool:
        return self.only_new and bool(record.get(self.names[0]))

    def _with(self, line: str, record: dict[str, Any], cells: Cells) -> str:
        added = dict(zip(self.names, typed(cells), strict=True))
        bare = line.rstrip()
        if added.keys() & record.keys():  # empty values from before give way
            return json.dumps(record | added, ensure_ascii=False) + line[len(bare) :]
        values = json.dumps(added, ensure_ascii=False)[1:]
        return bare[:-1].rstrip() + (", " if record else "") + values + line[len(bare) :]


def parse(line: str) -> tuple[str, dict[str, Any] | None]:
    """What is wrong with a line, and its object; a blank line has neither."""
    if has_bad_bytes(line):
        return "bytes that are not in the file's encoding: save the file as UTF-8", None
    if not line.strip():
        return "", None
    try:
        record = json.loads(line)
    except ValueError as error:
        return f"not readable as JSON ({error})", None
    if not isinstance(record, dict):
        return "not a JSON object: one {...} a line is wanted", None
    return "", record


def _as_text(value: object) -> str:
    return "" if value is None else str(value)
