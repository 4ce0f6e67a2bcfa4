"""A run of `stallcheck label` that is killed, finds the disk full, or meets another run."""

from __future__ import annotations

import csv
import itertools
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from classifier.batch.journal import only_run

LABEL = [sys.executable, "-m", "classifier", "label"]
ROWS = 24_000
NOTE = "we need some more time to think about the price before next quarter"


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows enough for several seconds: bad ones, blank ones and cells of two lines among them."""
    path = tmp_path_factory.mktemp("export") / "export.csv"
    words = NOTE.split()
    chosen = random.Random(3)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "note", "stage"])
        for number in range(ROWS):
            note = " ".join(chosen.choices(words, k=12))
            writer.writerow([f"{number:06}", note + ("\nsecond line" if number % 7 == 0 else ""), "demo"])
            if number % 5_000 == 4_999:
                stream.write('broken "row",a,b,c,d\n\n')
    return path


@pytest.fixture(scope="module")
def whole(export: Path) -> tuple[bytes, bytes]:
    """What a run that nothing disturbs makes of it: the table and the rejects."""
    target = export.with_name("whole.csv")
    assert subprocess.run([*LABEL, export, "-o", target], capture_output=True).returncode == 3
    return target.read_bytes(), target.with_suffix(".rejects.csv").read_bytes()


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_a_run_killed_at_random_moments_goes_on_to_the_same_bytes(
    export: Path, whole: tuple[bytes, bytes], tmp_path: Path, how: signal.Signals, jobs: str
) -> None:
    target, moments = tmp_path / "out.csv", random.Random(int(how) + int(jobs))
    command = [*LABEL, str(export), "-o", str(target), "--resume", "--jobs", jobs]
    killed = 0
    for patience in itertools.count(1):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            _, said = process.communicate(timeout=moments.uniform(0.3, 0.9) + 0.3 * patience)
            break
        except subprocess.TimeoutExpired:
            killed += 1
            process.send_signal(how)
            _, said = process.communicate()
            assert "Traceback" not in said
            assert not target.exists() or target.read_bytes() == whole[0]
    assert killed >= 1
    assert process.returncode == 3, said
    assert target.read_bytes() == whole[0]
    assert target.with_suffix(".rejects.csv").read_bytes() == whole[1]
    assert {path.name for path in tmp_path.iterdir()} == {"out.csv", "out.rejects.csv"}


def test_a_full_disk_is_one_line_and_the_run_can_go_on(
    export: Path, whole: tuple[bytes, bytes], tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    limit = 1_500_000
    full = subprocess.run(
        [*LABEL, export, "-o", target],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert full.returncode == 1
    assert "too large" in full.stderr
    assert "Traceback" not in full.stderr
    assert not target.exists()
    again = subprocess.run([*LABEL, export, "-o", target, "--resume"], capture_output=True, text=True)
    assert again.returncode == 3
    assert target.read_bytes() == whole[0]


def test_a_folder_that_can_not_be_written_is_one_line(export: Path) -> None:
    failed = subprocess.run([*LABEL, export, "-o", "/proc/out.csv"], capture_output=True, text=True)
    assert failed.returncode == 1
    assert len([line for line in failed.stderr.splitlines() if line.startswith("stallcheck: ")]) == 1
    assert "Traceback" not in failed.stderr


def test_two_runs_on_one_output_do_not_meet(run, export: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with only_run(target):
        result = run("label", export, "-o", target)
    assert result.exit_code == 2
    assert "another run" in result.stderr
    assert not target.exists()


def test_a_run_with_other_options_is_not_gone_on_with(run, export: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    process = subprocess.Popen([*LABEL, export, "-o", target, "-j", "1"], stderr=subprocess.DEVNULL)
    while not (tmp_path / ".out.csv.journal").exists():
        time.sleep(0.01)
    process.kill()
    process.wait()
    other = run("label", export, "-o", target, "--resume", "--prefix", "sc_")
    assert other.exit_code == 2
    assert "differs in its prefix" in other.stderr
    anew = run("label", export, "-o", target)
    assert "is started anew" in anew.stderr
    assert anew.exit_code == 3
