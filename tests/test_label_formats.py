"""`stallcheck label` on other tables than CSV, in a pipe, in place, and on new rows alone."""

from __future__ import annotations

import csv
import datetime
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.batch.columns import ADDED
from classifier.labels import VERDICTS

NOTES = ["Let me think about it", "It's too expensive", "", "What does it cost?"]
CSV = "id,note\n" + "".join(f'0{i},"{note}"\n' for i, note in enumerate(NOTES))


def test_json_lines_keep_their_text_and_types(run, tmp_path: Path) -> None:
    lines = [
        '{"id": "007",  "note": "Let me think about it", "n": 1.50, "tags": ["a", null]}',
        '{"note":null,"id":8}',
        "",
        '["no object"]',
        "{broken",
        '{"id": 9, "note": "caf\\u00e9 is too dear"}  ',
    ]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(lines) + "\n")
    result = run("label", source, "-o", target, "-c", "note")
    assert result.exit_code == 3, result.output
    after = target.read_text().split("\n")
    assert after[0].startswith(lines[0][:-1] + ', "verdict": ')
    assert after[2] == ""
    assert after[3].startswith(lines[5].rstrip()[:-1])
    records = [json.loads(line) for line in after if line]
    assert list(records[0]) == ["id", "note", "n", "tags", *ADDED]
    assert isinstance(records[0]["confidence"], float)
    assert records[1]["review"] == "empty"
    aside = list(csv.DictReader(io.StringIO((tmp_path / "out.rejects.csv").read_text())))
    assert [row["row"] for row in aside] == ["4", "5"]


def test_parquet_keeps_types_metadata_and_row_groups(run, tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, None, 3, 4], pa.int16()),
            "note": NOTES,
            "when": pa.array([datetime.date(2025, 3, 4)] * 4, pa.date32()),
            "amount": pa.array([Decimal("1.50"), None, Decimal("2.00"), None], pa.decimal128(9, 2)),
            "stage": pa.array(["demo", "demo", None, "won"]).dictionary_encode(),
        }
    ).replace_schema_metadata({"made by": "us"})
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(table, source, row_group_size=3, compression="zstd")
    result = run("label", source, "-o", target)
    assert result.exit_code == 0, result.output
    done = pq.read_table(target)
    assert done.column_names == [*table.column_names, *ADDED]
    assert done.select(table.column_names).equals(pq.read_table(source))
    assert done.schema.metadata[b"made by"] == b"us"
    assert pq.ParquetFile(target).num_row_groups == 2
    assert pq.ParquetFile(target).metadata.row_group(0).column(0).compression == "ZSTD"
    assert done["verdict"].to_pylist()[:2] == ["stall", "objection"]
    assert done.schema.field("p_stall").type == pa.float64()
    again = run("label", target, "-o", tmp_path / "again.parquet", "--only", "new")
    assert again.exit_code == 0, again.output
    assert pq.read_table(tmp_path / "again.parquet").equals(done)


def test_a_chosen_sheet_and_its_filter(run, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "cover"
    sheet = book.create_sheet("Calls")
    for row in [["id", "Notes"], ["01", NOTES[0]], ["02", NOTES[1]]]:
        sheet.append(row)
    sheet.auto_filter.ref = "A1:B3"
    source, target = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    book.save(source)
    assert run("label", source, "-o", target, "--sheet", "Calls").exit_code == 0
    done = openpyxl.load_workbook(target)
    assert done["Sheet"].max_column == 1
    assert [cell.value for cell in done["Calls"][1]] == ["id", "Notes", *ADDED]
    assert done["Calls"].auto_filter.ref == "A1:L3"
    wrong = run("label", source, "-o", target, "--sheet", "Call")
    assert wrong.exit_code == 2
    assert "did you mean 'Calls'" in wrong.stderr


@pytest.mark.parametrize("suffix", [".xls", ".ods"])
def test_old_workbooks_are_read_and_written_as_xlsx(run, tmp_path: Path, suffix: str) -> None:
    source = Path(__file__).parent / "files" / f"calls{suffix}"
    target = tmp_path / "out.xlsx"
    result = run("label", source, "-o", target)
    assert result.exit_code == 0, result.output
    assert "not kept" in result.stderr
    sheet = openpyxl.load_workbook(target)["Calls"]
    assert [cell.value for cell in sheet[1]] == ["id", "when", "Notes", *ADDED]
    assert [cell.value for cell in sheet[2]][:3] == ["007", datetime.datetime(2025, 3, 4), NOTES[0]]
    assert sheet["D2"].value == "stall"
    wrong = run("label", source, "-o", tmp_path / f"out{suffix}")
    assert wrong.exit_code == 2
    assert "write .xlsx" in wrong.stderr


@pytest.mark.parametrize("end", ["stdin", "stdout", "both"])
def test_standard_input_and_output(tmp_path: Path, end: str) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(CSV)
    subprocess.run([*_LABEL, source, "-o", target], check=True, capture_output=True)
    given = [source if end == "stdout" else "-", "-o", target if end == "stdin" else "-"]
    piped = subprocess.run([*_LABEL, *given], check=True, capture_output=True, input=CSV.encode())
    expected = target.read_bytes()
    assert (target.read_bytes() if end == "stdin" else piped.stdout) == expected


_LABEL = [sys.executable, "-m", "classifier", "label"]


def test_json_lines_through_a_pipe_with_a_line_set_aside() -> None:
    piped = subprocess.run(
        [*_LABEL, "-", "-o", "-"], capture_output=True, input=b'{"note": "not now, maybe later"}\n{oops\n'
    )
    assert piped.returncode == 3
    assert json.loads(piped.stdout)["verdict"] in VERDICTS
    assert b"{oops" in piped.stderr


def test_several_columns_are_joined(run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("subject,note\nRe: offer,it's too expensive for us\n,not now\n")
    result = run("label", source, "-o", target, "-c", "subject", "-c", "note")
    assert result.exit_code == 0
    assert "'subject', 'note'" in result.stderr
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert [row["verdict"] for row in rows] == ["objection", "stall"]


def test_in_place_keeps_a_backup(run, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(CSV)
    result = run("label", source, "--in-place")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "in.csv.bak").read_text() == CSV
    assert source.read_text().startswith("id,note,verdict")
    labelled = source.read_text()
    assert run("label", source, "--in-place", "--only", "new").exit_code == 0
    assert source.read_text() == labelled
    assert (tmp_path / "in.csv.bak2").read_text() == labelled
    assert run("label", source, "--in-place", "-o", tmp_path / "x.csv").exit_code == 2


def test_only_new_rows_are_labelled_and_the_others_stay(run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    header = "id," + ",".join(ADDED) + ",note,end"
    old = '01,stall,by hand,0.5,,,,,,"a ""b""",,"It\'s too expensive, really",x'
    source.write_text(f"{header}\n{old}\n02" + "," * 11 + '"Let me think, ok?",y\n')
    assert run("label", source, "-o", target, "--only", "new", "-c", "note").exit_code == 0
    lines = target.read_text().splitlines()
    assert lines[:2] == [header, old]
    assert lines[2].startswith("02,stall,think_it_over,0.")
    assert lines[2].endswith(',"Let me think, ok?",y')
    fresh = tmp_path / "fresh.csv"
    fresh.write_text(CSV)
    wrong = run("label", fresh, "-o", target, "--only", "new")
    assert wrong.exit_code == 2
    assert "--only new wants a table that was labelled before" in wrong.stderr


def test_a_prefix_that_a_spreadsheet_would_run_is_refused(run, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(CSV)
    result = run("label", source, "-o", tmp_path / "out.csv", "--prefix", "=")
    assert result.exit_code == 2
    assert "formula" in result.stderr
