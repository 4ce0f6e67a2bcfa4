"""Which flags a verdict may carry: those of its class that the model found in the words."""

from __future__ import annotations

from collections.abc import Iterable

from classifier.labels import FLAGS

OF_OBJECTIONS = ("condition", "needs_detail", "conditional_yes", "closed")


def flags_of(found: Iterable[str], verdict: str, kind: str) -> tuple[str, ...]:
    """The flags among `found` that fit a text of the given class and kind, in the guide's order.

    An opt-out is a kind of its own, so its flag follows from the kind.
    """
    fits = {flag for flag in found if verdict == "objection" or flag not in OF_OBJECTIONS}
    if kind == "opt_out":
        fits.add("opt_out")
    return tuple(flag for flag in FLAGS if flag in fits)
