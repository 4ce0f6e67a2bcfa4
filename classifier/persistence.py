"""A model folder: `scorer.npz` and `card.json`, checked on the way in, moved into place on the way out."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.errors import ModelError
from classifier.labels import CLASSES, FLAGS, KINDS
from classifier.scorer import N_CLASSES, Arrays

SCHEMA = 1
SCORER_FILE = "scorer.npz"
CARD_FILE = "card.json"
CARD_TEXT_FILE = "MODEL_CARD.md"
PIPELINE_FILE = "pipeline.joblib"
HELD_OUT_FILE = "held_out.csv"

Card = dict[str, Any]


def packaged(folder: str) -> Path:
    """`folder` of the repository (``models``, ``data``) as the wheel or the checkout holds it."""
    inside = Path(__file__).parent / "_shipped" / folder
    return inside if inside.is_dir() else Path(__file__).parent.parent / folder


def default_model() -> Path:
    """Folder of the model that ships with the package."""
    return packaged("models") / "default"


def save_scorer(folder: Path, arrays: Arrays, card: Mapping[str, Any]) -> str:
    """Write `scorer.npz` and `card.json` into `folder`; return the scorer's SHA-256.

    Each file is written beside its place and moved there, the card last, so that a reader meets
    the old model, the new one, or a hash that does not fit, and never half of one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, **{field.name: getattr(arrays, field.name) for field in fields(Arrays)})
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    write_atomically(folder / SCORER_FILE, buffer.getvalue())
    whole = {"schema": SCHEMA, "name": folder.name, "sha256": sha256, **card}
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / CARD_FILE, text.encode())
    return sha256


def load_scorer(folder: Path) -> tuple[Arrays, Card]:
    """Read and check a model folder; nothing in it is ever unpickled.

    Raises
    ------
    ModelError
        If the folder or a file is missing, damaged, of a newer schema, or if the scorer is not
        the one that the card describes.
    """
    return scorer_from_bytes(*read_folder(folder), folder)


def read_folder(folder: Path) -> tuple[bytes, bytes]:
    """The bytes of the card and of the scorer.

    Raises
    ------
    ModelError
        If the folder or a file is missing.
    """
    card, scorer = folder / CARD_FILE, folder / SCORER_FILE
    try:
        card_bytes = card.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{card}: {_reason(error)}; a model folder holds {SCORER_FILE} and {CARD_FILE} "
            "('stallcheck train --out FOLDER' makes one)"
        ) from error
    try:
        return card_bytes, scorer.read_bytes()
    except OSError as error:
        raise ModelError(f"{scorer}: {_reason(error)}; is this a model folder?") from error


def scorer_from_bytes(card_bytes: bytes, content: bytes, folder: Path = Path()) -> tuple[Arrays, Card]:
    """As `load_scorer`, of what `read_folder` read."""
    card = _read_card(card_bytes, folder / CARD_FILE)
    path = folder / SCORER_FILE
    if hashlib.sha256(content).hexdigest() != card.get("sha256"):
        raise ModelError(
            f"{path} is not the file that {CARD_FILE} describes (SHA-256 differs): "
            "it is damaged or was changed; train it again or restore it from a copy"
        )
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = Arrays(**{field.name: archive[field.name] for field in fields(Arrays)})
        _check_shapes(arrays)
    except (ValueError, KeyError, IndexError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: not a scorer of schema {SCHEMA} ({error}); train it again") from error
    return arrays, card


def _read_card(content: bytes, path: Path) -> Card:
    try:
        card = json.loads(content)
    except ValueError as error:
        raise ModelError(f"{path}: not readable as JSON ({error}); train the model again") from error
    schema = card.get("schema") if isinstance(card, dict) else None
    if not isinstance(schema, int):
        raise ModelError(f"{path}: not a model card (no schema number); train the model again")
    if schema > SCHEMA:
        raise ModelError(
            f"{path}: schema {schema} is newer than this program reads ({SCHEMA}); upgrade stallcheck"
        )
    result: Card = card
    return result


def _check_shapes(arrays: Arrays) -> None:
    """That the arrays fit one another and name known kinds."""
    n_grams, n_columns = arrays.weights.shape
    expected: dict[str, tuple[npt.NDArray[Any], tuple[int, ...], type]] = {
        "keys": (arrays.keys, (n_grams,), np.uint32),
        "idf": (arrays.idf, (n_grams,), np.float64),
        "weights": (arrays.weights, (n_grams, n_columns), np.int16),
        "scale": (arrays.scale, (n_columns,), np.float64),
        "bias": (arrays.bias, (n_columns,), np.float64),
        "calibration": (arrays.calibration, (3 + N_CLASSES,), np.float64),
    }
    for name, (array, shape, dtype) in expected.items():
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(f"{name} has shape {array.shape} and type {array.dtype}")
    if n_columns != len(CLASSES) + len(arrays.kinds) + len(arrays.flags):
        raise ValueError(f"{n_columns} columns for {len(arrays.kinds)} kinds, {len(arrays.flags)} flags")
    if unknown := (set(map(str, arrays.kinds)) - set(KINDS)) | (set(map(str, arrays.flags)) - set(FLAGS)):
        raise ValueError(f"unknown kinds or flags {sorted(unknown)}")


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to a neighbour of `path`, then move it into place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
