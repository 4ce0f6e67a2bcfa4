"""Scores as tables in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from classifier.labels import CLASSES, in_words
from classifier.training.evaluate import Evaluation
from classifier.training.metrics import Estimate, Scores

if TYPE_CHECKING:
    import pandas as pd

_MEASURES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "stall_or_objection": "stall or objection",
    "kind_accuracy": "class and kind",
    "calibration_error": "calibration error",
    "aurc": "risk-coverage area",
    "families_right": "whole families right",
}


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[str, float], None]]:
    """Show on standard error the step, the share of the work done and the time left, if that is a
    terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda step, share: bar.update(task, description=f"{title}: {step}", completed=share)


def reading(frame: pd.DataFrame, column: str | None) -> str:
    """The column with the buyer's words, named or guessed; a guess is told on standard error.

    Raises
    ------
    InputError
        If there is no such column, or none that reads like text.
    """
    from classifier.batch.columns import find_column, guess_column

    header = [str(name) for name in frame.columns]
    if column:
        return header[find_column(header, column)]
    found = header[guess_column(header, frame.head(200).to_numpy().tolist())]
    click.echo(f"Reading the column '{found}' (a guess: choose another with --column).", err=True)
    return found


def print_evaluation(evaluation: Evaluation, title: str) -> None:
    """The model's scores beside the baselines', its classes and its confusion matrix."""
    print_scores(
        {"model": evaluation.model, "keywords": evaluation.keywords, "majority": evaluation.majority},
        title,
    )
    for column, found in evaluation.slices.items():
        rows = table(column, "accuracy", "texts")
        for each in found:
            rows.add_row(each.value or "(empty)", _cell(each.accuracy), f"{each.n:,}")
        Console(width=100).print(rows)


def print_scores(columns: Mapping[str, Scores], title: str) -> None:
    """A table of measures, a column each; then classes and confusion of the first."""
    console = Console(width=100)
    console.print(title, style="bold")
    first = next(iter(columns.values()))
    rows = table("measure", *columns)
    for key, words in _MEASURES.items():
        cells = [_cell(getattr(scores, key)) for scores in columns.values()]
        if any(cells):
            rows.add_row(words, *cells)
    console.print(rows)
    rows = table("class", "precision", "recall", "F1", "texts")
    for name, own in first.classes.items():
        rows.add_row(name, _cell(own.precision), _cell(own.recall), _cell(own.f1), f"{own.support:,}")
    console.print(rows)
    if first.flags:
        rows = table("flag", "precision", "recall", "F1", "texts")
        for name, own in first.flags.items():
            rows.add_row(
                in_words(name), _cell(own.precision), _cell(own.recall), _cell(own.f1), f"{own.support:,}"
            )
        console.print(rows)
    rows = table("labelled, as predicted", *CLASSES)
    for name, row in zip(CLASSES, first.confusion, strict=True):
        rows.add_row(name, *(f"{n:,}" for n in row))
    console.print(rows)
    rows = table("most confident", "accuracy")
    for share in ("50%", "80%", "100%"):
        rows.add_row(share, _cell(first.coverage[share]))
    console.print(rows)
    console.print(f"95% intervals from a bootstrap over {first.groups:,} groups.", style="dim")


def table(first: str, *rest: str) -> Table:
    """An empty table without lines, the first column to the left, the rest to the right."""
    made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    made.add_column(first)
    for heading in rest:
        made.add_column(heading, justify="right")
    return made


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
