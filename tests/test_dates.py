"""The dates that texts name."""

from __future__ import annotations

from datetime import date

import pytest

from classifier.dates import find_date

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "day", "words"),
    [
        ("Our contract runs until June.", date(2027, 6, 1), "until June"),
        ("on a 3PL agreement thru Aug 2027", date(2027, 8, 1), "Aug 2027"),
        ("We're tied in to 31 March 2028, sorry", date(2028, 3, 31), "31 March 2028"),
        ("nothing before January 15th", date(2027, 1, 15), "January 15th"),
        ("locked until the end of May", date(2027, 5, 31), "until the end of May"),
        ("frozen till Q2", date(2027, 4, 1), "Q2"),
        ("budget opens in the third quarter of 2027", date(2027, 7, 1), "third quarter of 2027"),
        ("spending freeze until year end", date(2026, 12, 31), "year end"),
        ("not before the new year", date(2027, 1, 1), "the new year"),
        ("the lease is up in six months", date(2027, 5, 23), "in six months"),
        ("ends 2027-02-28", date(2027, 2, 28), "2027-02-28"),
        ("after the audit in November", date(2026, 11, 23), "in November"),
        ("we may have to wait", None, None),
        ("We may be acquired, and the march of time", None, None),
        ("it ran to 31 February 2028", None, None),
        ("since March 2020 we've been with them", None, None),
        ("call 3/4", None, None),
    ],
)
def test_the_date_that_a_text_names(text: str, day: date | None, words: str | None) -> None:
    found = find_date(text, TODAY)
    assert (found and found.day) == day
    assert (found and text[found.start : found.end]) == words
