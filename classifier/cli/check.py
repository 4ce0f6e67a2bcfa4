"""`stallcheck check`: what is wrong with labelled notes before anything is trained on them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from classifier.training.check import Checked

EPILOG = """\b
Examples:
  stallcheck check our_notes.csv
  stallcheck check our_notes.xlsx --report check.html
  stallcheck check our_notes.csv --fixed mended.csv --mask
"""
_MOST_OF_A_SORT = 8


@click.command(epilog=EPILOG)
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(path_type=Path), help="Write everything to an HTML page.")
@click.option("--fixed", type=click.Path(path_type=Path), help="Write the notes, mended, to a CSV.")
@click.option("--mask", is_flag=True, help="With --fixed: mask e-mail addresses, phone and card numbers.")
@click.option(
    "-m", "--model", "folder", type=click.Path(path_type=Path), help="Model to use: a folder, or strong."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the folds.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(
    data: Path,
    report: Path | None,
    fixed: Path | None,
    mask: bool,
    folder: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Check labelled notes: DATA is a CSV or Excel file with the columns text and label.

    Finds rows that can't be trained on, cells that can be mended, duplicates and near-duplicates,
    the same words with two labels, labels that are probably wrong (with the reason), texts of the
    test set, and personal data. --fixed writes what can be mended alone; labels that are
    probably wrong are never changed: a person decides. The exit code is 3 if rows can't be
    trained on as they stand.
    """
    from classifier.cli.scores import progress_bar
    from classifier.errors import Exit, InputError
    from classifier.html import check_installed
    from classifier.persistence import write_atomically
    from classifier.training.check import check as check_notes
    from classifier.verdict import load

    if mask and not fixed:
        raise click.UsageError("--mask goes with --fixed")
    if fixed and fixed.suffix.lower() != ".csv":
        raise InputError(f"{fixed}: mended notes are written as .csv")
    if report:
        check_installed()
    with progress_bar("Checking") as tell:
        found = check_notes(data, load(folder), mask=mask, seed=seed, tell=tell)
    if report:
        _write_report(found, report, f"{data.name}, checked")
    if fixed:
        write_atomically(fixed, found.fixed.to_csv(index=False).encode("utf-8-sig", "surrogatepass"))
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        _print_findings(found)
        for path, what in ((report, "the page"), (fixed, f"{found.usable:,} rows")):
            if path:
                click.echo(f"Wrote {path}: {what}.")
    if found.of("unreadable"):
        sys.exit(Exit.SET_ASIDE)


def _print_findings(found: Checked) -> None:
    """How many of each sort, then the first ones of each."""
    from rich.console import Console
    from rich.text import Text

    from classifier.cli.scores import table
    from classifier.training.check import PROBLEMS

    console = Console(width=100)
    console.print(f"{found.rows:,} rows, {found.usable:,} can be trained on once mended", style="bold")
    for problem, words in PROBLEMS.items():
        own = found.of(problem)
        if not own:
            continue
        console.print(f"\n{words[0].upper()}{words[1:]}: {len(own):,}", style="bold")
        for each in own[:_MOST_OF_A_SORT]:
            line = f"  row {each.row}, {each.column}: {each.detail}"
            console.print(Text(line), soft_wrap=False)
            console.print(Text(f"    {' '.join(each.text.split())[:90]}", style="dim"))
        if len(own) > _MOST_OF_A_SORT:
            console.print(f"  ... and {len(own) - _MOST_OF_A_SORT:,} more (--report or --json shows all)")
    console.print("")
    for column, counts in found.counts.items():
        rows = table(column, "texts")
        for name, count in counts.items():
            rows.add_row(name, f"{count:,}")
        console.print(rows)
    for line in found.advice:
        console.print(f"Note: {line}.", highlight=False)


def _write_report(found: Checked, path: Path, title: str) -> None:
    from classifier.html import write_page
    from classifier.training.check import PROBLEMS

    write_page(path, "check", title=title, found=found, problems=PROBLEMS)
