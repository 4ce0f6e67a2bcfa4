"""A model folder: `scorer.npz`, `card.json` and perhaps `encoder.npz`, checked on the way in, moved into
place on the way out."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from classifier.errors import ModelError
from classifier.labels import CLASSES, FLAGS, KINDS
from classifier.scorer import N_CLASSES, Arrays, Scorer
from classifier.views import SHAPE

if TYPE_CHECKING:
    from classifier.encoder import Encoder

SCHEMA = 3
SCORER_FILE = "scorer.npz"
ENCODER_FILE = "encoder.npz"
CARD_FILE = "card.json"
CARD_TEXT_FILE = "MODEL_CARD.md"
PIPELINE_FILE = "pipeline.joblib"
HELD_OUT_FILE = "held_out.csv"

Card = dict[str, Any]


class FolderBytes(NamedTuple):
    """The files of a model as they were read; `encoder` is None where the model has none."""

    card: bytes
    scorer: bytes
    encoder: bytes | None


def packaged(folder: str) -> Path:
    """`folder` of the repository (``models``, ``data``) as the wheel or the checkout holds it."""
    inside = Path(__file__).parent / "_shipped" / folder
    return inside if inside.is_dir() else Path(__file__).parent.parent / folder


def default_model() -> Path:
    """Folder of the model that ships with the package."""
    return packaged("models") / "default"


def model_folder(name: str | Path) -> Path:
    """The folder of that name, or the model of that name that ships with the package (``strong``)."""
    shipped = packaged("models") / name
    return shipped if not Path(name).exists() and (shipped / CARD_FILE).is_file() else Path(name)


def save_scorer(
    folder: Path,
    arrays: Arrays,
    card: Mapping[str, Any],
    encoder: Mapping[str, npt.NDArray[Any]] | None = None,
) -> Card:
    """Write a model's files into `folder`; return `card` with its schema, name and hashes.

    `encoder` holds the arrays of a `classifier.encoder.Encoder`, if the model has one.

    Each file is written beside its place and moved there, the card last, so that a reader meets
    the old model, the new one, or a hash that does not fit, and never half of one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = _write_arrays(folder / SCORER_FILE, {f.name: getattr(arrays, f.name) for f in fields(Arrays)})
    whole: Card = {"schema": SCHEMA, "name": folder.name, "sha256": sha256, **card}
    if encoder is not None:
        whole["encoder_sha256"] = _write_arrays(folder / ENCODER_FILE, encoder)
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / CARD_FILE, text.encode())
    if encoder is None:
        (folder / ENCODER_FILE).unlink(missing_ok=True)  # of a model that was here before
    return whole


def _write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Write arrays by name; return the file's SHA-256."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # its last keyword is no array
    write_atomically(path, buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def load_scorer(folder: Path) -> tuple[Scorer, Card]:
    """Read and check a model folder; nothing in it is ever unpickled.

    Raises
    ------
    ModelError
        If the folder or a file is missing, damaged, of another schema, or if a file is not the one
        that the card describes.
    MissingExtra
        If the model has an encoder and the package that reads its texts is not installed.
    """
    return scorer_from_bytes(read_folder(folder), folder)


def read_folder(folder: Path) -> FolderBytes:
    """What the model's files hold, unchecked.

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
        scorer_bytes = scorer.read_bytes()
    except OSError as error:
        raise ModelError(f"{scorer}: {_reason(error)}; is this a model folder?") from error
    encoder = folder / ENCODER_FILE
    return FolderBytes(card_bytes, scorer_bytes, encoder.read_bytes() if encoder.is_file() else None)


def scorer_from_bytes(files: FolderBytes, folder: Path = Path()) -> tuple[Scorer, Card]:
    """As `load_scorer`, of what `read_folder` read."""
    card = _read_card(files.card, folder / CARD_FILE)
    path = folder / SCORER_FILE
    found = _read_arrays(files.scorer, card.get("sha256"), path)
    try:
        arrays = Arrays(**{field.name: found[field.name] for field in fields(Arrays)})
        _check_shapes(arrays)
    except (ValueError, KeyError, IndexError) as error:
        raise _not_a_model(path, error) from error
    return Scorer(arrays, _read_encoder(files.encoder, card, arrays, folder / ENCODER_FILE)), card


def _read_encoder(content: bytes | None, card: Card, arrays: Arrays, path: Path) -> Encoder | None:
    """The encoder that the card describes, if it describes one."""
    if "encoder_sha256" not in card:
        return None
    if content is None:
        raise ModelError(f"{path}: no such file; the card says that the model has it")
    from classifier.encoder import Encoder

    found = _read_arrays(content, card["encoder_sha256"], path)
    try:
        encoder = Encoder(found)
        if encoder.n_columns != len(CLASSES) + len(arrays.kinds):
            raise ValueError(f"{encoder.n_columns} columns for {len(arrays.kinds)} kinds")
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise _not_a_model(path, error) from error
    return encoder


def _read_arrays(content: bytes, sha256: object, path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays in a file whose hash must be `sha256`."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelError(
            f"{path} is not the file that {CARD_FILE} describes (SHA-256 differs): "
            "it is damaged or was changed; train it again or restore it from a copy"
        )
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, KeyError, AttributeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _not_a_model(path, error) from error


def _not_a_model(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path}: not a {path.stem} of schema {SCHEMA} ({error}); train it again")


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
    if schema < SCHEMA:
        raise ModelError(
            f"{path}: schema {schema} is older than this program reads ({SCHEMA}); train it again"
        )
    result: Card = card
    return result


def _check_shapes(arrays: Arrays) -> None:
    """That the arrays fit one another and name known kinds."""
    n_grams, n_columns = arrays.weights.shape
    expected: dict[str, tuple[npt.NDArray[Any], tuple[int, ...], type]] = {
        "keys": (arrays.keys, (n_grams,), np.uint32),
        "idf": (arrays.idf, (n_grams,), np.float64),
        "weights": (arrays.weights, (n_grams, n_columns), np.int8),
        "scale": (arrays.scale, (n_columns,), np.float64),
        "bias": (arrays.bias, (n_columns,), np.float64),
        "calibration": (arrays.calibration, (3 + N_CLASSES,), np.float64),
        "views": (arrays.views, SHAPE, np.float64),
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
