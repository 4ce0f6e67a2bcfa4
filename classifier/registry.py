"""Which model is in service: a folder of models, and the history of what was put there.

`history.jsonl` in the models folder is the only state: its last line names the folder in service.
A promoted model is copied first, so that training again under the same name changes nothing that
is in use, and so that a rollback finds it as it was.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from classifier.errors import InputError, ModelError
from classifier.persistence import (
    CARD_FILE,
    CARD_TEXT_FILE,
    ENCODER_FILE,
    HELD_OUT_FILE,
    SCORER_FILE,
    Card,
    default_model,
    load_scorer,
    packaged,
    write_atomically,
)
from classifier.suggest import did_you_mean

HISTORY_FILE = "history.jsonl"
KEPT = ".in-service"
"""Where in the models folder the copies of promoted models are."""

_FILES = (SCORER_FILE, ENCODER_FILE, CARD_FILE, CARD_TEXT_FILE, HELD_OUT_FILE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the history.

    event : ``promote`` or ``rollback``.
    folder : the copy that it put in service, relative to the models folder; None for the model
        that ships with the package.
    details : what the models were measured to be, and whether the checks were overruled.
    """

    time: str
    event: str
    name: str
    sha256: str
    folder: str | None
    details: Mapping[str, Any]


def models_folder() -> Path:
    """``$STALLCHECK_MODELS``, or ``models`` in the working directory."""
    return Path(os.environ.get("STALLCHECK_MODELS") or "models")


def model_in_service(models: Path | None = None) -> Path:
    """The folder of the model in service: the last promoted one, else the one that ships.

    Raises
    ------
    ModelError
        If the history can't be read or names a folder that is gone.
    """
    models = models or models_folder()
    entries = history(models)
    return _folder(models, entries[-1]) if entries else default_model()


def history(models: Path | None = None) -> list[Entry]:
    """What was put in service, the oldest first.

    Raises
    ------
    ModelError
        If a line can't be read.
    """
    path = (models or models_folder()) / HISTORY_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not readable ({error}); restore it from a copy") from error
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(Entry(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise ModelError(f"{path} line {number}: not an entry of the history; restore it") from error
    return entries


def promote(name: str, details: Mapping[str, Any], models: Path | None = None) -> Entry:
    """Copy the model and put the copy in service.

    Raises
    ------
    InputError
        If there is no model of that name.
    ModelError
        If the model is damaged, or the history can't be read.
    """
    models = models or models_folder()
    source = trained_model(name, models)
    card = load_scorer(source)[1]
    kept = Path(KEPT) / f"{name}-{card['sha256'][:12]}"
    with _alone(models):
        _copy(source, models / kept)
        return _append(models, "promote", name, card, kept.as_posix(), details)


def rollback(models: Path | None = None) -> Entry:
    """Put in service what was there before the last promotion that still counts.

    Raises
    ------
    InputError
        If nothing was promoted, or all of it was rolled back.
    ModelError
        If the model to go back to is gone.
    """
    models = models or models_folder()
    if not history(models):
        raise InputError(f"{models}: nothing was promoted here, the shipped model is in service")
    with _alone(models):
        standing = _standing(history(models))
        if not standing:
            raise InputError(f"{models}: all was rolled back, the shipped model is in service")
        left = {"left": standing[-1].name}
        if len(standing) == 1:
            card = load_scorer(default_model())[1]
            return _append(models, "rollback", str(card["name"]), card, None, left)
        before = standing[-2]
        card = load_scorer(_folder(models, before))[1]
        return _append(models, "rollback", before.name, card, before.folder, left)


def trained_model(name: str, models: Path | None = None) -> Path:
    """The folder of the model of that name, in the models folder or shipped with the package.

    Raises
    ------
    InputError
        If there is none.
    """
    models = models or models_folder()
    names = model_names(models)
    shipped = packaged("models") / name
    if name not in names and (shipped / CARD_FILE).is_file():
        return shipped
    if name not in names:
        known = f"{did_you_mean(name, names)} ({models} holds {', '.join(names) or 'no model'})"
        raise InputError(f"no model '{name}'{known}")
    return models / name


def model_names(models: Path | None = None) -> list[str]:
    """Names of the trained models in the models folder."""
    models = models or models_folder()
    return sorted(card.parent.name for card in models.glob(f"[!.]*/{CARD_FILE}"))


def _standing(entries: list[Entry]) -> list[Entry]:
    """The promotions that were not rolled back, the oldest first."""
    standing: list[Entry] = []
    for entry in entries:
        if entry.event == "promote":
            standing.append(entry)
        else:
            standing.pop()
    return standing


def _folder(models: Path, entry: Entry) -> Path:
    if entry.folder is None:
        return default_model()
    folder = models / entry.folder
    if not (folder / CARD_FILE).is_file():
        raise ModelError(
            f"{folder}: the model in service is gone; 'stallcheck rollback' goes back to the one before"
        )
    return folder


def _copy(source: Path, target: Path) -> None:
    """Copy a model folder beside its place, then move it there."""
    if target.is_dir():
        return  # the name holds the hash: it is the same model
    beside = target.with_name(f".{target.name}.part")
    shutil.rmtree(beside, ignore_errors=True)  # left by a copy that was cut off
    beside.mkdir(parents=True)
    for name in _FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, beside / name)
    beside.rename(target)


def _append(
    models: Path, event: str, name: str, card: Card, folder: str | None, details: Mapping[str, Any]
) -> Entry:
    """Add a line to the history."""
    time = datetime.now(UTC).isoformat(timespec="seconds")
    entry = Entry(time, event, name, str(card["sha256"]), folder, dict(details))
    path = models / HISTORY_FILE
    before = path.read_bytes() if path.exists() else b""
    line = json.dumps({key: getattr(entry, key) for key in Entry.__slots__}, ensure_ascii=False)
    write_atomically(path, before + line.encode() + b"\n")
    return entry


def _alone(models: Path) -> AbstractContextManager[object]:
    """One process at a time changes what is in service."""
    from filelock import FileLock

    return FileLock(models / f".{HISTORY_FILE}.lock")
