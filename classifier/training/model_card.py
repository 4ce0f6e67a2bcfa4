"""`MODEL_CARD.md`: what a model was trained on, how good it is, what it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from classifier.labels import CLASSES, in_words

_LEAST_IN_A_SLICE = 20
_BAR = 30
_SHOWN_PRECISIONS = ("0.8", "0.85", "0.9", "0.95", "0.97", "0.99")

_TEMPLATE = """\
# Model card: {name}

Tells a buyer's stalls (holding back, no reason given) from objections (holding back, a reason
given) and from neither, with the kind of each, by word and character n-grams{and_encoder}.

## Data

{texts:,} labelled texts in {groups:,} groups (column: {group_column}), labelled by version
{guide_version} of the labelling guide.

| class | texts |
|---|---|
{counts}

SHA-256 of the texts and labels: `{data_sha256}`

## How good it is

Cross-validation that holds out {held_out_groups}. Figures with 95% intervals from a
bootstrap over groups.

| measure | value | 95% interval |
|---|---|---|
{figures}

| class | precision | recall | F1 | texts |
|---|---|---|---|---|
{classes}

What it says and how often that is right, the least sure tenth of the texts first:

| mean probability | share right | | texts |
|---|---|---|---|
{reliability}

{slices}## When it abstains

It answers where the best class has a probability of at least {threshold:.3f}, chosen on
{band_texts} for a precision of {target:.2f}; it answers {answered:.0%} of
them and calls the rest unsure. `--target-precision` moves that:

| precision | least probability | answered |
|---|---|---|
{bands}

## Use

For a seller who wants to know what to ask next, and for counts over many notes. It reads words,
not minds: the same words can be a polite no and an honest reflection. Never use it to rank
people, to decide about a person, or to say that somebody is not telling the truth.

## Made with

Seed {seed}; {versions}. Scorer SHA-256: `{sha256}`
"""


def _held_out_groups(columns: str | None) -> str:
    """In words: the column held out, and the one that stands for it in a large batch."""
    column, _, within = (columns or "").partition(", ")
    if not column:
        return "single texts"
    large = f"; of `{within}` in a batch\nof more than a quarter of the texts" if within else ""
    return f"whole values of `{column}`{large}"


def model_card(card: Mapping[str, Any]) -> str:
    """The model card as Markdown, from the contents of `card.json`."""
    data, held_out = card["data"], card["held_out"]
    names = {
        "accuracy": "accuracy, three classes",
        "macro_f1": "macro-F1, three classes",
        "stall_or_objection": "accuracy, stall against objection",
        "kind_accuracy": "class and kind right, of stalls and objections",
        "calibration_error": "calibration error (ECE, 10 equal-mass bins)",
    }
    figures = [
        f"| {words} | {held_out[key]['value']:.3f} | {_interval(held_out[key])} |"
        for key, words in names.items()
        if held_out[key] is not None
    ]
    classes = [
        f"| {name} | "
        + " | ".join(
            f"{own[key]['value']:.3f} ({_interval(own[key])})" for key in ("precision", "recall", "f1")
        )
        + f" | {own['support']:,} |"
        for name, own in held_out["classes"].items()
    ]
    return _TEMPLATE.format(
        name=card["name"],
        and_encoder=" and a\nfine-tuned encoder" if "encoder_sha256" in card else "",
        held_out_groups=_held_out_groups(card["held_out_by"]),
        texts=data["texts"],
        groups=data["groups"],
        group_column=data["group_column"] or "none; every text is its own group",
        guide_version=card["guide_version"],
        counts="\n".join(f"| {name} | {data['labels'].get(name, 0):,} |" for name in CLASSES),
        data_sha256=data["sha256"],
        figures="\n".join(figures),
        classes="\n".join(classes),
        reliability="\n".join(map(_bin, card["reliability"])),
        slices=_slices(card),
        threshold=card["unsure"]["threshold"],
        band_texts="the held-out texts of the shipped model, these being too few,"
        if card["unsure"].get("of_the_shipped_model")
        else "the held-out texts",
        target=card["unsure"]["target_precision"],
        answered=card["unsure"]["answered"],
        bands="\n".join(
            f"| {precision} | {card['unsure']['thresholds'][precision]:.3f} | {answered:.0%} |"
            for precision, answered in card["unsure"]["answered_at"].items()
            if precision in _SHOWN_PRECISIONS
        ),
        seed=card["seed"],
        versions=", ".join(f"{name} {version}" for name, version in card["versions"].items()),
        sha256=card["sha256"],
    )


def _bin(each: Sequence[float]) -> str:
    """A row of the calibration plot: a bar for the share right, a mark where it should end."""
    said, right, n = each
    full, mark = round(right * _BAR), min(round(said * _BAR), _BAR - 1)
    bar = "".join("│" if at == mark else "█" if at < full else "░" for at in range(_BAR))
    return f"| {said:.3f} | {right:.3f} | {bar} | {n:,} |"


def _slices(card: Mapping[str, Any]) -> str:
    """A table for each column, the worst values first; nothing where the data tell no column."""
    parts = []
    for column, found in card.get("slices", {}).items():
        lines = [
            f"| {in_words(each['value']) or '(empty)'} | {each['accuracy']['value']:.3f} "
            f"| {_interval(each['accuracy'])} | {each['n']:,} |"
            for each in found
            if each["n"] >= _LEAST_IN_A_SLICE
        ]
        if lines:
            head = f"| {column} | accuracy | 95% interval | texts |\n|---|---|---|---|\n"
            parts.append(head + "\n".join(lines) + "\n\n")
    return "".join(parts)


def _interval(estimate: Mapping[str, float]) -> str:
    return f"{estimate['low']:.3f} to {estimate['high']:.3f}"
