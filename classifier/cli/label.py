"""`stallcheck label`: verdicts for a file of many texts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classifier.errors import Exit
from classifier.labels import VERDICTS, in_words

if TYPE_CHECKING:
    from rich.console import Console

    from classifier.batch.rows import Summary

EPILOG = """\b
Examples:
  stallcheck label crm_export.csv -o labelled.csv
  stallcheck label crm_export.xlsx -o labelled.xlsx --column "Call notes"
  stallcheck label export.csv -o labelled.csv --prefix stallcheck_
"""


@click.command(epilog=EPILOG)
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    "target",
    metavar="OUT",
    required=True,
    type=click.Path(path_type=Path),
    help="File to write.",
)
@click.option("-c", "--column", metavar="NAME", help="Column with the buyer's words; guessed when not given.")
@click.option("--prefix", default="", help="Put before the names of the added columns.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("-m", "--model", "folder", type=click.Path(path_type=Path), help="Model folder to use.")
def label(
    source: Path, target: Path, column: str | None, prefix: str, as_json: bool, folder: Path | None
) -> Exit:
    """Label every row of IN (CSV, TSV or Excel) and write OUT.

    All columns and rows stay as they are; verdict, kind, confidence, probabilities, secondary,
    flags, evidence and review are added on the right. CSV rows that do not fit the header are set
    aside in OUT's .rejects.csv, and the exit code is 3.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from classifier.batch.files import label_file
    from classifier.verdict import load

    model = load(folder)
    aside = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=aside,
    )

    def announce(name: str, guessed: bool) -> None:
        how = " (a guess: choose another with --column)" if guessed else ""
        click.echo(f"Reading the column '{name}'{how}.", err=True)

    with bar:
        task = bar.add_task("Labelling", total=None)
        done = label_file(
            source,
            target,
            model,
            column=column,
            prefix=prefix,
            announce=announce,
            progress=lambda rows: bar.advance(task, rows),
        )
        bar.update(task, total=done.summary.rows)
    if as_json:
        click.echo(json.dumps(_as_json(done.column, done.summary), ensure_ascii=False))
    else:
        _print(done.summary, Console(file=sys.stdout))
        click.echo(f"Wrote {target}.")
    if done.rejects:
        click.echo(
            f"stallcheck: {done.set_aside:,} row(s) set aside in {done.rejects}: mend them there", err=True
        )
        return Exit.SET_ASIDE
    return Exit.DONE


def _as_json(column: str, summary: Summary) -> dict[str, object]:
    return {
        "column": column,
        "rows": summary.rows,
        "verdicts": dict(summary.verdicts),
        "kinds": [
            {"verdict": verdict, "kind": kind, "rows": rows}
            for (verdict, kind), rows in summary.kinds.most_common()
        ],
        "review": dict(summary.reviews),
    }


def _print(summary: Summary, console: Console) -> None:
    from rich.table import Table

    table = Table(title=f"{summary.rows:,} rows", title_justify="left", box=None, pad_edge=False)
    for heading, side in (("verdict", "left"), ("rows", "right"), ("share", "right"), ("mostly", "left")):
        table.add_column(heading, justify="right" if side == "right" else "left")
    for name in (*VERDICTS, ""):
        rows = summary.verdicts[name]
        if rows:
            kinds = [(kind, n) for (verdict, kind), n in summary.kinds.most_common() if verdict == name]
            mostly = ", ".join(f"{in_words(kind)} {n:,}" for kind, n in kinds[:3])
            table.add_row(name or "(empty)", f"{rows:,}", f"{rows / summary.rows:.0%}", mostly)
    console.print(table)
    look = ", ".join(f"{n:,} {in_words(reason)}" for reason, n in summary.reviews.most_common())
    if look:
        console.print(f"Worth a look (column review): {look}")
