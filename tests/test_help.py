"""Every command explains itself, with examples."""

from __future__ import annotations

import subprocess
import sys

import pytest

import classifier
from classifier.cli import cli

COMMANDS = sorted(cli.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples(run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert f"stallcheck {name}" in result.output


def test_version_and_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "classifier", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"stallcheck, version {classifier.__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(shell: str, monkeypatch, run) -> None:
    monkeypatch.setenv("_STALLCHECK_COMPLETE", f"{shell}_source")
    result = run()
    assert "stallcheck" in result.output
    assert "complet" in result.output


def test_completion_offers_the_kinds(monkeypatch, run) -> None:
    monkeypatch.setenv("_STALLCHECK_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "stallcheck respond pr")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert "plain,price" in run().output


def test_an_unknown_command(run) -> None:
    result = run("predct")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "predct" in result.stderr
