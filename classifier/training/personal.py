"""Personal data in texts: e-mail addresses, phone and card numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<![\w.,])\+?\(?\d(?:[\s().-]{0,2}\d){6,18}(?![\w%]|[.,]\d)")
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}")
_LEAST_DIGITS, _MOST_DIGITS = 8, 15
"""Of a phone number; E.164 allows fifteen."""


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and sort (``email``, ``card``, ``phone``) of each piece, in order of sort."""
    for match in _EMAIL.finditer(text):
        yield *match.span(), "email"
    for match in _NUMBER.finditer(text):
        sort = _sort_of_number(match.group())
        if sort:
            yield *match.span(), sort


def mask(text: str) -> str:
    """`text` with each piece replaced by its sort in brackets: ``call me on [phone]``."""
    for start, end, sort in sorted(find(text), reverse=True):
        text = f"{text[:start]}[{sort}]{text[end:]}"
    return text


def _sort_of_number(written: str) -> str | None:
    """What a run of digits and separators is, if it is personal."""
    digits = re.sub(r"\D", "", written)
    if 13 <= len(digits) <= 19 and _luhn(digits):
        return "card"
    if _LEAST_DIGITS <= len(digits) <= _MOST_DIGITS and not _DATE.fullmatch(written.strip()):
        return "phone"
    return None


def _luhn(digits: str) -> bool:
    """The check digit of card numbers (ISO/IEC 7812-1)."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0
