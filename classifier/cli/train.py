"""`stallcheck train`: a model folder from labelled texts."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from classifier.training.dataset import Dataset
    from classifier.training.train import Trained

EPILOG = """\b
Examples:
  stallcheck train our_notes.csv --out models/ours
  stallcheck train our_notes.csv --without-base --out models/alone
  stallcheck train --out models/mine
  stallcheck train --strong --out models/strong
  stallcheck predict "Let me think about it" --model models/ours
"""
FEW_OF_A_CLASS = 100


@click.command(epilog=EPILOG)
@click.argument("data", metavar="[NOTES]", required=False, type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", "folder", required=True, type=click.Path(path_type=Path), help="Model folder to write."
)
@click.option("--without-base", is_flag=True, help="Learn from NOTES alone, not from the shipped corpus too.")
@click.option(
    "--strong",
    is_flag=True,
    help="Add a fine-tuned encoder: more often right, hundreds of times slower, an hour of training.",
)
@click.option(
    "--encoder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="Pretrained BERT that --strong starts from.  [default: all-MiniLM-L6-v2]",
)
@click.option(
    "--target-precision",
    type=click.FloatRange(0.8, 0.99),
    default=0.95,
    show_default=True,
    help="Share of answers that are to be right; the rest is called unsure.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the folds and of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print the model's card as JSON.")
def train(
    data: Path | None,
    folder: Path,
    without_base: bool,
    strong: bool,
    encoder: Path | None,
    target_precision: float,
    seed: int,
    as_json: bool,
) -> None:
    """Train a model on NOTES and the shipped corpus, and write it to a folder.

    NOTES is a CSV or Excel file with the columns text and label (stall, objection, neither), and
    perhaps kind and a column that groups rows (account, deal, family). How much more a note
    counts than a shipped statement is chosen by cross-validation. Without NOTES, the statements
    that ship with stallcheck are used alone. Scores come from cross-validation that holds out
    whole groups. A run that was stopped goes on when it is started again.
    """
    from classifier.cli.scores import print_scores, progress_bar
    from classifier.errors import InputError
    from classifier.training.dataset import read, shipped
    from classifier.training.train import train as train_model

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder")
    if encoder and not strong:
        raise InputError("--encoder is for --strong models")
    pretrained = _pretrained(encoder) if strong else None
    target_precision = round(target_precision, 2)
    rows = read(data) if data else shipped("train")
    base = None if without_base or data is None else shipped("train")
    with progress_bar("Training") as tell:
        done = train_model(
            rows,
            folder,
            base=base,
            pretrained=pretrained,
            target_precision=target_precision,
            seed=seed,
            tell=tell,
        )
    if as_json:
        click.echo(json.dumps(done.card, ensure_ascii=False))
        return
    print_scores({"model": done.scores}, f"Held-out scores, {len(rows):,} texts in folds")
    unsure = done.card["unsure"]
    click.echo(
        f"Answers {unsure['answered']:.0%} of the texts at a precision of "
        f"{unsure['target_precision']:.2f} and calls the rest unsure."
    )
    click.echo(f"Wrote {folder} (scorer {done.sha256[:12]}).")
    if data is not None:
        _print_gain(rows, done)


def _pretrained(encoder: Path | None) -> Path:
    """The encoder to start from, seen to be one, and that what trains it is there."""
    from classifier.training.finetune import check_pretrained, pretrained

    folder = encoder or pretrained()
    check_pretrained(folder)
    return folder


def _print_gain(rows: Dataset, done: Trained) -> None:
    """Whether the new model is better on these notes than the one in service, and what to do next."""
    from classifier.cli.compare import print_comparison
    from classifier.registry import model_in_service
    from classifier.training.comparison import compare
    from classifier.training.promotion import serving_scores

    serving = model_in_service()
    by = [name for name in ("kind", "channel") if name in rows.frame]
    found = compare(serving_scores(serving, rows), done.held_out.p, rows, by=by)
    weight = done.card["data"].get("weight")
    click.echo("")
    print_comparison(found, f"in service ({serving.name})", f"new ({done.folder.name})")
    if weight:
        click.echo(f"A note counts as much as {weight:g} shipped statement{'s' if weight > 1 else ''}.")
    least, count = min(Counter(rows.labels).items(), key=lambda item: item[1])
    if count < FEW_OF_A_CLASS:
        click.echo(
            f"Only {count} notes are labelled {least}: so few teach a team's commonest phrases, not kinds, "
            "and can't show a difference of a few points."
        )
    click.echo(f"Next: {_advice(found.outcome, done.folder)}")


def _advice(outcome: str, folder: Path) -> str:
    if outcome == "better":
        return f"stallcheck promote {folder.name} (puts it in service if it holds on the fixed test set)"
    if outcome == "worse":
        return "stallcheck check the notes: labels that follow another guide are the usual reason"
    return "label more notes; 'stallcheck queue' picks the ones that teach most"
