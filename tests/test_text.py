"""What counts of a text, and how it is cut into segments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.text import counted, counted_spans, segments

EMAIL = """Hi Tom,

lovely demo, but the price is steep.

Kind regards,
Anna Bell
Operations Manager

On Tue, 3 May 2025, Tom wrote:
> Shall we sign this week?
"""


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Not now.", "Not now."),
        (EMAIL, "Hi Tom,\n\nlovely demo, but the price is steep."),
        ("No thanks\n--\nJo\nDirector", "No thanks"),
        ("No\n\n-----Original Message-----\nFrom: Sam\nBuy?", "No"),
        ("> Buy?\nNot now", "Not now"),
        ("Rep: Shall we sign?\nBuyer: Not yet.\nRep: Why?\nBuyer: The price.", "Not yet.\n\nThe price."),
        ("Rep: Shall we sign?", "Rep: Shall we sign?"),
        ("Thanks,\nI'll think about it", "Thanks,\nI'll think about it"),
        ("Two things: price, and time.", "Two things: price, and time."),
    ],
    ids=[
        "plain",
        "mail",
        "mark",
        "outlook",
        "quote first",
        "transcript",
        "only the seller",
        "no sign-off",
        "colon",
    ],
)
def test_what_counts(text: str, kept: str) -> None:
    assert counted(text).strip() == kept


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("I like it, but not now.", ["I like it", "but not now."]),
        ("Fine. Call me? Bye!", ["Fine.", "Call me?", "Bye!"]),
        ("Mr. Smith said no.", ["Mr. Smith said no."]),
        ("- too dear\n- too slow", ["- too dear", "too slow"]),
        ("it costs 2.5 times more", ["it costs 2.5 times more"]),
        ("yes; however we can't", ["yes", "however we can't"]),
        ("", []),
        ("...", []),
    ],
)
def test_segments(text: str, pieces: list[str]) -> None:
    assert [text[start:end] for start, end in segments(text)] == pieces


@given(st.text())
def test_spans_stay_inside_and_in_order(text: str) -> None:
    for spans in (counted_spans(text), segments(text)):
        flat = [place for span in spans for place in span]
        assert flat == sorted(flat)
        assert all(0 <= place <= len(text) for place in flat)
