"""`stallcheck evaluate`: how good a model is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from classifier.training.costs import Costs

EPILOG = """\b
Examples:
  stallcheck evaluate
  stallcheck evaluate models/ours held_out.csv
  stallcheck evaluate --by channel --by kind
  stallcheck evaluate --cross-validate our_notes.csv
  stallcheck evaluate --cross-validate --hold-out batch
  stallcheck evaluate models/ours held_out.csv --report page.html --costs 1 3
  stallcheck evaluate --json
"""


@click.command(epilog=EPILOG)
@click.argument("paths", metavar="[MODEL] [DATA]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--cross-validate", is_flag=True, help="Train on DATA in folds instead of using MODEL.")
@click.option("--hold-out", metavar="COLUMN", help="With --cross-validate: hold out whole values of COLUMN.")
@click.option("--by", metavar="COLUMN", multiple=True, help="Accuracy for each value of COLUMN; repeatable.")
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML page with charts and errors.")
@click.option(
    "--costs",
    type=click.FloatRange(min=0, min_open=True),
    nargs=2,
    metavar="A B",
    help="Cost of a stall taken for an objection, and of the reverse.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the folds and of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(
    paths: tuple[Path, ...],
    cross_validate: bool,
    hold_out: str | None,
    by: tuple[str, ...],
    report: Path | None,
    costs: tuple[float, float] | None,
    seed: int,
    as_json: bool,
) -> None:
    """Score MODEL (a folder) on DATA (a file with text and label).

    Without MODEL, the one in service (at first the shipped one); without DATA, the test part of the
    statements, which no shipped model was trained on. Prints precision, recall and F1 with 95%
    bootstrap intervals over groups, the confusion matrix, the calibration error, the accuracy on
    the most confident texts, and the same for a majority and a keyword baseline. --report adds
    charts, slices, traps, noise and the errors to read.
    """
    from classifier.cli.scores import print_evaluation, progress_bar
    from classifier.decide import judge
    from classifier.html import check_installed
    from classifier.training import evaluate as evaluation
    from classifier.training.costs import weigh
    from classifier.training.dataset import read, shipped
    from classifier.training.report import write_evaluation
    from classifier.verdict import load

    if cross_validate and (report or costs):
        raise click.UsageError("--report and --costs go with a MODEL, not with --cross-validate")
    if report:
        check_installed()
    if hold_out and not cross_validate:
        raise click.UsageError("--hold-out goes with --cross-validate")
    folder, data = _which(paths)
    if cross_validate:
        rows = read(data) if data else shipped("train")
        with progress_bar("Evaluating") as tell:
            done = evaluation.evaluate_by_cross_validation(
                rows, hold_out=hold_out, by=by, seed=seed, tell=tell
            )
        title = f"{len(rows):,} texts in folds, every {hold_out or 'group'} held out whole"
    else:
        model = load(folder)
        rows = read(data) if data else shipped("test")
        if rows.sha256() == model.card["data"]["sha256"]:
            click.echo(
                "These are the texts that the model was trained on: the scores are too good "
                "(--cross-validate tells better).",
                err=True,
            )
        done = evaluation.evaluate(model.scorer, rows, by=by, seed=seed)
        title = f"Model {model.card['name']} on {len(rows):,} texts of {data or 'the shipped test part'}"
    weighed = None
    if costs and not cross_validate:
        p = judge(model.scorer, rows.texts).best.p
        weighed = weigh(p, rows.labels, rows.groups, *costs, seed=seed)
    if report:
        write_evaluation(report, done, model, rows, title=title, by=by, costs=weighed, seed=seed)
    if as_json:
        found = done.to_dict() | ({"costs": weighed.to_dict()} if weighed else {})
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        print_evaluation(done, title)
        if weighed:
            _print_costs(weighed)
        if report:
            click.echo(f"Wrote {report}.")


def _print_costs(costs: Costs) -> None:
    """What the threshold for these costs saves, in a line."""
    saved = costs.saved
    click.echo(
        f"A stall taken for an objection costs {costs.stall_as_objection:g}, the reverse "
        f"{costs.objection_as_stall:g}: answer stall where p_stall / (p_stall + p_objection) is at least "
        f"{costs.threshold:.3f}; that costs {costs.chosen:.4f} a text instead of {costs.usual:.4f} "
        f"(saved {saved.value:.4f}, {saved.low:.4f} to {saved.high:.4f})."
    )


def _which(paths: tuple[Path, ...]) -> tuple[Path | None, Path | None]:
    """The model folder and the data file among the arguments, each of which may be left out."""
    from classifier.errors import InputError
    from classifier.persistence import model_folder

    if len(paths) > 2:
        raise InputError(f"{len(paths)} arguments given: at most MODEL and DATA are wanted")
    if len(paths) == 2:
        return paths[0], paths[1]
    if not paths:
        return None, None
    path = model_folder(paths[0])
    if not path.exists():
        raise InputError(f"{path}: no such model folder or data file")
    return (path, None) if path.is_dir() else (None, path)
