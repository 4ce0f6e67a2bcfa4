"""`stallcheck check`: a messy sheet of labelled notes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from classifier.labels import CLASSES
from classifier.training import personal
from classifier.training.check import check
from classifier.training.dataset import read, shipped
from classifier.verdict import Model

ROWS = [
    ("let me sleep on it and i'll ring you", "Stall", "think it over"),
    ("we already use another firm and they're fine", "objections", "incumbent"),
    ("how much is the big one?", "nither", "question"),
    ("too dear for us", "???", ""),
    ("", "stall", ""),
    ("we don't have the money this year", "objection", "brush_off"),
    ("Send me something.", "stall", "send_info"),
    ("send me something", "stall", "send_info"),
    ("not today thanks", "stall", ""),
    ("Not today, thanks!", "neither", ""),
    ("call jo@acme.test or +44 20 7946 0958, card 4111 1111 1111 1111", "neither", "logistics"),
    ("the man from the shop says he has to measure the stairs first", "neither", "logistics"),
    ("the man from the shop said he has to measure the stairs first", "neither", "logistics"),
]


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sheet") / "messy.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("text", "label", "kind"), *ROWS])
    return path


def test_what_is_wrong_is_told_by_row(run, sheet: Path) -> None:
    result = run("check", sheet, "--json")
    assert result.exit_code == 3, result.output
    found = json.loads(result.stdout)
    said = {(each["row"], each["problem"]): each for each in found["findings"]}
    assert said[2, "mendable"]["mended"] in ("stall", "think_it_over")
    assert said[3, "mendable"]["mended"] == "objection"
    assert said[4, "mendable"]["mended"] == "neither"
    assert "'???'" in said[5, "unreadable"]["detail"]
    assert "empty" in said[6, "unreadable"]["detail"]
    assert "belongs to stall" in said[7, "unreadable"]["detail"]
    assert "row 8" in said[9, "duplicate"]["detail"]
    assert {(10, "two_labels"), (11, "two_labels")} <= said.keys()
    assert said[12, "personal"]["detail"] == "1 email, 1 phone, 1 card"
    assert "like row 13" in said[14, "near_duplicate"]["detail"]
    assert (found["rows"], found["usable"]) == (13, 9)


def test_what_can_be_mended_alone_is(run, sheet: Path, tmp_path: Path) -> None:
    fixed, page = tmp_path / "fixed.csv", tmp_path / "check.html"
    result = run("check", sheet, "--fixed", fixed, "--mask", "--report", page)
    assert "Labels that" not in result.stdout  # too few rows to doubt any
    data = read(fixed)
    assert len(data) == 9
    assert list(data.labels[:3]) == ["stall", "objection", "neither"]
    assert "call [email] or [phone], card [card]" in data.texts
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "default-src 'none'" in html
    assert "measure the stairs" in html


def test_flipped_labels_are_found_with_a_reason(model: Model, tmp_path: Path) -> None:
    test = shipped("test").frame
    rows = test[test["certainty"] == "clear"].groupby("label").head(60)[["text", "label"]]
    rows = rows.reset_index(drop=True)
    flipped = np.random.default_rng(0).choice(len(rows), 18, replace=False)
    for row in flipped:
        rows.loc[row, "label"] = CLASSES[(CLASSES.index(rows.loc[row, "label"]) + 1) % 3]
    path = tmp_path / "flipped.csv"
    rows.to_csv(path, index=False)
    base = shipped("train")
    found = check(path, model, base=base.take(np.arange(0, len(base), 5)))
    doubted = found.of("probably_wrong")
    right = {each.row - 2 for each in doubted} & set(flipped.tolist())
    assert len(right) >= len(flipped) / 2
    assert len(right) >= len(doubted) / 3
    assert all("held out, the model gives" in each.detail for each in doubted)
    assert len(found.of("overlap")) == len(rows)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail a.b+c@x-y.co.uk now", "mail [email] now"),
        ("ring 0161 496 0000", "ring [phone]"),
        ("ring (555) 010-4477 ext 4", "ring [phone] ext 4"),
        ("card 4242424242424242", "card [card]"),
        ("on 12/03/2026 at 10.30", "on 12/03/2026 at 10.30"),
        ("it's 1,250,000.00 for 20000 units", "it's 1,250,000.00 for 20000 units"),
        ("order 123456", "order 123456"),
    ],
)
def test_personal_data(text: str, masked: str) -> None:
    assert personal.mask(text) == masked


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.csv",), "no such file"),
        (("{sheet}", "--mask"), "--mask goes with --fixed"),
        (("{sheet}", "--fixed", "out.xlsx"), "written as .csv"),
    ],
)
def test_a_wrong_call_is_one_line(run, sheet: Path, arguments, said: str) -> None:
    result = run("check", *(each.format(sheet=sheet) for each in arguments))
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
