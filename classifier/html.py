"""Pages that need nothing else: one HTML file with its style and its charts inside."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from classifier.errors import MissingExtra
from classifier.labels import in_words
from classifier.persistence import write_atomically


def write_page(path: Path, template: str, **names: Any) -> None:
    """Fill `template` (of ``classifier/templates``) with `names` and write it to `path`.

    Raises
    ------
    MissingExtra
        If the [report] extra is not installed.
    """
    check_installed()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(f"{template}.html.j2").render(in_words=in_words, **names)
    write_atomically(path, page.encode("utf-8", "replace"))


def check_installed() -> None:
    """Refuse before the work what would fail after it.

    Raises
    ------
    MissingExtra
        If the [report] extra is not installed.
    """
    try:
        import jinja2
        import matplotlib as mpl
    except ImportError as error:
        raise MissingExtra("writing a page", "report") from error
    del jinja2
    mpl.use("svg")


def svg(figure: Any) -> str:
    """A matplotlib figure as an SVG element."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    whole = buffer.getvalue()
    return whole[whole.index("<svg") :]
