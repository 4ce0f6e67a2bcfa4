"""The review sheet, the summary page and the call-back list of `stallcheck label`."""

from __future__ import annotations

import csv
import json
import re
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from classifier.batch.summary import date_format, wilson
from classifier.errors import InputError
from classifier.training.dataset import read

SAMPLE = Path(__file__).parent.parent / "data" / "samples" / "crm_export.csv"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that `label` makes of the sample export."""
    from conftest import Runner

    folder = tmp_path_factory.mktemp("made")
    result = Runner()(
        *("label", SAMPLE, "-o", folder / "out.csv", "-c", "Call Notes", "--by", "Stage", "--by", "Owner"),
        *("--review", folder / "review.xlsx", "--summary", folder / "page.html"),
    )
    assert result.exit_code == 0, result.output
    assert "Discovery" in result.stdout
    return folder


def test_the_review_sheet_has_the_most_doubtful_first_and_room_for_labels(made: Path) -> None:
    sheet = openpyxl.load_workbook(made / "review.xlsx")["Review"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("row", "text", "why", "said", "said kind", "confidence", "evidence", "label", "kind")
    unsure = [row[5] for row in rows[1:] if row[3] == "unsure"]
    assert unsure == sorted(unsure)
    assert len(unsure) > 10
    assert re.fullmatch(r"\w+ \(\d+%\) or \w+ \(\d+%\)\?", rows[1][2])
    assert all(row[7] is None and row[8] is None for row in rows[1:])
    source = list(csv.DictReader(SAMPLE.open(encoding="utf-8-sig", newline="")))
    assert all(source[row[0] - 1]["Call Notes"].strip() == row[1].strip() for row in rows[1:20])


def test_a_corrected_review_sheet_is_training_data(made: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(made / "review.xlsx")
    with pytest.raises(InputError, match="no row of the review sheet has a label yet"):
        read(made / "review.xlsx")
    sheet = book["Review"]
    for row, label, kind in (
        (2, "stall", "think it over"),
        (3, "objection", None),
        (5, "neither", "question"),
    ):
        sheet.cell(row, 8, label)
        sheet.cell(row, 9, kind)
    path = tmp_path / "review.xlsx"
    book.save(path)
    data = read(path)
    assert list(data.labels) == ["stall", "objection", "neither"]
    assert list(data.kinds) == ["think_it_over", "", "question"]
    sheet.cell(6, 8, "stal")
    book.save(path)
    with pytest.raises(InputError, match="row 6: label 'stal' is not one of"):
        read(path)


def test_the_page_needs_nothing_else_and_warns_against_ranking(made: Path) -> None:
    page = (made / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page.replace("http://www.w3.org", ""))
    assert "<script" not in page
    assert "rank people" in page
    assert 'name="viewport"' in page
    for heading in ("By Stage", "By Owner", "Over time", "When to call back", "Stalls that repeat"):
        assert heading in page, heading
    assert page.count("<svg") == 4


def test_the_call_back_list_is_in_the_order_of_its_dates(made: Path) -> None:
    rows = list(csv.DictReader((made / "page.callbacks.csv").open(encoding="utf-8-sig")))
    days = [date.fromisoformat(row["date"]) for row in rows]
    assert days == sorted(days)
    assert days


def test_shares_by_column_as_json(run, tmp_path: Path) -> None:
    result = run("label", SAMPLE, "-o", tmp_path / "out.csv", "-c", "Call Notes", "--by", "Stage", "--json")
    found = json.loads(result.stdout)
    assert sum(sum(counts.values()) for counts in found["by"]["Stage"].values()) == sum(
        rows for verdict, rows in found["verdicts"].items() if verdict
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "Stag"], "did you mean 'Stage'"),
        (["--review", "review.csv"], "ends in .xlsx"),
        (["--summary", "no/such/page.html"], "no such folder"),
        (["--summary", "page.html", "--date", "Owner"], "holds no dates"),
    ],
)
def test_what_would_stop_it_after_the_work_stops_it_before(run, tmp_path: Path, arguments, said: str) -> None:
    result = run("label", SAMPLE, "-o", tmp_path / "out.csv", "-c", "Call Notes", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2025-03-04", ""], "%Y-%m-%d"),
        (["04/13/2025 09:15", "01/02/2025"], "%m/%d/%Y"),
        (["13/04/2025", "01/02/2025 9:15"], "%d/%m/%Y"),
        (["2025-03-04T09:15:00Z"], "%Y-%m-%d"),
        (["soon", "later"], None),
        ([], None),
    ],
)
def test_the_format_of_dates(cells: list[str], form: str | None) -> None:
    assert date_format(cells, "when") == form


def test_dates_that_can_be_read_in_two_ways_are_not_guessed() -> None:
    with pytest.raises(InputError, match="two ways"):
        date_format(["03/04/2025"], "when")


def test_the_interval_of_a_share() -> None:
    share = wilson(8, 10)
    assert (round(share.low, 3), round(share.high, 3)) == (0.49, 0.943)
