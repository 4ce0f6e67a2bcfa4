"""A real server, on a free port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


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
