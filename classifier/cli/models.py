"""`stallcheck models`, `promote`, `rollback`: which model is in service."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from classifier.training.promotion import Check

EPILOG = """\b
Examples:
  stallcheck models
  stallcheck promote ours
  stallcheck promote ours --force
  stallcheck rollback
"""


@click.command(epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def models(as_json: bool) -> None:
    """List the trained models and what was put in service when.

    Models live in the folder models of the working directory, or in $STALLCHECK_MODELS.
    """
    from dataclasses import asdict

    from rich.console import Console

    from classifier.cli.scores import table
    from classifier.persistence import load_scorer
    from classifier.registry import history, model_in_service, model_names, models_folder

    cards = [load_scorer(models_folder() / name)[1] for name in model_names()]
    serving = load_scorer(model_in_service())[1]
    entries = history()
    if as_json:
        click.echo(
            json.dumps({"in_service": serving["sha256"], "models": cards, "history": [*map(asdict, entries)]})
        )
        return
    console = Console(width=100)
    rows = table("model", "scorer", "texts", "held-out accuracy", "")
    for card in cards:
        mark = "in service" if card["sha256"] == serving["sha256"] else ""
        accuracy = f"{card['held_out']['accuracy']['value']:.3f}"
        rows.add_row(card["name"], card["sha256"][:12], f"{card['data']['texts']:,}", accuracy, mark)
    console.print(rows)
    for entry in entries:
        forced = " (forced)" if entry.details.get("forced") else ""
        console.print(
            f"{entry.time}  {entry.event} {entry.name} {entry.sha256[:12]}{forced}", highlight=False
        )
    console.print(f"In service: {serving['name']} ({serving['sha256'][:12]})", highlight=False)


@click.command(epilog=EPILOG)
@click.argument("name")
@click.option("--force", is_flag=True, help="Put it in service though a check fails; the history says so.")
def promote(name: str, force: bool) -> None:
    """Put the model NAME of the models folder in service, if it is not worse.

    It is compared with the model in service on the fixed test set, on the contrast set and on the
    held-out notes that it was trained with. It is worse where its accuracy is surely lower (95%
    interval) or lower by more than two points. 'predict', 'label' and 'evaluate' then use a copy of
    it, so that training again changes nothing in service.
    """
    from classifier.errors import Exit
    from classifier.registry import model_in_service, trained_model
    from classifier.registry import promote as put_in_service
    from classifier.training.promotion import checks

    found = checks(trained_model(name), model_in_service())
    _print_checks(found)
    worse = [check.on for check in found if not check.comparison.not_worse]
    if worse and not force:
        click.echo(
            f"stallcheck: not promoted, it is worse on {' and on '.join(worse)} "
            "(--force puts it in service all the same)",
            err=True,
        )
        sys.exit(Exit.FAILED)
    details = {
        check.on: {
            "n": check.comparison.n,
            "before": check.comparison.accuracy[0],
            "after": check.comparison.accuracy[1],
        }
        for check in found
    }
    entry = put_in_service(name, {"accuracy": details, "forced": bool(worse)})
    click.echo(f"In service: {entry.name} ({entry.sha256[:12]}). 'stallcheck rollback' goes back.")


@click.command(epilog=EPILOG)
def rollback() -> None:
    """Go back to the model that was in service before the last promotion."""
    from classifier.registry import rollback as go_back

    entry = go_back()
    click.echo(f"In service: {entry.name} ({entry.sha256[:12]}), no longer {entry.details['left']}.")


def _print_checks(found: list[Check]) -> None:
    from rich.console import Console

    from classifier.cli.compare import signed
    from classifier.cli.scores import table

    rows = table("accuracy on", "texts", "in service", "candidate", "difference (95% interval)", "")
    for check in found:
        both = check.comparison
        accuracies = (f"{each:.3f}" for each in both.accuracy)
        rows.add_row(
            check.on,
            f"{both.n:,}",
            *accuracies,
            signed(both.difference),
            "not worse" if both.not_worse else "worse",
        )
    Console(width=100).print(rows)
