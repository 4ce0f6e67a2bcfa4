"""`stallcheck queue`: label next what teaches most."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classifier.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from classifier.training.dataset import Dataset

EPILOG = """\b
Examples:
  stallcheck queue our_notes.csv
  stallcheck queue our_notes.csv -n 50 --sheet to_label.csv
  stallcheck queue our_notes.csv --labels our_labels.csv
  stallcheck train our_notes.labels.csv --out models/ours
"""
_KEYS = {"s": "stall", "o": "objection", "n": "neither"}


@click.command(epilog=EPILOG)
@click.argument("notes", type=click.Path(path_type=Path))
@click.option(
    "-n", "count", type=click.IntRange(1, 1_000), default=25, show_default=True, help="How many notes."
)
@click.option("-c", "--column", help="Column with the buyer's words; guessed when not given.")
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="CSV that holds the labels; NOTES' name with .labels.csv when not given.",
)
@click.option(
    "--sheet", type=click.Path(path_type=Path), help="Write the notes to a CSV to be filled, and ask nothing."
)
@click.option("--without-base", is_flag=True, help="Choose as if the shipped corpus were not there.")
@click.option("--seed", default=0, show_default=True, help="Seed of the choice.")
def queue(
    notes: Path,
    count: int,
    column: str | None,
    labels: Path | None,
    sheet: Path | None,
    without_base: bool,
    seed: int,
) -> None:
    """Choose the notes most worth a label next, and ask for the labels one by one.

    NOTES is a CSV or Excel file. Chosen are notes that a model of the labels so far is unsure of
    and that differ from one another. Each label is kept in the labels file at once, so that quitting
    loses nothing and the next run goes on; 'train' reads that file. A column 'label' in NOTES or in
    a filled --sheet, given with --labels, counts as labelled. After a round it says what the next
    one should buy.
    """
    from classifier.cli.scores import reading
    from classifier.training.dataset import bare, read_frame, shipped
    from classifier.training.queue import choose

    frame = read_frame(notes)
    column = reading(frame, column)
    labels = labels or notes.with_suffix(".labels.csv")
    done = _read_labels(labels)
    given = frame.rename(columns={column: "text"}).iloc[:0]
    if "label" in frame:
        given = frame[frame["label"].str.strip() != ""].rename(columns={column: "text"})
    known = {bare(text) for rows in (done, given) for text in rows["text"]}
    waiting = frame[[bool(text.strip()) and bare(text) not in known for text in frame[column]]]
    waiting = waiting.drop_duplicates(column)
    if waiting.empty:
        click.echo(f"Every note has a label ({labels}).")
        return
    base = None if without_base else shipped("train")
    places = choose(waiting[column].tolist(), _dataset(labels, done, given), base, count, seed=seed)
    chosen = waiting.iloc[places].rename(columns={column: "text"}).drop(columns="label", errors="ignore")
    if sheet:
        _write(sheet, chosen.assign(label="", kind="")[_ordered(chosen)])
        click.echo(
            f"Wrote {sheet}: {len(chosen)} of {len(waiting):,} notes; fill the columns label and kind."
        )
    else:
        if not sys.stdin.isatty():
            raise InputError(
                "labels are asked for on a terminal: give --sheet FILE to get the notes in a file"
            )
        _ask(chosen, done, labels)
    _print_curve(_dataset(labels, _read_labels(labels), given), base, seed)


def _ordered(chosen: pd.DataFrame) -> list[str]:
    """Words and the cells to fill first, then what else the notes hold."""
    first = ["text", "label", "kind"]
    return [*first, *(name for name in chosen.columns if name not in first)]


def _read_labels(path: Path) -> pd.DataFrame:
    """The labels so far; rows of a sheet that are not filled don't count."""
    import pandas as pd

    from classifier.training.dataset import read_frame

    if not path.exists():
        return pd.DataFrame({"text": [], "label": []}, dtype=object)
    frame = read_frame(path)
    missing = {"text", "label"} - set(frame.columns)
    if missing:
        raise InputError(f"{path}: no column '{sorted(missing)[0]}': this is not a file of labels")
    return frame[frame["label"].str.strip() != ""].reset_index(drop=True)


def _dataset(path: Path, done: pd.DataFrame, given: pd.DataFrame) -> Dataset | None:
    """The labels of the file and those that the notes came with."""
    import pandas as pd

    from classifier.training.dataset import from_frame

    both = pd.concat([done, given], ignore_index=True).fillna("")[["text", "label"]]
    return from_frame(path, both) if len(both) else None


def _write(path: Path, frame: pd.DataFrame) -> None:
    from classifier.persistence import write_atomically

    write_atomically(path, frame.to_csv(index=False).encode("utf-8-sig", "surrogatepass"))


def _ask(chosen: pd.DataFrame, done: pd.DataFrame, path: Path) -> None:
    """Ask for a label a key; keep each at once."""
    import pandas as pd

    click.echo("s stall · o objection · n neither · k skip · u undo · q quit", err=True)
    before = len(done)
    place = 0
    answered: list[int] = []
    while place < len(chosen):
        row = chosen.iloc[[place]]
        click.echo(f"\n[{place + 1}/{len(chosen)}] {' '.join(row['text'].iloc[0].split())}")
        key = click.getchar().lower()
        if key in _KEYS:
            click.echo(f"  {_KEYS[key]}")
            done = pd.concat([done, row.assign(label=_KEYS[key])], ignore_index=True).fillna("")
            answered.append(place)
            _write(path, done)
            place += 1
        elif key == "k":
            place += 1
        elif key == "u" and answered:
            place = answered.pop()
            done = done.iloc[:-1]
            _write(path, done)
        elif key == "q":
            break
        else:
            click.echo("  one of s, o, n, k, u, q", err=True)
    click.echo(f"{len(done) - before} labels added, {len(done):,} in {path}.")


def _print_curve(labelled: Dataset | None, base: Dataset | None, seed: int) -> None:
    """What the labels bought, and what the next round should."""
    from classifier.training.queue import ENOUGH_FOR_A_CURVE, ROUND, learning_curve

    curve = learning_curve(labelled, base, seed=seed) if labelled else None
    if curve is None:
        click.echo(
            f"From {ENOUGH_FOR_A_CURVE} labels on, five of each class, this tells what more should buy."
        )
        return
    told = ", ".join(f"{accuracy:.3f} with {n}" for n, accuracy in curve.points)
    click.echo(f"Accuracy on held-out labels (which are the hard ones): {told}.")
    click.echo(f"The next {ROUND} should buy {curve.gain:+.3f} (standard error {curve.spread:.3f}).")
    if curve.enough:
        click.echo("Stop here: train, and compare ('stallcheck train', 'stallcheck compare').")
