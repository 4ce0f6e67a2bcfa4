"""Is one stance found among many sentences that take none?

Usage: python benchmarks/long_notes.py [MODEL]     (default: the shipped model)

Notes of 5 to 30 sentences are put together from statements of the test part: one stall or
objection of one sentence, at a random place among statements labelled neither (facts, small talk,
questions). Prints, by length, the share of notes where the model answers that stance or unsure,
and the share of notes made of neither alone that are still neither or unsure.
"""

from __future__ import annotations

import random
import sys

import classifier
from classifier.training.dataset import shipped

LENGTHS = (5, 10, 20, 30)
NOTES = 300
NEUTRAL = ("logistics", "small_talk", "question")


def main() -> None:
    """Print a line for each length, as Markdown."""
    model = classifier.load(sys.argv[1] if len(sys.argv) > 1 else None)
    rows = shipped("test").frame
    short = rows[rows.text.str.len().between(15, 160) & ~rows.text.str.contains("\n")]
    neutral = short[short.kind.isin(NEUTRAL)].text.tolist()
    stances = short[short.label.isin(["stall", "objection"]) & (short.secondary == "")]
    print(
        "| sentences | stance found | or unsure | wrong stance | neither: left alone |\n|---|---|---|---|---|"
    )
    for length in LENGTHS:
        chosen = random.Random(length)
        picked = stances.sample(NOTES, random_state=length, replace=True)
        notes = [note(chosen, neutral, length, text) for text in picked.text]
        answers = [(v.verdict, label) for v, label in zip(model.predict(notes), picked.label, strict=True)]
        plain = [v.verdict for v in model.predict([note(chosen, neutral, length) for _ in range(NOTES)])]
        found = sum(verdict == label for verdict, label in answers) / NOTES
        unsure = sum(verdict == "unsure" for verdict, _ in answers) / NOTES
        alone = sum(verdict in ("neither", "unsure") for verdict in plain) / NOTES
        wrong = sum(v in ("stall", "objection") and v != label for v, label in answers) / NOTES
        print(f"| {length} | {found:.2f} | {found + unsure:.2f} | {wrong:.2f} | {alone:.2f} |", flush=True)


def note(chosen: random.Random, neutral: list[str], length: int, stance: str | None = None) -> str:
    """So many sentences, the stance at a random place among them."""
    sentences = chosen.sample(neutral, length - (stance is not None))
    if stance is not None:
        sentences.insert(chosen.randrange(length), stance)
    return " ".join(text if text[-1] in ".!?" else text + "." for text in sentences)


if __name__ == "__main__":
    main()
