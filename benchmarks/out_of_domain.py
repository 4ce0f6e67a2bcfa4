"""A model on a file of real people's words from another trade, with the columns text and label.

The shipped model, if none is named.

Usage: python benchmarks/out_of_domain.py PATH [MODEL]
"""

from __future__ import annotations

import sys
from pathlib import Path

import classifier
from classifier.cli.scores import print_evaluation
from classifier.errors import StallcheckError
from classifier.training.dataset import read
from classifier.training.evaluate import evaluate


def main() -> None:
    """Evaluate and print; every row counts as its own group."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    path = Path(sys.argv[1])
    try:
        data = read(path)
    except StallcheckError as error:
        sys.exit(str(error))
    model = classifier.load(sys.argv[2] if len(sys.argv) > 2 else None)
    print_evaluation(evaluate(model.scorer, data), f"Out of domain: {len(data):,} texts of {path.name}")


if __name__ == "__main__":
    main()
