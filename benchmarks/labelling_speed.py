"""`stallcheck label` on a large CSV, against pandas reading and writing the same file.

Usage: python benchmarks/labelling_speed.py [ROWS]     (default: 1,000,000)

The file has five columns and about a dozen words of text a row; every third text is one of 2,000
that come again and again. Texts are spliced from halves of the shipped statements, so that they
differ. Prints, for a tenth of the rows and for all, the seconds of both, their ratio and the peak
memory of all processes together; then where the time of a single process goes.
"""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from classifier.training.dataset import shipped

PANDAS = "import sys, pandas as pd; pd.read_csv(sys.argv[1], dtype=str).to_csv(sys.argv[2], index=False)"
PROFILED = """
import cProfile, pathlib, pstats, sys
from classifier.batch.files import Options, label_file
from classifier.verdict import load
model = load()
with cProfile.Profile() as profile:
    label_file(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), model, Options(jobs=1))
pstats.Stats(profile).sort_stats("tottime").print_stats(15)
"""
ROUNDS = 3
STOCK = 2_000


def main() -> None:
    """Print the figures, then the profile."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "export.csv", Path(folder) / "out.csv"
        print("| rows | pandas, s | label, s | ratio | peak memory, MB |\n|---|---|---|---|---|")
        for count in (rows // 10, rows):
            write_export(source, count)
            pandas, label, memory = [], [], []
            for _ in range(ROUNDS):
                pandas.append(run([sys.executable, "-c", PANDAS, source, out])[0])
                out.unlink()
                seconds, peak = run([sys.executable, "-m", "classifier", "label", source, "-o", out])
                label.append(seconds)
                memory.append(peak)
            ratios = [b / a for a, b in zip(pandas, label, strict=True)]
            cells = [spread(pandas), spread(label), spread(ratios), f"{max(memory):,.0f}"]
            print(f"| {count:,} | " + " | ".join(cells) + " |", flush=True)
        write_export(source, 50_000)
        subprocess.run([sys.executable, "-c", PROFILED, source, out], check=True)


def write_export(path: Path, count: int) -> None:
    """A CSV with `count` rows."""
    chosen = random.Random(0)
    words = [text.split() for text in shipped("train").texts]
    words = [each for each in words if 4 <= len(each) <= 24]

    def spliced() -> str:
        one, other = chosen.choice(words), chosen.choice(words)
        return " ".join(one[: len(one) // 2] + other[len(other) // 2 :])

    stock = [spliced() for _ in range(STOCK)]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "owner", "stage", "date", "notes"])
        for row in range(count):
            text = chosen.choice(stock) if row % 3 == 2 else spliced()
            owner, stage = chosen.choice(["Ana", "Bo", "Cy"]), chosen.choice(["demo", "proposal"])
            writer.writerow([f"{row:07}", owner, stage, f"2025-{row % 12 + 1:02}-{row % 28 + 1:02}", text])


def run(command: list[object]) -> tuple[float, float]:
    """Seconds that a command takes, and the most memory that it and its workers hold, in MB."""
    start = time.perf_counter()
    process = psutil.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, memory_of(process))
        time.sleep(0.02)
    if process.returncode:
        sys.exit(f"{command[:4]} failed")
    return time.perf_counter() - start, peak / 1e6


def memory_of(process: psutil.Process) -> int:
    """Bytes that a process and its children hold of their own."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def spread(values: list[float]) -> str:
    """Median (least to greatest)."""
    return f"{sorted(values)[len(values) // 2]:.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
