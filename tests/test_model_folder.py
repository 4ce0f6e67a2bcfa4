"""A model folder that is not whole is refused in one line, and nothing in it is unpickled."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import classifier
from classifier.errors import ModelError


def _truncate(folder: Path) -> None:
    path = folder / "scorer.npz"
    path.write_bytes(path.read_bytes()[:-100])


def _flip_a_byte(folder: Path) -> None:
    path = folder / "scorer.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _newer_schema(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"schema": 99}))


def _older_schema(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"schema": 1}))


def _rehashed(folder: Path, content: bytes) -> None:
    import hashlib

    (folder / "scorer.npz").write_bytes(content)
    card = json.loads((folder / "card.json").read_text())
    card["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


class Bomb:
    """Would leave a file behind if it were ever unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("unpickled"),))


def _pickle_in_place_of_arrays(folder: Path) -> None:
    _rehashed(folder, pickle.dumps(Bomb()))


def _object_array(folder: Path) -> None:
    np.savez(folder / "scorer.npz", keys=np.array([Bomb()], dtype=object))
    _rehashed(folder, (folder / "scorer.npz").read_bytes())


def _array_missing(folder: Path) -> None:
    path = folder / "scorer.npz"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(folder / "new", "w") as smaller:
        for name in archive.namelist():
            if name != "idf.npy":
                smaller.writestr(name, archive.read(name))
    _rehashed(folder, (folder / "new").read_bytes())


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "scorer.npz").unlink(), "no such file"),
        (lambda folder: (folder / "card.json").unlink(), "stallcheck train"),
        (lambda folder: (folder / "card.json").write_text("{"), "not readable as JSON"),
        (lambda folder: (folder / "card.json").write_text("[]"), "no schema number"),
        (_truncate, "damaged or was changed"),
        (_flip_a_byte, "damaged or was changed"),
        (_newer_schema, "upgrade stallcheck"),
        (_older_schema, "older than this program reads"),
        (_pickle_in_place_of_arrays, "not a scorer"),
        (_object_array, "not a scorer"),
        (_array_missing, "not a scorer"),
    ],
    ids=[
        "no scorer",
        "no card",
        "cut card",
        "no schema",
        "truncated",
        "flipped",
        "newer",
        "older",
        "pickle",
        "objects",
        "missing",
    ],
)
def test_damage_is_refused(
    tiny_model: Path, tmp_path: Path, monkeypatch, run, damage: Callable[[Path], object], said: str
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(tiny_model, folder)
    damage(folder)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=said):
        classifier.load(folder)
    result = run("predict", "not now", "--model", folder)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "unpickled").exists()


def test_a_folder_that_is_not_there(run) -> None:
    result = run("predict", "not now", "--model", "nowhere")
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
