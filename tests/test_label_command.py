"""`stallcheck label`: every row and column back as it was, the verdicts added."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest

from classifier.batch.columns import ADDED, guess_column
from classifier.errors import InputError
from classifier.labels import VERDICTS

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
HEADER = "id,when,Call notes,amount"
ROWS = [
    '007,03/04/2025,"Let me think about it, and call me",1.50',
    '008,,"He said ""not now""',
    'maybe later",',
    "009,2025-05-01,,",
    '"010",x,What does it cost?,2',
]
TABLE = "\n".join([HEADER, *ROWS]) + "\n"


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_rows_and_columns_come_back_as_they_were(run, tmp_path: Path) -> None:
    source, target = written(tmp_path / "in.csv", TABLE), tmp_path / "out.csv"
    result = run("label", source, "-o", target)
    assert result.exit_code == 0, result.output
    assert "'Call notes' (a guess" in result.stderr
    before = TABLE.splitlines(keepends=True)
    after = target.read_text().splitlines(keepends=True)
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        assert new.startswith(old.rstrip("\n"))
    records = list(csv.DictReader(io.StringIO(target.read_text())))
    assert list(records[0]) == [*HEADER.split(","), *ADDED]
    assert [r["id"] for r in records] == ["007", "008", "009", "010"]
    assert records[0]["verdict"] in VERDICTS
    assert float(records[0]["p_stall"]) > 0.5
    assert (records[2]["verdict"], records[2]["review"]) == ("", "empty")


@pytest.mark.parametrize(
    ("encoding", "delimiter", "line_end"),
    [
        ("utf-8", ",", "\n"),
        ("utf-8-sig", ";", "\r\n"),
        ("cp1252", "\t", "\r\n"),
        ("utf-16", ",", "\n"),
    ],
)
def test_encoding_delimiter_and_line_ends_are_kept(
    run, tmp_path: Path, encoding: str, delimiter: str, line_end: str
) -> None:
    lines = [f"id{delimiter}note", f"01{delimiter}Trop cher caf\u00e9 owner said", f"02{delimiter}not now"]
    before = (line_end.join(lines) + line_end).encode(encoding)
    source, target = written(tmp_path / "in.csv", before), tmp_path / "out.csv"
    assert run("label", source, "-o", target, "--column", "note").exit_code == 0
    after = target.read_bytes().decode(encoding).split(line_end)
    assert target.read_bytes()[:2] == before[:2]
    assert [line.split(delimiter + "verdict")[0] for line in after[:1]] == lines[:1]
    assert all(new.startswith(old) for old, new in zip(lines, after, strict=False))
    assert after[-1] == ""


def test_a_blank_line_and_a_last_line_without_an_end_stay(run, tmp_path: Path) -> None:
    source = written(tmp_path / "in.csv", "note,id\nnot now,1\n\nmaybe later,2")
    target = tmp_path / "out.csv"
    assert run("label", source, "-o", target, "-c", "note").exit_code == 0
    lines = target.read_text().split("\n")
    assert lines[2] == ""
    assert lines[3].startswith("maybe later,2,")
    assert len(lines) == 4


def test_excel_keeps_sheets_types_and_formats(run, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "Notes", "amount"])
    sheet.append(["007", "Let me think about it", 12.5])
    sheet.append(["008", None, "=C2*2"])
    sheet["C2"].number_format = "0.00"
    sheet.column_dimensions["B"].width = 40
    book.create_sheet("Other")["A1"] = "kept"
    source, target = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    book.save(source)
    assert run("label", source, "-o", target).exit_code == 0
    done = openpyxl.load_workbook(target)
    assert done["Other"]["A1"].value == "kept"
    out = done.worksheets[0]
    assert [cell.value for cell in out[1]] == ["id", "Notes", "amount", *ADDED]
    assert (out["A2"].value, out["C2"].number_format, out["C3"].value) == ("007", "0.00", "=C2*2")
    assert out.column_dimensions["B"].width == 40
    assert out["D2"].value in VERDICTS
    assert isinstance(out["G2"].value, int | float)
    assert out["M3"].value == "empty"


@pytest.mark.parametrize(
    ("name", "column", "rows"),
    [
        ("crm_export.csv", "Call Notes", 315),
        ("crm_export.xlsx", "Call Notes", 315),
        ("salesforce_tasks.csv", "Full Comments", 160),
        ("hubspot_notes.csv", "Note body", 160),
        ("pipedrive_deals.csv", "Activity log", 160),
    ],
)
def test_the_sample_exports(run, tmp_path: Path, name: str, column: str, rows: int) -> None:
    target = tmp_path / name
    result = run("label", SAMPLES / name, "-o", target, "--json")
    assert result.exit_code == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["columns"] == [column]
    assert summary["rows"] == rows
    assert sum(summary["verdicts"].values()) == summary["rows"]


def test_the_summary_in_the_terminal(run, tmp_path: Path) -> None:
    source = written(tmp_path / "in.csv", TABLE)
    shown = run("label", source, "-o", tmp_path / "out.csv").output
    assert "4 rows" in shown
    assert "(empty)" in shown
    assert "Wrote" in shown


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (None, [], "no such file"),
        ("", [], "is empty"),
        ("\n\n", [], "is empty"),
        (b"PK\x03\x04\x00\x00", [], "not a text file"),
        (TABLE, ["--column", "notes"], "no column 'notes'"),
        ("a,a\nx,y\n", ["--column", "a"], "stands 2 times"),
        ("id,amount\n1,2\n", [], "no column looks like text"),
        ("note,verdict\nnot now,x\n", ["-c", "note"], "--prefix"),
        ('note,"id\nnot now,1\n', ["-c", "note"], "the first line is no header"),
    ],
    ids=[
        "missing",
        "empty",
        "blank",
        "binary",
        "column",
        "twice",
        "no text",
        "clash",
        "open quote",
    ],
)
def test_bad_input_leaves_nothing_behind(run, tmp_path: Path, content, arguments, said: str) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    if content is not None:
        written(source, content)
    result = run("label", source, "-o", target, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len([line for line in result.stderr.splitlines() if line.startswith("stallcheck: ")]) == 1
    assert not target.exists()
    assert {path.name for path in tmp_path.iterdir()} <= {"in.csv"}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("in.csv", "the input itself"),
        ("out.xlsx", "write .csv as .csv"),
        ("no/out.csv", "no such folder"),
        ("out.pdf", "'.pdf'"),
    ],
)
def test_an_output_that_will_not_do(run, tmp_path: Path, target: str, said: str) -> None:
    source = written(tmp_path / "in.csv", TABLE)
    result = run("label", source, "-o", tmp_path / target)
    assert result.exit_code == 2
    assert said in result.stderr
    assert source.read_text() == TABLE


@pytest.mark.parametrize(
    ("content", "kept", "aside"),
    [
        (
            'note,id\nnot now,1\nno, thanks,2\n"maybe, later",3\n',
            ["1", "3"],
            ("2", "3", "3 cells where the header has 2"),
        ),
        (
            "note,id\nnot now,1\nno thanks\nlater,3\n",
            ["1", "3"],
            ("2", "3", "1 cells where the header has 2"),
        ),
        ('note,id\nnot now,1\n"no,2\nlater,3\n', ["1", "3"], ("2", "3", "never closed")),
        ('note,id\nnot now,1\n"no" way,2\nlater,3\n', ["1", "3"], ("2", "3", "not readable as CSV")),
        (
            b"note,id\nnot caf\xc3\xa9 now,1\n\xe9\xe9h,2\ncaf\xc3\xa9,3\n",
            ["1", "3"],
            ("2", "3", "bytes that are not"),
        ),
        ('note,id\n"not\nnow",1\nno, no,2\n', ["1"], ("2", "4", "3 cells")),
    ],
    ids=["long", "short", "open quote", "stray quote", "bad bytes", "after a cell of two lines"],
)
def test_rows_that_do_not_fit_are_set_aside_not_lost(run, tmp_path: Path, content, kept, aside) -> None:
    source, target = written(tmp_path / "in.csv", content), tmp_path / "out.csv"
    result = run("label", source, "-o", target, "-c", "note")
    assert result.exit_code == 3
    assert "1 row(s) set aside" in result.stderr
    assert [row["id"] for row in csv.DictReader(io.StringIO(target.read_text()))] == kept
    (reject,) = csv.DictReader(io.StringIO((tmp_path / "out.rejects.csv").read_text()))
    assert (reject["row"], reject["line"]) == aside[:2]
    assert aside[2] in reject["reason"]
    assert {path.name for path in tmp_path.iterdir()} == {"in.csv", "out.csv", "out.rejects.csv"}


def test_a_clash_is_solved_by_a_prefix(run, tmp_path: Path) -> None:
    source, target = written(tmp_path / "in.csv", "note,verdict\nnot now,x\n"), tmp_path / "out.csv"
    assert run("label", source, "-o", target, "-c", "note", "--prefix", "sc_").exit_code == 0
    assert target.read_text().splitlines()[0].startswith("note,verdict,sc_verdict,sc_kind,")


def test_a_long_cell_is_marked_and_a_formula_is_not_made(run, tmp_path: Path) -> None:
    source = written(tmp_path / "in.csv", f"note\n{'word ' * 5_000}\n=not now\n")
    target = tmp_path / "out.csv"
    assert run("label", source, "-o", target, "-c", "note").exit_code == 0
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert rows[0]["review"] == "too_long"
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in list(row.values())[1:])


def test_the_same_text_gets_the_same_cells(run, tmp_path: Path) -> None:
    source, target = written(tmp_path / "in.csv", "note\n" + "not now\n" * 2_000), tmp_path / "out.csv"
    assert run("label", source, "-o", target).exit_code == 0
    lines = target.read_text().splitlines()
    assert len(lines) == 2_001
    assert len(set(lines[1:])) == 1


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (["Id", "Owner", "Notes"], ["1", "Ann", "said not now"], "Notes"),
        (["Id", "CallNotes", "Stage"], ["1", "wants to think", "Demo"], "CallNotes"),
        (["Id", "x", "y"], ["1", "wants to think about it for a while", "Demo"], "x"),
        (["Description", "Notes"], ["", "wants to think"], "Notes"),
    ],
)
def test_guessing_the_text_column(header: list[str], row: list[str], expected: str) -> None:
    assert header[guess_column(header, [row])] == expected


def test_no_guess_where_nothing_reads_like_text() -> None:
    with pytest.raises(InputError, match="--column"):
        guess_column(["id", "amount"], [["1", "2.50"]])
