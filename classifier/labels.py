"""The classes, kinds and flags of `data/GUIDE.md`: the one place that names them."""

from __future__ import annotations

CLASSES = ("stall", "objection", "neither")
UNSURE = "unsure"
VERDICTS = (*CLASSES, UNSURE)

KINDS_OF: dict[str, tuple[str, ...]] = {
    "stall": (
        "think_it_over",
        "defer_in_time",
        "third_party",
        "send_info",
        "too_busy",
        "shop_around",
        "brush_off",
        "vague_positive",
        "gone_quiet",
    ),
    "objection": (
        "price",
        "budget",
        "need",
        "incumbent",
        "product_fit",
        "trust",
        "risk",
        "effort_change",
        "authority_process",
        "timing_reason",
        "contract_terms",
    ),
    "neither": (
        "question",
        "buying_signal",
        "logistics",
        "advance",
        "rejection",
        "opt_out",
        "referral",
        "resolved",
        "rep_talk",
        "small_talk",
        "off_topic",
    ),
}
"""Kinds by class, in the order of the guide."""

KINDS = tuple(kind for kinds in KINDS_OF.values() for kind in kinds)
CLASS_OF = {kind: label for label, kinds in KINDS_OF.items() for kind in kinds}
OTHER = "other"
"""The kind of a text whose own kind the model was never shown."""

FLAGS = (
    "condition",
    "needs_detail",
    "conditional_yes",
    "closed",
    "maybe_reflex",
    "rep_inference",
    "opt_out",
)


def in_words(name: str) -> str:
    """A class, kind or flag as a person reads it: ``think_it_over`` -> ``think it over``."""
    return name.replace("_", " ")
