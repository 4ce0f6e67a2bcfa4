"""A folder of partitions labelled on a Dask cluster, each by `label_file` on some worker.

Source and target must be on a file system that all workers share.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from classifier.batch.columns import ADDED
from classifier.batch.files import Labelled, Options, check_kinds, label_file, text_columns
from classifier.batch.rows import Summary
from classifier.errors import InputError, MissingExtra
from classifier.persistence import FolderBytes, read_folder, scorer_from_bytes, write_atomically
from classifier.verdict import Model

_SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson")
_IDENTITY = "_stallcheck.json"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where to work: a scheduler's address, or None for workers of this machine's own."""

    address: str | None = None
    workers: int | None = None


def label_folder(
    source: Path,
    target: Path,
    model: Model,
    options: Options,
    cluster: Cluster,
    *,
    announce: Callable[[tuple[str, ...], bool], None] = lambda names, guessed: None,
    progress: Callable[[int, float], None] = lambda rows, share: None,
) -> Labelled:
    """Label every partition of `source` into a file of the same name in `target`.

    Partitions that `target` holds already are left alone, so a run that failed can be repeated.

    Raises
    ------
    InputError
        If `source` holds no partitions or mixed ones, or `target` was made with other options or
        another model, or the scheduler can't be reached.
    MissingExtra
        If the [cluster] extra is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise MissingExtra("labelling on a cluster", "cluster") from error
    if model.folder is None:
        raise InputError("a model that is not in a folder can't be sent to a cluster")
    partitions = _partitions(source)
    names = text_columns(partitions[0], options)
    announce(names, not options.columns)
    fixed = replace(options, columns=names, jobs=1, resume=False)
    _claim(target, fixed, model)
    left = [path for path in partitions if not (target / path.name).exists()]
    total = Summary()
    set_aside = rows = 0
    with _client(cluster) as client:
        sent = client.scatter(read_folder(model.folder), broadcast=True)
        futures = [
            client.submit(
                _label_partition, path, target / path.name, sent, model.threshold, fixed, pure=False
            )
            for path in left
        ]
        for done in distributed.as_completed(futures):
            found: Labelled = done.result()
            done.release()
            total.merge(found.summary)
            set_aside += found.set_aside
            rows += found.summary.rows
            progress(rows, 1 - client_left(futures) / max(len(futures), 1))
    rejects = target if set_aside else None
    return Labelled(names, not options.columns, total, set_aside, rejects)


def client_left(futures: list[Any]) -> int:
    """How many of the tasks are not done."""
    return sum(future.status == "pending" for future in futures)


def _partitions(source: Path) -> list[Path]:
    """The partition files of a folder, in the order of their names."""
    if not source.is_dir():
        raise InputError(f"{source}: no such folder; --engine dask labels a folder of partitions")
    paths = sorted(
        path for path in source.iterdir() if path.suffix in _SUFFIXES and not path.name.startswith((".", "_"))
    )
    if not paths:
        raise InputError(f"{source} holds no partitions ({', '.join(_SUFFIXES)})")
    check_kinds(paths)
    return paths


def _claim(target: Path, options: Options, model: Model) -> None:
    """Make the folder `target`, or see that it was made with the same options and model."""
    identity = {
        "options": {**asdict(options), "columns": list(options.columns)},
        "model": model.card.get("sha256"),
        "threshold": model.threshold,
        "added": list(ADDED),
    }
    target.mkdir(parents=True, exist_ok=True)
    path = target / _IDENTITY
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) != identity:
            raise InputError(f"{target} was made with other options or another model: choose another folder")
    elif any(target.iterdir()):
        raise InputError(f"{target} holds other files: choose an empty folder")
    else:
        write_atomically(path, json.dumps(identity).encode())


@contextmanager
def _client(cluster: Cluster) -> Iterator[Any]:
    """A client of the scheduler, or of a cluster of this machine's own."""
    import distributed

    if cluster.address is None:
        local = distributed.LocalCluster(
            n_workers=cluster.workers, threads_per_worker=1, dashboard_address=None
        )
        with local, distributed.Client(local) as client:
            yield client
        return
    try:
        client = distributed.Client(cluster.address, timeout=10)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {cluster.address}") from error
    with client:
        yield client


def _label_partition(
    source: Path, target: Path, sent: FolderBytes, threshold: float, options: Options
) -> Labelled:
    """Runs on a worker: label one partition, unless an attempt before this one finished it."""
    model = _model(sent)
    model.threshold = threshold
    return label_file(source, target, model, options)


@cache
def _model(sent: FolderBytes) -> Model:
    """The model, put together once in each worker."""
    scorer, card = scorer_from_bytes(sent)
    return Model(scorer, card)
