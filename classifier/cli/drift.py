"""`stallcheck drift`: do new notes look like the training data?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from classifier.training.drift import Drift

EPILOG = """\b
Examples:
  stallcheck drift november.csv
  stallcheck drift november.csv --column Notes --limit 0.75
"""


@click.command(epilog=EPILOG)
@click.argument("notes", type=click.Path(path_type=Path))
@click.option("-c", "--column", help="Column with the buyer's words; guessed when not given.")
@click.option(
    "--limit",
    type=click.FloatRange(0.5, 1.0),
    default=0.8,
    show_default=True,
    help="AUC above which it is drift.",
)
@click.option(
    "-m", "--model", "folder", type=click.Path(path_type=Path), help="Model to use: a folder, or strong."
)
@click.option("--seed", default=0, show_default=True, help="Seed of samples and folds.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def drift(
    notes: Path, column: str | None, limit: float, folder: Path | None, seed: int, as_json: bool
) -> None:
    """Compare NOTES (a CSV or Excel file) with what the model learned from.

    Prints how well a classifier tells them apart (AUC: 0.5 not at all, 1 always), the share of
    words never seen, the mix of verdicts beside that of held-out training texts, and the words that
    make the difference. The exit code is 3 if the AUC is surely above --limit or if 15% more of
    the notes are unsure.
    """
    from classifier.cli.scores import reading
    from classifier.errors import Exit
    from classifier.training.dataset import read_frame
    from classifier.training.drift import drift as find_drift
    from classifier.training.drift import reference_of
    from classifier.verdict import load

    frame = read_frame(notes)
    texts = [text for text in frame[reading(frame, column)] if text.strip()]
    model = load(folder)
    found = find_drift(texts, *reference_of(model), model, seed=seed)
    reasons = found.reasons(limit)
    if as_json:
        click.echo(json.dumps({**found.to_dict(), "drift": reasons}, ensure_ascii=False))
    else:
        _print(found)
        click.echo("Drift: " + "; ".join(reasons) + "." if reasons else "No drift.")
        if reasons:
            click.echo("Next: stallcheck queue these notes, label some, and train again.")
    if reasons:
        sys.exit(Exit.SET_ASIDE)


def _print(found: Drift) -> None:
    from rich.console import Console

    from classifier.cli.scores import table

    console = Console(width=100)
    auc = found.auc
    console.print(f"{found.n:,} notes against {found.reference:,} training texts", style="bold")
    console.print(
        f"Told apart with an AUC of {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})", highlight=False
    )
    console.print(
        f"Words never seen: {found.unseen_words:.1%} (between halves of the training texts "
        f"{found.unseen_in_reference:.1%})",
        highlight=False,
    )
    rows = table("verdict", "notes", "held-out texts", "shift")
    for name, share in found.verdicts.items():
        before = found.reference_verdicts[name]
        rows.add_row(name, f"{share:.0%}", f"{before:.0%}", f"{share - before:+.0%}")
    console.print(rows)
    console.print(f"Words behind it: {', '.join(found.words)}", highlight=False)
