"""`stallcheck predict`: a verdict on a buyer's words."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from classifier.cli.playbook import fill_option
from classifier.errors import InputError

if TYPE_CHECKING:
    from classifier.neighbours import Neighbour, Neighbours
    from classifier.verdict import Model, Verdict

EPILOG = """\b
Examples:
  stallcheck predict "Let me think about it"
  stallcheck predict --file email.txt
  pbpaste | stallcheck predict
  stallcheck predict --lines --file replies.txt --json
"""
_MOST_BYTES = 1_000_000


@click.command(epilog=EPILOG)
@click.argument("text", nargs=-1)
@click.option("-f", "--file", "path", type=click.Path(path_type=Path), help="Read the text from a file.")
@click.option("--lines", is_flag=True, help="Each line of the file or of standard input is a text.")
@click.option("--explain", is_flag=True, help="Add each piece's verdict and the nearest statements.")
@click.option(
    "--history",
    metavar="N",
    type=click.IntRange(0),
    default=0,
    help="Earlier stalls of this kind in the account.",
)
@fill_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a text.")
@click.option(
    "--target-precision",
    type=float,
    metavar="P",
    help="Be right in this share of answers: more or less unsure.",
)
@click.option(
    "-m", "--model", "folder", type=click.Path(path_type=Path), help="Model to use: a folder, or strong."
)
def predict(
    text: tuple[str, ...],
    path: Path | None,
    lines: bool,
    explain: bool,
    history: int,
    fill: dict[str, str],
    as_json: bool,
    target_precision: float | None,
    folder: Path | None,
) -> None:
    """Say whether TEXT is a stall, an objection or neither, and what to say next.

    Quote each TEXT. Without TEXT, reads --file or standard input as one text; on a terminal it
    asks, paste after paste.
    """
    if text and path:
        raise InputError("give TEXT or --file, not both")
    model = _load(folder, target_precision)
    model.playbook = model.playbook.with_names(fill)
    printer = _Printer(model, as_json, explain)
    if not text and not path and sys.stdin.isatty():
        from classifier.cli.shell import ask

        ask(model, lambda verdict: printer.show([verdict]), printer.explain, history)
        return
    texts = list(text) or _read(path, lines)
    if len(texts) > 1 and not any(" " in one for one in text or texts):
        click.echo(f"stallcheck: read as {len(texts)} texts; put quotes around a sentence", err=True)
    printer.show(model.predict(texts, history=history))


def _load(folder: Path | None, target_precision: float | None) -> Model:
    from classifier.verdict import load  # NumPy, which --help can do without

    return load(folder, target_precision=target_precision)


class _Printer:
    """Shows verdicts as cards or as JSON, with an explanation if asked."""

    def __init__(self, model: Model, as_json: bool, explain: bool) -> None:
        self._model = model
        self._as_json = as_json
        self._explain = explain
        self._neighbours: Neighbours | None = None

    def show(self, verdicts: list[Verdict]) -> None:
        """Print them, one after the other."""
        for number, verdict in enumerate(verdicts):
            if self._as_json:
                click.echo(json.dumps(self._to_dict(verdict), ensure_ascii=False))
            else:
                self._card(verdict, first=number == 0)

    def explain(self, verdict: Verdict) -> None:
        """Print what the card leaves out: pieces, nearest statements, steps and replies."""
        from classifier.cli.card import explanation, response_lines

        colour = _in_colour()
        click.echo(explanation(self._nearest(verdict), verdict.segments, verdict.text), color=colour)
        click.echo("\n" + "\n".join(response_lines(verdict.response, with_steps=True)), color=colour)

    def _nearest(self, verdict: Verdict) -> list[Neighbour]:
        if self._neighbours is None:
            from classifier.neighbours import Neighbours

            self._neighbours = Neighbours(self._model.scorer)
        return self._neighbours.nearest(verdict.text)

    def _to_dict(self, verdict: Verdict) -> dict[str, object]:
        if not self._explain:
            return verdict.to_dict()
        return {**verdict.to_dict(), "nearest": [each.to_dict() for each in self._nearest(verdict)]}

    def _card(self, verdict: Verdict, *, first: bool) -> None:
        from classifier.cli.card import card, explanation

        colour = _in_colour()
        click.echo("\n" * (not first) + card(verdict, colour=colour), color=colour)
        if self._explain:
            click.echo(explanation(self._nearest(verdict), verdict.segments, verdict.text))


def _read(path: Path | None, lines: bool) -> list[str]:
    """The texts of a file or of standard input: one, or one a line."""
    name = str(path) if path else "standard input"
    try:
        stream: BinaryIO = path.open("rb") if path else sys.stdin.buffer
        with stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{name}: {(error.strerror or str(error)).lower()}") from error
    if len(content) > _MOST_BYTES:
        raise InputError(
            f"{name} is larger than 1 MB: one statement is wanted; use 'stallcheck label' for a file of many"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: not UTF-8 text (byte {error.start + 1}); save it as UTF-8 and try again"
        ) from error
    if not lines:
        if not text.strip():
            raise InputError(f"{name} is empty: give the buyer's words")
        return [text.strip()]
    texts = [line.strip() for line in text.splitlines() if line.strip()]
    if not texts:
        raise InputError(f"{name} has no line with text: give the buyer's words")
    return texts


def _in_colour() -> bool:
    """Whether the terminal is one that shows colour and its user wants it."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
