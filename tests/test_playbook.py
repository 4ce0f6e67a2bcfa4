"""Every class and kind has a response, in the spirit of the guide."""

from __future__ import annotations

import json
import re

import pytest

from classifier.labels import CLASS_OF, KINDS
from classifier.playbook import ENTRIES, default_playbook

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
