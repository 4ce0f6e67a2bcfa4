"""`stallcheck train` and `stallcheck evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score

from classifier.training.dataset import read, shipped
from classifier.training.metrics import calibration_error, score
from classifier.training.pipeline import fit, make_pipeline
from classifier.training.train import train, unsure_band
from classifier.verdict import load


def test_training_is_repeatable(run, notes: Path, tiny_model: Path, tmp_path: Path) -> None:
    result = run("train", notes, "--without-base", "--out", tmp_path / "again")
    assert result.exit_code == 0, result.output
    cards = [json.loads((folder / "card.json").read_text()) for folder in (tiny_model, tmp_path / "again")]
    assert cards[0]["sha256"] == cards[1]["sha256"]
    assert {path.name for path in (tmp_path / "again").iterdir()} == {
        "scorer.npz",
        "card.json",
        "MODEL_CARD.md",
        "pipeline.joblib",
        "held_out.csv",
    }
    assert "macro-F1" in result.stdout


def test_a_trained_model_serves(run, tiny_model: Path) -> None:
    result = run("predict", "--json", "--model", tiny_model, "Let me think about it")
    assert json.loads(result.stdout)["model"]["name"] == "tiny"


def test_the_card_tells_what_it_was_made_of(tiny_model: Path) -> None:
    card = json.loads((tiny_model / "card.json").read_text())
    assert card["data"]["labels"] == {"stall": 60, "objection": 60, "neither": 60}
    assert 0 < card["unsure"]["answered"] <= 1
    text = (tiny_model / "MODEL_CARD.md").read_text()
    assert "Never use it to rank" in text
    assert card["sha256"] in text


def test_evaluating_a_model_on_a_file(run, notes: Path, tiny_model: Path) -> None:
    done = json.loads(run("evaluate", tiny_model, notes, "--json").stdout)
    model = done["model"]
    assert model["n"] == 180
    assert np.sum(model["confusion"]) == 180
    for name in ("accuracy", "macro_f1", "stall_or_objection", "kind_accuracy", "calibration_error"):
        assert model[name]["low"] <= model[name]["high"]
    assert set(model["classes"]) == {"stall", "objection", "neither"}
    assert done["majority"]["accuracy"]["value"] == pytest.approx(1 / 3)
    assert done["keywords"]["accuracy"]["value"] < model["accuracy"]["value"]


def test_a_file_without_kinds_gets_no_figure_for_kinds(run, notes: Path, tiny_model: Path) -> None:
    labels_alone = notes.with_name("labels_alone.csv")
    pd.read_csv(notes)[["text", "label"]].to_csv(labels_alone, index=False)
    done = json.loads(run("evaluate", tiny_model, labels_alone, "--json").stdout)
    assert done["model"]["kind_accuracy"] is None


def test_scoring_a_model_on_its_own_training_texts_is_called_that(run, notes: Path, tiny_model: Path) -> None:
    assert "was trained on" in run("evaluate", tiny_model, notes).stderr
    assert "was trained on" not in run("evaluate").stderr


def test_cross_validation_from_the_command_line(run, notes: Path) -> None:
    result = run("evaluate", "--cross-validate", notes)
    assert result.exit_code == 0, result.output
    for words in ("macro-F1", "calibration error", "keywords", "majority", "labelled, as predicted"):
        assert words in result.stdout


def test_the_shipped_model_on_the_shipped_test_part(run) -> None:
    done = json.loads(run("evaluate", "--json").stdout)
    assert done["model"]["macro_f1"]["value"] > done["keywords"]["macro_f1"]["value"] + 0.1
    assert done["keywords"]["macro_f1"]["value"] > done["majority"]["macro_f1"]["value"]


def test_the_pipeline_is_an_estimator(notes: Path) -> None:
    data = read(notes)
    pipeline = make_pipeline(classifier__C=3.0)
    assert pipeline.get_params()["classifier__C"] == 3.0
    fitted = fit(clone(pipeline), data)
    assert fitted.predict_proba(["not now"]).shape == (1, 3)
    assert fitted.score(data.texts, data.labels) > 0.9
    without_kinds = make_pipeline().fit(data.texts, data.labels)
    assert without_kinds.predict(["not now"])[0] in ("stall", "objection", "neither")


def test_grid_search_cross_validation_and_weights_work_as_for_any_estimator(notes: Path) -> None:
    data = read(notes)
    search = GridSearchCV(make_pipeline(), {"classifier__C": [0.3, 1.0], "ngrams__min_df": [1, 2]}, cv=2)
    search.fit(data.texts, data.labels)
    assert set(search.best_params_) == {"classifier__C", "ngrams__min_df"}
    assert cross_val_score(make_pipeline(), data.texts, data.labels, cv=3).min() > 0.4
    only_stalls = (data.labels == "stall") * 1.0
    weighted = make_pipeline().fit(data.texts, data.labels, classifier__sample_weight=only_stalls + 1e-3)
    plain = make_pipeline().fit(data.texts, data.labels)
    held_back = ["we will see", "not sure about the price", "what is it"]
    assert (
        weighted["classifier"].decision_function(weighted[:-1].transform(held_back))[:, 0]
        > plain["classifier"].decision_function(plain[:-1].transform(held_back))[:, 0]
    ).all()
    with pytest.raises(ValueError, match="'C' parameter"):
        make_pipeline(classifier__C=-1).fit(data.texts, data.labels)
    with pytest.raises(NotFittedError):
        make_pipeline().predict(["not now"])


def _file(folder: Path, content: str) -> Path:
    path = folder / "notes.csv"
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "notes.csv: not readable as a table"),
        ("text,label\n", "no rows"),
        ("words,label\nx,stall\n", "no column 'text'"),
        ("Text,label\nx,stall\n", "rename 'Text'"),
        (
            "text,label\nnot now,stall\nmaybe,obj\n",
            "row 3: label 'obj' is not one of stall, objection, neither; did you mean 'objection'?",
        ),
        ("text,label\n,stall\n", "row 2: the text is empty"),
        ("text,label,kind\nx,stall,prise\n", "kind 'prise' is unknown; did you mean 'price'?"),
        ("text,label,kind\nx,stall,price\n", "kind 'price' belongs to objection"),
        ("text,label\na,stall\nb,stall\n", "only 2 texts are labelled stall"),
    ],
    ids=["empty", "no rows", "no text", "case", "label", "blank text", "kind", "stray kind", "too few"],
)
def test_bad_training_data(run, tmp_path: Path, content: str, said: str) -> None:
    result = run("train", _file(tmp_path, content), "--out", tmp_path / "model")
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "model").exists()


def test_missing_files(run, tmp_path: Path) -> None:
    for arguments in (["train", "nowhere.csv", "--out", tmp_path / "m"], ["evaluate", "nowhere"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "no such" in result.stderr


def test_groups_never_straddle_folds(notes: Path) -> None:
    """Copies of one statement in one group are of no help to each other."""
    data = read(notes)
    assert data.group_column == "family"


def test_calibration_error_by_hand() -> None:
    p = np.array([[0.8, 0.1, 0.1]] * 10)
    labels = np.array(["stall"] * 6 + ["neither"] * 4, dtype=object)
    whole = abs(0.6 - 0.8)
    assert calibration_error(p, labels) >= whole - 1e-9
    assert calibration_error(np.eye(3)[[0] * 10], np.array(["stall"] * 10, dtype=object)) == 0


def test_perfect_and_hopeless_scores() -> None:
    labels = np.array(["stall", "objection", "neither"] * 10, dtype=object)
    groups = np.arange(30).astype(object)
    right = score(np.eye(3)[[0, 1, 2] * 10], labels, groups, rounds=20)
    wrong = score(np.eye(3)[[1, 2, 0] * 10], labels, groups, rounds=20)
    assert (right.macro_f1.value, wrong.macro_f1.value) == (1, 0)
    assert right.confusion == [[10, 0, 0], [0, 10, 0], [0, 0, 10]]


def test_the_unsure_band_is_the_widest_that_is_precise_enough() -> None:
    p = np.array([[c, 1 - c, 0] for c in (0.99, 0.9, 0.8, 0.7, 0.6)])
    labels = np.array(["stall", "stall", "stall", "stall", "objection"], dtype=object)
    assert unsure_band(p, labels, 0.95) == (0.7, 0.8)
    assert unsure_band(p, labels, 0.8) == (0.6, 1.0)


@pytest.mark.parametrize(
    ("batches", "held_out_by"),
    [
        (["ann", "bob", "cy", "di", "ed", "flo"] * 30, "batch"),
        (["ann"] * 120 + ["bob", "cy", "di", "ed"] * 15, "batch, family"),  # ann wrote two in three
        (["ann", "bob"] * 90, "family"),  # too few batches to hold any out
    ],
)
def test_batches_are_held_out_but_of_a_large_one_its_groups(
    notes: Path, tmp_path: Path, batches: list[str], held_out_by: str
) -> None:
    frame = pd.read_csv(notes)
    path = tmp_path / "notes.csv"
    frame.assign(batch=batches, family=[f"f{i}" for i in range(len(frame))]).to_csv(path, index=False)
    card = train(read(path), tmp_path / "ours").card
    assert card["held_out_by"] == held_out_by
    text = (tmp_path / "ours" / "MODEL_CARD.md").read_text()
    assert ("more than a quarter" in text) == (held_out_by == "batch, family")


def test_notes_are_learned_on_top_of_a_base(notes: Path, tmp_path: Path) -> None:
    base = shipped("train")
    base = base.take(np.arange(0, len(base), 10))
    data = read(notes)
    done = train(data, tmp_path / "ours", base=base)
    assert done.card["data"]["base_texts"] < len(base)  # what is in the notes counts as a note
    assert done.card["data"]["weight"] in (1, 3, 10)
    assert len(done.held_out.p) == len(data)
    assert (
        done.card["unsure"]["thresholds"] == load().card["unsure"]["thresholds"]
    )  # too few notes for their own
    assert not (tmp_path / "ours" / ".training").exists()


def test_a_run_that_was_stopped_goes_on_where_it_was(notes: Path, tmp_path: Path) -> None:
    def stop(step: str, share: float) -> None:
        if step.startswith("fold 3"):
            raise KeyboardInterrupt

    data = read(notes)
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path / "ours", tell=stop)
    assert not (tmp_path / "ours" / "card.json").exists()
    kept = list((tmp_path / "ours" / ".training").rglob("output.pkl"))
    assert len(kept) >= 3
    again = train(data, tmp_path / "ours")
    whole = train(data, tmp_path / "whole")
    assert again.sha256 == whole.sha256


@pytest.mark.parametrize("column", ["Account", "DEAL", "opportunity"])
def test_rows_of_an_account_stay_together_whatever_the_case_of_its_name(tmp_path: Path, column: str) -> None:
    path = tmp_path / "notes.csv"
    path.write_text(f"text,label,{column}\nnot now,stall,A\nlater,stall,A\n", encoding="utf-8")
    assert read(path).group_column == column


def test_the_page_of_an_evaluation_needs_nothing_else(
    run, tiny_model: Path, notes: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    result = run("evaluate", tiny_model, notes, "--report", page, "--by", "family", "--costs", 1, 3)
    assert result.exit_code == 0, result.output
    assert "answer stall where p_stall / (p_stall + p_objection) is at least 0.750" in result.stdout
    html = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert html.count("<svg") == 2
    for heading in (
        "Confusion",
        "Costs",
        "By kind",
        "By length",
        "Traps",
        "typed or heard badly",
        "Errors to read",
    ):
        assert heading in html
    wrong = run("evaluate", "--cross-validate", "--report", page)
    assert wrong.exit_code == 2
