"""`stallcheck label --engine dask` on a real scheduler with two worker processes."""

from __future__ import annotations

import csv
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PARTITIONS = 12
ROWS = 1_500


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler and its two workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    dask = [sys.executable, "-m", "distributed.cli"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    port = address.rpartition(":")[2]
    common = ["--no-dashboard"]
    processes = [
        subprocess.Popen(
            [*dask[:2], "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port, *common],
            **quiet,
        )
    ]
    worker = [*dask[:2], "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1", *common]
    processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
    yield address, processes[1:]
    for process in processes:
        process.kill()
        process.wait()


def partitions(folder: Path, suffix: str) -> Path:
    folder.mkdir()
    for part in range(PARTITIONS):
        notes = [f"we need {part} more days to think about offer {row}, it's dear" for row in range(ROWS)]
        ids = [f"{part:02}{row:05}" for row in range(ROWS)]
        path = folder / f"part-{part:02}{suffix}"
        if suffix == ".parquet":
            pq.write_table(pa.table({"id": ids, "note": notes}), path)
            continue
        with path.open("w", newline="") as stream:
            csv.writer(stream).writerows([("id", "note"), *zip(ids, notes, strict=True)])
            if part == 3:
                stream.write("one,two,three\n")
    return folder


@pytest.mark.parametrize(("suffix", "code"), [(".parquet", 0), (".csv", 3)])
def test_a_worker_killed_in_the_middle_loses_nothing(
    run, cluster, tmp_path: Path, suffix: str, code: int
) -> None:
    address, workers = cluster
    source, target = partitions(tmp_path / "in", suffix), tmp_path / "out"
    label = [sys.executable, "-m", "classifier", "label"]
    running = subprocess.Popen(
        [*label, source, "-o", target, "--engine", "dask", "--scheduler", address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(target.glob("part-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    workers[0].send_signal(signal.SIGKILL)
    _, said = running.communicate(timeout=120)
    assert running.returncode == code, said
    for path in sorted(source.iterdir()):
        alone = tmp_path / f"alone{suffix}"
        run("label", path, "-o", alone, "-c", "note")
        if suffix == ".csv":
            assert (target / path.name).read_bytes() == alone.read_bytes()
        else:
            assert pq.read_table(target / path.name).equals(pq.read_table(alone))
    before = {path: path.stat().st_mtime_ns for path in target.iterdir()}
    again = run("label", source, "-o", target, "--engine", "dask", "--scheduler", address)
    assert again.exit_code == 0, again.output
    assert {path: path.stat().st_mtime_ns for path in target.iterdir()} == before
    other = run("label", source, "-o", target, "--engine", "dask", "--scheduler", address, "--prefix", "x_")
    assert other.exit_code == 2
    assert "other options" in other.stderr


def test_what_is_no_folder_of_partitions_or_no_scheduler_is_one_line(run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    dask = ["--engine", "dask", "--scheduler", "tcp://127.0.0.1:9"]
    for source, said in ((tmp_path / "no", "no such folder"), (tmp_path / "empty", "holds no partitions")):
        result = run("label", source, "-o", tmp_path / "out", *dask)
        assert result.exit_code == 2
        assert said in result.stderr
    unreachable = run("label", partitions(tmp_path / "in", ".csv"), "-o", tmp_path / "out", *dask)
    assert unreachable.exit_code == 2
    assert "no Dask scheduler answers" in unreachable.stderr
