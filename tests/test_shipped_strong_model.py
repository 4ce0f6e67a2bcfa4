"""The strong model that ships: asked for by name, wherever a model can be named."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import httpx
import pytest
from conftest import ROOT

import classifier
from classifier.persistence import default_model
from classifier.registry import promote

REASON = "It's 20% over what we pay now."
CONTRAST = ROOT / "data" / "contrast.csv"


def test_predict_names_it(run):
    verdict = json.loads(run("predict", REASON, "--model", "strong", "--json").output)
    assert (verdict["model"]["name"], verdict["verdict"], verdict["kind"]) == ("strong", "objection", "price")


def test_on_traps_it_is_better_than_the_default(run):
    found = json.loads(run("compare", "default", "strong", CONTRAST, "--json").output)
    assert found["outcome"] == "better"


def test_label_gives_the_same_verdicts_as_predict_on_any_number_of_processes(run, tmp_path):
    texts = [REASON, "Send me something", "Who else is joining?", "Let me think about it"] * 20
    path = tmp_path / "notes.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["note"], *([text] for text in texts)])
    outputs = []
    for jobs in ("1", "2"):
        target = tmp_path / f"{jobs}.csv"
        result = run("label", path, "--out", target, "--model", "strong", "--jobs", jobs)
        assert result.exit_code == 0, result.output
        outputs.append(target.read_text(encoding="utf-8"))
    assert outputs[0] == outputs[1]
    verdicts = [row["verdict"] for row in csv.DictReader(outputs[0].splitlines())]
    assert verdicts == [verdict.verdict for verdict in classifier.load("strong").predict(texts)]


def test_it_can_be_put_in_service(tmp_path, monkeypatch):
    monkeypatch.setenv("STALLCHECK_MODELS", str(tmp_path))
    promote("strong", {})
    assert classifier.load()(REASON).model["name"] == "strong"


def test_the_page_serves_it(serve):
    with serve("--model", "strong") as address:
        reply = httpx.post(f"{address}api/v1/predict", json={"texts": [REASON]}, timeout=30)
    assert reply.json()["verdicts"][0]["model"]["name"] == "strong"


def test_a_folder_of_that_name_goes_first(tmp_path, monkeypatch):
    shutil.copytree(default_model(), tmp_path / "strong")
    monkeypatch.chdir(tmp_path)
    assert classifier.load("strong").scorer.encoder is None


@pytest.mark.parametrize("name", ["stronk", "..", "default/.."])
def test_no_other_name_finds_anything(run, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("predict", REASON, "--model", name)
    assert result.exit_code == 2
    assert "model folder" in result.output


def test_it_finds_its_model_from_python_by_path_too():
    assert classifier.load(Path(default_model().parent) / "strong").scorer.encoder is not None
