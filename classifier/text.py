"""What of a text counts: quoted mail, signatures and the seller's own lines left out; segments."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_CHARACTERS = 20_000
"""Texts longer than this are not one statement; `predict` refuses them, `label` marks them."""

Span = tuple[int, int]

_SELLER = r"rep|sales ?rep|salesperson|seller|agent|advisor|adviser|caller|me|sdr|bdr|ae"
_BUYER = r"buyer|prospect|customer|client|lead|homeowner|donor|patient|guest|owner|manager"
_LINE = re.compile(r"[^\n]*\n?")
_SELLER_LINE = re.compile(rf"\s*\[?(?:{_SELLER})\b[^:\n]{{0,20}}:\s", re.IGNORECASE)
_SPEAKER_LINE = re.compile(rf"\s*\[?(?:{_SELLER}|{_BUYER})\b[^:\n]{{0,20}}:\s", re.IGNORECASE)
_BUYER_LINE = re.compile(rf"\s*\[?(?:{_BUYER})\b[^:\n]{{0,20}}:\s", re.IGNORECASE)
_QUOTE_LINE = re.compile(r"\s*>")
_THREAD_HEAD = re.compile(
    r"\s*(?:on\b.{4,120}\bwrote:\s*$|-{2,}\s*(?:original|forwarded) message|_{10,}\s*$"
    r"|from:\s.+$(?=\n\s*(?:sent|date|to):))",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE_MARK = re.compile(r"\s*--\s*$")
_SIGN_OFF = re.compile(
    r"\s*(?:(?:kind|best|warm|many thanks and|thanks and)?\s*(?:regards|wishes)"
    r"|yours (?:sincerely|faithfully|truly)"
    r"|sincerely|cheers|many thanks|thanks|thank you|thx|best|rgds|br|kr)\s*[,.!]?\s*$",
    re.IGNORECASE,
)
_SIGNATURE_LINES = 6
_SIGNATURE_WIDTH = 60


def counted_spans(text: str) -> list[Span]:
    """Spans of `text` that are the buyer's own statement (or the note that reports it).

    Quoted threads, signatures and, in a transcript that labels its speakers, the seller's lines
    are left out. A text that would be left out whole counts whole.
    """
    if "\n" not in text and ":" not in text:
        return [(0, len(text))]
    lines = [match.span() for match in _LINE.finditer(text) if match.group()]
    kept = list(_without_thread(text, lines))
    kept = _without_signature(text, kept)
    kept = _without_seller(text, kept)
    spans = _merged(kept)
    if not any(text[start:end].strip() for start, end in spans):
        return [(0, len(text))]
    return spans


def counted(text: str) -> str:
    """`text` with only what `counted_spans` keeps, in order."""
    if "\n" not in text and ":" not in text:
        return text
    return "\n".join(text[start:end] for start, end in counted_spans(text))


def _without_thread(text: str, lines: list[Span]) -> Iterator[Span]:
    """Lines before the head of a quoted thread that are not quoted themselves."""
    for start, end in lines:
        if _THREAD_HEAD.match(text, start):
            return
        if not _QUOTE_LINE.match(text, start):
            yield start, end


def _without_signature(text: str, lines: list[Span]) -> list[Span]:
    """Lines up to a signature mark or to a sign-off followed by a few short lines."""
    for i, (start, end) in enumerate(lines):
        line = text[start:end].rstrip("\n")
        if _SIGNATURE_MARK.fullmatch(line):
            return lines[:i]
        if i and _SIGN_OFF.fullmatch(line):
            after = [text[s:e].strip() for s, e in lines[i + 1 :]]
            after = [line for line in after if line]
            short = all(len(line) <= _SIGNATURE_WIDTH and line[-1] not in "?!" for line in after)
            if len(after) <= _SIGNATURE_LINES and short:
                return lines[:i]
    return lines


def _without_seller(text: str, lines: list[Span]) -> list[Span]:
    """In a transcript with labelled speakers, the lines that are not the seller's, names cut off."""
    if not any(_SPEAKER_LINE.match(text, start) for start, _ in lines):
        return lines
    kept, seller = [], False
    for start, end in lines:
        buyer = _BUYER_LINE.match(text, start)
        seller = bool(_SELLER_LINE.match(text, start)) or (seller and not buyer)
        if not seller:
            kept.append((buyer.end() if buyer else start, end))
    return kept


def _merged(spans: list[Span]) -> list[Span]:
    """Spans with neighbours that touch made one."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


_ABBREVIATIONS = {"mr", "mrs", "ms", "dr", "st", "no", "vs", "e.g", "i.e", "approx"}
_SUBJECT = r"i|we|you|he|she|they|it|let|can|could|please|maybe|my|our|i'\w+|we'\w+"
# Every match begins with one of a few characters, which the regex engine can skip to.
_SEGMENT_END = re.compile(
    r"[.!?\u2026;,\s](?:"
    r"(?<=[.!?\u2026])(?P<stop>[.!?\u2026]*[\"')\u2019\u201d]*)\s+"
    r"|(?<=\n)\s*(?:[-*\u2022]|\d{1,2}[.)])?\s*"
    r"|(?<=;)\s+"
    rf"|(?<=,)\s+(?=(?:and|so|or)\s+(?:\w+\s+)?(?:{_SUBJECT})\b)"
    r"|\s*(?<=\s)(?=(?:but|however|although|though|except|yet|whereas|that said)\b)"
    r"|(?<=\s)[-\u2013\u2014]+\s+)",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 6


def segments(text: str) -> list[Span]:
    """Sentences, bullets, and clauses at contrast words or with a subject of their own, as spans.

    Only of what counts in `text`.
    """
    found: list[Span] = []
    for start, end in counted_spans(text):
        begin = start
        for cut in _SEGMENT_END.finditer(text, start, end):
            at, stop = cut.start(), cut.end("stop")
            if stop >= 0 and _is_abbreviation(text[max(begin, at - _LONGEST_ABBREVIATION) : at]):
                continue
            found.append((begin, max(at, stop)))
            begin = cut.end()
        found.append((begin, end))
    trimmed = (_trimmed(text, span) for span in found)
    return [(start, end) for start, end in trimmed if any(map(str.isalnum, text[start:end]))]


def _is_abbreviation(before: str) -> bool:
    """Whether the word at the end of `before` is one whose full stop ends no sentence."""
    words = before.lower().split()
    return bool(words) and words[-1].lstrip("(\"'") in _ABBREVIATIONS


def _trimmed(text: str, span: Span) -> Span:
    start, end = span
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
