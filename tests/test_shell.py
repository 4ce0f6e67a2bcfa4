"""The loop of `stallcheck predict` in a terminal, and the corrections it keeps."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import pandas as pd
import pexpect
import pytest

from classifier.batch import rows
from classifier.corrections import record
from classifier.errors import InputError
from classifier.training.dataset import read


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "corrections.csv"


def shell(kept: Path, **environment: str) -> pexpect.spawn:
    own = {**os.environ, "STALLCHECK_NOTES": str(kept), "COLUMNS": "80", "TERM": "xterm", **environment}
    own = {name: value for name, value in own.items() if value}
    return pexpect.spawn(
        sys.executable,
        ["-m", "classifier", "predict"],
        env=own,
        encoding="utf-8",
        timeout=30,
        dimensions=(40, 80),
    )


def test_paste_explain_copy_correct_quit(kept: Path) -> None:
    terminal = shell(kept)
    terminal.expect("> ")
    terminal.sendline("?")
    terminal.expect("Paste a text first")
    terminal.expect("> ")
    terminal.sendline("Thanks for the demo.")
    terminal.sendline("Let me think about it")
    terminal.sendline("")
    terminal.expect("STALL · think it over")
    terminal.expect("q quit")
    terminal.sendline("?")
    terminal.expect("Nearest labelled statements")
    terminal.expect("Steps")
    terminal.expect("> ")
    terminal.sendline("c")
    terminal.expect("Which part would you want to feel surer about")
    terminal.expect("> ")
    terminal.sendline("r")
    terminal.expect("What was it")
    terminal.sendline("nonsense")
    terminal.expect("first letters are enough")
    terminal.sendline("neither")
    terminal.expect("Which kind")
    terminal.sendline("small")
    terminal.expect("Recorded in")
    terminal.expect("> ")
    terminal.sendline("q")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    with kept.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    words = "Thanks for the demo.\nLet me think about it"
    assert rows == [{"text": words, "label": "neither", "kind": "small_talk", "said": "stall"}]


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colour(kept: Path, environment: dict[str, str]) -> None:
    terminal = shell(kept, **environment)
    terminal.expect("> ")
    terminal.send("too expensive for us\r\r")
    terminal.expect("q quit")
    shown = terminal.before
    assert "OBJECTION · price" in shown
    assert "[too expensive" in shown
    assert "\x1b[3" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    terminal.sendline("q")
    terminal.expect(pexpect.EOF)


def test_corrections_are_training_data(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STALLCHECK_NOTES", str(kept))
    record('one, with "quotes"\nand a line', "stall", "send_info")
    record("two", "neither")
    data = read(kept)
    assert list(data.labels) == ["stall", "neither"]
    assert data.texts[0].endswith("and a line")
    with pytest.raises(InputError, match="did you mean 'stall'"):
        record("three", "stal")
    with pytest.raises(InputError, match="not a kind of stall"):
        record("three", "stall", "price")


def test_a_frame_gets_the_columns_of_label(model) -> None:
    frame = pd.DataFrame({"id": [7, 8, 9], "Notes": ["let me think about it", None, "  "]}, index=[3, 5, 7])
    found = model.predict_frame(frame, column="notes")
    assert list(found.columns[:4]) == ["id", "Notes", "verdict", "kind"]
    assert found.loc[3, "verdict"] == "stall"
    assert list(found["review"]) == ["", "empty", "empty"]
    assert found["p_stall"].dtype == float
    assert list(frame.columns) == ["id", "Notes"]
    with pytest.raises(InputError, match="did you mean"):
        model.predict_frame(frame, column="Note")
    with pytest.raises(InputError, match="choose other names"):
        model.predict_frame(found, column="Notes")
    assert "again_verdict" in model.predict_frame(found, column="Notes", prefix="again_")


def test_a_long_frame_is_scored_piece_by_piece_to_the_same_verdicts(model, monkeypatch) -> None:
    frame = pd.DataFrame({"text": [f"Not now. Call me in {n} weeks" for n in range(2, 12)]})
    at_once = model.predict_frame(frame)
    monkeypatch.setattr(rows, "_SCORED_TOGETHER", 3)
    pd.testing.assert_frame_equal(model.predict_frame(frame), at_once)
