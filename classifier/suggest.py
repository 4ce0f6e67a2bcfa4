"""The nearest of the allowed words, for error messages."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the allowed word nearest to `word`, or nothing."""
    from difflib import get_close_matches  # only an error pays for the import

    allowed = list(allowed)
    near = get_close_matches(word.lower(), allowed, n=1, cutoff=0.6)
    starts = [name for name in allowed if word and name.startswith(word.lower())]
    best = (starts or near)[:1]
    return f"; did you mean '{best[0]}'?" if best else ""
