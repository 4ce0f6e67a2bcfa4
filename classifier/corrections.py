"""Corrections by those who read the verdicts, kept in a file that `train` reads."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from classifier.errors import InputError
from classifier.labels import CLASS_OF, CLASSES
from classifier.persistence import write_atomically
from classifier.suggest import did_you_mean

COLUMNS = ("text", "label", "kind", "said")


def corrections_path() -> Path:
    """``$STALLCHECK_NOTES``, or ``corrections.csv`` among the user's settings."""
    from click import get_app_dir

    return Path(os.environ.get("STALLCHECK_NOTES") or Path(get_app_dir("stallcheck")) / "corrections.csv")


def record(text: str, label: str, kind: str = "", said: str = "") -> Path:
    """Add the right label of a text, and what the model had said, to the file of corrections.

    Raises
    ------
    InputError
        If the label is none of the classes, or if the kind is not one of the label's.
    """
    from filelock import FileLock

    if label not in CLASSES:
        raise InputError(f"'{label}' is not one of {', '.join(CLASSES)}{did_you_mean(label, CLASSES)}")
    if kind and CLASS_OF.get(kind) != label:
        own = [name for name in CLASS_OF if CLASS_OF[name] == label]
        raise InputError(f"'{kind}' is not a kind of {label}{did_you_mean(kind, own)} ({', '.join(own)})")
    path = corrections_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        before = path.read_bytes().decode("utf-8-sig", "surrogatepass") if path.exists() else ""
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        if not before:
            writer.writerow(COLUMNS)
        writer.writerow([text, label, kind, said])
        write_atomically(path, (before + buffer.getvalue()).encode("utf-8-sig", "surrogatepass"))
    return path
