"""`stallcheck compare`: two models on the same rows."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from classifier.training.comparison import Comparison, SliceDifference
    from classifier.training.metrics import Estimate

EPILOG = """\b
Examples:
  stallcheck compare models/default models/ours
  stallcheck compare models/old models/new held_out.csv --by channel --by kind
  stallcheck compare models/old models/new held_out.csv --changed changed.csv
"""
_MOST_SLICES = 8
_MOST_CHANGED = 10


@click.command(epilog=EPILOG)
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.argument("data", metavar="[DATA]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--by", metavar="COLUMN", multiple=True, help="Differences by the values of COLUMN; repeatable."
)
@click.option(
    "--changed", "path", type=click.Path(path_type=Path), help="Write all rows whose class differs to a CSV."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(
    first: Path,
    second: Path,
    data: Path | None,
    by: tuple[str, ...],
    path: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Compare the models in the folders A and B on the same rows of DATA.

    DATA is a file with text and label that neither model learned from; without it, the shipped
    test statements. Prints accuracy and macro-F1 of both, their difference with its 95% interval,
    McNemar's test, what was lost and won by column, and rows that changed.
    """
    import pandas as pd

    from classifier.persistence import model_folder, write_atomically
    from classifier.training.comparison import compare as compare_scores
    from classifier.training.dataset import read, shipped
    from classifier.training.evaluate import check_columns
    from classifier.training.promotion import overlap, scores

    names = str(first), str(second)
    first, second = model_folder(first), model_folder(second)
    rows = read(data) if data else shipped("test")
    for folder in (first, second):
        known = overlap(folder, rows)
        if known:
            click.echo(
                f"{folder} learned from {known:,} of these {len(rows):,} texts: it looks better than it is "
                "(compare on rows that neither has seen).",
                err=True,
            )
    check_columns(rows, by)
    found = compare_scores(scores(first, rows.texts), scores(second, rows.texts), rows, by=by, seed=seed)
    if path:
        frame = pd.DataFrame([asdict(each) for each in found.changed])
        write_atomically(path, frame.to_csv(index=False).encode("utf-8-sig", "surrogatepass"))
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
        return
    print_comparison(found, *names)
    if path:
        click.echo(f"Wrote {path}: {len(found.changed):,} rows.")


def print_comparison(found: Comparison, first: str, second: str) -> None:
    """Scores side by side, what was lost and won, rows that changed, and the outcome in a line."""
    from rich.console import Console

    from classifier.cli.scores import table

    console = Console(width=100)
    console.print(f"{found.n:,} texts in {found.groups:,} groups", style="bold")
    scores = table("measure", first, second, "difference (95% interval)")
    for words, pair, difference in (
        ("accuracy", found.accuracy, found.difference),
        ("macro-F1", found.macro_f1, found.macro_f1_difference),
    ):
        scores.add_row(words, f"{pair[0]:.3f}", f"{pair[1]:.3f}", signed(difference))
    scores.add_row(
        "right alone", f"{found.only_first:,}", f"{found.only_second:,}", f"McNemar p {found.p_value:.3g}"
    )
    console.print(scores)
    if found.slices:
        slices = table("where", "difference in accuracy", "texts")
        for each in _ends(found.slices):
            slices.add_row(f"{each.column} {each.value}", signed(each.difference), f"{each.n:,}")
        console.print(slices)
    if found.changed:
        changed = table("labelled", "first", "second", "text")
        changed.columns[3].justify = "left"
        changed.columns[3].no_wrap = True
        for row in found.changed[:_MOST_CHANGED]:
            cells = (
                row.label,
                f"{row.first} {row.first_confidence:.2f}",
                f"{row.second} {row.second_confidence:.2f}",
            )
            changed.add_row(*cells, " ".join(row.text.split())[:60])
        console.print(changed)
    console.print(f"Outcome: {found.outcome}.", style="bold")


def _ends(items: list[SliceDifference]) -> list[SliceDifference]:
    """The first and the last few."""
    half = _MOST_SLICES // 2
    return items if len(items) <= _MOST_SLICES else [*items[:half], *items[-half:]]


def signed(estimate: Estimate) -> str:
    """A difference with its interval."""
    return f"{estimate.value:+.3f} ({estimate.low:+.3f} to {estimate.high:+.3f})"
