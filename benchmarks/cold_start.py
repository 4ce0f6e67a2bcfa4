"""One verdict from a cold start, against the import that it avoids; and one from a warm model.

Prints the median wall time of both over several runs, in turn, and the median of their ratios; then the
CPU time of a verdict where the model is loaded, on a text of one segment and on one of two.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time

import classifier

RUNS = 9
WARM_TEXTS = ("It's about 20% over what we pay now", "It's a lot of money. Let me think about it.")
WARM_VERDICTS = 200


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
    model = classifier.load()
    for text in WARM_TEXTS:
        found = sorted(warm_milliseconds(model, text) for _ in range(RUNS))
        print(
            f"warm verdict, CPU        {found[RUNS // 2]:.2f} ms ({found[0]:.2f} to {found[-1]:.2f})  {text}"
        )


def warm_milliseconds(model: classifier.Model, text: str) -> float:
    """CPU time of one verdict, the mean of many."""
    start = time.process_time()
    for _ in range(WARM_VERDICTS):
        model(text)
    return (time.process_time() - start) / WARM_VERDICTS * 1_000


if __name__ == "__main__":
    main()
