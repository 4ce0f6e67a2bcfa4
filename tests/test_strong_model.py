"""A strong model: trained, saved, checked, evaluated and served by the same commands as any other."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import classifier
from classifier.errors import MissingExtra, ModelError
from classifier.persistence import default_model, load_scorer

if not find_spec("torch") and os.environ.get("STALLCHECK_FINETUNE") != "required":
    pytest.skip("fine-tuning needs the [finetune] extra", allow_module_level=True)

BUYER = "Let me sleep on it and I'll come back to you."


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT as small as they get, with random weights and a real tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    from classifier.training.finetune import pretrained

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bert")
    config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    BertModel(config).save_pretrained(folder)
    shutil.copyfile(pretrained() / "tokenizer.json", folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="module")
def strong(bert: Path, notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a strong model that was trained on a team's notes alone."""
    from click.testing import CliRunner

    from classifier.cli import cli

    folder = tmp_path_factory.mktemp("models") / "strong"
    arguments = [
        "train",
        str(notes),
        "--without-base",
        "--strong",
        "--encoder",
        str(bert),
        "--out",
        str(folder),
    ]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return folder


def test_the_plain_arrays_score_as_the_network_they_came_from(bert, tmp_path):
    import torch
    from transformers import BertModel

    from classifier.encoder import Encoder, _unpacked
    from classifier.training.finetune import Targets, fine_tune

    texts = ["It's 20% over what we pay.", "", "ok", "Voilà — “quoted” 日本 🙂", "word " * 300]
    targets = Targets(np.array([0, 1, 2, 0, 1]), np.full(5, -1), np.ones(5))
    found = fine_tune(texts, targets, (), bert)
    encoder, arrays = Encoder(found), _unpacked(found)
    network = BertModel.from_pretrained(bert, add_pooling_layer=False, hidden_act="gelu_pytorch_tanh").eval()
    network.load_state_dict({name: torch.tensor(arrays[name]) for name in network.state_dict()})
    for text, scores in zip(texts, encoder.scores(texts), strict=True):
        ids = torch.tensor([encoder._tokenizer.encode(text).ids])
        with torch.no_grad():
            mean = network(ids).last_hidden_state.mean(1).numpy()[0]
        expected = arrays["scores.weight"] @ mean + arrays["scores.bias"]
        np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_a_text_scores_alike_alone_and_in_a_batch(strong):
    scorer, _ = load_scorer(strong)
    texts = [BUYER, "No.", "It's over our budget. " * 30, "Who else was on the call?"] * 3
    together = scorer.probabilities(texts).classes
    alone = np.concatenate([scorer.probabilities([text]).classes for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_its_card_says_what_it_is(strong):
    card = json.loads((strong / "card.json").read_text())
    assert card["encoder_sha256"] != card["sha256"]
    assert card["held_out_by"] == "family"
    assert "encoder" in (strong / "MODEL_CARD.md").read_text()


def test_it_predicts_evaluates_labels_and_compares(strong, notes, run, tmp_path):
    verdict = json.loads(run("predict", BUYER, "--model", strong, "--json").output)
    assert verdict["model"]["name"] == "strong"
    assert verdict["evidence"]
    assert run("evaluate", strong, notes).exit_code == 0
    assert run("compare", default_model(), strong, notes).exit_code == 0
    result = run("label", notes, "--model", strong, "--out", tmp_path / "labelled.csv", "--prefix", "s_")
    assert result.exit_code == 0, result.output
    with (tmp_path / "labelled.csv").open(encoding="utf-8", newline="") as stream:
        assert {row["s_verdict"] for row in csv.DictReader(stream)} <= {
            "stall",
            "objection",
            "neither",
            "unsure",
        }


def _cut_short(folder: Path) -> None:
    path = folder / "encoder.npz"
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "encoder.npz").unlink(), "no such file"),
        (_cut_short, "damaged or was changed"),
    ],
)
def test_a_strong_model_that_is_not_whole_is_refused(strong, tmp_path, damage, said):
    folder = tmp_path / "damaged"
    shutil.copytree(strong, folder)
    damage(folder)
    with pytest.raises(ModelError, match=said):
        classifier.load(folder)


def test_training_again_without_an_encoder_leaves_none_behind(strong, notes, run, tmp_path):
    folder = tmp_path / "again"
    shutil.copytree(strong, folder)
    assert run("train", notes, "--without-base", "--out", folder).exit_code == 0
    assert not (folder / "encoder.npz").exists()
    assert classifier.load(folder)(BUYER).model["name"] == "again"


def test_without_the_extra_it_says_what_to_install(strong, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtra, match=r"stallcheck\[strong\]"):
        classifier.load(strong)


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "gpt2"}'), "model_type is gpt2"),
    ],
)
def test_a_folder_without_a_bert_is_refused_before_any_work(bert, notes, run, tmp_path, prepare, said):
    folder = tmp_path / "other"
    shutil.copytree(bert, folder)
    prepare(folder)
    result = run("train", notes, "--strong", "--encoder", folder, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "out").exists()
