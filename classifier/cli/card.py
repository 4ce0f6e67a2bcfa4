"""The verdict card: one verdict, readable in 80 columns, with or without colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from classifier.labels import CLASSES, UNSURE, in_words
from classifier.playbook import Response

if TYPE_CHECKING:
    from classifier.evidence import Evidence
    from classifier.neighbours import Neighbour
    from classifier.verdict import Segment, Verdict

WIDTH = 78
COLOURS = {"stall": "yellow", "objection": "red", "neither": "green", UNSURE: "magenta"}
_BAR = 24
_LONGEST_QUOTE = 600
_NOT_FOUND = {
    "stall": "No reason given. A polite no and honest reflection use the same words: ask.",
    "objection": "A reason is given: it can be answered.",
    "neither": "No holding back found, or nothing here for a seller to handle.",
    UNSURE: "The words don't settle it.",
}


def card(verdict: Verdict, *, colour: bool) -> str:
    """The whole card as text; without `colour`, evidence stands in [brackets]."""
    return "\n".join(_lines(verdict, colour))


def _lines(verdict: Verdict, colour: bool) -> Iterator[str]:
    shade = COLOURS[verdict.verdict]
    title = verdict.verdict.upper()
    if verdict.kind:
        title += f" · {in_words(verdict.kind)}"
    yield click.style(title, fg=shade, bold=True) + f"   {_how_sure(verdict)}"
    yield ""
    yield from _quote(verdict, colour)
    yield ""
    for name in CLASSES:
        share = verdict.probabilities[name]
        yield f"  {name:<10}{'█' * round(share * _BAR):<{_BAR}} {share:.2f}"
    yield ""
    yield f"  {_NOT_FOUND[verdict.verdict]}"
    if verdict.secondary:
        second = verdict.secondary
        yield f"  Also: {second.verdict} · {in_words(second.kind)} ({second.confidence:.2f})"
    if verdict.flags:
        until = f" (a date named: {verdict.condition_date})" if verdict.condition_date else ""
        yield f"  Flags: {', '.join(map(in_words, verdict.flags))}{until}"
    yield ""
    yield from response_lines(verdict.response)


def explanation(neighbours: Sequence[Neighbour], segments: Sequence[Segment], text: str) -> str:
    """What the segments say, and the nearest labelled statements, wrapped."""
    lines = ["", "  Piece by piece:"] if len(segments) > 1 else []
    for part in segments if len(segments) > 1 else ():
        words = " ".join(text[part.start : part.end].split())
        said = f"{part.verdict} · {in_words(part.kind)} ({part.probabilities[part.verdict]:.2f})"
        lines += _wrapped(f"{said}: {words}")
    lines += ["", "  Nearest labelled statements:"]
    for each in neighbours:
        lines += _wrapped(f"{each.label} · {in_words(each.kind)} ({each.similarity:.2f} alike): {each.text}")
    return "\n".join(lines if neighbours else [*lines, "    none that shares any words"])


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent="    ", subsequent_indent="      ", max_lines=4)


def _how_sure(verdict: Verdict) -> str:
    if verdict.verdict == UNSURE:
        ranked = sorted(verdict.probabilities, key=lambda name: -verdict.probabilities[name])
        return f"{ranked[0]} ({verdict.confidence:.2f}) or {ranked[1]}?"
    return f"{verdict.confidence_in_words()} ({verdict.confidence:.2f})"


def _quote(verdict: Verdict, colour: bool) -> list[str]:
    """The text with its deciding words marked, wrapped."""
    text = verdict.text
    marks = sorted((e for e in verdict.evidence if _speaks(e, verdict)), key=lambda e: -e.start)
    cut = len(text) > _LONGEST_QUOTE
    for mark in marks:
        if mark.end <= _LONGEST_QUOTE or not cut:
            words = text[mark.start : mark.end]
            text = f"{text[: mark.start]}\x02{words}\x03{text[mark.end :]}"
    if cut:
        text = text[:_LONGEST_QUOTE].rstrip() + " …"
    lines = [
        line
        for paragraph in text.strip().splitlines()
        for line in textwrap.wrap(paragraph, WIDTH - 4, break_long_words=True) or [""]
    ]
    return _marked(lines, colour)


def _speaks(evidence: Evidence, verdict: Verdict) -> bool:
    best = max(verdict.probabilities, key=lambda name: verdict.probabilities[name])
    return evidence.speaks_for == best


def _marked(lines: list[str], colour: bool) -> list[str]:
    """Turn the marks into emphasis, or brackets, that survives the line breaks."""
    if not colour:
        return [f"  {line}".replace("\x02", "[").replace("\x03", "]") for line in lines]
    done, inside = [], False
    for line in lines:
        marked = "\x02" * inside + line
        inside = marked.rfind("\x02") > marked.rfind("\x03")
        marked += "\x03" * inside
        done.append("  " + marked.replace("\x02", "\x1b[1;4m").replace("\x03", "\x1b[0m"))
    return done


def response_lines(response: Response, *, with_steps: bool = False) -> list[str]:
    """Aim, question, the next one and what to avoid, wrapped under their headings."""
    rows = [("Again", response.again)] if response.again else []
    rows += [("Aim", response.aim)]
    if with_steps:
        rows += [("Steps" if n == 1 else "", f"{n}. {step}") for n, step in enumerate(response.steps, 1)]
    rows += [("Ask", response.ask), ("Then", response.then), ("Avoid", response.avoid)]
    if with_steps:
        rows += [("Call", response.call), ("Email", response.email), ("Chat", response.chat)]
        rows += [("Why", response.why)]
    lines = []
    for heading, words in rows:
        wrapped = textwrap.wrap(words, WIDTH - 10)
        lines.append(f"  {click.style(f'{heading:<7}', bold=True)}{wrapped[0]}")
        lines += [f"         {line}" for line in wrapped[1:]]
    return lines
