"""`stallcheck respond`: the playbook in the terminal."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from classifier.cli.card import response_lines
from classifier.cli.playbook import fill_option
from classifier.labels import CLASS_OF, KINDS_OF, UNSURE, in_words
from classifier.playbook import ENTRIES, MIXED, default_playbook

EPILOG = """\b
Examples:
  stallcheck respond
  stallcheck respond think_it_over
  stallcheck respond price --fill buyer=Dana --json
  stallcheck respond send_info --history 1
"""


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [entry for entry in ENTRIES if entry.startswith(incomplete)]


@click.command(epilog=EPILOG)
@click.argument("kind", required=False, shell_complete=_complete)
@click.option(
    "--history", metavar="N", type=click.IntRange(0), default=0, help="Earlier stalls of this kind."
)
@fill_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def respond(kind: str | None, history: int, fill: dict[str, str], as_json: bool) -> None:
    """Show what to say next for KIND, or list the kinds.

    KIND is a kind (price), a class (stall), unsure or mixed.
    """
    playbook = default_playbook().with_names(fill)
    if kind is None:
        names = ENTRIES if as_json else ()
        if as_json:
            click.echo(json.dumps({name: asdict(playbook.entry(name)) for name in names}, ensure_ascii=False))
        else:
            _list_kinds()
        return
    response = playbook.entry(kind, history=history)
    if as_json:
        click.echo(json.dumps(asdict(response), ensure_ascii=False))
        return
    name = kind.strip().lower().replace(" ", "_").replace("-", "_")
    title = " · ".join(filter(None, [CLASS_OF.get(name), in_words(name)]))
    click.echo(click.style(title, bold=True))
    click.echo("\n".join(response_lines(response, with_steps=True)))


def _list_kinds() -> None:
    for label, kinds in KINDS_OF.items():
        click.echo(click.style(label, bold=True))
        click.echo("  " + "\n  ".join(kinds))
    click.echo(click.style("also", bold=True) + f"\n  {UNSURE}\n  {MIXED}")
