"""The loop of `stallcheck predict` on a terminal: paste, read the card, ask for more."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from classifier.errors import InputError, StallcheckError
from classifier.labels import CLASSES, KINDS_OF

if TYPE_CHECKING:
    from classifier.verdict import Model, Verdict

HELP = "? more about it · c copy the question · r record a correction · q quit"


def ask(
    model: Model, show: Callable[[Verdict], None], explain: Callable[[Verdict], None], history: int
) -> None:
    """Read texts until the input ends or ``q``; show each verdict with `show`, more with `explain`."""
    _remember_lines()
    click.echo("Paste the buyer's words; an empty line ends them, Ctrl-D or q quits.", err=True)
    last: Verdict | None = None
    while True:
        said = _paste()
        command = said.strip().lower() if said else "q"
        if command == "q":
            return
        if command in ("?", "c", "r"):
            _do(command, last, explain)
            continue
        try:
            last = model(said or "", history=history)
        except InputError as error:
            click.echo(f"stallcheck: {error}", err=True)
            continue
        show(last)
        click.echo(f"\n{HELP}", err=True)


def _do(command: str, last: Verdict | None, explain: Callable[[Verdict], None]) -> None:
    if last is None:
        click.echo("Paste a text first.", err=True)
    elif command == "?":
        explain(last)
    elif command == "c":
        _copy(last.response.ask)
    else:
        _record(last)


def _paste() -> str | None:
    """A text, ended by an empty line or by the end of the input; a command alone ends itself."""
    gathered: list[str] = []
    while True:
        try:
            line = input("  " if gathered else "> ")
        except EOFError:
            click.echo("", err=True)
            return "\n".join(gathered) or None
        if not gathered and line.strip().lower() in ("?", "c", "r", "q"):
            return line
        if line.strip():
            gathered.append(line)
        elif gathered:
            return "\n".join(gathered)


def _copy(question: str) -> None:
    import pyperclip

    try:
        pyperclip.copy(question)
    except pyperclip.PyperclipException:
        click.echo(f"No clipboard here; the question is:\n{question}", err=True)
    else:
        click.echo(f"Copied: {question}", err=True)


def _record(last: Verdict) -> None:
    """Ask for the right label and keep it."""
    from classifier.corrections import record

    try:
        label = _choose("What was it", CLASSES)
        kind = _choose("Which kind (Enter for none)", KINDS_OF[label], optional=True)
    except (EOFError, click.Abort):
        click.echo("Not recorded.", err=True)
        return
    try:
        path = record(last.text, label, kind, last.verdict)
    except StallcheckError as error:
        click.echo(f"stallcheck: {error}", err=True)
    else:
        click.echo(f"Recorded in {path}; 'stallcheck train {path}' learns from it.", err=True)


def _choose(question: str, allowed: tuple[str, ...], *, optional: bool = False) -> str:
    """One of the allowed words, by its beginning."""
    while True:
        answer = input(f"{question}? {', '.join(allowed)}: ").strip().lower().replace(" ", "_")
        found = [word for word in allowed if word == answer] or [
            word for word in allowed if answer and word.startswith(answer)
        ]
        if optional and not answer:
            return ""
        if len(found) == 1:
            return found[0]
        click.echo("One of them, please; its first letters are enough.", err=True)


def _remember_lines() -> None:
    """Let the arrow keys bring back earlier lines, where the terminal can."""
    with contextlib.suppress(ImportError):  # Windows has none
        import readline  # noqa: F401
