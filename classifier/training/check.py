"""`check`: what is wrong, or probably wrong, with labelled notes, before anything is trained on them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.errors import InputError, MissingExtra
from classifier.labels import CLASS_OF, CLASSES, FLAGS
from classifier.training import personal
from classifier.training.cross_validation import Steps, cross_validate, n_folds
from classifier.training.dataset import Dataset, bare, from_frame, read_frame, shipped
from classifier.training.pipeline import make_pipeline
from classifier.training.promotion import contrast
from classifier.training.train import LEAST_OF_EACH_CLASS
from classifier.verdict import Model, check_text

FloatArray = npt.NDArray[np.float64]

NEAR = 90
"""Percent of likeness (Levenshtein) from which two texts are near-duplicates."""
FEW_OF_A_CLASS = 100
FEW_OF_A_KIND = 10
CLOSE = 0.75
"""How like a known label an unknown one must be to be mended without asking."""
NEIGHBOURS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at.

    row : as a spreadsheet counts, the header being row 1.
    column : where.
    problem : the sort of problem, a key of `PROBLEMS`.
    detail : what was found and why it is suspect.
    mended : what `fixed` makes of the cell; None where a person must decide.
    text : the words of the row.
    """

    row: int
    column: str
    problem: str
    detail: str
    mended: str | None
    text: str


PROBLEMS = {
    "unreadable": "rows that can't be trained on",
    "mendable": "cells that can be mended alone",
    "two_labels": "the same words with two labels",
    "probably_wrong": "labels that are probably wrong",
    "duplicate": "duplicates",
    "near_duplicate": "near-duplicates",
    "overlap": "texts of the test set",
    "personal": "personal data",
}
"""Sorts of problem, the gravest first."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` found.

    rows : of the file; usable : those that can be trained on once cells are mended.
    findings : by sort of problem, then by row; labels that are probably wrong the surest first.
    counts : texts by class, kind and channel.
    advice : what is too thin to learn from.
    fixed : the file, mended: unreadable rows and duplicates left out, cells corrected, personal
        data masked if that was asked for.
    """

    rows: int
    usable: int
    findings: list[Finding]
    counts: dict[str, dict[str, int]]
    advice: list[str]
    fixed: pd.DataFrame

    def of(self, problem: str) -> list[Finding]:
        """The findings of one sort."""
        return [finding for finding in self.findings if finding.problem == problem]

    def to_dict(self) -> dict[str, object]:
        """As plain JSON types."""
        return {
            "rows": self.rows,
            "usable": self.usable,
            "findings": [asdict(finding) for finding in self.findings],
            "counts": self.counts,
            "advice": self.advice,
        }


def check(
    path: Path,
    model: Model,
    *,
    base: Dataset | None = None,
    mask: bool = False,
    seed: int = 0,
    tell: Callable[[str, float], None] = lambda step, share: None,
) -> Checked:
    """Check a file of labelled notes.

    Labels are doubted by confident learning (Northcutt et al. 2021) on probabilities of models that
    saw `base` (the shipped statements by default) and the other notes; `model` tells which words
    speak for the other label.

    Raises
    ------
    InputError
        If the file can't be read or lacks a column.
    MissingExtra
        If the [analyst] extra is not installed.
    """
    _check_installed()
    frame = read_frame(path)
    frame.columns = frame.columns.str.strip()
    missing = [name for name in ("text", "label") if name not in frame]
    if missing:
        raise InputError(
            f"{path}: no column '{missing[0]}' (columns are {', '.join(frame.columns)}); "
            "'text' and 'label' are wanted"
        )
    findings, mended, dropped = _check_cells(frame)
    usable = mended.drop(index=dropped)
    repeated, twice = _duplicates(usable)
    findings += repeated
    usable = usable.drop(index=twice)
    findings += [*_near_duplicates(usable), *_overlap(usable), *_personal(usable)]
    enough = usable["label"].value_counts().reindex(CLASSES, fill_value=0).min() >= LEAST_OF_EACH_CLASS
    if enough:
        notes = from_frame(path, usable)
        base = (base or shipped("train")).without(notes.texts)
        findings += _doubtful(notes, base, usable, model, seed, tell)
    if mask:
        usable = usable.assign(text=usable["text"].map(personal.mask))
    order = list(PROBLEMS)
    return Checked(
        rows=len(frame),
        usable=len(usable),
        findings=sorted(findings, key=lambda each: order.index(each.problem)),
        counts=_counts(usable),
        advice=_advice(usable),
        fixed=usable,
    )


def _check_installed() -> None:
    try:
        import cleanlab
        import rapidfuzz
    except ImportError as error:
        raise MissingExtra("checking notes", "analyst") from error
    del cleanlab, rapidfuzz


def _check_cells(frame: pd.DataFrame) -> tuple[list[Finding], pd.DataFrame, list[int]]:
    """Findings of single cells, the frame with mended cells, and the rows beyond mending."""
    findings: list[Finding] = []
    mended = frame.copy()
    dropped: list[int] = []
    for row, cells in enumerate(frame.to_dict("records")):
        faults = list(_faults({str(column): str(cell) for column, cell in cells.items()}))
        for column, detail, value in faults:
            problem = "unreadable" if value is None else "mendable"
            findings.append(Finding(row + 2, column, problem, detail, value, cells["text"]))
            if value is not None:
                mended.loc[row, column] = value
        if any(value is None for _, _, value in faults):
            dropped.append(row)
    return findings, mended, dropped


def _faults(cells: dict[str, str]) -> Iterator[tuple[str, str, str | None]]:
    """Column, what is wrong, and the mended cell (None if there is none) of each bad cell of a row."""
    try:
        check_text(cells["text"])
    except InputError as error:
        yield "text", str(error).split(":")[0], None
        return
    given, kind = cells["label"], _plain(cells.get("kind", ""))
    label = _mended(given, CLASSES)
    if label is None and not given.strip() and kind in CLASS_OF:
        label = CLASS_OF[kind]
    if label is None:
        known = ", ".join(CLASSES)
        yield (
            "label",
            f"label '{given}' is not one of {known}" if given.strip() else "the label is empty",
            None,
        )
        return
    if label != given:
        yield "label", f"label '{given}' means {label}", label
    if cells.get("kind"):
        mended = _mended(kind, CLASS_OF)
        if mended is None:
            yield "kind", f"kind '{cells['kind']}' is unknown", ""
        elif CLASS_OF[mended] != label:
            yield "kind", f"kind '{mended}' belongs to {CLASS_OF[mended]}, not to {label}", None
        elif mended != cells["kind"]:
            yield "kind", f"kind '{cells['kind']}' means {mended}", mended
    if cells.get("flags"):
        flags = [_plain(flag) for flag in cells["flags"].split(";")]
        known_flags = ";".join(flag for flag in flags if flag in FLAGS)
        if known_flags != cells["flags"]:
            yield "flags", f"flags '{cells['flags']}' hold unknown ones", known_flags


def _plain(cell: str) -> str:
    return cell.strip().lower().replace(" ", "_").replace("-", "_")


def _mended(cell: str, allowed: Sequence[str] | dict[str, str]) -> str | None:
    """The allowed word that a cell surely means."""
    near = get_close_matches(_plain(cell), list(allowed), n=1, cutoff=CLOSE)
    return near[0] if near else None


def _duplicates(usable: pd.DataFrame) -> tuple[list[Finding], list[int]]:
    """Findings on rows with the same words, and the rows that say nothing new."""
    findings: list[Finding] = []
    twice: list[int] = []
    for _, same in usable.groupby(usable["text"].map(bare), sort=False):
        if len(same) == 1:
            continue
        rows = [int(row) + 2 for row in same.index]
        if same["label"].nunique() > 1:
            said = ", ".join(f"{label} in row {row}" for label, row in zip(same["label"], rows, strict=True))
            findings += [
                Finding(row, "label", "two_labels", said, None, text)
                for row, text in zip(rows, same["text"], strict=True)
            ]
        else:
            twice += list(same.index[1:])
            findings += [
                Finding(row, "text", "duplicate", f"the same words as row {rows[0]}; left out", "", text)
                for row, text in zip(rows[1:], same["text"].iloc[1:], strict=True)
            ]
    return findings, twice


def _near_duplicates(usable: pd.DataFrame) -> list[Finding]:
    """Rows almost like an earlier one; by length, so that only texts of like length are compared."""
    texts = usable["text"].map(bare)
    order = texts.str.len().sort_values(kind="stable").index
    pairs = _pairs([texts[row] for row in order], [texts[row] for row in order])
    findings = []
    for a, b, likeness in pairs:
        first, second = sorted((order[a], order[b]))
        if first == second or texts[first] == texts[second]:
            continue
        other = "" if usable["label"][first] == usable["label"][second] else ", with another label"
        detail = f"{likeness:.0f}% like row {first + 2}{other}"
        findings.append(
            Finding(int(second) + 2, "text", "near_duplicate", detail, None, usable["text"][second])
        )
    return list({finding.row: finding for finding in findings}.values())


def _pairs(left: Sequence[str], right: Sequence[str], block: int = 500) -> Iterator[tuple[int, int, float]]:
    """Places of near-duplicates between two lists that are both sorted by length, each pair once
    (the first place before the second) where the lists are one."""
    from rapidfuzz import fuzz, process

    lengths = np.array([len(text) for text in right])
    for start in range(0, len(left), block):
        part = left[start : start + block]
        # a likeness of r needs lengths within a factor r / (2 - r)
        least = len(part[0]) * NEAR / (200 - NEAR)
        most = len(part[-1]) * (200 - NEAR) / NEAR
        low, high = int(np.searchsorted(lengths, least)), int(np.searchsorted(lengths, most, side="right"))
        found = process.cdist(
            part, right[low:high], scorer=fuzz.ratio, score_cutoff=NEAR, dtype=np.uint8, workers=-1
        )
        for a, b in np.argwhere(found):
            if left is not right or start + a < low + b:
                yield int(start + a), int(low + b), float(found[a, b])


def _overlap(usable: pd.DataFrame) -> list[Finding]:
    """Rows whose words are, or almost are, in the shipped test or contrast set."""
    fixed = sorted((bare(text) for data in (shipped("test"), contrast()) for text in data.texts), key=len)
    texts = usable["text"].map(bare)
    order = texts.str.len().sort_values(kind="stable").index
    found = {order[a]: likeness for a, _, likeness in _pairs([texts[row] for row in order], fixed)}
    return [
        Finding(
            int(row) + 2,
            "text",
            "overlap",
            f"{likeness:.0f}% like a statement that models are tested on: training on it flatters the score",
            None,
            usable["text"][row],
        )
        for row, likeness in sorted(found.items())
    ]


def _personal(usable: pd.DataFrame) -> list[Finding]:
    findings = []
    for row, text in usable["text"].items():
        sorts = Counter(sort for _, _, sort in personal.find(text))
        if sorts:
            detail = ", ".join(f"{count} {sort}" for sort, count in sorts.items())
            findings.append(Finding(int(str(row)) + 2, "text", "personal", detail, personal.mask(text), text))
    return findings


def _doubtful(
    notes: Dataset,
    base: Dataset,
    usable: pd.DataFrame,
    model: Model,
    seed: int,
    tell: Callable[[str, float], None],
) -> list[Finding]:
    """Labels that held-out probabilities contradict, the surest first."""
    from cleanlab.filter import find_label_issues

    steps = Steps(tell, n_folds(notes.groups))
    p = cross_validate(notes, make_pipeline(), base=base, seed=seed, steps=steps).p
    given = np.array([CLASSES.index(label) for label in notes.labels])
    doubted = find_label_issues(
        given, p, filter_by="low_self_confidence", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    neighbours = _neighbours(notes, base, doubted)
    findings = []
    for i, near in zip(doubted, neighbours, strict=True):
        other = CLASSES[int(p[i].argmax())]
        reasons = [
            f"held out, the model gives {other} {p[i].max():.2f} and {notes.labels[i]} {p[i, given[i]]:.2f}"
        ]
        words = [
            f"'{span.text}'"
            for span in model.predict_one(notes.texts[i]).evidence
            if span.speaks_for == other
        ]
        if words:
            reasons.append(f"words for {other}: {', '.join(words[:3])}")
        against = [label for label in near if label != notes.labels[i]]
        if against:
            counted = Counter(against).most_common(1)[0]
            reasons.append(f"{counted[1]} of the {len(near)} most like it are labelled {counted[0]}")
        row = int(usable.index[i]) + 2
        findings.append(Finding(row, "label", "probably_wrong", "; ".join(reasons), None, notes.texts[i]))
    return findings


def _neighbours(notes: Dataset, base: Dataset, rows: npt.NDArray[np.int64]) -> list[list[str]]:
    """Labels of the texts most like each of some notes, the nearest first."""
    if not len(rows):
        return []
    both = notes.join(base)
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True).fit_transform(
        both.texts
    )
    likeness = (vectors[rows] @ vectors.T).toarray()
    likeness[np.arange(len(rows)), rows] = -1
    return [list(both.labels[np.argsort(-row, kind="stable")[:NEIGHBOURS]]) for row in likeness]


def _counts(usable: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Texts by class, and by kind and channel where the file tells."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for column in ("label", "kind", "channel"):
        if column in usable:
            counts[column] = {str(name): int(n) for name, n in usable[column].value_counts().items() if name}
    return dict(counts)


def _advice(usable: pd.DataFrame) -> list[str]:
    """What is too thin to learn from or to measure."""
    advice = []
    for name in CLASSES:
        count = int((usable["label"] == name).sum())
        if count < FEW_OF_A_CLASS:
            advice.append(
                f"only {count} texts are labelled {name}: {FEW_OF_A_CLASS} show a difference better"
            )
    if "kind" not in usable:
        advice.append("no column 'kind': the kinds are then learned from the shipped statements alone")
    else:
        kinds = usable["kind"].value_counts()
        thin = [str(kind) for kind, count in kinds.items() if kind and count < FEW_OF_A_KIND]
        if thin:
            advice.append(f"fewer than {FEW_OF_A_KIND} texts of the kinds {', '.join(sorted(thin))}")
    return advice
