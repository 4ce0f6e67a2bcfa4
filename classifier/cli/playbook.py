"""`stallcheck playbook`: a team's own responses over the ones that ship."""

from __future__ import annotations

from pathlib import Path

import click

from classifier.errors import InputError

EPILOG = """\b
Examples:
  stallcheck playbook export ours.toml
  stallcheck playbook check ours.toml
  stallcheck playbook use ours.toml
  stallcheck playbook use --shipped
"""


def _names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in value]
    for name, sign, _ in pairs:
        if not sign:
            raise click.BadParameter(f"'{name}' is not NAME=WORDS, such as buyer=Dana")
    return {name.strip(): words.strip() for name, _, words in pairs}


fill_option = click.option(
    "--fill",
    metavar="NAME=WORDS",
    multiple=True,
    callback=_names,
    help="Fill a placeholder (buyer, seller, product, company); repeatable.",
)
"""Names for the placeholders of the playbook, as a dict."""


@click.group(epilog=EPILOG)
def playbook() -> None:
    """What to say next, kind by kind: export it, check your own, use it.

    A file of your own overrides parts of the one that ships; what it leaves out stays. It is kept
    among your settings, or where $STALLCHECK_PLAYBOOK says.
    """


@playbook.command()
@click.argument("path", type=click.Path(path_type=Path))
def export(path: Path) -> None:
    """Write the playbook that ships to PATH, to be changed."""
    from classifier.persistence import write_atomically
    from classifier.playbook import shipped_text

    if path.exists():
        raise InputError(f"{path} exists already: choose another name")
    write_atomically(path, shipped_text().encode())
    click.echo(f"Wrote {path}: keep what you change, and delete the rest.")


@playbook.command()
@click.argument("path", type=click.Path(path_type=Path))
def check(path: Path) -> None:
    """Check a playbook of your own."""
    from classifier.playbook import read_own

    tables = read_own(path)
    click.echo(f"{path} is a playbook: it overrides parts of {', '.join(tables) or 'nothing'}.")


@playbook.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--shipped", is_flag=True, help="Go back to the playbook that ships.")
def use(path: Path | None, shipped: bool) -> None:
    """Use the playbook in PATH from now on; a copy is kept."""
    from classifier.persistence import write_atomically
    from classifier.playbook import own_path, read_own

    if (path is None) != shipped:
        raise click.UsageError("give a PATH, or --shipped to go back")
    own = own_path()
    if path is None:
        own.unlink(missing_ok=True)
        click.echo("The playbook that ships is in use.")
        return
    read_own(path)
    own.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(own, path.read_bytes())
    click.echo(f"In use: {own}, a copy of {path}.")
