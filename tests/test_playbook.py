"""Every class and kind has a response, in the spirit of the guide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from classifier.labels import CLASS_OF, KINDS
from classifier.playbook import ENTRIES, default_playbook
from classifier.verdict import Model

PRESSURE = (
    "act now",
    "last chance",
    "today only",
    "overcome their",
    "lying",
    "liar",
    "excuse not to",
    "force",
)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_is_whole(name: str) -> None:
    response = default_playbook().entry(name)
    assert 2 <= len(response.steps) <= 4
    for words in (response.aim, response.ask, response.then, response.avoid, *response.steps):
        assert words.strip()
        assert len(words) <= 160
    shown = " ".join((response.aim, response.ask, response.then, *response.steps)).lower()
    assert not any(re.search(rf"\b{word}\b", shown) for word in PRESSURE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_of_its_own(kind: str) -> None:
    playbook = default_playbook()
    assert playbook.entry(kind) != playbook.entry(CLASS_OF[kind])


def test_an_opt_out_gets_no_rebuttal() -> None:
    response = default_playbook().entry("opt_out")
    assert "stop" in response.aim.lower()
    assert "?" not in response.ask + response.then


def test_respond_lists_and_shows(run) -> None:
    listed = run("respond").output
    assert all(kind in listed for kind in KINDS)
    shown = run("respond", "Think it over").output
    assert "Which part would you want to feel surer about?" in shown
    assert json.loads(run("respond", "price", "--json").output)["avoid"] == "An instant discount."


def test_a_kind_that_is_not_there(run) -> None:
    result = run("respond", "prise")
    assert result.exit_code == 2
    assert result.stderr == (
        "stallcheck: 'prise' is not a kind in the playbook; did you mean 'price'? "
        "('stallcheck respond' lists them)\n"
    )


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_has_replies_and_a_reason_and_no_open_placeholder(name: str) -> None:
    response = default_playbook().entry(name)
    for words in (response.call, response.email, response.chat, response.why):
        assert words.strip()
        assert "{" not in words
    assert len(response.call) <= 320
    assert len(response.email) <= 400


def test_names_are_filled_and_never_left_showing(run) -> None:
    assert "Hi Dana, glad" in run("respond", "think_it_over", "--fill", "buyer=Dana").stdout
    assert "Hi there, glad" in run("respond", "think_it_over").stdout
    result = run("respond", "price", "--fill", "bayer=Dana")
    assert (result.exit_code, "did you mean 'buyer'?" in result.stderr) == (2, True)


def test_a_stall_that_comes_again_changes_the_advice(run, model: Model) -> None:
    first, second, third = (model("let me think about it", history=n).response for n in range(3))
    assert first.again == ""
    assert "recommendation" in second.again
    assert "put off before" in third.again
    assert model("It's too expensive for us", history=2).response.again == ""
    assert "Again" in run("predict", "let me think about it", "--history", "1").stdout


def test_an_opt_out_is_confirmed_however_sure_the_model_is(model: Model) -> None:
    verdict = model("Please remove me from your list.")
    assert "opt_out" in verdict.flags
    assert verdict.response.aim == "Confirm, suppress, stop."


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a team's own playbook is kept."""
    path = tmp_path / "settings" / "playbook.toml"
    monkeypatch.setenv("STALLCHECK_PLAYBOOK", str(path))
    default_playbook.cache_clear()
    yield path
    default_playbook.cache_clear()


def test_a_teams_own_file_overrides_parts(run, own: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours.toml"
    ours.write_text('[stall.think_it_over]\nask = "What is open, {buyer|friend}?"\n', encoding="utf-8")
    assert run("playbook", "check", ours).exit_code == 0
    assert run("playbook", "use", ours).exit_code == 0
    shown = run("respond", "think_it_over").stdout
    assert "What is open, friend?" in shown
    assert "Find the open question behind the reflection." in shown
    default_playbook.cache_clear()
    assert run("playbook", "use", "--shipped").exit_code == 0
    assert "friend" not in run("respond", "think_it_over").stdout


def test_what_is_exported_can_be_used(run, own: Path, tmp_path: Path) -> None:
    path = tmp_path / "all.toml"
    assert run("playbook", "export", path).exit_code == 0
    assert run("playbook", "use", path).exit_code == 0
    assert run("playbook", "export", path).exit_code == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[stall.thnk_it_over]\nask = 'x'", "did you mean 'think_it_over'?"),
        ("[stal]\nask = 'x'", "did you mean 'stall'?"),
        ("[price]\nask = 'x'", "[objection.price]"),
        ("[stall]\nquestion = 'x'", "unknown field 'question'"),
        ("[stall]\nask = ''", "ask is missing its words"),
        ("[stall]\nsteps = 'one'", "steps is to be a list"),
        ("[stall]\nask = 3", "ask is to be a text"),
        (f"[stall]\nask = '{'x' * 200}'", "200 characters, too long for a screen"),
        ("[stall]\nsteps = ['a', 'b', 'c', 'd', 'e']", "at most 4"),
        ("[stall]\nask = 'Hi {byer|you}'", "unknown placeholder {byer|you}; did you mean 'buyer'?"),
        ("[stall\nask = 'x'", "not TOML"),
    ],
)
def test_a_faulty_playbook_is_one_line(run, own: Path, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(content, encoding="utf-8")
    for command in ("check", "use"):
        result = run("playbook", command, path)
        assert result.exit_code == 2
        assert said in result.stderr
        assert result.stderr.count("\n") == 1
    assert not own.exists()
