"""`stallcheck evaluate`: how good a model is."""

from __future__ import annotations

import json
from pathlib import Path

import click

EPILOG = """\b
Examples:
  stallcheck evaluate
  stallcheck evaluate models/ours held_out.csv
  stallcheck evaluate --by channel --by kind
  stallcheck evaluate --cross-validate our_notes.csv
  stallcheck evaluate --cross-validate --hold-out batch
  stallcheck evaluate --json
"""


@click.command(epilog=EPILOG)
@click.argument("paths", metavar="[MODEL] [DATA]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--cross-validate", is_flag=True, help="Train on DATA in folds instead of using MODEL.")
@click.option("--hold-out", metavar="COLUMN", help="With --cross-validate: hold out whole values of COLUMN.")
@click.option("--by", metavar="COLUMN", multiple=True, help="Accuracy for each value of COLUMN; repeatable.")
@click.option("--seed", default=0, show_default=True, help="Seed of the folds and of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(
    paths: tuple[Path, ...],
    cross_validate: bool,
    hold_out: str | None,
    by: tuple[str, ...],
    seed: int,
    as_json: bool,
) -> None:
    """Score MODEL (a folder) on DATA (a file with text and label).

    Without MODEL, the model that ships with stallcheck; without DATA, the test part of the
    statements, which no shipped model was trained on. Prints precision, recall and F1 with 95%
    bootstrap intervals over groups, the confusion matrix, the calibration error, the accuracy on
    the most confident texts, and the same for a majority and a keyword baseline.
    """
    from classifier.cli.scores import print_evaluation, spinner
    from classifier.persistence import default_model, load_scorer
    from classifier.scorer import Scorer
    from classifier.training import evaluate as evaluation
    from classifier.training.dataset import read, shipped

    if hold_out and not cross_validate:
        raise click.UsageError("--hold-out goes with --cross-validate")
    folder, data = _which(paths)
    if cross_validate:
        rows = read(data) if data else shipped("train")
        with spinner("Evaluating") as progress:
            done = evaluation.evaluate_by_cross_validation(
                rows, hold_out=hold_out, by=by, seed=seed, progress=progress
            )
        title = f"{len(rows):,} texts in folds, every {hold_out or 'group'} held out whole"
    else:
        arrays, card = load_scorer(folder or default_model())
        rows = read(data) if data else shipped("test")
        if rows.sha256() == card["data"]["sha256"]:
            click.echo(
                "These are the texts that the model was trained on: the scores are too good "
                "(--cross-validate tells better).",
                err=True,
            )
        with spinner("Evaluating") as progress:
            progress("scoring")
            done = evaluation.evaluate(Scorer(arrays), rows, by=by, seed=seed)
        title = f"Model {card['name']} on {len(rows):,} texts of {data or 'the shipped test part'}"
    if as_json:
        click.echo(json.dumps(done.to_dict(), ensure_ascii=False))
    else:
        print_evaluation(done, title)


def _which(paths: tuple[Path, ...]) -> tuple[Path | None, Path | None]:
    """The model folder and the data file among the arguments, each of which may be left out."""
    from classifier.errors import InputError

    if len(paths) > 2:
        raise InputError(f"{len(paths)} arguments given: at most MODEL and DATA are wanted")
    if len(paths) == 2:
        return paths[0], paths[1]
    if not paths:
        return None, None
    path = paths[0]
    if not path.exists():
        raise InputError(f"{path}: no such model folder or data file")
    return (path, None) if path.is_dir() else (None, path)
