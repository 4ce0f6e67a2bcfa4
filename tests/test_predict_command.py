"""`stallcheck predict`: the card, the JSON, the ways in, and bad input in one line."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.labels import CLASS_OF, CLASSES, FLAGS, VERDICTS
from classifier.neighbours import Neighbours
from classifier.verdict import Model

KEYS = [
    "schema",
    "text",
    "verdict",
    "kind",
    "confidence",
    "probabilities",
    "secondary",
    "flags",
    "condition_date",
    "evidence",
    "segments",
    "response",
    "model",
]


def test_the_first_verdict(run) -> None:
    result = run("predict", "Let me think about it")
    assert result.exit_code == 0
    assert result.stdout.startswith("STALL · think it over")
    for heading in ("Aim", "Ask", "Then", "Avoid"):
        assert f"  {heading}" in result.stdout
    assert "[" in result.stdout.splitlines()[2], "the deciding words are marked"
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_json_keeps_the_contract(run) -> None:
    texts = [
        "Let me think about it",
        "It's over budget; we have no funds left this year.",
        "What does it cost?",
    ]
    result = run("predict", "--json", *texts)
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    for text, line in zip(texts, lines, strict=True):
        verdict = json.loads(line)
        assert list(verdict) == KEYS
        assert verdict["schema"] == 1
        assert verdict["text"] == text
        assert verdict["verdict"] in VERDICTS
        assert verdict["kind"] is None or CLASS_OF[verdict["kind"]] == verdict["verdict"]
        assert list(verdict["probabilities"]) == list(CLASSES)
        assert sum(verdict["probabilities"].values()) == pytest.approx(1)
        assert verdict["confidence"] == max(verdict["probabilities"].values())
        assert set(verdict["flags"]) <= set(FLAGS)
        assert set(verdict["response"]) == {
            "aim",
            "steps",
            "ask",
            "then",
            "avoid",
            "call",
            "email",
            "chat",
            "why",
            "again",
        }
        assert len(verdict["model"]["sha256"]) == 64
        for span in verdict["evidence"]:
            assert text[span["start"] : span["end"]] == span["text"]


@pytest.mark.parametrize("lines", [False, True], ids=["one text", "a text a line"])
def test_reads_a_file_and_standard_input(run, tmp_path: Path, lines: bool) -> None:
    content = "Not now.\n\nMaybe in spring.\n"
    path = tmp_path / "words.txt"
    path.write_text("\ufeff" + content, encoding="utf-8")
    option = ["--lines"] if lines else []
    from_file = run("predict", "--json", "--file", path, *option)
    from_input = run("predict", "--json", *option, input=content)
    assert from_file.stdout == from_input.stdout
    texts = [json.loads(line)["text"] for line in from_file.stdout.splitlines()]
    assert texts == (["Not now.", "Maybe in spring."] if lines else ["Not now.\n\nMaybe in spring."])


@pytest.mark.parametrize(
    ("arguments", "content", "said"),
    [
        ([""], None, "the text is empty"),
        (["   \n"], None, "the text is empty"),
        (["not now", ""], None, "text 2 is empty"),
        (["?!"], None, "no letters"),
        (["a\x00b"], None, "binary"),
        (["x" * 20_001], None, "20,001 characters"),
        ([], "", "standard input is empty"),
        ([], " \n ", "standard input is empty"),
        ([], b"\xff\xfe\x00\x01", "not UTF-8"),
        ([], "word " * 1_000_000, "larger than 1 MB"),
        (["--file", "missing.txt"], None, "missing.txt: no such file"),
        (["--file", "."], None, "is a directory"),
        (["--lines"], "\n\n", "no line with text"),
        (["hello", "--file", "x"], None, "not both"),
        (["--bogus"], None, "No such option"),
    ],
    ids=lambda value: None if not isinstance(value, str) else value[:20].strip() or "blank",
)
def test_bad_input_is_one_line_and_exit_code_2(run, arguments, content, said: str) -> None:
    result = run("predict", *arguments, input=content)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_unquoted_words_get_a_hint(run) -> None:
    result = run("predict", "--json", "Not", "now")
    assert result.exit_code == 0
    assert "put quotes around a sentence" in result.stderr


def test_a_terminal_is_asked_paste_after_paste() -> None:
    """On a real terminal: two pastes, the first of two lines, then the end of input."""
    parent, child = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "classifier", "predict"],
        stdin=child,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"TERM": "dumb"},
    )
    os.close(child)
    os.write(parent, b"Thanks for the demo.\nLet me think about it\n\nNot interested\n\n\x04")
    output = command.communicate(timeout=60)[0].decode()
    os.close(parent)
    assert command.returncode == 0, output
    assert "Paste the buyer's words" in output
    assert output.count("  Aim    ") == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [("Not interested.", "No reason given"), ("Your price is too high for us.", "A reason is given")],
)
def test_the_card_says_what_was_found(run, text: str, says: str) -> None:
    assert says in run("predict", text).output


def test_a_reason_and_a_delay_make_an_objection_with_a_second_stance(model) -> None:
    answering = Model(model.scorer, model.card | {"unsure": {"threshold": 0.5}})
    verdict = answering.predict_one(
        "It's about 20% over what we pay now, and honestly I'd want to sleep on it."
    )
    assert (verdict.verdict, verdict.kind) == ("objection", "price")
    assert (verdict.secondary.verdict, verdict.secondary.kind) == ("stall", "think_it_over")
    assert sum(verdict.probabilities.values()) == pytest.approx(1)
    assert verdict.confidence == max(verdict.probabilities.values())
    assert verdict.response.aim == "Answer the reason first, then the delay."


def test_it_never_says_that_a_buyer_lies(run) -> None:
    for text in ("Let me think about it", "I have no budget", "Send me some info", "We're all set"):
        shown = run("predict", text).output.lower()
        assert not any(word in shown for word in (" lie", "lying", "dishonest", "fake", "pretext"))


def test_a_higher_target_precision_is_less_sure(run, tmp_path: Path) -> None:
    with (Path(__file__).parent.parent / "data" / "contrast.csv").open(encoding="utf-8") as stream:
        texts = [" ".join(row["text"].split()) for row in csv.DictReader(stream)]
    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(texts), encoding="utf-8")
    unsure = [
        run("predict", "--lines", "--file", lines, "--json", "--target-precision", precision).stdout.count(
            '"verdict": "unsure"'
        )
        for precision in ("0.8", "0.95", "0.99")
    ]
    assert unsure == sorted(set(unsure))
    wrong = run("predict", "not now", "--target-precision", "0.5")
    assert wrong.exit_code == 2
    assert "this model has 0.8 to 0.99" in wrong.stderr


def test_explaining_names_the_pieces_and_the_nearest_statements(run) -> None:
    text = "We're under contract with Ryder until August 2031. Let me think about it."
    shown = run("predict", "--explain", text).stdout
    assert "(a date named: 2031-08-01)" in shown
    assert "Piece by piece:" in shown
    assert "stall · think it over" in shown.partition("Piece by piece:")[2]
    assert shown.count(" alike): ") == 3
    found = json.loads(run("predict", "--explain", "--json", text).stdout)
    assert found["condition_date"] == "2031-08-01"
    likeness = [each["similarity"] for each in found["nearest"]]
    assert likeness == sorted(likeness, reverse=True)
    assert {each["label"] for each in found["nearest"]} <= {"stall", "objection", "neither"}


def test_a_statement_of_the_corpus_is_its_own_nearest(model) -> None:
    neighbours = Neighbours(model.scorer)
    for row in neighbours._rows[::500]:
        assert neighbours.nearest(row["text"])[0].similarity == pytest.approx(1)
    assert neighbours.nearest("\u4eca\u65e5") == []
