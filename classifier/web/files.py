"""Files that the page or a program sends to be labelled: kept for as long as it takes, then gone."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from classifier.batch.columns import guess_column
from classifier.batch.files import Options, Watcher, format_of, label_file
from classifier.batch.labelled import table_rows
from classifier.errors import InputError, StallcheckError
from classifier.verdict import Model

MOST_KEPT = 20
_PREVIEWED = 5
_SAMPLE = 200
_LONGEST_CELL = 200


class Stopped(Exception):
    """The server is going down."""


@dataclass(slots=True)
class Upload:
    """A file on its way."""

    id: str
    name: str
    source: Path
    target: Path
    state: str = "waiting"
    rows: int = 0
    share: float | None = 0.0
    summary: dict[str, object] | None = None
    set_aside: int = 0
    rejects: Path | None = None
    error: str | None = None
    finished: threading.Event = field(default_factory=threading.Event)


class Files:
    """The files taken in, in a folder of their own that `close` removes; the oldest make room."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._folder = Path(tempfile.mkdtemp(prefix="stallcheck-"))
        self._uploads: OrderedDict[str, Upload] = OrderedDict()
        self._lock = threading.Lock()
        self._stopped = False

    def take(self, stream: BinaryIO, name: str) -> Upload:
        """Copy a file in."""
        plain = Path(name.replace("\\", "/")).name or "file.csv"
        number = secrets.token_urlsafe(12)
        folder = self._folder / number
        folder.mkdir()
        suffix = Path(plain).suffix.lower()
        source = folder / f"in{suffix}"
        with source.open("wb") as out:
            shutil.copyfileobj(stream, out, 1 << 20)
        written = ".xlsx" if suffix in (".xls", ".ods") else suffix
        upload = Upload(number, plain, source, folder / f"out{written}")
        with self._lock:
            self._uploads[number] = upload
            spare = [own for own in self._uploads.values() if own.state != "working"]
        if len(self._uploads) > MOST_KEPT:
            self.drop(spare[0].id)
        return upload

    def get(self, number: str) -> Upload | None:
        """The file of that id."""
        return self._uploads.get(number)

    def preview(self, upload: Upload) -> tuple[list[str], str | None, list[list[str]]]:
        """Columns, the one guessed to hold the buyer's words, and the first rows.

        Raises
        ------
        InputError
            If the file can't be read as a table.
        """
        format_of(upload.source)
        rows = list(islice(table_rows(upload.source), _SAMPLE))
        if not rows:
            raise InputError(f"{upload.name}: no rows")
        header = list(rows[0])
        cells = [[row.get(name, "") for name in header] for row in rows]
        try:
            guess = header[guess_column(header, cells)]
        except InputError:
            guess = None
        return header, guess, [[cell[:_LONGEST_CELL] for cell in row] for row in cells[:_PREVIEWED]]

    def label(self, upload: Upload, columns: tuple[str, ...], sheet: str | None) -> None:
        """Label a file; what is wrong with it is kept as its error."""
        upload.state = "working"
        try:
            done = label_file(
                upload.source,
                upload.target,
                self._model,
                Options(columns=columns, sheet=sheet),
                Watcher(rows=lambda rows, share: self._tell(upload, rows, share)),
            )
        except StallcheckError as error:
            upload.error = str(error).replace(str(upload.source), upload.name)
            upload.state = "failed"
        except Stopped:
            upload.state = "failed"
        except Exception as error:
            upload.error = f"the file could not be labelled ({type(error).__name__})"
            upload.state = "failed"
        else:
            upload.summary, upload.rows, upload.share = done.summary.to_dict(), done.summary.rows, 1.0
            upload.set_aside, upload.rejects = done.set_aside, done.rejects
            upload.state = "done"
        upload.finished.set()

    def start(self, upload: Upload, columns: tuple[str, ...], sheet: str | None) -> None:
        """Label a file in the background."""
        upload.state = "working"
        threading.Thread(target=self.label, args=(upload, columns, sheet), daemon=True).start()

    def drop(self, number: str) -> None:
        """Forget a file."""
        with self._lock:
            upload = self._uploads.pop(number, None)
        if upload:
            shutil.rmtree(upload.source.parent, ignore_errors=True)

    def close(self) -> None:
        """Stop the work and remove every file."""
        self._stopped = True
        for upload in self._uploads.values():
            if upload.state == "working":
                upload.finished.wait(timeout=10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tell(self, upload: Upload, rows: int, share: float | None) -> None:
        if self._stopped:
            raise Stopped
        upload.rows, upload.share = rows, share
