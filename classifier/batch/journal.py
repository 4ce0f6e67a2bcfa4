"""The journal of a run: how far it came, so that a run that was cut off can go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from classifier.errors import InputError
from classifier.persistence import write_atomically


@dataclass(slots=True)
class Progress:
    """What of the input is done, and how long the files written so far are.

    identity : what the run was started on and with; another run can't go on with its journal.
    end, line, row : bytes, lines and records of the input that are done, the header not counted
        as a record.
    written, rejected : bytes of the output and of the rejects.
    set_aside : number of rows set aside.
    summary : counts so far.
    """

    identity: dict[str, Any]
    end: int = 0
    line: int = 0
    row: int = 0
    written: int = 0
    rejected: int = 0
    set_aside: int = 0
    summary: dict[str, Any] | None = None
    complete: bool = False


class Journal:
    """Files that lie hidden beside the output until it is done: the parts and the progress."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.rejects = target.with_suffix(".rejects.csv")
        self.part = target.with_name(f".{target.name}.part")
        self.rejects_part = target.with_name(f".{target.name}.rejects.part")
        self.path = target.with_name(f".{target.name}.journal")

    def read(self) -> Progress | None:
        """The progress of a run that was cut off, or None if there was none."""
        try:
            return Progress(**json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            return None  # not a journal of ours: nothing to go on with

    def holds(self, progress: Progress) -> bool:
        """Whether the parts that `progress` tells of are there."""
        if progress.complete:
            return self.part.exists() or self.target.exists()
        return self.part.exists() and self.part.stat().st_size >= progress.written

    def write(self, progress: Progress) -> None:
        """Keep `progress`; what it counts must have been written before."""
        write_atomically(self.path, json.dumps(asdict(progress), ensure_ascii=False).encode())

    def finish(self) -> None:
        """Move the parts into place and forget the run; may be called again if it was cut off."""
        if self.rejects_part.exists():
            if self.rejects_part.stat().st_size:
                self.rejects_part.replace(self.rejects)
            else:
                self.rejects_part.unlink()
        if self.part.exists():
            self.part.replace(self.target)
        self.path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget a run that was cut off."""
        for path in (self.part, self.rejects_part, self.path):
            path.unlink(missing_ok=True)


@contextmanager
def only_run(target: Path) -> Iterator[None]:
    """Keep other runs away from `target` for as long as this one writes it.

    Raises
    ------
    InputError
        If another run is writing it.
    """
    from filelock import FileLock, Timeout

    path = target.with_name(f".{target.name}.lock")
    path.touch()  # tells at once why a folder can't be written to
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"{target} is being written by another run: wait for it, or choose another output"
        ) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()
