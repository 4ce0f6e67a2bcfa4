"""`stallcheck label`: verdicts for a file of many texts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO

import click

from classifier.errors import Exit, InputError
from classifier.labels import UNSURE, VERDICTS, in_words

if TYPE_CHECKING:
    from collections import Counter

    from classifier.batch.aggregate import Aggregate, Aggregated
    from classifier.batch.files import Labelled, Options
    from classifier.batch.rows import Summary
    from classifier.verdict import Model

_PIPE = Path("-")
_ENOUGH_FOR_DRIFT = 100
_UNSURE_LIMIT = 0.15
_MOST_VALUES = 12

EPILOG = """\b
Examples:
  stallcheck label crm_export.csv -o labelled.csv
  stallcheck label crm_export.xlsx -o labelled.xlsx --column "Call notes" --sheet Activities
  stallcheck label export.csv -o labelled.csv -c Subject -c Notes --prefix stallcheck_
  stallcheck label big.csv -o labelled.csv --resume
  stallcheck label export.csv --in-place --only new
  stallcheck label parts/ -o labelled/ --engine dask --scheduler tcp://10.0.0.5:8786
  cat notes.csv | stallcheck label - -o - > labelled.csv
"""


@click.command(epilog=EPILOG)
@click.argument("source", metavar="IN", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "-o",
    "--out",
    "target",
    metavar="OUT",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File to write, - for standard output.",
)
@click.option(
    "-c",
    "--column",
    "columns",
    metavar="NAME",
    multiple=True,
    help="Column with the buyer's words, guessed when not given; several are joined.",
)
@click.option("--sheet", metavar="NAME", help="Sheet of a workbook; the first one when not given.")
@click.option("--prefix", default="", help="Put before the names of the added columns.")
@click.option("--only", type=click.Choice(["new"]), help="Label just the rows that have no verdict yet.")
@click.option("--in-place", is_flag=True, help="Write onto IN, and keep a backup of it.")
@click.option("--resume", is_flag=True, help="Go on where a run that was cut off stopped.")
@click.option("-j", "--jobs", default=-1, help="Worker processes; one a core when not given.")
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", help="Where to work.")
@click.option("--scheduler", metavar="ADDRESS", help="Of Dask; without one, workers on this machine.")
@click.option(
    "--review", metavar="XLSX", type=click.Path(path_type=Path), help="Sheet of doubtful rows to write."
)
@click.option(
    "--summary", metavar="HTML", type=click.Path(path_type=Path), help="Page with the shares to write."
)
@click.option("--by", metavar="COLUMN", multiple=True, help="Shares for each value of COLUMN; repeatable.")
@click.option("--date", metavar="COLUMN", help="Column of dates, for shares by month; found by its name.")
@click.option("--account", metavar="COLUMN", help="Column of the account; found by its name.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option(
    "--target-precision",
    type=float,
    metavar="P",
    help="Be right in this share of answers: more or less unsure.",
)
@click.option(
    "-m", "--model", "folder", type=click.Path(path_type=Path), help="Model to use: a folder, or strong."
)
def label(
    source: Path,
    target: Path | None,
    columns: tuple[str, ...],
    sheet: str | None,
    prefix: str,
    only: str | None,
    in_place: bool,
    resume: bool,
    jobs: int,
    engine: str,
    scheduler: str | None,
    review: Path | None,
    summary: Path | None,
    by: tuple[str, ...],
    date: str | None,
    account: str | None,
    as_json: bool,
    target_precision: float | None,
    folder: Path | None,
) -> Exit:
    """Label every row of IN (CSV, TSV, JSON Lines, Excel or Parquet) and write OUT.

    All columns and rows stay as they are; verdict, kind, confidence, probabilities, secondary,
    flags, evidence and review are added on the right. Rows that can't be read are set aside in
    OUT's .rejects.csv, and the exit code is 3.
    """
    from classifier.batch.aggregate import Aggregate, aggregate
    from classifier.batch.files import Options, Watcher, label_file, label_stream
    from classifier.verdict import load

    if jobs == 0:
        raise click.UsageError("--jobs 0 does nothing: give 1 or more, or -1 for one a core")
    target = _target(source, target, in_place)
    model = load(folder, target_precision=target_precision)
    options = Options(columns, prefix, only == "new", sheet, jobs, resume, in_place)
    piped = target == _PIPE
    if piped and (review or summary or by):
        raise click.UsageError("--review, --summary and --by want a file: name one with --out")
    if scheduler and engine != "dask":
        raise click.UsageError("--scheduler goes with --engine dask")
    if engine == "dask":
        if piped or in_place or resume or review or summary or by:
            raise click.UsageError(
                "--engine dask takes a folder and writes one; the files can be summed up after"
            )
        return _on_cluster(source, target, model, options, scheduler, as_json)
    wanted = Aggregate(review, summary, by, date, account)
    if not piped and source != _PIPE:
        wanted.check(source, sheet)
    with _watched() as report:
        watcher = Watcher(_announce, report, _warn)
        if piped or source == _PIPE:
            with _stream(source, "rb", sys.stdin) as taken, _stream(target, "wb", sys.stdout) as given:
                done = label_stream(taken, given, model, options, watcher)
        else:
            done = label_file(source, target, model, options, watcher)
    made = None if piped else aggregate(wanted, target, done.columns, prefix, sheet)
    if as_json:
        click.echo(json.dumps(_as_json(done, made), ensure_ascii=False), err=piped)
    else:
        _print(done.summary, to_stderr=piped)
        if made:
            _print_made(made, wanted)
            click.echo(f"Wrote {target}." + (f" The file as it was: {done.backup}." if done.backup else ""))
    _warn_of_drift(done.summary, model)
    if done.set_aside:
        where = done.rejects or "the lines below"
        click.echo(f"stallcheck: {done.set_aside:,} row(s) set aside in {where}: mend them there", err=True)
        click.echo(done.aside, err=True, nl=False)
        return Exit.SET_ASIDE
    return Exit.DONE


def _warn_of_drift(summary: Summary, model: Model) -> None:
    """Say in a line that many more rows are unsure than when the model was made."""
    rows = summary.rows - summary.verdicts[""]
    expected = 1 - float(model.card.get("unsure", {}).get("answered", 0.0))
    share = summary.verdicts[UNSURE] / max(rows, 1)
    if rows >= _ENOUGH_FOR_DRIFT and share > expected + _UNSURE_LIMIT:
        _warn(
            f"{share:.0%} of the rows are unsure, {expected:.0%} of held-out training texts are: these "
            "differ from what the model learned ('stallcheck drift' tells how)"
        )


def _on_cluster(
    source: Path, target: Path, model: Model, options: Options, scheduler: str | None, as_json: bool
) -> Exit:
    """Label a folder of partitions."""
    from classifier.batch.cluster import Cluster, label_folder

    cluster = Cluster(scheduler, None if options.jobs < 0 else options.jobs)
    with _watched() as report:
        done = label_folder(source, target, model, options, cluster, announce=_announce, progress=report)
    if as_json:
        click.echo(json.dumps(_as_json(done, None), ensure_ascii=False))
    else:
        _print(done.summary)
        click.echo(f"Wrote {target}.")
    if done.set_aside:
        _warn(f"{done.set_aside:,} row(s) set aside in the .rejects.csv files of {target}: mend them there")
        return Exit.SET_ASIDE
    return Exit.DONE


def _as_json(done: Labelled, made: Aggregated | None) -> dict[str, object]:
    found: dict[str, object] = {"columns": list(done.columns), **done.summary.to_dict()}
    found["set_aside"] = done.set_aside
    if made and made.summary:
        found["by"] = {
            column: {value: dict(counts) for value, counts in values.items()}
            for column, values in made.summary.by.items()
        }
    return found


def _print_made(made: Aggregated, wanted: Aggregate) -> None:
    """Tell what was made of the labelled table besides its rows."""
    if made.summary:
        for column, values in made.summary.by.items():
            _print_by(column, values)
    if wanted.review:
        click.echo(f"Wrote {wanted.review}: {made.to_review:,} rows to look at.")
    if wanted.page:
        click.echo(
            f"Wrote {wanted.page}." + (f" When to call back: {made.callbacks}." if made.callbacks else "")
        )


def _print_by(column: str, values: dict[str, Counter[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    from classifier.batch.summary import shares, top_values

    table = Table(box=None, pad_edge=False)
    table.add_column(column)
    for heading in ("rows", *VERDICTS):
        table.add_column(heading, justify="right")
    for name, counts in top_values(values, _MOST_VALUES):
        table.add_row(name, f"{counts.total():,}", *(f"{share:.0%}" for share in shares(counts)))
    Console().print(table)


def _target(source: Path, target: Path | None, in_place: bool) -> Path:
    """Where to write: OUT, or IN itself."""
    if in_place:
        if source == _PIPE:
            raise click.UsageError("--in-place wants a file, not standard input")
        if target and target != source:
            raise click.UsageError("--in-place writes onto IN: leave out --out")
        return source
    if target is None:
        raise click.UsageError("--out is missing: name the file to write, - for standard output")
    return target


@contextmanager
def _stream(path: Path, mode: str, standard: TextIO) -> Iterator[Any]:
    """The file at `path`, or the bytes of a standard stream."""
    if path == _PIPE:
        yield standard.buffer
        standard.flush()
        return
    try:
        stream = path.open(mode)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    with stream:
        yield stream


def _announce(names: Sequence[str], guessed: bool) -> None:
    what = "column" if len(names) == 1 else "columns"
    how = " (a guess: choose another with --column)" if guessed else ""
    click.echo(f"Reading the {what} {', '.join(map(repr, names))}{how}.", err=True)


def _warn(message: str) -> None:
    click.echo(f"stallcheck: {message}", err=True)


@contextmanager
def _watched() -> Iterator[Callable[[int, float | None], None]]:
    """A progress bar on standard error: share, rows, rows a second, time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("Labelling"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    start = monotonic()
    with bar:
        task = bar.add_task("", total=1.0, rows=0, rate=0)

        def report(rows: int, share: float | None) -> None:
            rate = rows / max(monotonic() - start, 1e-3)
            bar.update(task, completed=share or 0.0, rows=rows, rate=rate)

        yield report


def _print(summary: Summary, *, to_stderr: bool = False) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=to_stderr)
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
