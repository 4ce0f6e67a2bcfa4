"""The date that a text names, such as the one on which a condition ends: for a call-back list."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
} | {"sept": 9}
_NUMBERS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "nine": 9, "twelve": 12}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_LEAD = (
    r"(?:in|until|till?|'til|thru|through|by|before|after|from|of|to|mid|early|late|for|comes?|come|next)"
    r"[\s-]+(?:(?:the\s+)?(?:end|start|beginning|middle)\s+of\s+)?(?:early|late|mid)?[\s-]*"
)
_PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>20\d\d)-(?P<number>\d\d)-(?P<day>\d\d)\b",
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH})\b\.?(?:,?\s+(?P<year>20\d\d))?",
        rf"\b(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*%)(?:,?\s+(?P<year>20\d\d))?",
        rf"(?<!\d )\b(?P<month>{_MONTH})\.?,?\s+(?P<year>20\d\d|'\d\d)\b",
        rf"\b(?P<lead>{_LEAD})(?P<month>{_MONTH})\b(?!\.?,?\s+(?:\d|'\d|(?:i|we|be|have|not|also|well)\b))",
        r"\bq(?P<quarter>[1-4])\b(?:\s+(?:of\s+)?(?P<year>20\d\d))?",
        r"\b(?P<ordinal>first|second|third|fourth|last)\s+quarter\b(?:\s+(?:of\s+)?(?P<year>20\d\d))?",
        r"\b(?P<year_end>(?:(?:the\s+)?end\s+of\s+(?:the|this)\s+(?:calendar\s+)?year|year[\s-]end|e\.?o\.?y\b))",
        r"\b(?P<new_year>(?:the\s+new|next)\s+year)\b",
        r"\b(?P<next_month>next\s+month)\b",
        r"\bin\s+(?P<count>\d{1,2}|a|one|two|three|four|five|six|nine|twelve)\s+(?P<unit>week|month|year)s?\b",
        r"\b(?:until|till?|thru|through|to|by|in|of)\s+(?P<year>20[2-9]\d)\b",
    )
]


@dataclass(frozen=True, slots=True)
class NamedDate:
    """A date, and the words that name it by their offsets."""

    day: date
    start: int
    end: int


def find_date(text: str, today: date) -> NamedDate | None:
    """The first date on or after `today` that `text` names; of a month or quarter, its first day.

    A month without a year is the next one. "The end of" a month, quarter or year is its last day.
    Dates in figures that countries read differently (3/4) are left alone.
    """
    found = [
        NamedDate(day, match.start(), match.end())
        for pattern in _PATTERNS
        for match in pattern.finditer(text)
        if (day := _day(match, text, today)) and day >= today
    ]
    return min(found, key=lambda each: each.start, default=None)


def _day(match: re.Match[str], text: str, today: date) -> date | None:
    part = {name: value for name, value in match.groupdict().items() if value}
    fixed = {
        "year_end": date(today.year, 12, 31),
        "new_year": date(today.year + 1, 1, 1),
        "next_month": _first_of(today.year, today.month + 1),
    }
    if named := fixed.keys() & part.keys():
        return fixed[named.pop()]
    if "unit" in part:
        return _after(today, part["count"].lower(), part["unit"].lower())
    year = int(part["year"].replace("'", "20")) if "year" in part else None
    month, months = _month(part)
    try:
        day = date(year or today.year, month, int(part.get("day", 1)))
    except ValueError:
        return None
    at_end = "day" not in part and "end of" in text[max(0, match.start() - 12) : match.end()].lower()
    last = _first_of(day.year, day.month + months) - timedelta(days=1)
    if at_end:
        day = last
    if year is None and last < today and day < today:
        return _day_next_year(day)
    return max(day, today) if "day" not in part and last >= today else day


def _month(part: dict[str, str]) -> tuple[int, int]:
    """The first month of what is named, and how many months that is."""
    if "quarter" in part or "ordinal" in part:
        quarter = int(part["quarter"]) if "quarter" in part else _ORDINALS[part["ordinal"].lower()]
        return 3 * quarter - 2, 3
    if "number" in part:
        return int(part["number"]), 1
    return (_MONTHS[part["month"].lower()], 1) if "month" in part else (1, 12)


def _day_next_year(day: date) -> date:
    last = calendar.monthrange(day.year + 1, day.month)[1]
    return date(day.year + 1, day.month, min(day.day, last))


def _first_of(year: int, month: int) -> date:
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _after(today: date, count: str, unit: str) -> date:
    number = int(count) if count.isdigit() else _NUMBERS[count]
    if unit == "week":
        return today + timedelta(weeks=number)
    first = _first_of(today.year, today.month + number * (12 if unit == "year" else 1))
    return first.replace(day=min(today.day, calendar.monthrange(first.year, first.month)[1]))
