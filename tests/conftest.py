"""Small real things that the tests share: a trained model, a runner, labelled notes."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import classifier
from classifier.cli import cli
from classifier.training.dataset import read
from classifier.training.train import train
from classifier.verdict import Model

ROOT = Path(__file__).parent.parent
STATEMENTS = ROOT / "data" / "statements.csv"
_ROWS_OF_EACH_CLASS = 60


class Runner:
    """Runs the command line in this process."""

    def __call__(self, *arguments: object, input: str | bytes | None = None) -> Result:
        return CliRunner().invoke(cli, [str(a) for a in arguments], input=input, prog_name="stallcheck")


@pytest.fixture
def run() -> Runner:
    return Runner()


@pytest.fixture(scope="session")
def model() -> Model:
    """The model that ships."""
    return classifier.load()


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A team's labelled notes: 60 a class, with kind and family."""
    with STATEMENTS.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chosen = [row for name in ("stall", "objection", "neither") for row in _some(rows, name)]
    path = tmp_path_factory.mktemp("notes") / "notes.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["text", "label", "kind", "family"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(chosen)
    return path


def _some(rows: list[dict[str, str]], label: str) -> list[dict[str, str]]:
    own = [row for row in rows if row["label"] == label]
    return own[:: max(len(own) // _ROWS_OF_EACH_CLASS, 1)][:_ROWS_OF_EACH_CLASS]


@pytest.fixture(scope="session")
def tiny_model(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model trained on `notes`."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    train(read(notes), folder)
    return folder


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[str]:
    """The address of `stallcheck serve`, and its log in `folder` once it has stopped."""
    environment = {**os.environ, "STALLCHECK_NOTES": str(folder / "corrections.csv"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "classifier", "serve", "--port", "0", *arguments]
    with (folder / "log.txt").open("w+b") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True)
        assert process.stdout is not None
        found = re.search(r"http://\S+/", process.stdout.readline())
        assert found, (folder / "log.txt").read_text()
        try:
            yield found[0]
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., object]:
    """Start a server with further arguments."""
    return lambda *arguments: serving(tmp_path, *arguments)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shared server keeps corrections and its log."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def address(home: Path) -> Iterator[str]:
    """A server that the tests share."""
    with serving(home) as address:
        yield address
