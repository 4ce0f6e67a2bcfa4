"""`stallcheck train`: a model folder from labelled texts."""

from __future__ import annotations

import json
from pathlib import Path

import click

EPILOG = """\b
Examples:
  stallcheck train --out models/mine
  stallcheck train our_notes.csv --out models/ours
  stallcheck predict "Let me think about it" --model models/ours
"""


@click.command(epilog=EPILOG)
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", "folder", required=True, type=click.Path(path_type=Path), help="Model folder to write."
)
@click.option(
    "--target-precision",
    type=click.FloatRange(0.5, 0.999),
    default=0.95,
    show_default=True,
    help="Share of answers that are to be right; the rest is called unsure.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the folds and of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print the model's card as JSON.")
def train(data: Path | None, folder: Path, target_precision: float, seed: int, as_json: bool) -> None:
    """Train a model on DATA and write it to a folder.

    DATA is a CSV or Excel file with the columns text and label (stall, objection, neither), and
    perhaps kind and a column that groups rows (account, deal, family). Without DATA, the
    statements that ship with stallcheck are used. Scores come from five-fold cross-validation
    that holds out whole groups.
    """
    from classifier.cli.scores import print_scores, spinner
    from classifier.errors import InputError
    from classifier.training.dataset import read, shipped
    from classifier.training.train import train as train_model

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder")
    with spinner("Training") as progress:
        rows = read(data) if data else shipped("train")
        done = train_model(rows, folder, target_precision=target_precision, seed=seed, progress=progress)
    if as_json:
        click.echo(json.dumps(done.card, ensure_ascii=False))
        return
    print_scores({"model": done.scores}, f"Held-out scores, {len(rows):,} texts in five folds")
    unsure = done.card["unsure"]
    click.echo(
        f"Answers {unsure['answered']:.0%} of the texts at a precision of "
        f"{unsure['target_precision']:.2f} and calls the rest unsure."
    )
    click.echo(f"Wrote {folder} (scorer {done.sha256[:12]}).")
