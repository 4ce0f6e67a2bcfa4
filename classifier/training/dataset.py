"""Labelled texts: read and checked, row by row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.errors import InputError, MissingExtra
from classifier.labels import CLASS_OF, CLASSES, FLAGS, KINDS_OF
from classifier.persistence import packaged
from classifier.suggest import did_you_mean

GROUP_COLUMNS = ("group", "account", "deal", "opportunity", "company", "family")
"""Columns that tell which rows belong together, whatever their case; the first one found is used."""

REVIEW_COLUMNS = ("why", "said", "label")
"""Columns by which a review sheet of ``label --review`` is known."""

_MOST_REPORTED = 5


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled texts. All arrays are (n_texts,).

    texts : str.
    labels : one of the classes.
    kinds : kind names, empty where not given; None if the file has no such column.
    flags : flag names joined by ``;``, None where not known; None if the file has no such column.
    groups : rows of one group never straddle a split.
    group_column : the column the groups come from, or None if every text is its own group.
    frame : the rows as read, for slices.
    """

    texts: list[str]
    labels: npt.NDArray[np.object_]
    kinds: npt.NDArray[np.object_] | None
    flags: npt.NDArray[np.object_] | None
    groups: npt.NDArray[np.object_]
    group_column: str | None
    frame: pd.DataFrame

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Dataset:
        """The given rows as a data set of their own."""
        frame = self.frame.iloc[rows] if rows.dtype != bool else self.frame[rows]
        return Dataset(
            list(np.array(self.texts, dtype=object)[rows]),
            self.labels[rows],
            None if self.kinds is None else self.kinds[rows],
            None if self.flags is None else self.flags[rows],
            self.groups[rows],
            self.group_column,
            frame.reset_index(drop=True),
        )

    def join(self, other: Dataset) -> Dataset:
        """These texts, then the others; a group of one is never a group of the other."""

        def both(
            own: npt.NDArray[np.object_] | None, its: npt.NDArray[np.object_] | None, unknown: object
        ) -> npt.NDArray[np.object_] | None:
            if own is None and its is None:
                return None
            return np.concatenate(
                [
                    np.full(len(data), unknown, dtype=object) if known is None else known
                    for data, known in ((self, own), (other, its))
                ]
            )

        return Dataset(
            [*self.texts, *other.texts],
            np.concatenate([self.labels, other.labels]),
            both(self.kinds, other.kinds, ""),
            both(self.flags, other.flags, None),
            np.array(
                [*(f"0 {group}" for group in self.groups), *(f"1 {group}" for group in other.groups)],
                dtype=object,
            ),
            self.group_column,
            pd.concat([self.frame, other.frame], ignore_index=True).fillna(""),
        )

    def without(self, texts: Iterable[str]) -> Dataset:
        """The rows whose words are not among `texts`, whatever case, spaces and punctuation."""
        taken = {bare(text) for text in texts}
        return self.take(np.array([bare(text) not in taken for text in self.texts], dtype=bool))

    def sha256(self) -> str:
        """Hash of texts, labels and kinds, in order."""
        digest = hashlib.sha256()
        for i, text in enumerate(self.texts):
            kind = "" if self.kinds is None else self.kinds[i]
            digest.update(
                "\x1f".join((text, self.labels[i], kind)).encode("utf-8", "surrogatepass") + b"\x1e"
            )
        return digest.hexdigest()


def bare(text: str) -> str:
    """The words alone: no case, no punctuation, single spaces; the text itself if it has no words."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text


def shipped(part: str) -> Dataset:
    """The ``train`` or ``test`` part of the statements that ship with the package."""
    data = read(packaged("data") / "statements.csv")
    return data.take((data.frame["part"] == part).to_numpy())


def read(path: Path) -> Dataset:
    """Read a file with the columns ``text`` and ``label``, and perhaps ``kind`` and a group.

    Raises
    ------
    InputError
        If the file is missing or unreadable, a column is missing, or a row's text, label or kind
        is not usable: the message names the rows.
    MissingExtra
        If a workbook is given and the [excel] extra is not installed.
    """
    return from_frame(path, read_frame(path))


def from_frame(path: Path, frame: pd.DataFrame) -> Dataset:
    """As `read`, of a table whose cells are all text; `path` is named in errors."""
    frame.columns = frame.columns.str.strip()
    missing = [name for name in ("text", "label") if name not in frame]
    if missing:
        lower = {name.lower(): name for name in frame.columns}
        hint = lower.get(missing[0])
        mend = f"rename '{hint}'" if hint else f"columns are {', '.join(frame.columns) or 'none'}"
        raise InputError(f"{path}: no column '{missing[0]}' ({mend}); 'text' and 'label' are wanted")
    frame["label"] = frame["label"].str.strip().str.lower()
    if set(REVIEW_COLUMNS) <= set(frame.columns):
        frame = frame[frame["label"] != ""]  # not looked at yet
        if frame.empty:
            raise InputError(f"{path}: no row of the review sheet has a label yet: fill the column 'label'")
    _check_column(path, frame["text"].str.strip() == "", lambda _: "the text is empty", frame["text"])
    _check_column(path, ~frame["label"].isin(CLASSES), _bad_label, frame["label"])
    kinds = _kinds(path, frame) if "kind" in frame else None
    lower = {name.lower(): name for name in reversed(frame.columns)}
    column = next((lower[name] for name in GROUP_COLUMNS if name in lower), None)
    alone = pd.Series([f"row {i}" for i in range(len(frame))], index=frame.index)
    groups = alone if column is None else frame[column].where(frame[column] != "", alone)
    return Dataset(
        frame["text"].tolist(),
        frame["label"].to_numpy(dtype=object),
        kinds,
        _flags(path, frame) if "flags" in frame else None,
        groups.to_numpy(dtype=object),
        column,
        frame.reset_index(drop=True),
    )


def read_frame(path: Path) -> pd.DataFrame:
    """All cells as text; empty ones as empty strings.

    Raises
    ------
    InputError
        If the file is missing, unreadable or empty.
    MissingExtra
        If a workbook is given and the [excel] extra is not installed.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            frame = pd.read_excel(path, dtype=str, keep_default_na=False, engine="openpyxl")
        else:
            frame = pd.read_csv(
                path, dtype=str, keep_default_na=False, sep=None, engine="python", encoding="utf-8-sig"
            )
    except ImportError as error:
        raise MissingExtra("reading Excel files", "excel") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text; save it as UTF-8 and try again") from error
    except Exception as error:  # pandas raises whatever its parsers raise
        raise InputError(f"{path}: not readable as a table ({str(error).strip() or 'empty'})") from error
    if frame.empty:
        raise InputError(f"{path}: no rows; 'text' and 'label' columns with rows are wanted")
    return frame.fillna("")


def _kinds(path: Path, frame: pd.DataFrame) -> npt.NDArray[np.object_]:
    kinds = frame["kind"].str.strip().str.lower().str.replace(" ", "_")
    unknown = ~kinds.isin([*CLASS_OF, ""])
    _check_column(
        path, unknown, lambda kind: f"kind '{kind}' is unknown{did_you_mean(kind, CLASS_OF)}", kinds
    )
    stray = (kinds.map(CLASS_OF) != frame["label"]) & (kinds != "")
    both = kinds + "/" + frame["label"]
    _check_column(path, stray, _stray_kind, both)
    return kinds.to_numpy(dtype=object)


def _flags(path: Path, frame: pd.DataFrame) -> npt.NDArray[np.object_]:
    flags = frame["flags"].str.replace(" ", "").str.lower()
    stray = flags.map(lambda cell: next((flag for flag in cell.split(";") if flag and flag not in FLAGS), ""))
    _check_column(
        path, stray != "", lambda flag: f"flag '{flag}' is unknown{did_you_mean(flag, FLAGS)}", stray
    )
    return flags.to_numpy(dtype=object)


def _stray_kind(both: str) -> str:
    kind, label = both.split("/")
    return f"kind '{kind}' belongs to {CLASS_OF[kind]}, not to {label} ({', '.join(KINDS_OF[label])})"


def _bad_label(label: str) -> str:
    return f"label '{label}' is not one of {', '.join(CLASSES)}{did_you_mean(label, CLASSES)}"


def _check_column(path: Path, wrong: pd.Series[bool], reason: object, values: Iterable[str]) -> None:
    """Raise for the first wrong row, and say which others share the fault."""
    if not wrong.any():
        return
    rows = wrong.index[wrong].tolist()
    first = list(values)[int(np.flatnonzero(wrong.to_numpy())[0])]
    others = ", ".join(str(row + 2) for row in rows[1:_MOST_REPORTED])
    more = f" (and {len(rows) - 1} more: rows {others}{', ...' if len(rows) > _MOST_REPORTED else ''})"
    said = reason(first) if callable(reason) else reason
    raise InputError(f"{path} row {rows[0] + 2}: {said}{more if len(rows) > 1 else ''}")
