"""Scores as tables in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from classifier.labels import CLASSES, in_words
from classifier.training.evaluate import Evaluation
from classifier.training.metrics import Estimate, Scores

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
def spinner(title: str) -> Iterator[Callable[[str], None]]:
    """Show on standard error what step is being worked on, if that is a terminal."""
    with Console(stderr=True).status(f"{title} ...") as status:
        yield lambda step: status.update(f"{title}: {step} ...")


def print_evaluation(evaluation: Evaluation, title: str) -> None:
    """The model's scores beside the baselines', its classes and its confusion matrix."""
    print_scores(
        {"model": evaluation.model, "keywords": evaluation.keywords, "majority": evaluation.majority},
        title,
    )
    for column, found in evaluation.slices.items():
        table = _table(column, "accuracy", "texts")
        for each in found:
            table.add_row(each.value or "(empty)", _cell(each.accuracy), f"{each.n:,}")
        Console(width=100).print(table)


def print_scores(columns: Mapping[str, Scores], title: str) -> None:
    """A table of measures, a column each; then classes and confusion of the first."""
    console = Console(width=100)
    console.print(title, style="bold")
    first = next(iter(columns.values()))
    table = _table("measure", *columns)
    for key, words in _MEASURES.items():
        cells = [_cell(getattr(scores, key)) for scores in columns.values()]
        if any(cells):
            table.add_row(words, *cells)
    console.print(table)
    table = _table("class", "precision", "recall", "F1", "texts")
    for name, own in first.classes.items():
        table.add_row(name, _cell(own.precision), _cell(own.recall), _cell(own.f1), f"{own.support:,}")
    console.print(table)
    if first.flags:
        table = _table("flag", "precision", "recall", "F1", "texts")
        for name, own in first.flags.items():
            table.add_row(
                in_words(name), _cell(own.precision), _cell(own.recall), _cell(own.f1), f"{own.support:,}"
            )
        console.print(table)
    table = _table("labelled, as predicted", *CLASSES)
    for name, row in zip(CLASSES, first.confusion, strict=True):
        table.add_row(name, *(f"{n:,}" for n in row))
    console.print(table)
    table = _table("most confident", "accuracy")
    for share in ("50%", "80%", "100%"):
        table.add_row(share, _cell(first.coverage[share]))
    console.print(table)
    console.print(f"95% intervals from a bootstrap over {first.groups:,} groups.", style="dim")


def _table(first: str, *rest: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(first)
    for heading in rest:
        table.add_column(heading, justify="right")
    return table


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
