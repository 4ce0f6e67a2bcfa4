"""What is made of a labelled table once it is written: the review sheet, the summary page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from classifier.batch.labelled import Row, check_columns, header_of, read_labelled
from classifier.batch.report import write_report
from classifier.batch.review import write_review
from classifier.batch.summary import TableSummary, account_column, date_column, date_format, summarise
from classifier.errors import InputError

_SAMPLE = 500
_OLD_FORMATS = (".xls", ".ods")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What is wanted of a labelled table besides its rows.

    review, page : files to write. by, date, account : columns of the table.
    """

    review: Path | None = None
    page: Path | None = None
    by: tuple[str, ...] = ()
    date: str | None = None
    account: str | None = None

    def check(self, source: Path, sheet: str | None) -> None:
        """Find out before the work what would stop it after.

        Raises
        ------
        InputError
            If a column is not there, or a file can't be written where it is wanted.
        """
        wanted = [*self.by, *(name for name in (self.date, self.account) if name)]
        if wanted and source.is_file() and source.suffix.lower() not in _OLD_FORMATS:
            check_columns(header_of(source, sheet), wanted)
        for path, suffix in ((self.review, ".xlsx"), (self.page, ".html")):
            if path and path.suffix.lower() != suffix:
                raise InputError(f"{path}: name a file that ends in {suffix}")
            if path and not path.absolute().parent.is_dir():
                raise InputError(f"{path.parent}: no such folder")


@dataclass(frozen=True, slots=True)
class Aggregated:
    """What was made: the summary, the number of rows to review, the call-back list's path."""

    summary: TableSummary | None
    to_review: int
    callbacks: Path | None


def aggregate(
    wanted: Aggregate, target: Path, columns: tuple[str, ...], prefix: str = "", sheet: str | None = None
) -> Aggregated:
    """Read the labelled table `target` and write what is wanted of it.

    Raises
    ------
    InputError
        If the column of dates given is no such column.
    MissingExtra
        If the [excel] or [report] extra is wanted and not installed.
    """

    def rows() -> Iterator[Row]:
        return read_labelled(target, columns, prefix, sheet)

    to_review = write_review(rows(), wanted.review) if wanted.review else 0
    if not (wanted.page or wanted.by):
        return Aggregated(None, to_review, None)
    header = header_of(target, sheet)
    summary = summarise(
        rows(),
        by=wanted.by,
        dates=_dates(wanted, header, rows()),
        account=wanted.account or account_column(header),
    )
    beside = (
        write_report(summary, wanted.page, title=f"Stalls and objections in {target.name}")
        if wanted.page
        else None
    )
    return Aggregated(summary, to_review, beside)


def _dates(wanted: Aggregate, header: list[str], rows: Iterator[Row]) -> tuple[str, str] | None:
    """The column of dates and their format, if there is one that can be read."""
    column = wanted.date or date_column(header)
    if column is None:
        return None
    cells = [row.cells.get(column, "") for row in islice(rows, _SAMPLE)]
    try:
        form = date_format(cells, column)
    except InputError:
        if wanted.date:
            raise
        return None
    if form is None and wanted.date:
        raise InputError(f"column '{column}' holds no dates that can be read: write them as YYYY-MM-DD")
    return (column, form) if form else None
