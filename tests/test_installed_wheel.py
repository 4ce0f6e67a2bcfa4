"""The built wheel, alone in an empty environment, works from any directory and without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NO_NETWORK = """\
import socket
def refuse(*args, **kwargs):
    raise OSError("the network was used")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of executables of an environment that holds nothing but the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], check=True)
    wheel = next(folder.glob("*.whl"))
    assert wheel.stat().st_size < 32_000_000
    venv.create(folder / "env", with_pip=True)
    binaries = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([binaries / "python", "-m", "pip", "install", "--quiet", wheel], check=True)
    return binaries


def test_the_installed_command(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "block").mkdir()
    (tmp_path / "block" / "sitecustomize.py").write_text(NO_NETWORK)
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "block")}

    def stallcheck(*arguments: str) -> str:
        done = subprocess.run(
            [installed / "stallcheck", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "STALL" in stallcheck("predict", "Let me think about it")
    assert "An instant discount." in stallcheck("respond", "price")
    (tmp_path / "in.csv").write_text("id,note\n01,not interested thanks\n")
    stallcheck("label", "in.csv", "-o", "out.csv")
    assert (tmp_path / "out.csv").read_text().startswith("id,note,verdict,kind")
    assert json.loads(stallcheck("evaluate", "--json"))["model"]["n"] > 0


def test_an_extra_that_is_missing_is_named(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "in.xlsx").write_bytes(b"")
    done = subprocess.run(
        [installed / "stallcheck", "label", "in.xlsx", "-o", "out.xlsx"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'stallcheck[excel]'" in done.stderr
