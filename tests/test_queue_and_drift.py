"""`stallcheck queue` and `stallcheck drift`: what to label next, and whether new notes differ."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pexpect
import pytest

from classifier.training.dataset import shipped
from classifier.training.queue import choose, learning_curve


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 notes without labels, with an account."""
    path = tmp_path_factory.mktemp("raw") / "raw.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["account", "Notes"])
        writer.writerows((f"A{i // 2}", text) for i, text in enumerate(shipped("test").texts[:120]))
    return path


def labels_in(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [row["label"] for row in csv.DictReader(stream)]


def press(path: Path, labels: Path, keys: str) -> tuple[int, str]:
    """Run the queue in a terminal and press keys, one at a time."""
    arguments = ["-m", "classifier", "queue", str(path), "--labels", str(labels), "-n", "4", "--without-base"]
    terminal = pexpect.spawn(sys.executable, arguments, timeout=30, encoding="utf-8")
    shown = ""
    for key in keys:
        terminal.expect(r"\[\d/4\][^\n]*\n|one of s, o, n")
        shown += terminal.before + terminal.after
        terminal.send(key)
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, shown + terminal.before


def test_labels_are_asked_for_kept_undone_and_gone_on_with(raw: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    code, shown = press(raw, labels, "souxq")
    assert code == 0, shown
    assert labels_in(labels) == ["stall"]
    code, shown = press(raw, labels, "nkoo")
    assert labels_in(labels) == ["stall", "neither", "objection", "objection"]
    assert code == 0
    assert "3 labels added, 4 in" in shown


def test_the_sheet_has_room_for_labels_and_gives_nothing_away(run, raw: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    result = run("queue", raw, "-n", "10", "--sheet", sheet)
    assert result.exit_code == 0, result.output
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["text", "label", "kind", "account"]
    assert len({row["text"] for row in rows}) == 10
    assert not any(row["label"] for row in rows)


def test_a_filled_sheet_counts_as_labelled(run, raw: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    run("queue", raw, "-n", "100", "--sheet", sheet)
    known = dict(zip(shipped("test").texts, shipped("test").labels, strict=True))
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "label": known[row["text"]]} for row in rows)
    result = run("queue", raw, "--labels", sheet, "--sheet", tmp_path / "next.csv")
    assert "20 of 20 notes" in result.stdout
    assert "The next 25 should buy" in result.stdout


def test_chosen_notes_are_the_doubtful_ones_and_differ() -> None:
    data = shipped("test")
    seen = data.take(data.labels != "")
    doubled = [*data.texts[:60], *data.texts[:60]]
    chosen = choose(doubled, seen, None, 10)
    assert len({doubled[i] for i in chosen}) == 10
    assert choose(data.texts[:5], None, None, 10) == [0, 1, 2, 3, 4]


def test_a_curve_wants_labels_of_each_class() -> None:
    data = shipped("test")
    assert learning_curve(data.take(data.labels == "stall"), None) is None
    curve = learning_curve(data, None)
    assert curve is not None
    assert curve.points[-1][1] > curve.points[0][1]


def test_a_pipe_is_told_to_ask_for_a_sheet(run, raw: Path) -> None:
    result = run("queue", raw, "--without-base")
    assert result.exit_code == 2
    assert "--sheet" in result.stderr


def test_the_same_trade_is_no_drift_and_another_language_of_notes_is(run, raw: Path, tmp_path: Path) -> None:
    same = run("drift", raw)
    assert same.exit_code == 0, same.output
    assert "No drift" in same.stdout
    other = tmp_path / "other.csv"
    lines = [
        f"Ticket {i}: der Kunde, der wartet, auf die Lieferung {i % 7} und ruft wieder an" for i in range(90)
    ]
    other.write_text("text\n" + "\n".join(lines), encoding="utf-8")
    result = run("drift", other, "--json")
    assert result.exit_code == 3
    found = json.loads(result.stdout)
    assert found["auc"]["low"] > 0.8
    assert "lieferung" in found["words"]
    assert found["drift"]


def test_too_few_notes_show_no_drift(run, tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("text\nlet me think about it\n")
    result = run("drift", path)
    assert result.exit_code == 2
    assert "at least 30" in result.stderr


def test_labelling_warns_where_much_is_unsure(run, tmp_path: Path) -> None:
    source = tmp_path / "odd.csv"
    rows = [f'"the {i} of whom nobody said what, well, it may be or not, who knows"' for i in range(150)]
    source.write_text("text\n" + "\n".join(rows))
    result = run("label", source, "-o", tmp_path / "out.csv", "--target-precision", "0.99")
    assert result.exit_code == 0
    assert "stallcheck drift" in result.stderr
