"""What does the model say of texts unlike anything it saw?

Usage: python benchmarks/unseen.py [MODEL]     (default: the model in service)

`data/unseen.csv` holds other languages, program code, legal paragraphs, prose and scraps, none of
them anything a buyer said in a sale. Prints the verdicts by sort; a stall or an objection is wrong.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter

import classifier
from classifier.labels import VERDICTS
from classifier.persistence import packaged


def main() -> None:
    """Print a line for each sort, as Markdown, then the texts that got a stance."""
    model = classifier.load(sys.argv[1] if len(sys.argv) > 1 else None)
    with (packaged("data") / "unseen.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if any(map(str.isalnum, row["text"]))]
    verdicts = model.predict([row["text"] for row in rows])
    print("| sort | texts | " + " | ".join(VERDICTS) + " |\n|---|" + "---|" * (len(VERDICTS) + 1))
    for sort in sorted({row["sort"] for row in rows}):
        counts = Counter(v.verdict for row, v in zip(rows, verdicts, strict=True) if row["sort"] == sort)
        cells = " | ".join(str(counts[name]) for name in VERDICTS)
        print(f"| {sort} | {counts.total()} | {cells} |")
    for verdict in verdicts:
        if verdict.verdict in ("stall", "objection"):
            print(f"{verdict.verdict} {verdict.confidence:.2f}: {' '.join(verdict.text.split())[:80]}")


if __name__ == "__main__":
    main()
