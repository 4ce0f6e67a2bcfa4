"""One verdict from a cold start, against the import that it avoids.

Prints the median wall time of both over several runs, in turn, and the median of their ratios.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time

RUNS = 9


def seconds(command: list[str]) -> float:
    """Wall time of a command that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Run both in turn, once unmeasured, and print."""
    stallcheck = shutil.which("stallcheck")
    if stallcheck is None:
        sys.exit("stallcheck is not installed: pip install .")
    verdict = [stallcheck, "predict", "Let me think about it"]
    peer = [sys.executable, "-c", "import sklearn.pipeline"]
    for command in (verdict, peer):
        seconds(command)
    pairs = [(seconds(verdict), seconds(peer)) for _ in range(RUNS)]
    ratios = [ours / theirs for ours, theirs in pairs]
    print(f"stallcheck predict       {statistics.median(a for a, _ in pairs):.3f} s")
    print(f"import sklearn.pipeline  {statistics.median(b for _, b in pairs):.3f} s")
    print(
        f"ratio                    {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    )


if __name__ == "__main__":
    main()
