"""Is one stance found among many sentences that take none?

Usage: python benchmarks/long_notes.py [MODEL]     (default: the shipped model)

Notes of 5 to 30 sentences are put together from statements of the test part: one stall or
objection of one sentence, at a random place among statements labelled neither (facts, small talk,
questions). Prints, by length, the share of notes where the model answers that stance, where it answers
that or unsure, where it answers the other stance, and where that stance is the likeliest class, before any
abstention; and of notes made of neither alone the share that are still neither or unsure, and the share
where neither is the likeliest class.
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
    columns = "stance found", "or unsure", "wrong stance", "likeliest", "neither: left alone", "likeliest"
    print(f"| sentences | {' | '.join(columns)} |")
    print("|---|---|---|---|---|---|---|")
    for length in LENGTHS:
        chosen = random.Random(length)
        picked = stances.sample(NOTES, random_state=length, replace=True)
        notes = [note(chosen, neutral, length, text) for text in picked.text]
        labels = picked.label.tolist()
        verdicts = model.predict(notes)
        plain = model.predict([note(chosen, neutral, length) for _ in range(NOTES)])
        found = sum(v.verdict == label for v, label in zip(verdicts, labels, strict=True))
        unsure = sum(v.verdict == "unsure" for v in verdicts)
        wrong = sum(
            v.verdict in ("stall", "objection") and v.verdict != label
            for v, label in zip(verdicts, labels, strict=True)
        )
        likeliest = sum(likeliest_class(v) == label for v, label in zip(verdicts, labels, strict=True))
        alone = sum(v.verdict in ("neither", "unsure") for v in plain)
        neither = sum(likeliest_class(v) == "neither" for v in plain)
        counts = (found, found + unsure, wrong, likeliest, alone, neither)
        print(f"| {length} | " + " | ".join(f"{n / NOTES:.2f}" for n in counts) + " |", flush=True)


def likeliest_class(verdict: classifier.Verdict) -> str:
    """The class with the highest probability, whether the model answered it or abstained."""
    return max(verdict.probabilities, key=lambda name: verdict.probabilities[name])


def note(chosen: random.Random, neutral: list[str], length: int, stance: str | None = None) -> str:
    """So many sentences, the stance at a random place among them."""
    sentences = chosen.sample(neutral, length - (stance is not None))
    if stance is not None:
        sentences.insert(chosen.randrange(length), stance)
    return " ".join(text if text[-1] in ".!?" else text + "." for text in sentences)


if __name__ == "__main__":
    main()
