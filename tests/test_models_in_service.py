"""`stallcheck compare`, `promote`, `rollback` and `models`: which model is in service."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from classifier.errors import InputError, ModelError
from classifier.labels import CLASSES
from classifier.persistence import default_model
from classifier.registry import history, model_in_service, promote, rollback
from classifier.training.comparison import compare
from classifier.training.dataset import read
from classifier.verdict import load


@pytest.fixture
def models(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with two trained models: ``tiny`` and ``same``, the shipped one under a name."""
    folder = tmp_path / "models"
    shutil.copytree(tiny_model, folder / "tiny")
    shutil.copytree(default_model(), folder / "same", ignore=shutil.ignore_patterns("held_out.csv"))
    monkeypatch.setenv("STALLCHECK_MODELS", str(folder))
    return folder


def test_the_shipped_model_serves_until_one_is_promoted(run, models: Path) -> None:
    assert load().folder == default_model()
    result = run("promote", "same")
    assert result.exit_code == 0, result.output
    assert "not worse" in result.stdout
    serving = load().folder
    assert serving is not None
    assert serving.parent == models / ".in-service"
    assert "rollback" in result.stdout
    assert run("rollback").exit_code == 0
    assert load().folder == default_model()


def test_a_worse_model_is_not_promoted_unless_forced(run, models: Path) -> None:
    result = run("promote", "tiny")
    assert result.exit_code == 1
    assert "worse on fixed test set" in result.stderr
    assert history(models) == []
    assert run("promote", "tiny", "--force").exit_code == 0
    assert history(models)[-1].details["forced"] is True
    assert "(forced)" in run("models").stdout


def test_training_again_changes_nothing_in_service(run, models: Path) -> None:
    promote("same", {})
    before = run("predict", "--json", "Let me think about it").stdout
    shutil.copyfile(models / "tiny" / "scorer.npz", models / "same" / "scorer.npz")
    assert run("predict", "--json", "Let me think about it").stdout == before


def test_rolling_back_goes_through_the_promotions_that_stand(models: Path) -> None:
    promote("same", {})
    promote("tiny", {})
    promote("same", {})
    names = [rollback().name for _ in range(3)]
    assert names == ["tiny", "same", "default"]
    with pytest.raises(InputError, match="all was rolled back"):
        rollback()
    assert [entry.event for entry in history(models)] == ["promote"] * 3 + ["rollback"] * 3


def test_promotions_at_the_same_time_all_stand_in_the_history(models: Path) -> None:
    threads = [threading.Thread(target=promote, args=(name, {})) for name in ("tiny", "same") * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(history(models)) == 10
    assert not list((models / ".in-service").glob("*.part"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("promote", "sme"), "did you mean 'same'?"),
        (("promote", "../other"), "no model '../other'"),
        (("rollback",), "nothing was promoted here"),
    ],
)
def test_what_is_not_there_is_one_line(run, models: Path, arguments, said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_model_in_service_that_is_gone_or_a_torn_history_is_told(models: Path) -> None:
    promote("same", {})
    shutil.rmtree(models / ".in-service")
    with pytest.raises(ModelError, match="rollback"):
        model_in_service()
    (models / "history.jsonl").write_text("{torn")
    with pytest.raises(ModelError, match="line 1"):
        model_in_service()


def test_models_as_json(run, models: Path) -> None:
    promote("tiny", {})
    found = json.loads(run("models", "--json").stdout)
    assert {card["name"] for card in found["models"]} == {"tiny", "default"}
    assert found["in_service"] == history(models)[-1].sha256


def test_comparing_on_the_same_rows(run, notes: Path, tiny_model: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.csv"
    result = run("compare", tiny_model, default_model(), notes, "--by", "kind", "--changed", changed)
    assert result.exit_code == 0, result.output
    assert "learned from 180 of these 180 texts" in result.stderr
    assert "McNemar" in result.stdout
    assert changed.read_text(encoding="utf-8-sig").startswith("row,text,label,first,second")


def test_a_gain_is_told_from_chance(notes: Path) -> None:
    data = read(notes)
    right = np.full((len(data), 3), 0.1)
    right[np.arange(len(data)), [CLASSES.index(label) for label in data.labels]] = 0.8
    wrong = right.copy()
    wrong[:30] = np.roll(right[:30], 1, axis=1)
    won = compare(wrong, right, data)
    assert (won.only_first, won.only_second, won.outcome) == (0, 30, "better")
    assert won.p_value < 1e-6
    assert won.difference.value == pytest.approx(30 / 180)
    lost = compare(right, wrong, data)
    assert lost.outcome == "worse"
    assert not lost.not_worse
    assert [row.second for row in lost.changed] != [row.label for row in lost.changed]
    assert compare(right, right, data).outcome == "no clear difference"
