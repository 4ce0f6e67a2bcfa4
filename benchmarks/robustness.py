"""Do verdicts hold when the same words are typed or heard badly?

Usage: python benchmarks/robustness.py [MODEL]     (default: the model in service)

Each statement of the test part is disturbed in one way at a time. Prints, for each way, the share
of classes that stay, the accuracy, and that over the accuracy on the clean texts; 95% intervals of
that ratio from a bootstrap over the statements.
"""

from __future__ import annotations

import sys

import classifier
from classifier.training.dataset import shipped
from classifier.training.noise import robustness


def main() -> None:
    """Print a line for each disturbance, as Markdown."""
    scorer = classifier.load(sys.argv[1] if len(sys.argv) > 1 else None).scorer
    print("| disturbed | class stays | accuracy | of the clean accuracy |\n|---|---|---|---|")
    for each in robustness(scorer, shipped("test")):
        share = f"{each.ratio.value:.3f} ({each.ratio.low:.3f} to {each.ratio.high:.3f})"
        print(f"| {each.disturbance} | {each.stays:.3f} | {each.accuracy:.3f} | {share} |")


if __name__ == "__main__":
    main()
